"""CoreMSE: expected change of predictions elsewhere, by the quadratic score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.functional.targets import core_mse
from askwell.strategies.targeted import Targeted

__all__ = ["CoreMSE"]


@dataclass(frozen=True)
class CoreMSE(Targeted):
    """Asks for the labels that would move the predictions for other items most, in squared distance.

    draws    K, the same K functions for candidates and targets: members of an ensemble, or passes with dropout
    targets  T at most, of the view's target items; of the candidates, evenly spaced, where it has none

    Draws (N, K, C) and (T, K, C); score in [0, 2], Σ_y p(y) times the mean over targets of ‖p(· | y) − p‖². The targets
    enter by a K × K matrix: O(N·K²·C). One by one the best; for a batch that differs within itself see `BEMPS`.

    Tan, Du and Buntine 2021, "Diversity enhanced active learning with strictly proper scoring rules", arXiv 2110.14171.

    >>> import torch
    >>> from askwell.core.view import View
    >>> strategy = CoreMSE(draws=2)
    >>> mc = torch.tensor([[[.9, .1], [.1, .9]], [[.7, .3], [.4, .6]]])
    >>> targets = torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]], [[.8, .2], [.2, .8]]])
    >>> given = dict(zip(strategy.needs, (mc, targets)))
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: given, sets={"targets": torch.arange(2, 5)})
    >>> strategy.select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([0.1067, 0.0152]), ...)
    """

    cost: ClassVar[str] = "O(N·K²·C)"

    draws: int = 5
    targets: int = 600

    def value(self, mc: Tensor, targets: Tensor) -> Tensor:
        return core_mse(mc, targets)
