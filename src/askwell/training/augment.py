"""Views of a batch, after it is assembled: "eval" as it is, "train" by the scheme's augmentation, or one by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Generator, Tensor

from askwell.core.pool import Form
from askwell.errors import InputError, MissingExtra, UnknownName
from askwell.functional.augment import cutout, flip, jitter, shift, warp
from askwell.training.chance import lend

__all__ = ["AUGMENTATIONS", "Augment", "view"]

Augment = Callable[[Any, Generator], Any]
"""A batch and a generator to a changed batch of the same shape."""


def view(name: str, augment: Sequence[str], form: Form) -> Augment:
    """The transform behind a view's name; `augment` is what "train" stands for, in order.

    shift        up to an eighth of the height, at least 1 pixel
    flip         left to right
    cutout       a square of half the height
    warp         turned by up to 0.2 radians, stretched by up to 0.2, moved by up to 0.1 of the height
    jitter       contrast by up to 0.4, brightness by up to 0.2
    randaugment  two of kornia's operations at strength 10 (Cubuk et al. 2020, arXiv 1909.13719); extra "augment"

    >>> import torch
    >>> view("eval", ("flip",), Form("image", (1, 8, 8)))(torch.ones(1, 1, 8, 8), torch.Generator()).shape
    torch.Size([1, 1, 8, 8])
    """
    names = {"eval": (), "train": tuple(augment)}.get(name, (name,))
    for one in names:
        _check(one, form)
    steps = [AUGMENTATIONS[one]() for one in names]

    def apply(x: Any, rng: Generator) -> Any:
        for step in steps:
            x = step(x, rng)
        return x

    return apply


def _check(name: str, form: Form) -> None:
    if name not in AUGMENTATIONS:
        raise UnknownName("augmentation", name, AUGMENTATIONS)
    if form.kind != "image":
        raise InputError(f"augmentation {name!r} changes images and these items are of kind {form.kind!r}", got=name)


def _shift() -> Augment:
    return lambda x, rng: shift(x, max(1, x.shape[2] // 8), rng)


def _flip() -> Augment:
    return flip


def _cutout() -> Augment:
    return lambda x, rng: cutout(x, x.shape[2] // 2, rng)


def _warp() -> Augment:
    return warp


def _jitter() -> Augment:
    return jitter


def _randaugment() -> Augment:
    try:
        from kornia.augmentation.auto import RandAugment
    except ImportError:
        raise MissingExtra("kornia", "augment") from None
    change = RandAugment(n=2, m=10)

    def apply(x: Tensor, rng: Generator) -> Tensor:
        if not len(x):
            return x
        with lend(rng):
            changed: Tensor = change(_coloured(x)).clamp(0, 1)
        return changed if x.shape[1] == 3 else changed.mean(1, keepdim=True)

    return apply


def _coloured(x: Tensor) -> Tensor:
    """kornia's colour operations take three channels; grey images are repeated."""
    if x.shape[1] not in (1, 3):
        raise InputError(f"augmentation 'randaugment' takes 1 or 3 channels and these items have {x.shape[1]}")
    return x.expand(-1, 3, -1, -1)


AUGMENTATIONS: dict[str, Callable[[], Augment]] = {
    "shift": _shift, "flip": _flip, "cutout": _cutout, "warp": _warp, "jitter": _jitter,
    "randaugment": _randaugment,
}  # fmt: skip
