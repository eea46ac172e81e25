"""Exploration-P: part of a batch where the model is unsure, part where nothing is known."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar, Literal, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import PROBS, SIMILARITY, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.cover import k_center_beside
from askwell.functional.distance import Points
from askwell.functional.kernels import unit
from askwell.functional.marginal_relevance import marginal_relevance
from askwell.functional.pick import top, uniform
from askwell.functional.uncertainty import entropy

__all__ = ["ExplorationP"]

Explore = Literal["diverse", "random"]


@dataclass(frozen=True)
class ExplorationP(Strategy):
    """Asks for unsure items that are not like each other, and for items like nothing labelled, fewer of these later.

    alpha         what likeness to an earlier pick costs an unsure item, in units of log C nats of entropy
    start, slope  the share of a batch that goes to the unsure: `start` in the first, `slope` more in each round
    upper         and at most this
    explore       how the rest is chosen: "diverse", least like anything labelled or picked, or "random"

    Probabilities (N, C) and similarity features of the candidates, (N, D), and of the labelled items, (M, D), which a
    scheme such as `pair_loss` learns; the likeness of two items is the cosine of theirs. The score of an unsure pick is
    its entropy / log C − alpha · (likeness to the likest earlier pick), that of another minus the likeness to the
    likest labelled or picked item, 0 if random. O((M + Q)·N·D + N·C), memory O(N·D).

    Yin et al. 2017, "Deep Similarity-Based Batch Mode Active Learning with Exploration-Exploitation",
    doi:10.1109/ICDM.2017.67; our interpretation, since its numbers are not public.

    >>> p, f = torch.tensor([[.5, .5], [.6, .4], [.9, .1]]), torch.tensor([[1., 0.], [.98, .199], [0., 1.]])
    >>> given = {PROBS: p, SIMILARITY: f, SIMILARITY.at("labelled"): torch.tensor([[.8, .6]])}
    >>> view = View(torch.arange(3), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([3])})
    >>> ExplorationP(start=.5).select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 2]), scores=tensor([ 1.0000, -0.6000]), ...)
    """

    cost: ClassVar[str] = "O((M + Q)·N·D + N·C)"

    alpha: float = 0.5
    start: float = 0.25
    slope: float = 0.075
    upper: float = 1.0
    explore: Explore = "diverse"

    def __post_init__(self) -> None:
        for name in ("alpha", "slope"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} of 'exploration_p' is {getattr(self, name)}: it must not be negative")
        for name in ("start", "upper"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of 'exploration_p' is {getattr(self, name)}: it must be from 0 to 1")
        if self.explore not in get_args(Explore):
            raise UnknownName("way to explore", self.explore, get_args(Explore))

    @property
    def needs(self) -> tuple[Need, ...]:
        own = (PROBS, SIMILARITY)
        return (*own, SIMILARITY.at("labelled")) if self.explore == "diverse" else own

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        space, key = unit(view[SIMILARITY]), uniform(len(view), rng).to(view.ids.device)
        unsure = self.unsure(n, len(view.history))
        rows, scores = view.ids.new_empty(0), space.norms.new_empty(0)
        if unsure:
            doubt = entropy(view[PROBS]).to(space.norms) / max(log(view[PROBS].shape[1]), 1e-9)
            rows, scores = marginal_relevance(doubt, space, unsure, key, self.alpha)
        if unsure < n:
            others, far = self._explored(view, space, rows, n - unsure, key)
            rows, scores = torch.cat([rows, others]), torch.cat([scores, far])
        return view.pick(rows, scores)

    def unsure(self, n: int, rounds: int) -> int:
        """How many of n picks go to the unsure, after so many rounds; the labels that a run starts with are one."""
        return int(n * min(self.upper, self.start + self.slope * max(0, rounds - 1)) + 0.5)

    def _explored(self, view: View, space: Points, rows: Tensor, n: int, key: Tensor) -> tuple[Tensor, Tensor]:
        """n rows beside these, and their scores."""
        if self.explore == "random":
            equal = torch.zeros_like(space.norms)
            return top(equal.index_fill(0, rows, -1.0), n, key), equal[:n]
        cover = k_center_beside(space, rows, n, key, unit(view[SIMILARITY.at("labelled")]))
        return cover.rows, cover.distances.square() / 2 - 1
