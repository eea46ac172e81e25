"""A bandit over strategies that is paid by the accuracy on what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Generator, Tensor

from askwell.core.needs import LABELS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.bandit import exp4p_chances, exp4p_floor, exp4p_update, importance_weighted_accuracy
from askwell.functional.pick import gumbel, top
from askwell.strategies.members import check_members, favourites, needs_of, rows_of

__all__ = ["ALBL"]

PREDICTED = PROBS.at("labelled")


@dataclass(frozen=True)
class ALBL(Strategy):
    """Learns while asking which of some strategies to trust, by the accuracy on what was asked so far.

    strategies  E of them; random among them gives every item a chance
    steps       T, rounds planned; at least E·ln E. The fewer, the faster the chances of the strategies part
    delta       with which the bound on the regret may fail, in (0, 1)

    Each strategy gives its Q favourites the same advice, 1/Q each. An item's chance is the sum of the advice, weighted
    by the chances of the strategies, and Q items are drawn by it without replacement: scores (Q,) are these chances, in
    (0, 1]. After the next fit the reward, the importance-weighted accuracy on all that was drawn so far, goes to the
    strategies that advised what was drawn last (EXP4.P). Logarithms of the weights, drawn items and their chances are
    the `state` (E,), (asked,). Reads labels (M,), probabilities (M, C) of the labelled items and what the strategies
    need. O(E·Q log Q + asked) beside one selection by each, which are at least O(N).

    Hsu & Lin 2015, "Active Learning by Learning", AAAI; Beygelzimer et al. 2011, arXiv 1002.4058. Batches are ours:
    one update per round, with the mean reward of its items.

    >>> from askwell.strategies import Margin, Random
    >>> [str(need) for need in ALBL((Margin(), Random())).needs]
    ['probs@labelled', 'labels@labelled', 'probs']
    """

    cost: ClassVar[str] = "O(N), and one selection by each strategy"
    one_class: ClassVar[bool] = True

    strategies: tuple[Strategy, ...]
    steps: int = 100
    delta: float = 0.1

    def __post_init__(self) -> None:
        check_members("albl", self.strategies)
        exp4p_floor(len(self.strategies), self.steps)
        if not 0 < self.delta < 1:
            raise InputError(f"delta of albl must be above 0 and below 1, got {self.delta}", got=self.delta)

    @property
    def needs(self) -> tuple[Need, ...]:
        return needs_of(self.strategies, PREDICTED, LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        memory = self._paid(view)
        chances = exp4p_chances(memory["log_weights"], self.steps)
        batches = [
            favourites(one, view, n, rng, own) for one, own in zip(self.strategies, memory["members"], strict=True)
        ]
        rows, advice = _advice(batches, view)
        q = chances @ advice
        drawn = top(gumbel(q, "power", 1.0, rng), n, rng)
        state = {
            "log_weights": memory["log_weights"],
            "size": memory["size"],
            "ids": torch.cat([memory["ids"], view.ids[rows[drawn]].cpu()]),
            "chances": torch.cat([memory["chances"], n * q[drawn]]),
            "advice": advice[:, drawn] / q[drawn],
            "variances": (advice / q).sum(1),
            "members": [batch.state if batch.state is not None else own for batch, own in _pairs(batches, memory)],
        }
        return view.pick(rows[drawn.to(rows.device)], q[drawn], state=state)

    def _paid(self, view: View) -> dict[str, Any]:
        """The memory, with the weights moved by what came of the last round."""
        labels = torch.as_tensor(view[LABELS], dtype=torch.int64).cpu()
        right = view[PREDICTED].argmax(1).cpu() == labels
        if not view.state:
            return self._begun(len(view) + len(labels))
        memory = {key: torch.as_tensor(value) if key in TENSORS else value for key, value in view.state.items()}
        size = cast(int, view.state["size"])
        places, known = rows_of(memory["ids"], view.ids_of("labelled").cpu())
        reward = importance_weighted_accuracy(right[places], memory["chances"][known], size, self.steps)
        last = known[-memory["advice"].shape[1] :]
        if bool(last.any()):
            rewards = reward * memory["advice"][:, last].mean(1)
            memory["log_weights"] = exp4p_update(
                memory["log_weights"], rewards, memory["variances"], self.steps, self.delta
            )
        return memory

    def _begun(self, size: int) -> dict[str, Any]:
        experts = len(self.strategies)
        return {
            "log_weights": torch.zeros(experts, dtype=torch.float64),
            "size": size,
            "ids": torch.empty(0, dtype=torch.int64),
            "chances": torch.empty(0, dtype=torch.float64),
            "members": [None] * experts,
        }


TENSORS = ("log_weights", "ids", "chances", "advice", "variances")


def _pairs(batches: list[Batch], memory: Mapping[str, Any]) -> list[tuple[Batch, Any]]:
    return list(zip(batches, memory["members"], strict=True))


def _advice(batches: list[Batch], view: View) -> tuple[Tensor, Tensor]:
    """Rows (S,) that anybody would ask, ascending, and the advice (E, S) on them."""
    rows = torch.stack([rows_of(batch.ids.to(view.ids.device), view.ids)[0] for batch in batches]).cpu()
    support, places = torch.unique(rows, return_inverse=True)
    advice = torch.zeros(len(batches), len(support), dtype=torch.float64)
    return support, advice.scatter_(1, places, 1 / rows.shape[1])
