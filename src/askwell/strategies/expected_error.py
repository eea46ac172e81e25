"""EER: expected error reduction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, LABELS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.expected_error import Risk, expected_error
from askwell.functional.logistic import Logistic
from askwell.functional.pick import top, uniform
from askwell.functional.steps import steps
from askwell.functional.tiles import tiles
from askwell.functional.uncertainty import margin
from askwell.strategies.labels import class_indices
from askwell.strategies.targeted import evenly

__all__ = ["ExpectedError"]


@dataclass(frozen=True)
class ExpectedError(Strategy):
    """Asks for the labels after which the model is expected to be least wrong about the other candidates.

    risk        of a prediction: "log" its entropy in nats, "zero_one" the chance that its best class is wrong
    l2          penalty of the last layer that is refitted, above 0
    candidates  that many with the smallest margin are looked at, at least Q
    evaluation  that many candidates, evenly spaced by id, stand for the others
    labels      the likeliest labels of a candidate that are tried, their probabilities scaled to sum to one
    steps       of every refit
    greedy      a pick counts as labelled with its likeliest class before the next one is made, instead of the Q best

    Embeddings of candidates (N, D) and labelled items (M, D), and labels (M,) as class indices. The model is a
    logistic regression on the embeddings, the last layer alone; it is refitted for every candidate and label. Scores
    are minus the expected mean risk of the evaluation items apart from the candidate, <= 0. Needs labels.
    O(N·C·D + labels·candidates·(steps·M + evaluation)·C·D), times Q where greedy.

    Roy and McCallum 2001, "Toward Optimal Active Learning through Sampling Estimation of Error Reduction",
    doi:10.5555/645530.655646.

    >>> line, known = torch.tensor([[-.2], [.1], [4.], [4.1], [4.2]]), torch.tensor([[-1.], [1.]])
    >>> given = {EMBEDDING: line, EMBEDDING.at("labelled"): known, LABELS: torch.tensor([0, 1])}
    >>> view = View(torch.arange(5), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([5, 6])})
    >>> ExpectedError().select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([-0.2030, -0.2090]), ...)
    """

    cold_start: ClassVar[bool] = False
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(N·C·D + candidates·(M + evaluation)·C·D)"

    risk: Risk = "log"
    l2: float = 1.0
    candidates: int = 100
    evaluation: int = 1000
    labels: int = 2
    steps: int = 50
    greedy: bool = False

    def __post_init__(self) -> None:
        if self.risk not in get_args(Risk):
            raise UnknownName("risk", self.risk, get_args(Risk))
        for name, least in (("candidates", 1), ("evaluation", 1), ("labels", 1), ("steps", 1)):
            if getattr(self, name) < least:
                raise InputError(
                    f"{name} of 'expected_error' is {getattr(self, name)}: it must be at least {least}",
                    got=getattr(self, name),
                )
        if not self.l2 > 0:
            raise InputError(f"l2 of 'expected_error' is {self.l2}: it must be above 0", got=self.l2)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"), LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        look = _Ahead(self, view)
        rows = top(look.doubt(), min(len(view), max(n, self.candidates)), rng)
        if self.greedy:
            return look.one_by_one(rows, n, rng)
        scores = look.scores(rows)
        best = top(scores, n, rng)
        return view.pick(rows[best], scores[best])


class _Ahead:
    """The model of a view's labels, and what it expects of candidates."""

    def __init__(self, strategy: ExpectedError, view: View) -> None:
        self.strategy, self.view = strategy, view
        self.pool, self.among = view.whole(EMBEDDING)
        self.known, self.labels = view[EMBEDDING.at("labelled")], class_indices(strategy.name, view[LABELS])
        self.judges = evenly(len(view), strategy.evaluation).to(view.ids.device)
        self.evaluation = self.read(self.judges)
        self.fit()

    def fit(self) -> None:
        """The model of what is known."""
        classes = self.view.num_classes or int(self.labels.max()) + 1
        self.model = Logistic(self.known, self.labels, classes, self.strategy.l2)

    def read(self, rows: Tensor | slice) -> Tensor:
        """(n, D) embeddings of candidates."""
        return self.pool[rows if self.among is None else self.among[rows]]

    def doubt(self) -> Tensor:
        """(N,) how close the model's two best classes are; float32, so that equal items have equal numbers."""
        out = torch.empty(len(self.view), device=self.pool.device)
        for where in tiles(len(self.view), self.pool.shape[1] + self.model.classes, self.pool.device):
            out[where] = margin(self.model.probs(self.read(where)))
        return out

    def scores(self, rows: Tensor) -> Tensor:
        """(n,) minus the risk that is expected once a candidate's label is known, float32 likewise."""
        places = torch.searchsorted(self.judges, rows).clamp_(max=len(self.judges) - 1)
        own = torch.where(self.judges[places] == rows, places, -1)
        of = self.strategy
        found = expected_error(self.model, self.read(rows), self.evaluation, own, of.risk, of.labels, of.steps)
        return -found.float()

    def one_by_one(self, rows: Tensor, n: int, rng: Generator) -> Batch:
        """Each pick as if the earlier ones had their likeliest labels."""
        picked, found, key = [], [], uniform(len(self.view), rng).to(rows.device)
        for _ in steps(n):
            scores = self.scores(rows)
            best = top(scores, 1, key[rows])
            picked.append(rows[best])
            found.append(scores[best])
            self.learn(rows[best])
            rows = rows[rows != rows[best]]
        return self.view.pick(torch.cat(picked), torch.cat(found))

    def learn(self, row: Tensor) -> None:
        """Takes the likeliest class of a candidate (1,) for its label."""
        z = self.read(row)
        self.known = torch.cat([self.known, z])
        self.labels = torch.cat([self.labels, self.model.probs(z).argmax(1)])
        self.fit()
