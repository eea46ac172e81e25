"""Learning curves in the terminal and as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from askwell.engine.draw import bands, png, terminal
from askwell.errors import InputError

CURVES = {
    "margin": [[(20, 0.5), (40, 0.7), (60, 0.8)], [(20, 0.6), (40, 0.9), (60, 0.8)]],
    "random": [[(20, 0.5), (40, 0.6), (60, 0.7)], [(20, 0.6), (40, 0.6), (60, 0.7)]],
}


def test_a_band_is_the_mean_and_the_t_interval_of_the_seeds() -> None:
    band = bands(CURVES)["margin"]
    assert band.labels.tolist() == [20, 40, 60]
    np.testing.assert_allclose(band.mean, [0.55, 0.8, 0.8])
    half = 12.706204736 * np.std([0.7, 0.9], ddof=1) / np.sqrt(2)
    np.testing.assert_allclose(band.half[1], half, rtol=1e-6)


def test_seeds_that_stopped_early_leave_the_others_their_points() -> None:
    band = bands({"margin": [[(20, 0.5), (40, 0.7)], [(20, 0.7)]]})["margin"]
    np.testing.assert_allclose(band.mean, [0.6, 0.7])
    assert np.isnan(band.half[1])


def test_the_terminal_shows_metric_axes_arms_and_a_table() -> None:
    lines = terminal(CURVES, "accuracy").splitlines()
    assert lines[0] == "accuracy"
    assert "● margin   ○ random" in lines
    assert lines[-1] == "mean of 2 seeds, 95 % interval"
    assert any(line.strip() == "labels" for line in lines)
    assert any(line.split() == ["20", "40", "60"] for line in lines)
    row = next(line.split() for line in lines if line.split()[:1] == ["40"] and "±" in line)
    assert row == ["40", "0.8000", "±", "1.2706", "0.6000", "±", "0.0000"]
    assert any(line.split()[:1] == ["area"] for line in lines)


def test_one_seed_has_no_interval() -> None:
    text = terminal({"margin": [[(20, 0.5), (40, 0.7)]]}, "accuracy")
    assert "±" not in text
    assert text.endswith("\none seed")


def test_values_that_are_undefined_are_left_out() -> None:
    band = bands({"margin": [[(20, float("nan")), (40, 0.7)]], "nothing": [[], [(20, float("nan"))]]})
    assert list(band) == ["margin"]
    assert band["margin"].labels.tolist() == [40]


def test_a_single_round_is_drawn() -> None:
    assert "●" in terminal({"margin": [[(20, 0.5)]]}, "accuracy")


@given(
    points=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40),
    first=st.integers(1, 1000),
    step=st.integers(1, 100_000),
    width=st.integers(40, 120),
)
def test_no_line_is_wider_than_asked(points: list[float], first: int, step: int, width: int) -> None:
    curve = [(first + step * place, value) for place, value in enumerate(points)]
    assert max(map(len, terminal({"margin": [curve]}, "accuracy", width).splitlines())) <= width


def test_points_stand_where_their_values_are() -> None:
    lines = terminal({"up": [[(0, 0.0), (100, 1.0)]]}, "accuracy").splitlines()
    marked = [(row, line.index("●")) for row, line in enumerate(lines[:17]) if "●" in line]
    assert marked[0][0] < marked[1][0]
    assert marked[0][1] > marked[1][1]


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(InputError, match=r"^there is no finished round to draw$"):
        terminal({"margin": [[]]}, "accuracy")


def test_the_picture_is_a_png_that_repeats_bit_for_bit(tmp_path: Path) -> None:
    one = png(CURVES, "balanced_accuracy", tmp_path / "one.png", title="digits: margin against random")
    two = png(CURVES, "balanced_accuracy", tmp_path / "two.png", title="digits: margin against random")
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as picture:
        assert picture.format == "PNG"
        assert picture.size == (1050, 675)


def test_the_picture_shows_every_arm_in_its_own_colour(tmp_path: Path) -> None:
    with Image.open(png(CURVES, "accuracy", tmp_path / "curve.png")) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert {(0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)} <= colours


def test_of_an_error_the_axis_says_that_less_is_better():
    assert terminal(CURVES, "rmse").splitlines()[0] == "rmse (less is better)"
    assert terminal(CURVES, "macro_f1").splitlines()[0] == "macro_f1"
