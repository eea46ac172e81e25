"""Learning curves: as text for the terminal, as a PNG for everybody else."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from askwell.core.task import MINIMISED
from askwell.errors import InputError
from askwell.metrics.curves import Curve, area, intervals, mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Band", "Curves", "bands", "defined", "number", "png", "small_png", "terminal"]

Curves = Mapping[str, Sequence[Curve]]
"""arm -> its seeds' curves."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe & Ito: distinct with any kind of colour vision."""
GREY = "#808080"
MARKERS = "●○▲△■□◆"
LINE = 36
"""Letters of an arm's name on one line of a legend."""


@dataclass(frozen=True)
class Band:
    """One arm over its seeds.

    labels  (R,) numbers of labels, ascending
    mean    (R,) mean of the seeds that got there
    half    (R,) half of the 95 % t-interval; NaN where one seed got there
    """

    labels: NDArray[np.int64]
    mean: NDArray[np.float64]
    half: NDArray[np.float64]


def bands(curves: Curves) -> dict[str, Band]:
    """Mean and 95 % t-interval of every arm at every number of labels; values that are NaN are left out.

    >>> bands({"margin": [[(10, .5), (20, .7)], [(10, .6), (20, .7)]]})["margin"].mean
    array([0.55, 0.7 ])
    """
    found = {arm: _band(defined(seeds)) for arm, seeds in curves.items()}
    found = {arm: band for arm, band in found.items() if len(band.labels)}
    if not found:
        raise InputError("there is no finished round to draw", got=dict(curves))
    return found


def _band(seeds: Sequence[Curve]) -> Band:
    rows = intervals(seeds)
    return Band(
        np.array([row.labels for row in rows], np.int64),
        np.array([row.mean for row in rows]),
        np.array([row.half for row in rows]),
    )


def defined(seeds: Sequence[Curve]) -> list[Curve]:
    """The curves without values that are NaN; without those of which nothing is left."""
    kept = [[(labels, value) for labels, value in curve if value == value] for curve in seeds]
    return [curve for curve in kept if curve]


def terminal(curves: Curves, metric: str, width: int = 80) -> str:
    """The curves as a plot and a table of mean ± half of the 95 % interval, at most `width` columns wide.

    curves  arm -> curves of its seeds
    metric  what the values are, such as "accuracy"
    """
    found = bands(curves)
    plot = [_named(metric), *_plot(found, width - 1, height=16)]
    arms = "   ".join(f"{marker} {arm}" for marker, arm in zip(_markers(len(found)), found, strict=True))
    return "\n".join([*plot, arms, "", _table(curves, found, width), _seeds(curves)])


def _named(metric: str) -> str:
    return f"{metric} (less is better)" if metric in MINIMISED else metric


