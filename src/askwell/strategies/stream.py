"""Stream-based selective sampling: each item is met once, and asked about at once or never."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from askwell.core.budget import Manager
from askwell.core.needs import Need
from askwell.core.online import Online
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.functional.pick import uniform
from askwell.managers import Quantile

__all__ = ["Stream"]

Order = Literal["shuffled", "arrival"]
AHEAD = 4096
"""Items that are scored together; those behind the last question were scored for nothing."""


class _Walk(NamedTuple):
    """Rows asked about, their scores, how many rows were met, and the manager's state after them."""

    asked: list[Tensor]
    scores: list[Tensor]
    met: int
    manager: Mapping[str, Any]


@dataclass(frozen=True)
class Stream(Online):
    """Meets the items one by one and lets a budget manager decide at once, by their scores, which are asked about.

    strategy  one that scores every item by itself
    manager   decides within its budget: `quantile` takes any score; `fixed`, `variable`, `randomised` and `split`
              compare a confidence, 1 − score, with a threshold; `region` reads a committee's disagreement
    order     "shuffled": the items that are there and were not met yet come in random order; "arrival": in that of the
              pool, where added items are last

    Needs and scores (N,) are the inner strategy's; a batch lists its items in the order in which they were met. It ends
    after n questions or with the last item: it may be shorter than n, and empty. Items passed over never come back. The
    state holds the manager's memory, the number of items met, and one bit for each position passed over: N/8 bytes.
    Only as many items are scored as are met, in one pass of up to 4096 at a time; the decisions are a loop, O(1) per
    item, for each depends on those before. O(N).

    Freund et al. 1997, doi:10.1023/A:1007330508534; Cohn, Atlas and Ladner 1994, doi:10.1007/BF00993277; thresholds for
    deep models as in Žliobaitė et al. 2014, doi:10.1109/TNNLS.2012.2236570.

    >>> from askwell.core.needs import PROBS
    >>> from askwell.managers import Variable
    >>> from askwell.strategies import Margin
    >>> p = torch.tensor([[.75, .25], [.9975, .0025], [.6, .4], [.98, .02]])
    >>> stream = Stream(Margin(), Variable(budget=0.5, window=4), order="arrival")
    >>> view = View(torch.arange(4), stream.needs, lambda _, sets: {PROBS: p[sets["candidates"]]}, num_classes=2)
    >>> batch = stream.select(view, 2, torch.Generator())
    >>> batch.ids.tolist(), batch.state["seen"], batch.state["manager"]
    ([0, 2], 3, {'spent': 1.5625, 'threshold': 0.989901})
    """

    cost: ClassVar[str] = "O(N)"

    strategy: ScoreStrategy
    manager: Manager = field(default_factory=Quantile)
    order: Order = "shuffled"

    def __post_init__(self) -> None:
        if not isinstance(self.strategy, ScoreStrategy) or not self.strategy.rowwise:
            raise InputError(f"stream needs a strategy that scores every item by itself, got {self.strategy!r}")
        if self.strategy.asks != "unlabelled":
            raise UnmetNeeds(f"stream meets every item once, and {self.strategy.name!r} may ask about one again")
        if self.order not in get_args(Order):
            raise UnknownName("order of a stream", self.order, get_args(Order))
        if self.manager.confidence and not self.strategy.confidence:
            raise UnmetNeeds(
                f"manager {self.manager.name!r} compares a confidence, 1 − score, with a threshold, and scores of "
                f"{self.strategy.name!r} are none: use manager=quantile, which takes any score, or a strategy such as "
                "margin, least_confidence, ratio or variation_ratios"
            )
        for declared in ("cold_start", "one_class", "forms"):
            object.__setattr__(self, declared, getattr(self.strategy, declared))

    @property
    def needs(self) -> tuple[Need, ...]:
        return self.strategy.needs

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        passed = _passed(view)
        rows = torch.from_numpy(np.flatnonzero(~passed[view.ids.cpu().numpy()]))
        if self.order == "shuffled":
            rows = rows[uniform(len(rows), rng).argsort(stable=True)]
        walk = self._walk(view, rows, n, rng)
        passed[view.ids[rows[: walk.met]].cpu().numpy()] = True
        return self._batch(view, walk, np.packbits(passed))

    def meet(self, view: View, rng: Generator) -> Batch:
        walk = self._walk(view, torch.arange(len(view)), len(view), rng)
        return self._batch(view, walk, view.state.get("passed", np.zeros(0, np.uint8)))

    def _walk(self, view: View, rows: Tensor, n: int, rng: Generator) -> _Walk:
        """Meets these rows in their order, until n are asked about."""
        walk = _Walk([], [], 0, self._memory(view))
        for part in _pieces(rows):
            scores = self._scores(view, part)
            asked = sum(map(len, walk.asked))
            asks, manager = self.manager.walk(walk.manager, scores.tolist(), rng, n - asked)
            places = torch.tensor(asks).nonzero()[:, 0]
            walk = _Walk([*walk.asked, part[places]], [*walk.scores, scores[places]], walk.met + len(asks), manager)
            if asked + len(places) == n:
                break
        return walk

    def _memory(self, view: View) -> Mapping[str, Any]:
        """The manager's state, as it is for the model of this round."""
        if "manager" not in view.state:
            return self.manager.start(view.num_classes)
        kept: Mapping[str, Any] = view.state["manager"]
        return kept if view.state["fits"] == len(view.history) else self.manager.renewed(kept)

    def _scores(self, view: View, rows: Tensor) -> Tensor:
        """(n,) scores of these rows, in their order."""
        part = view if len(rows) == len(view) else view.narrow(rows.to(view.ids.device))
        scores = self.strategy.scores(part).cpu()
        return scores[rows.argsort().argsort()]

    def _batch(self, view: View, walk: _Walk, passed: NDArray[np.uint8]) -> Batch:
        state = {
            "manager": walk.manager,
            "seen": view.state.get("seen", 0) + walk.met,
            "fits": len(view.history),
            "passed": passed,
        }
        rows = torch.cat([torch.empty(0, dtype=torch.int64), *walk.asked])
        return view.pick(rows, torch.cat([torch.empty(0), *walk.scores]), state=state)


def _passed(view: View) -> NDArray[np.bool_]:
    """Whether each position up to the last candidate's, or the last one passed over, was met before."""
    bits = np.asarray(view.state.get("passed", ()), np.uint8)
    known = np.unpackbits(bits).astype(bool)
    return np.pad(known, (0, max(0, int(view.ids[-1]) + 1 - len(known))))


def _pieces(rows: Tensor) -> Iterator[Tensor]:
    """These rows in pieces, none of which is a single row unless it is alone."""
    start = 0
    while start < len(rows):
        stop = start + AHEAD if len(rows) - start - AHEAD > 1 else len(rows)
        yield rows[start:stop]
        start = stop
