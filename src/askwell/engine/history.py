"""Past rounds as a strategy may see them, read from the store only when somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from askwell.core.view import RoundFacts
from askwell.engine.report import Report
from askwell.store import RESOLVERS, Store

__all__ = ["History"]


class History(Sequence[RoundFacts]):
    """One `RoundFacts` per finished round, oldest first."""

    def __init__(self, store: Store, reports: Sequence[Report], resolve: str) -> None:
        self._store, self._reports, self._resolve = store, reports, resolve
        self._facts: list[RoundFacts] | None = None

    def __len__(self) -> int:
        return len(self._reports)

    @overload
    def __getitem__(self, index: int) -> RoundFacts: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RoundFacts]: ...
    def __getitem__(self, index: int | slice) -> RoundFacts | Sequence[RoundFacts]:
        if self._facts is None:
            self._facts = self._read()
        return self._facts[index]

    def _read(self) -> list[RoundFacts]:
        found = self._store.labelled(RESOLVERS[self._resolve])
        labels = dict(zip(found.items.tolist(), found.values, strict=True))
        return [self._round(report, labels) for report in self._reports]

    def _round(self, report: Report, labels: dict[int, object]) -> RoundFacts:
        ids = tuple(row.item for row in self._store.questions(report.round))
        return RoundFacts(report.round, ids, tuple(labels.get(item) for item in ids), report.metrics)
