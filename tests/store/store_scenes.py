"""Small stores and ways to talk to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from askwell.core.oracle import Annotation
from askwell.store import Store, open_store


def batch(ids: Sequence[int], **rest: Any) -> Any:
    """What a strategy returns, without torch."""
    empty = {"scores": None, "annotators": None, "units": None, "made": (), "state": None}
    return SimpleNamespace(ids=np.asarray(ids, np.int64), **{**empty, **rest})


def made(payload: Any, parent: int | None = None, role: str = "ask", how: str = "") -> Any:
    """A synthesised item."""
    return SimpleNamespace(payload=payload, parent=parent, role=role, how=how)


def new(folder: Path, n: int = 10, name: str = "labels.db") -> Store:
    """A store of n items that knows nobody yet."""
    store = open_store(folder / name, create=True)
    store.grow(n, "data", "numbers")
    return store


def asked(folder: Path, ids: Sequence[int], who: Sequence[str] = ("ann",), answers: int = 1, **rest: Any) -> Store:
    """A store of ten items where round 0 asks about these; question k is about ids[k - 1]."""
    store = new(folder)
    store.register(who)
    store.plan(0, batch(ids, **rest), basis=0, answers=answers)
    return store


def say(
    store: Store, question: int | None, who: str = "ann", verb: Any = "label", value: Any = None, **rest: Any
) -> int:
    """Tells one thing; `label` says "cat" unless told otherwise."""
    volunteered = rest.pop("volunteered", False)
    value = "cat" if value is None and verb in ("label", "correct", "also") else value
    return store.tell(Annotation(question, who, verb=verb, value=value, **rest), volunteered=volunteered)


def state(store: Store, item: int) -> str:
    """The state of one item in words."""
    from askwell.store import STATES

    return STATES[store.states()[item]]


def told(store: Store) -> list[tuple[Any, ...]]:
    """The log without its clock."""
    return [(event.verb, event.question, event.item, event.annotator, event.value) for event in store.history()]
