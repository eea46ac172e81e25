"""Augmentation: labels' pictures change as they should, by the given generator alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from askwell.core.pool import Form
from askwell.errors import BadShape, InputError, UnknownName
from askwell.functional.augment import cutout, flip, jitter, shift, warp
from askwell.training.augment import AUGMENTATIONS, view

FORM = Form("image", (1, 8, 8))


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=6, channels=1, side=8):
    return torch.rand(n, channels, side, side, generator=rng(5)) + 0.01


@settings(deadline=None, max_examples=30)
@given(reach=st.integers(0, 4), seed=st.integers(0, 99))
def test_shift_moves_each_image_by_whole_pixels(reach, seed):
    x = images()
    shifted = shift(x, reach, rng(seed))
    down, right = torch.randint(0, 2 * reach + 1, (2, 6), generator=rng(seed)) - reach
    for image, before, dy, dx in zip(shifted, x, down.tolist(), right.tolist(), strict=True):
        rolled = before.roll((-dy, -dx), (1, 2))
        kept = torch.ones(8, 8, dtype=torch.bool)
        kept[8 - dy if dy > 0 else 0 : 8 if dy > 0 else -dy] = False
        kept[:, 8 - dx if dx > 0 else 0 : 8 if dx > 0 else -dx] = False
        assert torch.equal(image, torch.where(kept, rolled, 0.0))


def test_flip_mirrors_about_half():
    x = images(200)
    flipped = flip(x, rng())
    mirrored = (flipped == x.flip(3)).flatten(1).all(1)
    same = (flipped == x).flatten(1).all(1)
    assert bool((mirrored ^ same).all())
    assert 70 < int(mirrored.sum()) < 130


@settings(deadline=None, max_examples=30)
@given(side=st.integers(1, 8), seed=st.integers(0, 99))
def test_cutout_hides_at_most_one_square(side, seed):
    hidden = cutout(images(), side, rng(seed)) == 0
    for image in hidden[:, 0]:
        rows, columns = image.any(1), image.any(0)
        assert 1 <= rows.sum() <= side
        assert 1 <= columns.sum() <= side
        assert int(image.sum()) == int(rows.sum() * columns.sum())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_view_repeats_keeps_its_shape_and_moves_no_global_generator(name, channels):
    x, before = images(channels=channels, side=28), torch.get_rng_state()
    change = view(name, (), Form("image", (channels, 28, 28)))
    one, other, another = change(x.clone(), rng(1)), change(x.clone(), rng(1)), change(x.clone(), rng(2))
    assert one.shape == x.shape
    assert torch.equal(one, other)
    assert not torch.equal(one, another)
    assert torch.equal(before, torch.get_rng_state())
    assert change(x[:0], rng()).shape == (0, channels, 28, 28)


def test_warp_moves_turns_and_stretches_within_its_bounds():
    """One bright spot at the centre stays within the largest move; without any change the image is as it was."""
    x = torch.zeros(200, 1, 21, 21)
    x[:, :, 10, 10] = 1.0
    moved = warp(x, rng(), turn=0.0, scale=0.0, move=0.1)
    places = (moved.flatten(1).argmax(1) - 10 * 21 - 10).abs()
    rows, columns = (moved.amax(axis).flatten(1).argmax(1) - 10 for axis in (3, 2))
    assert int(torch.maximum(rows.abs(), columns.abs()).max()) == 2
    assert len(places.unique()) > 3
    line = torch.zeros(200, 1, 21, 21)
    line[:, :, :, 10] = 1.0
    straight, turned = warp(line, rng(), 0.0, 0.0, 0.0), warp(line, rng(), 0.5, 0.0, 0.0)
    torch.testing.assert_close(straight, line)
    assert (turned[:, 0, 0].argmax(1) - turned[:, 0, 20].argmax(1)).float().std() > 2
    block = torch.zeros(200, 1, 21, 21)
    block[:, :, 6:15, 6:15] = 1.0
    areas = warp(block, rng(), 0.0, 0.3, 0.0).sum((1, 2, 3)) / 81
    assert float(areas.min()) > 0.7**2 * 0.9
    assert float(areas.max()) < 1.3**2 * 1.1
    assert float(areas.std()) > 0.1


def test_jitter_scales_about_the_mean_and_adds():
    x = images().clamp(0.3, 0.7)
    mean, spread = x.mean((1, 2, 3)), x.std((1, 2, 3))
    changed = jitter(x, rng(), contrast=0.2, brightness=0.0)
    torch.testing.assert_close(changed.mean((1, 2, 3)), mean)
    factors = changed.std((1, 2, 3)) / spread
    assert bool(((factors > 0.8) & (factors < 1.2)).all())
    assert float(factors.std()) > 0
    lighter = jitter(x, rng(), contrast=0.0, brightness=0.2)
    torch.testing.assert_close(lighter.std((1, 2, 3)), spread)
    assert float((lighter - x).abs().max()) <= 0.2 + 1e-6
    far = jitter(images(), rng(), 0.9, 0.9)
    assert float(far.min()) >= 0
    assert float(far.max()) <= 1


def test_train_is_the_schemes_augmentation_and_eval_is_nothing():
    x = images()
    chained = view("train", ("shift", "cutout"), FORM)(x, rng(3))
    one = rng(3)
    assert torch.equal(chained, cutout(shift(x, 1, one), 4, one))
    assert view("eval", ("shift", "cutout"), FORM)(x, rng(3)) is x


def test_refusals():
    with pytest.raises(UnknownName, match=r"^unknown augmentation 'flp': did you mean 'flip'\?"):
        view("flp", (), FORM)
    with pytest.raises(BadShape, match=r"^images have shape \(2, 3\) instead of \(n, channels, height, width\)$"):
        flip(torch.ones(2, 3), rng())
    with pytest.raises(InputError, match=r"^augmentation 'randaugment' takes 1 or 3 channels and these items have 2$"):
        view("randaugment", (), Form("image", (2, 8, 8)))(images(channels=2), rng())
