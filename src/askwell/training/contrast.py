"""Contrastive learning: a net that knows an item by two changed views of it, from items alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from askwell.core.scheme import Draw, Rows, Run, Scheme
from askwell.errors import InputError, UnknownName
from askwell.functional.contrastive import nt_xent
from askwell.training.augment import AUGMENTATIONS
from askwell.training.weighting import no_loss

__all__ = ["Contrast", "contrast"]


def contrast(
    run: Run,
    name: str = "net",
    *,
    draw: str | Draw = "unlabelled",
    steps: int,
    size: int = 128,
    lr: float = 2e-3,
    temperature: float = 0.2,
) -> None:
    """Trains the run's module `name` by NT-Xent on two "train" views of every item of a draw: one phase of a fit.

    The module gives projections (n, P); the views are the scheme's `augment`, each from a generator of its own. Adam
    with a cosine schedule. Steps are of `size` items, or of all where there are fewer: a copy would be pushed away from
    its own item. Without items nothing moves.
    """
    net, few = getattr(run.m, name), len((run.draw(draw) if isinstance(draw, str) else draw).ids)
    rows = run.stream(f"views of {name}", max(1, min(size, few)), draw, ("train", "train"))
    update = run.update(name, net, lr=lr, schedule=("cosine", steps))

    def loss(items: Rows) -> Tensor:
        one, other = items.views
        return nt_xent(net(one), net(other), temperature).mean() if len(items) else no_loss(net)

    for _ in run.clock(f"contrast {name}", steps):
        update(loss, rows.next())


@dataclass(frozen=True)
class Contrast(Scheme):
    """SimCLR on unlabelled items: `net` is trained, and no label is read.

    steps        of `size` items at most, two views each; lr: of Adam, falling to 0 by half a cosine
    temperature  of the similarities; lower ones look at near neighbours alone
    augment      what makes a view, in order: "warp", "cutout", "jitter", "flip", "shift", "randaugment"; images only

    Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", arXiv 2002.05709.

    >>> sorted(Contrast().reads)
    ['unlabelled']
    """

    steps: int = 600
    size: int = 128
    lr: float = 2e-3
    temperature: float = 0.2
    augment: tuple[str, ...] = ("warp", "jitter")

    def __post_init__(self) -> None:
        for name, least in (("steps", 0), ("size", 2)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of Contrast must be at least {least}, got {getattr(self, name)}")
        for name in self.augment:
            if name not in AUGMENTATIONS:
                raise UnknownName("augmentation", name, AUGMENTATIONS)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"unlabelled"})

    def train(self, run: Run) -> None:
        run.build()
        contrast(run, steps=self.steps, size=self.size, lr=self.lr, temperature=self.temperature)
