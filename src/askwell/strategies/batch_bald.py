"""BatchBALD: the joint information of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.joint import batch_bald

__all__ = ["BatchBALD"]


@dataclass(frozen=True)
class BatchBALD(Strategy):
    """BALD for whole batches: what the labels of all picks together tell about the parameters.

    draws    K, the same K functions for every item; the information cannot exceed log K, and the picks that come
             after it is reached are noise (a warning says so)
    samples  exact up to this many joint labels, sampled beyond

    Draws (N, K, C); the score of a pick is the information that it adds, in nats. O(Q·N·M·K·C) with M up to
    `samples`: put `Subsample` around it for large pools.

    Kirsch, van Amersfoort and Gal 2019, arXiv 1906.08158.

    >>> import torch
    >>> strategy = BatchBALD(draws=4)
    >>> p = torch.tensor([[.99, .99, .01, .01], [.95, .05, .95, .05]])
    >>> view = View(torch.arange(2), strategy.needs, lambda *_: {strategy.needs[0]: torch.stack([p, 1 - p], 2)})
    >>> strategy.select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([0.6371, 0.4946]), ...)
    """

    cost: ClassVar[str] = "O(Q·N·samples·K·C)"

    draws: int = 20
    samples: int = 10_000

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        joint = batch_bald(view[self.needs[0]], n, rng, samples=self.samples)
        return view.pick(joint.rows, joint.gains)
