"""The label store: an append-only SQLite record of questions and answers, and ways in and out of it."""

from askwell.store.ballot import STATES
from askwell.store.exchange import export, restore
from askwell.store.record import Asked, Event, RoundRow, Segment
from askwell.store.resolve import RESOLVERS, dawid_skene, last, majority, mean, resolver
from askwell.store.store import Store, open_store

__all__ = [
    "RESOLVERS",
    "STATES",
    "Asked",
    "Event",
    "RoundRow",
    "Segment",
    "Store",
    "dawid_skene",
    "export",
    "last",
    "majority",
    "mean",
    "open_store",
    "resolver",
    "restore",
]
