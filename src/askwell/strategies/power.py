"""Drawing in proportion to a power of the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from askwell.functional.pick import Noise
from askwell.strategies.drawn import Drawn

__all__ = ["Power"]


@dataclass(frozen=True)
class Power(Drawn):
    """Draws a batch without replacement, with chances in proportion to score^β: a zero is drawn last.

    beta  > 0; large takes the best, near 0 samples evenly

    Scores (N,) >= 0 of the strategy before it, which are also the batch's. `bald | power` is PowerBALD. O(N).

    Kirsch et al. 2023, "Stochastic Batch Acquisition in Deep Active Learning", arXiv 2106.12059.

    >>> import torch
    >>> from askwell.core.needs import PROBS
    >>> from askwell.core.view import View
    >>> from askwell.strategies import LeastConfidence
    >>> p = torch.tensor([[.9, .1], [.6, .4], [1., 0.]])
    >>> view = View(torch.arange(3), (PROBS,), lambda *_: {PROBS: p})
    >>> (LeastConfidence() | Power(beta=1e9)).select(view, 2, torch.Generator().manual_seed(0)).ids
    tensor([1, 0])
    """

    noise: ClassVar[Noise] = "power"
