"""EPIG: expected predictive information gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.functional.targets import epig
from askwell.strategies.targeted import Targeted

__all__ = ["EPIG"]


@dataclass(frozen=True)
class EPIG(Targeted):
    """Asks for the labels that tell most about the predictions for target items: BALD without what no target needs.

    draws    K, the same K functions for candidates and targets
    targets  T at most, of the view's target items; of the candidates, evenly spaced, where it has none

    Draws (N, K, C) and (T, K, C); score in nats, the mean over targets of the information that the two labels share,
    from 0 to BALD. O(N·T·K·C²).

    Bickford Smith et al. 2023, arXiv 2304.08151.

    >>> import torch
    >>> from askwell.core.view import View
    >>> strategy = EPIG(draws=2)
    >>> mc = torch.tensor([[[.9, .1], [.1, .9]], [[.6, .4], [.4, .6]]])
    >>> targets = torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]], [[.8, .2], [.2, .8]]])
    >>> given = dict(zip(strategy.needs, (mc, targets)))
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: given, sets={"targets": torch.arange(2, 5)})
    >>> strategy.select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([0.1139, 0.0067]), ...)
    """

    cost: ClassVar[str] = "O(N·T·K·C²)"

    def value(self, mc: Tensor, targets: Tensor) -> Tensor:
        return epig(mc, targets)