def _plot(found: Mapping[str, Band], width: int, height: int) -> list[str]:
    low, high, ticks = _scale(np.concatenate([band.mean for band in found.values()]), 8)
    names = [f"{tick:.{_digits(ticks)}f}" for tick in ticks]
    margin = max(map(len, names)) + 1
    every = np.concatenate([band.labels for band in found.values()])
    grid = Grid(width - margin - 2, height, (int(every.min()), int(every.max())), (low, high))
    rows = {int(grid.row(np.array([tick]))[0]) // 4: name for tick, name in zip(ticks, names, strict=True)}
    lines = [
        f"{rows.get(place, ''):>{margin}} {'┤' if place in rows else '│'}{''.join(line)}".rstrip()
        for place, line in enumerate(grid.draw(list(found.values())))
    ]
    return [*lines, *_axis(grid, sorted({int(labels) for labels in every}), margin)]


def _scale(values: NDArray[np.float64], ticks: int) -> tuple[float, float, list[float]]:
    from matplotlib.ticker import MaxNLocator

    low, high = float(values.min()), float(values.max())
    room = 0.03 * (high - low) or 0.05
    low, high = low - room, high + room
    places = MaxNLocator(ticks, steps=[1, 2, 5, 10]).tick_values(low, high)
    return low, high, [float(place) for place in places if low <= place <= high]


def _digits(ticks: Sequence[float]) -> int:
    """Decimals that tell the ticks apart."""
    return max(len(f"{tick:.6g}".partition(".")[2]) for tick in ticks)


def _axis(grid: Grid, labels: Sequence[int], margin: int) -> list[str]:
    line, names = ["─"] * grid.width, [" "] * (grid.width + margin + 2)
    free = 0
    for value in labels:
        column = int(grid.column(np.array([value]))[0]) // 2
        start = min(column + margin + 2 - len(str(value)) // 2, len(names) - len(str(value)))
        if start >= free:
            line[column] = "┬"
            names[start : start + len(str(value))] = str(value)
            free = start + len(str(value)) + 2
    return [" " * (margin + 1) + "└" + "".join(line), "".join(names).rstrip(), "labels".rjust(len(names))]


@dataclass(frozen=True)
class Grid:
    """Character cells of a plot; a cell is four dots high and two wide."""

    width: int
    height: int
    across: tuple[float, float]
    up: tuple[float, float]

    def column(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Dot columns of numbers of labels."""
        low, high = self.across
        share = (labels - low) / (high - low) if high > low else np.full(len(labels), 0.5)
        return np.rint(np.asarray(share, np.float64) * (2 * self.width - 1)).astype(np.int64)

    def row(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Dot rows of values, counted from the top."""
        low, high = self.up
        return np.rint((high - values) / (high - low) * (4 * self.height - 1)).astype(np.int64)

    def draw(self, found: Sequence[Band]) -> list[list[str]]:
        """Rows of characters: lines in Braille dots, a marker of its own for each band, `*` where several meet."""
        cells = self._braille(self._dots(found))
        marked: dict[tuple[int, int], str] = {}
        for marker, band in zip(_markers(len(found)), found, strict=True):
            some = _evenly(len(band.labels), self.width // 6)
            for place in zip(self.row(band.mean[some]) // 4, self.column(band.labels[some]) // 2, strict=True):
                marked[place] = marker if marked.get(place, marker) == marker else "*"
        for (row, column), marker in marked.items():
            cells[row][column] = marker
        return cells

    def _dots(self, found: Sequence[Band]) -> NDArray[np.bool_]:
        dots = np.zeros((4 * self.height, 2 * self.width), np.bool_)
        for band in found:
            at, rows = self.column(band.labels), self.row(band.mean)
            columns = np.arange(at[0], at[-1] + 1)
            along = np.rint(np.interp(columns, at, rows)).astype(np.int64)
            for column, here, there in zip(columns, along, [*along[1:], along[-1]], strict=True):
                dots[min(here, there) : max(here, there) + 1, column] = True
        return dots

    def _braille(self, dots: NDArray[np.bool_]) -> list[list[str]]:
        bits = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
        codes = np.einsum("hawb,ab->hw", dots.reshape(self.height, 4, self.width, 2), bits)
        return [[chr(0x2800 + code) if code else " " for code in row] for row in codes]


def _markers(n: int) -> list[str]:
    return [MARKERS[place % len(MARKERS)] for place in range(n)]


def _seeds(curves: Curves) -> str:
    seeds = max(len(seeds) for seeds in curves.values())
    return f"mean of {seeds} seeds, 95 % interval" if seeds > 1 else "one seed"


def _table(curves: Curves, found: Mapping[str, Band], width: int) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("labels", *found, box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        column.justify = "right"
    every = sorted({int(at) for band in found.values() for at in band.labels})
    for labels in [every[place] for place in _evenly(len(every), 12)]:
        table.add_row(str(labels), *(_cell(band, labels) for band in found.values()))
    table.add_section()
    table.add_row("area", *(number(*mean_interval([area(curve) for curve in defined(curves[arm])])) for arm in found))
    with open(os.devnull, "w") as nowhere:
        console = Console(width=width, file=nowhere, record=True, color_system=None)
        console.print(table)
        return "\n".join(line.rstrip() for line in console.export_text().splitlines() if line.strip())


def _evenly(n: int, most: int) -> NDArray[np.int64]:
    """At most `most` of n places, with the first and the last."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).round().astype(np.int64))


def _cell(band: Band, labels: int) -> str:
    place = np.flatnonzero(band.labels == labels)
    return number(band.mean[place[0]], band.half[place[0]]) if len(place) else ""


def number(mean: float, half: float) -> str:
    """A mean and half of its interval; the mean alone where there is no interval."""
    return f"{mean:.4f}" if np.isnan(half) else f"{mean:.4f} ± {half:.4f}"


def png(curves: Curves, metric: str, path: str | Path, title: str = "") -> Path:
    """Writes the curves as a PNG: a line with its 95 % t-interval for every arm, thin lines for its seeds."""
    _figure(curves, metric, title, (7, 4.5)).savefig(path, format="png", metadata={"Software": None})
    return Path(path)


def small_png(curves: Curves, metric: str) -> bytes:
    """The same as a small PNG without background, its text in a grey that reads on light and on dark pages."""
    from matplotlib import rc_context

    file = io.BytesIO()
    with rc_context(
        {"text.color": GREY, "axes.edgecolor": GREY, "axes.labelcolor": GREY, "xtick.color": GREY, "ytick.color": GREY}
    ):
        _figure(curves, metric, "", (4.6, 3)).savefig(file, format="png", transparent=True)
    return file.getvalue()


def _figure(curves: Curves, metric: str, title: str, size: tuple[float, float]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=150, layout="constrained")
    axes = figure.add_subplot(xlabel="labelled items", ylabel=_named(metric).replace("_", " "), title=title)
    for place, (arm, band) in enumerate(bands(curves).items()):
        _arm(axes, arm, band, curves[arm], place)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, title=_seeds(curves), alignment="left")
    return figure


def _arm(axes: Axes, arm: str, band: Band, seeds: Sequence[Curve], place: int) -> None:
    colour, marker = COLOURS[place % len(COLOURS)], "osD^vPX"[place % 7]
    if len(seeds) > 1:
        for curve in seeds:
            axes.plot(*zip(*curve, strict=True), color=colour, linewidth=0.6, alpha=0.45)
        axes.fill_between(
            band.labels, band.mean - band.half, band.mean + band.half, color=colour, alpha=0.15, linewidth=0
        )
    axes.plot(band.labels, band.mean, color=colour, linewidth=2, marker=marker, markersize=4.5, label=fill(arm, LINE))
