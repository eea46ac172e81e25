"""CoreLog: expected change of predictions elsewhere, by the logarithmic score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.functional.targets import epig
from askwell.strategies.targeted import Targeted

__all__ = ["CoreLog"]


@dataclass(frozen=True)
class CoreLog(Targeted):
    """Asks for the labels that would move the predictions for other items most, in Kullback-Leibler divergence.

    draws    K, the same K functions for candidates and targets: members of an ensemble, or passes with dropout
    targets  T at most, of the view's target items; of the candidates, evenly spaced, where it has none

    Draws (N, K, C) and (T, K, C); score in nats, Σ_y p(y) times the mean over targets of KL(p(· | y) ‖ p), which is
    what `EPIG` scores with the same targets. The authors' code sums KL(p_k ‖ p(· | y)) over the draws k, which ranks by
    the reversed divergence, KL(p ‖ p(· | y)), and picks other items. O(N·T·K·C²). One by one the best; for a batch that
    differs within itself see `BEMPS`.

    Tan, Du and Buntine 2021, "Diversity enhanced active learning with strictly proper scoring rules", arXiv 2110.14171.

    >>> import torch
    >>> from askwell.core.view import View
    >>> strategy = CoreLog(draws=2)
    >>> mc = torch.tensor([[[.9, .1], [.1, .9]], [[.7, .3], [.4, .6]]])
    >>> targets = torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]], [[.8, .2], [.2, .8]]])
    >>> given = dict(zip(strategy.needs, (mc, targets)))
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: given, sets={"targets": torch.arange(2, 5)})
    >>> strategy.select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([0.1139, 0.0153]), ...)
    """

    cost: ClassVar[str] = "O(N·T·K·C²)"

    draws: int = 5
    targets: int = 600

    def value(self, mc: Tensor, targets: Tensor) -> Tensor:
        return epig(mc, targets)
