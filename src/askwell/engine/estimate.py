"""How long a selection will take, said before it starts where that is more than a minute."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from math import ceil
from time import perf_counter
from typing import NamedTuple

from torch import Generator

from askwell.core.cost import LETTERS, effort, symbols
from askwell.core.needs import VOTES
from askwell.core.strategy import Strategy
from askwell.core.view import View
from askwell.engine.alternatives import with_inner
from askwell.functional.pick import some
from askwell.functional.steps import listening

__all__ = ["announce", "estimate"]

LONG = 60.0
"""Seconds from which on a choice says how long it will take."""
FEW, SOME, MANY = 32, 256, 8192
"""Candidates of the first trial; of the last one at least, and so many of a pool of which they are a small part."""
SHARE, MOST = 0.01, 0.04
"""Shares of the candidates in the last trial: this one, and at most that one for `MANY`."""
AXES: Mapping[str, tuple[tuple[str, int], ...]] = {
    "probs": (("C", 1),), "logits": (("C", 1),), "label_probs": (("C", 1),), "mean_probs": (("C", 1),),
    "mc_probs": (("K", 1), ("C", 2)), "mc_label_probs": (("K", 1), ("C", 2)), "mc_predictions": (("K", 1), ("T", 2)),
    "predictions": (("T", 1),), "embedding": (("D", 1),), "features": (("D", 1),), "words": (("L", 1),),
}  # fmt: skip
"""need -> letters, and which axes of its tensor they count."""


class Trial(NamedTuple):
    """What one small choice took, and what its cost is by declaration."""

    seconds: float
    effort: float


def announce(
    strategy: Strategy, view: View, n: int, say: Callable[[str], None], clock: Callable[[], float] = perf_counter
) -> None:
    """Says how long the choice of n candidates will take, in a sentence, where it will take more than a minute.

    Most choices are seen to be quick by a trial with 32 candidates; only where that may not be, two larger ones follow,
    see `estimate`. An estimate never stands in the way of a choice: a strategy that fails on so few candidates is not
    spoken of, and one that makes items is not tried.
    """
    if len(view) <= SOME or strategy.asks == "made":
        return
    try:
        seconds = estimate(strategy, view, n, clock, worth=LONG)
    except Exception:
        return
    if seconds >= LONG:
        say(f"{strategy.name} over {len(view):,} items: about {spoken(seconds)}")


def estimate(
    strategy: Strategy, view: View, n: int, clock: Callable[[], float] = perf_counter, worth: float = 0.0
) -> float:
    """Seconds that choosing n candidates of the view will take, from trials on random ones.

    worth  what is surely below this is not looked at more closely: the first trial's share of the whole, which has the
           start of everything in it, is returned
    clock  seconds so far, or whatever else is counted

    The last trial has one candidate in a hundred, at least 256, and 8192 where those are no more than four in a
    hundred; the one before it a quarter of them and as many picks. What differs between the two grows as the strategy's
    `cost` does, what does not with the number of picks. No state, no generator and no later choice is touched.
    """
    letters = _letters(strategy, view)

    def tried(rows: int, wanted: int) -> Trial:
        few = view.narrow(some(len(view), rows, Generator().manual_seed(rows)).to(view.ids.device))
        sizes = {**letters, "N": rows, "Q": wanted}
        return Trial(_timed(strategy, few, wanted, clock), effort(strategy, sizes))

    whole = effort(strategy, {**letters, "N": len(view), "Q": n})
    first = tried(FEW, min(n, FEW // 4))
    bound = first.seconds * whole / first.effort
    if bound < worth:
        return bound
    rows = _rows(len(view))
    wanted = min(n, rows // 8)
    picks = n / wanted if any("Q" in symbols(one.cost) for one in with_inner(strategy)) else 1.0
    return _extrapolated(tried(rows // 4, wanted), tried(rows, wanted), whole, picks)


def _rows(candidates: int) -> int:
    """Candidates of the last trial."""
    return min(candidates, ceil(max(SOME, SHARE * candidates, min(MANY, MOST * candidates))))


def _extrapolated(few: Trial, some: Trial, whole: float, picks: float) -> float:
    """What grows with the effort, and what only grows with the picks; at most all of it with the effort."""
    pace = max(0.0, some.seconds - few.seconds) / (some.effort - few.effort) if some.effort > few.effort else 0.0
    rest = max(0.0, some.seconds - pace * some.effort)
    return min(pace * whole + rest * picks, some.seconds * whole / some.effort)


def spoken(seconds: float) -> str:
    """A long time as people say it.

    >>> spoken(75), spoken(250), spoken(9000)
    ('1 minute', '4 minutes', '2.5 hours')
    """
    minutes = round(seconds / 60)
    if minutes >= 100:
        return f"{seconds / 3600:.1f} hours"
    return f"{minutes} minutes" if minutes != 1 else "1 minute"


def _timed(strategy: Strategy, view: View, n: int, clock: Callable[[], float]) -> float:
    """What one choice takes; nobody hears of its steps or warnings."""
    with listening(None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = clock()
        strategy.select(view, n, Generator().manual_seed(0))
        return clock() - before


def _letters(strategy: Strategy, view: View) -> dict[str, float]:
    """Numbers for all letters but N and Q, as far as two candidates show them; 1 for what is not there."""
    found: dict[str, float] = dict.fromkeys(LETTERS, 1.0)
    two = view.narrow(some(len(view), 2, Generator().manual_seed(0)).to(view.ids.device))
    for need in strategy.needs:
        if need.kind == "rows" and need.over == "candidates":
            shape = two[need].shape
            found |= {letter: shape[axis] for letter, axis in AXES.get(need.name, ())}
    found["M"] = max(1, len(view.ids_of("labelled")))
    found["V"] = len(two[VOTES]) if VOTES in strategy.needs else 1.0
    targets = getattr(strategy, "targets", None)
    return {**found, "T": min(targets, len(view))} if isinstance(targets, int) else found
