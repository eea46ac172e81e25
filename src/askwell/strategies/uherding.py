"""UHerding: unsure items that are close to many other unsure ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import FEATURES, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.distance import Points
from askwell.functional.kernels import Gaussian, highest, separation, unit
from askwell.functional.pick import uniform
from askwell.functional.submodular import facility_location
from askwell.functional.tempering import tempered
from askwell.functional.uncertainty import margin

__all__ = ["Uherding"]

log = logging.getLogger("askwell")

WIDEST = 1.0


@dataclass(frozen=True)
class Uherding(Strategy):
    """Asks for the item that brings the unsure ones closest to a labelled or picked one: for any number of labels.

    width        h of the kernel exp(−(d/h)²); None: the least distance between two labelled items, which shrinks as
                 labels become many, so that few labels are spread out and many go to the unsure; 1 where there is none
    temperature  divides the logits first: above 1 where the model is surer than it is right

    Probabilities (N, C), features (N, D) and, of the labelled items, (M, D), scaled to length one. An item counts
    1 − (p₍₁₎ − p₍₂₎); without labels all count the same, which is `Maxherding`. The score of a pick is by how much it
    raises the mean over all N + M items of what they count times the kernel to the closest labelled or picked one;
    labelled items count nothing. At most O(N·(N + M)·D + M²·D) for each pick, and 100 picks cost a few times the
    first. Memory O(N·(C + D)); `subsample` bounds it.

    Bae, Oliveira and Sutherland 2025, "Uncertainty Herding: One Active Learning Method for All Label Budgets",
    arXiv 2412.20644.

    >>> angle = torch.tensor([0., .1, .2, 1., 1.1, 3.])
    >>> z, known = torch.stack([angle.cos(), angle.sin()], 1), torch.tensor([[0., 1.]])
    >>> p = torch.tensor([[.95, .05]] * 5 + [[.5, .5]])
    >>> given = {PROBS: p, FEATURES: z, FEATURES.at("labelled"): known}
    >>> view = View(torch.arange(6), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([6])})
    >>> Uherding(width=.5).select(view, 2, torch.Generator())
    Batch(ids=tensor([5, 1]), scores=tensor([0.1427, 0.0417]), ...)
    """

    cost: ClassVar[str] = "O(N·(N + M)·D)"

    width: float | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        for name in ("width", "temperature"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} of 'uherding' is {value}: it must be above 0", got=value)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, FEATURES, FEATURES.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        space, labelled = (unit(view[need]) for need in self.needs[1:])
        kernel = Gaussian(_narrowest(labelled) if self.width is None else self.width)
        floor = highest(kernel, space, labelled)
        doubt = self._doubt(view[PROBS]) if len(labelled) else None
        found = facility_location(space, n, uniform(len(view), rng), kernel, weights=doubt, floor=floor)
        idle = int((found.gains <= 0).sum())
        if idle:
            log.info("uherding: %d of %d items bring no unsure one closer and are drawn at random", idle, n)
        return view.pick(found.rows, found.gains / (len(space) + len(labelled)))

    def _doubt(self, probs: Tensor) -> Tensor:
        """(N,) 1 − (p₍₁₎ − p₍₂₎) at the temperature."""
        return margin(probs if self.temperature == 1 else tempered(probs, self.temperature))


def _narrowest(labelled: Points) -> float:
    least = separation(labelled)
    return WIDEST if least == torch.inf else least
