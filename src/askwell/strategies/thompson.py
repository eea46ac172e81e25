"""A bandit over strategies that is paid by the classes of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import LABELS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.bandit import class_values, decayed_counts, thompson_draws
from askwell.strategies.members import check_members, favourites, needs_of, rows_of

__all__ = ["Thompson"]


@dataclass(frozen=True)
class Thompson(Strategy):
    """Learns while asking which of some strategies finds the classes that are rare among the labels.

    strategies  E of them
    decay       what a count of found labels is worth a round later, in (0, 1]

    A class is worth 1 over its number of labels, and less than nothing where it has more than half of them. For each of
    Q picks the shares of classes that each strategy finds are drawn from a Dirichlet distribution of what it has found,
    and the strategy of the most worth takes its best item that is not picked yet. Counts (E, C) and who picked what are
    the `state`. Reads labels, (M,) classes or (M, C) of 0 and 1 (then each label is drawn by itself from a Beta
    distribution), and what the strategies need. O(Q·E·C) beside one selection by each that is drawn, at least O(N).
    If the number of classes changes, it starts anew.

    After Zhang et al. 2023, "Algorithm Selection for Deep Active Learning with Imbalanced Datasets" (TAILOR), arXiv
    2302.07317.

    >>> from askwell.strategies import Margin, Random
    >>> [str(need) for need in Thompson((Margin(), Random())).needs]
    ['labels@labelled', 'probs']
    """

    cost: ClassVar[str] = "O(N), and one selection by each strategy"

    strategies: tuple[Strategy, ...]
    decay: float = 0.9

    def __post_init__(self) -> None:
        check_members("thompson", self.strategies)
        if not 0 < self.decay <= 1:
            raise InputError(f"decay of thompson must be above 0 and at most 1, got {self.decay}", got=self.decay)

    @property
    def needs(self) -> tuple[Need, ...]:
        return needs_of(self.strategies, LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        labels = torch.as_tensor(view[LABELS]).cpu()
        classes = view.num_classes if labels.ndim == 1 else labels.shape[1]
        if classes is None:
            raise UnmetNeeds("thompson weighs strategies by the classes that they find, and these labels are numbers")
        counts = self._counted(view, labels, classes)
        labelled = labels.bincount(minlength=classes) if labels.ndim == 1 else labels.sum(0)
        worth = thompson_draws(counts, n, rng) @ class_values(labelled, len(labels))
        experts = worth.argmax(1)
        rows, members = self._taken(view, experts.tolist(), rng)
        state = {"counts": counts, "ids": view.ids[rows].cpu(), "experts": experts, "members": members}
        return view.pick(rows, state=state)

    def _counted(self, view: View, labels: Tensor, classes: int) -> Tensor:
        """(E, C) or (E, C, 2) decayed counts of what each strategy has found, the last round's items among them."""
        kinds = (2,) if labels.ndim == 2 else ()
        start = torch.ones(len(self.strategies), classes, *kinds, dtype=torch.float64)
        counts = torch.as_tensor(view.state.get("counts", start))
        if not view.state or counts.shape != start.shape:
            return start
        places, known = rows_of(torch.as_tensor(view.state["ids"]), view.ids_of("labelled").cpu())
        return decayed_counts(counts, torch.as_tensor(view.state["experts"])[known], labels[places], self.decay)

    def _taken(self, view: View, experts: Sequence[int], rng: Generator) -> tuple[Tensor, list[Any]]:
        """A row for every turn, each strategy's best that is left; and what the strategies want to remember."""
        members = list(view.state.get("members", [None] * len(self.strategies)))
        left: dict[int, list[int]] = {}
        for expert in sorted(set(experts)):
            batch = favourites(self.strategies[expert], view, len(experts), rng, members[expert])
            left[expert] = rows_of(batch.ids.to(view.ids.device), view.ids)[0].tolist()[::-1]
            members[expert] = batch.state if batch.state is not None else members[expert]
        taken: dict[int, None] = {}
        for expert in experts:
            row = left[expert].pop()
            while row in taken:
                row = left[expert].pop()
            taken[row] = None
        return torch.tensor(list(taken), dtype=torch.int64, device=view.ids.device), members
