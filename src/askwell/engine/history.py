"""Past rounds as a strategy may see them, read from the store only when somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from askwell.core.view import RoundFacts
from askwell.engine.edits import Edits
from askwell.engine.report import Report
from askwell.store import Store, resolver

__all__ = ["History"]


class History(Sequence[RoundFacts]):
    """One `RoundFacts` per round that a fit has seen, oldest first, with the metrics of its last fit, if it had one."""

    def __init__(self, store: Store, reports: Sequence[Report], resolve: str, edits: Edits) -> None:
        """`edits`: labels are given as they read after these."""
        self._store, self._resolve, self._edits = store, resolve, edits
        self._metrics = {report.round: report.metrics for report in reports}
        self._rounds = reports[-1].planned if reports else 0
        self._facts: list[RoundFacts] | None = None

    def __len__(self) -> int:
        return self._rounds

    @overload
    def __getitem__(self, index: int) -> RoundFacts: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RoundFacts]: ...
    def __getitem__(self, index: int | slice) -> RoundFacts | Sequence[RoundFacts]:
        if self._facts is None:
            self._facts = self._read()
        return self._facts[index]

    def _read(self) -> list[RoundFacts]:
        resolve = resolver(self._resolve, lambda: self._edits.votes(self._store.votes()))
        found = self._store.labelled(self._edits.reading(resolve))
        labels = dict(zip(found.items.tolist(), found.values, strict=True))
        return [self._round(round, labels) for round in range(self._rounds)]

    def _round(self, round: int, labels: dict[int, object]) -> RoundFacts:
        ids = tuple(row.item for row in self._store.questions(round))
        return RoundFacts(round, ids, tuple(labels.get(item) for item in ids), self._metrics.get(round, {}))
