"""What a strategy sees: ids, and model outputs that are computed when they are first read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from askwell.core.needs import Need, Over
from askwell.errors import BadShape, InputError, NotFinite, UndeclaredNeed

__all__ = ["Batch", "Fetch", "Made", "RoundFacts", "Sliced", "View"]

Fetch = Callable[[tuple[Need, ...], Mapping[Over, Tensor]], Mapping[Need, Any]]
"""Computes needs in one pass; `sets` gives the ids of each set that a need ranges over."""


class Sliced(NamedTuple):
    """Rows of a pool-wide tensor, not yet gathered: `rows[positions]`. A source may return it to save the copy."""

    rows: Tensor
    positions: Tensor

    def dense(self) -> Tensor:
        """The gathered rows."""
        return self.rows[self.positions]


@dataclass(frozen=True)
class Made:
    """An item that a strategy synthesised.

    payload  the item, as an array or a string; it becomes a row of the pool
    role     "ask": it goes to the oracle; "copy": it inherits the label of `parent`
    how      a word on how it was made, kept in the store
    """

    payload: Any
    parent: int | None = None
    role: str = "ask"
    how: str = ""


@dataclass(frozen=True)
class Batch:
    """What a strategy chose: ids, never rows.

    ids         (n,) int64 positions in the pool, in order of preference
    scores      (n,) float32, higher = wanted; or None
    annotators  (n,) int64 positions in the project's list of annotators; or None
    units       the part of each item to label (a token, a region); or None
    made        new items to label, or labelled copies
    state       the strategy's next state: JSON and arrays; None leaves it as it was
    """

    ids: Tensor
    scores: Tensor | None = None
    annotators: Tensor | None = None
    units: tuple[str, ...] | None = None
    made: tuple[Made, ...] = ()
    state: Mapping[str, Any] | None = None

    @property
    def asked(self) -> int:
        """How many questions the batch will ask."""
        return len(self.ids) + sum(item.role == "ask" for item in self.made)

    def places(self) -> list[tuple[int, str, int]]:
        """(id, unit, annotator) of each row: what must be distinct."""
        units = self.units or ("",) * len(self.ids)
        who = self.annotators.tolist() if self.annotators is not None else [-1] * len(self.ids)
        return list(zip(self.ids.tolist(), units, who, strict=True))


@dataclass(frozen=True)
class RoundFacts:
    """One finished round, as a strategy may see it: what was asked, what came back, how good the model was."""

    round: int
    ids: tuple[int, ...]
    labels: tuple[Any, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)


class View:
    """Candidates as a strategy sees them.

    >>> import torch
    >>> from askwell.core.needs import PROBS
    >>> p = torch.tensor([[.9, .1], [.5, .5]])
    >>> view = View(torch.tensor([3, 8]), (PROBS,), lambda needs, sets: {PROBS: p})
    >>> view.pick(view[PROBS].max(1).values.argsort()[:1]).ids
    tensor([8])
    """

    def __init__(
        self,
        ids: Tensor,
        needs: Sequence[Need],
        fetch: Fetch,
        *,
        sets: Mapping[Over, Tensor] | None = None,
        num_classes: int | None = None,
        history: Sequence[RoundFacts] = (),
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """`ids` (N,) int64, strictly ascending; `sets` holds the ids of the labelled, validation and target items."""
        if ids.ndim != 1 or ids.dtype != torch.int64 or (len(ids) > 1 and not bool((ids[1:] > ids[:-1]).all())):
            raise BadShape("ids of a view must be int64, one-dimensional and strictly ascending", got=ids)
        self.ids, self.needs = ids, tuple(needs)
        self.num_classes, self.history, self.state = num_classes, history, dict(state or {})
        self._fetch, self._sets = fetch, {**(sets or {})}
        self._own: dict[Need, Any] = {}
        self._shared: dict[Need, Any] = {}
        self._checked: set[int] = set()

    def __len__(self) -> int:
        return len(self.ids)

    def ids_of(self, over: Over) -> Tensor:
        """Ids of a set, (n,) int64; empty when there are none."""
        return self.ids if over == "candidates" else self._sets.get(over, self.ids[:0])

    def __getitem__(self, need: Need) -> Any:
        """The tensor, function or table of a declared need; rows are in the order of the ids."""
        value = self._read(need)
        if isinstance(value, Sliced):
            value = self._cache(need)[need] = value.dense()
        return value

    def whole(self, need: Need) -> tuple[Tensor, Tensor | None]:
        """Pool-wide tensor and the positions of this view's rows in it, or the rows themselves and None.

        Kernels with `among=` take both, so that nothing is gathered.
        """
        value = self._read(need)
        return (value.rows, value.positions) if isinstance(value, Sliced) else (value, None)

    def narrow(self, rows: Tensor, needs: Sequence[Need] | None = None) -> View:
        """The view of these rows (n,) int64, reordered by id; what is already computed is not computed again."""
        return self._part(rows.sort().values, needs)

    def only(self, needs: Sequence[Need]) -> View:
        """The same candidates with these needs, so that nothing else is computed for them."""
        return self._part(slice(None), needs)

    def _part(self, rows: Tensor | slice, needs: Sequence[Need] | None = None) -> View:
        view = copy(self)
        view.ids, view.needs = self.ids[rows], self.needs if needs is None else tuple(needs)
        view._own = {need: _take(value, rows) for need, value in self._own.items() if need in view.needs}
        return view

    def chunks(self, rows: int) -> Iterator[tuple[slice, View]]:
        """Views of `rows` candidates each, with their places; computes per chunk, never a chunk of one."""
        start = 0
        while start < len(self):
            stop = start + rows if len(self) - start - rows > 1 else len(self)
            yield slice(start, stop), self._part(slice(start, stop))
            start = stop

    def pick(self, rows: Tensor, scores: Tensor | None = None, **kw: Any) -> Batch:
        """The batch of these rows (n,): the only place where rows become ids. `scores` are per pick."""
        return Batch(self.ids[rows.to(self.ids.device)], None if scores is None else scores.float(), **kw)

    def _read(self, need: Need) -> Any:
        if need not in self.needs:
            raise UndeclaredNeed(f"need {need} was read but not declared in `needs`", [str(need)])
        cache = self._cache(need)
        if need not in cache:
            self._fill()
        return cache[need]

    def _cache(self, need: Need) -> dict[Need, Any]:
        return self._own if need.over == "candidates" else self._shared

    def _fill(self) -> None:
        missing = tuple(need for need in self.needs if need not in self._cache(need))
        found = self._fetch(missing, {"candidates": self.ids, **self._sets})
        for need in missing:
            if need.kind == "rows":
                self._check(need, found[need])
            self._cache(need)[need] = found[need]

    def _check(self, need: Need, value: Any) -> None:
        """As many rows as ids, all finite; a pool-wide tensor is looked at once."""
        ids = self.ids_of(need.over)
        sliced = isinstance(value, Sliced)
        count, rows = (len(value.positions), value.rows) if sliced else (len(value), value)
        if count != len(ids):
            raise BadShape(f"need {need} has {count} rows for {len(ids)} ids", got=count)
        if isinstance(rows, Tensor) and rows.is_floating_point() and not (sliced and id(rows) in self._checked):
            finite(str(need), rows, None if sliced else ids)
            self._checked |= {id(rows)} if sliced else set()


def _take(value: Any, rows: Tensor | slice) -> Any:
    return Sliced(value.rows, value.positions[rows]) if isinstance(value, Sliced) else value[rows]


def finite(what: str, rows: Tensor, ids: Tensor | None = None) -> None:
    """Raises `NotFinite` naming the first rows with NaN or infinity; one sum over the data when all is well."""
    if bool(torch.isfinite(rows.sum(dtype=torch.float64 if rows.dtype == torch.float64 else torch.float32))):
        return
    bad = (~torch.isfinite(rows)).flatten(1).any(1) if rows.ndim > 1 else ~torch.isfinite(rows)
    if bool(bad.any()):
        places = bad.nonzero()[:5, 0].cpu()
        named = (ids.cpu()[places] if ids is not None else places).tolist()
        raise NotFinite(f"{what} holds NaN or infinity in {int(bad.sum())} rows, the first are {named}", got=named)


def distinct(batch: Batch, view: View, asks: str) -> None:
    """Raises unless the batch names each place once and, unless it was made, a candidate."""
    places = batch.places()
    if len(set(places)) != len(places):
        raise InputError("a strategy chose the same place twice", got=places)
    spots = torch.searchsorted(view.ids, batch.ids.to(view.ids.device)).clamp(max=len(view) - 1)
    if asks != "made" and bool((view.ids[spots] != batch.ids.to(view.ids.device)).any()):
        raise InputError("a strategy chose ids that are not candidates", got=batch.ids.tolist())
