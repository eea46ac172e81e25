"""What to ask, and whom: items by uncertainty, annotators by expertise for the likely class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import log
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor

from askwell.core.needs import ANNOTATORS, MC_PROBS, PROBS, VOTES, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.crowd_posterior import crowd_posterior, vote_shares
from askwell.functional.information import entropy_of_mean
from askwell.functional.pick import top, uniform
from askwell.functional.tiles import wide
from askwell.functional.uncertainty import entropy
from askwell.strategies.opinions import Opinions, opinions, placed

__all__ = ["CrowdIntents"]

LEAST = 1e-6
"""The least probability that the model may give a class."""
EQUAL = 1e-12
"""Annotators whose accuracies differ by no more are equally good."""


class _Known(NamedTuple):
    """Opinions, the belief (n, C) that they lead to, accuracies (A, C) of the annotators, and scores (n,)."""

    said: Opinions
    belief: Tensor
    accuracies: Tensor
    scores: Tensor


@dataclass(frozen=True)
class CrowdIntents(ScoreStrategy):
    """Asks about the item whose class is least known, and asks whoever is best at the class that it seems to have.

    draws    K, functions of the model whose mean gives the entropy of an item without answers
    settled  an item whose class is at least so probable, with all its answers, is asked again only where nothing else
             is left
    rank     of the annotators' expertise by class, see `functional.expertise`
    turns    of estimating expertise and classes in turn

    Draws (N, K, C), probabilities of labelled items (M, C), every answer, and who may be asked. The score is the
    predictive entropy in nats, from 0 to log C; for an item with answers that of its posterior: model times answers by
    confusion matrices. Settled items, and those that all have answered, come behind, from −1 − log C to −1. An
    annotator is chosen per item among those who have not answered it; of equals by a random key. O(N·K·C + V·C) for V
    answers.

    Yang et al. 2018, arXiv 1803.04223; our reading of what is published.

    >>> from askwell.core.store import Vote
    >>> draws, own = torch.tensor([[[.5, .5]], [[.9, .1]]]), torch.tensor([[.5, .5]])
    >>> votes = [Vote(n, n, 9, "", "ann", 0, 1., 0.) for n in range(1)]
    >>> needs = CrowdIntents(draws=1).needs
    >>> given = dict(zip(needs, (draws, own, votes, {"ann": 0, "bob": 1})))
    >>> view = View(torch.tensor([3, 9]), needs, lambda *_: given, sets={"labelled": torch.tensor([9])})
    >>> CrowdIntents(draws=1).select(view, 2, torch.Generator().manual_seed(0))
    Batch(ids=tensor([3, 9]), scores=tensor([0.6931, 0.5269]), annotators=tensor([0, 1]), ...)
    """

    asks: ClassVar[Literal["unlabelled", "any", "made"]] = "any"
    cost: ClassVar[str] = "O(N·K·C + V·C)"

    draws: int = 20
    settled: float = 0.95
    rank: int = 2
    turns: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.settled <= 1:
            raise InputError(f"settled is a probability above 0 and at most 1, got {self.settled}", got=self.settled)
        for name in ("draws", "rank", "turns"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}", got=getattr(self, name))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws), PROBS.at("labelled"), VOTES, ANNOTATORS)

    def scores(self, view: View, score: Callable[[View], Tensor] | None = None) -> Tensor:
        return super().scores(view, score or partial(self._scored, self._known(view)))

    def score(self, view: View) -> Tensor:
        return self._scored(self._known(view), view)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        known = self._known(view)
        scores = self.scores(view, partial(self._scored, known))
        rows = top(scores, n, rng)
        batch = view.pick(rows, scores[rows])
        return replace(batch, annotators=_best(known, view, rows, rng)) if known.said.may.any() else batch

    def _known(self, view: View) -> _Known:
        own = view[PROBS.at("labelled")].cpu()
        said = opinions(view, own.shape[1])
        prior, belief = own[said.rows].double().clamp(min=LEAST), vote_shares(said.answers)
        for _ in range(self.turns):
            belief, accuracies = crowd_posterior(said.answers, belief, prior, self.rank)
        behind = said.exhausted | (belief.amax(1) >= self.settled)
        scores = entropy(belief) - behind.double() * (1 + log(belief.shape[1]))
        return _Known(said, belief, accuracies, scores)

    def _scored(self, known: _Known, view: View) -> Tensor:
        fresh = entropy_of_mean(view[self.needs[0]]).double()
        return placed(known.scores, view.ids, known.said.ids, fresh)


def _best(known: _Known, view: View, rows: Tensor, rng: Generator) -> Tensor:
    """(n,) numbers of those who are best at the likely class of each row, of all who have not answered it."""
    said, part = known.said, view.narrow(rows)
    fresh = wide(part[view.needs[0]]).mean(1).double().cpu()
    likely = placed(known.belief, part.ids, said.ids, fresh).argmax(1)
    answered = placed(said.met, part.ids, said.ids, torch.zeros(len(rows), len(said.may), dtype=torch.bool))
    regret = answered.double() + 2 * (~said.may).double() - known.accuracies.t()[likely]
    key = uniform(regret.numel(), rng).cpu().view_as(regret)
    best = key.where(regret <= regret.amin(1, keepdim=True) + EQUAL, key.new_tensor(2.0)).argmin(1)
    numbers = torch.tensor(list(view[ANNOTATORS].values()), dtype=torch.int64)
    return numbers[best][torch.searchsorted(part.ids, view.ids[rows]).cpu()]
