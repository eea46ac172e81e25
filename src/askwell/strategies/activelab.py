"""ActiveLab: a label for a new item, or one more for an old item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, NamedTuple

from torch import Tensor

from askwell.core.needs import ANNOTATORS, PROBS, VOTES, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.crowdlab import crowdlab, relabelling, settled
from askwell.functional.tempering import share_temperature, tempered
from askwell.strategies.opinions import opinions, placed

__all__ = ["Activelab"]


class _Known(NamedTuple):
    """What the answers so far show: scores of the answered items (ids ascending), and how far to trust the model."""

    ids: Tensor
    scores: Tensor
    temperature: float
    model: float
    average: float


@dataclass(frozen=True)
class Activelab(ScoreStrategy):
    """Asks where one more answer helps most, be it the first about an item or a second opinion about an old one.

    Probabilities of the candidates (N, C) and of the labelled items (M, C), and every answer with its annotator.
    CROWDLAB weighs annotators and model by how often they agree; the quality of an item's consensus, drawn towards 1/C
    by one average annotator, says how settled it is. The score is the negative of that, from −1 to 0: new and old items
    stand in one list. An item that all who may be asked have answered comes behind all others, from −2 to −1.
    O(N·C + V) for V answers. With no labelled items it ranks as least confidence.

    The answer should come from an annotator who has not given one about the item: `Store.take` prefers such items.

    Goh and Mueller 2023, "ActiveLab", arXiv 2301.11856; Goh, Tkachenko and Mueller 2022, arXiv 2210.06812.

    >>> import torch
    >>> from askwell.core.store import Vote
    >>> p, q = torch.tensor([[.9, .05, .05], [.4, .4, .2]]), torch.tensor([[.9, .05, .05], [.5, .3, .2]])
    >>> votes = [Vote(0, 0, 7, "", "ann", 0, 1., 0.), Vote(1, 1, 8, "", "ann", 0, 1., 0.)]
    >>> given = {PROBS: torch.cat([p, q]), PROBS.at("labelled"): q, VOTES: votes, ANNOTATORS: {"ann": 0, "bob": 1}}
    >>> view = View(torch.tensor([3, 4, 7, 8]), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([7, 8])})
    >>> Activelab().scores(view)
    tensor([-0.6167, -0.3667, -0.7111, -0.4444])
    """

    asks: ClassVar[Literal["unlabelled", "any", "made"]] = "any"
    cost: ClassVar[str] = "O(N·C + V)"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, PROBS.at("labelled"), VOTES, ANNOTATORS)

    def scores(self, view: View, score: Callable[[View], Tensor] | None = None) -> Tensor:
        return super().scores(view, score or partial(_scored, _known(view)))

    def score(self, view: View) -> Tensor:
        return _scored(_known(view), view)


def _scored(known: _Known, view: View) -> Tensor:
    best = tempered(view[PROBS], known.temperature).amax(1)
    fresh = -settled(best, known.model, known.average, view[PROBS].shape[1])
    return placed(known.scores, view.ids, known.ids, fresh)


def _known(view: View) -> _Known:
    probs = view[PROBS.at("labelled")].cpu()
    said = opinions(view, probs.shape[1])
    if not len(said.ids):
        return _Known(said.ids, said.ids.double(), 1.0, 1.0, 1.0)
    own, counts = probs[said.rows], said.answers.counts
    several = int(counts.sum(1).max()) > 1
    temperature = share_temperature(own, counts / counts.sum(1, keepdim=True)) if several else 1.0
    found = crowdlab(said.answers, tempered(own, temperature))
    scores = -relabelling(said.answers, found) - said.exhausted.double()
    return _Known(said.ids, scores, temperature, found.model, found.average)
