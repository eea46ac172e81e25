"""Refine: strategies filter the pool, round after round, and one of them chooses from what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.strategies.members import favourites, needs_of
from askwell.strategies.sampled import sampled

__all__ = ["Refine"]


@dataclass(frozen=True)
class Refine(Strategy):
    """Lets several strategies thin out the candidates a few times, and one choose among those that are left.

    strategies  E that filter: any that ask for unlabelled items, as many as are wanted; they keep no state
    selector    chooses from the last pool; with depth 0 it alone chooses
    depth       how many times the pool is filtered
    batches     batches of Q in each pass, the same number by each strategy: ⌊batches / E⌋
    alpha       share of a pool that one batch is chosen from, in the passes after the first
    size        candidates that one batch is chosen from in the first pass
    most        a pool has at most this many items, drawn at random

    Each batch is chosen from a random part of the pool, by a strategy that sees no other items; the next pool are all
    that some batch holds. Needs are those of all strategies, computed once for all candidates; shapes, such as
    probabilities (N, C), and scores are the selector's. It costs depth · batches selections of Q among `size`
    candidates, O(N) beside them.

    "Refine", arXiv 2511.22344, 2026, with the numbers of its released configuration.

    >>> from askwell.strategies import Entropy, Margin, Random
    >>> [str(need) for need in Refine((Random(), Margin()), Entropy()).needs]
    ['probs']
    """

    cost: ClassVar[str] = "O(N), and depth · batches selections of Q"

    strategies: tuple[Strategy, ...]
    selector: Strategy
    depth: int = 5
    batches: int = 100
    alpha: float = 0.4
    size: int = 5000
    most: int = 10_000

    def __post_init__(self) -> None:
        if not self.strategies:
            raise InputError("refine needs at least one strategy that filters")
        for one in (*self.strategies, self.selector):
            if one.asks != "unlabelled" or one.partial:
                raise InputError(
                    f"refine needs strategies that ask for as many unlabelled items as wanted, got {one!r}"
                )
        for name, least in (("depth", 0), ("batches", len(self.strategies)), ("size", 1), ("most", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of 'refine' is {getattr(self, name)}: it must be at least {least}")
        if not 0 < self.alpha <= 1:
            raise InputError(f"alpha of 'refine' is {self.alpha}: it must be above 0 and at most 1", got=self.alpha)
        used = (*self.strategies, self.selector) if self.depth else (self.selector,)
        object.__setattr__(self, "cold_start", all(one.cold_start for one in used))

    @property
    def needs(self) -> tuple[Need, ...]:
        return needs_of((*self.strategies, self.selector))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        for need in self.needs:
            view[need]
        pool, size = view, self.size
        for _ in range(self.depth):
            wanted = pool.narrow(self._wanted(pool, n, size, rng).nonzero()[:, 0])
            pool = sampled(wanted, max(n, self.most), rng)
            size = max(n, int(self.alpha * len(pool)))
        return self.selector.select(pool, n, rng)

    def _wanted(self, pool: View, n: int, size: int, rng: Generator) -> Tensor:
        """(N,) whether some batch of some strategy holds the item."""
        found = [
            favourites(strategy, sampled(pool, max(n, size), rng), n, rng, None).ids
            for strategy in self.strategies
            for _ in range(self.batches // len(self.strategies))
        ]
        return torch.isin(pool.ids, torch.cat(found).to(pool.ids.device))
