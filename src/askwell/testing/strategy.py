"""What every query strategy promises, as small checks: `check(strategy)` raises AssertionError where it does not hold.

A check makes its own pools from the needs that the strategy declares. Each looks at one promise alone: choices are made
by a fresh copy under pinned global generators, on views where everything may be read.
"""

from __future__ import annotations

import inspect
import pickle
import re
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import torch
from scipy.stats import chi2
from torch import Generator, Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from askwell.core.cost import LETTERS, effort
from askwell.core.needs import Need
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.core.view import Batch, View
from askwell.errors import ColdStart, NotFinite, PoolExhausted, UndeclaredNeed
from askwell.testing.check import Check, check, global_generators, pinned_generators, raises
from askwell.testing.scenes import Scene, Scenes

__all__ = [
    "CHECKS",
    "check_allocates_no_square",
    "check_changes_no_tensor",
    "check_cold_start_is_declared",
    "check_confidence_is_from_0_to_1",
    "check_cost_is_read",
    "check_docstring_is_complete",
    "check_dtypes_agree",
    "check_is_a_value",
    "check_maps_ids_with_gaps",
    "check_moves_no_global_generator",
    "check_picks_are_golden",
    "check_position_carries_no_information",
    "check_reads_exactly_its_needs",
    "check_refuses_non_finite",
    "check_refuses_what_is_not_there",
    "check_returns_exactly_n",
    "check_rowwise_scores_are_local",
    "check_same_seed_same_batch",
    "check_scores_rank_the_batch",
    "golden_picks",
]

SCENES = Scenes()
POOLS = ("plain", "identical", "one_hot", "uniform", "one_class", "thousand_classes")
GOLDEN = ("plain", "identical", "one_hot", "gaps")
EVEN = 1e-7
"""Level of the test that picks fall evenly over positions."""
HOARD = 4
"""A selection may allocate a tensor of at most this many times N·(C + D) elements."""


def _fresh(strategy: Strategy) -> Strategy:
    """A copy that remembers nothing of earlier choices."""
    copy: Strategy = replace(strategy)  # type: ignore[type-var] # a strategy is a dataclass by contract
    return copy


def _choose(strategy: Strategy, view: View, n: int, seed: int = 7) -> Batch:
    """A choice without the referee in `select`: by a copy that remembers nothing, under pinned global generators."""
    with pinned_generators(seed):
        return _fresh(strategy).choose(view, n, Generator().manual_seed(seed))


def _picks(strategy: Strategy, scene: Scene, n: int, seed: int = 7, **how: Any) -> list[int]:
    return _choose(strategy, scene.view(strategy.needs, **how), n, seed).ids.tolist()


@check
def check_returns_exactly_n(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Exactly n ids, distinct, all candidates: n = 1, 7 and N, on every pool, in single and in half precision.

    A `partial` strategy may give fewer.
    """
    for name, dtype in product(POOLS, (torch.float32, torch.float16)):
        scene = scenes(name, dtype=dtype)
        for n in (1, 7, len(scene.ids)):
            with pinned_generators(n):
                batch = _fresh(strategy).select(scene.view(strategy.needs), n, Generator().manual_seed(n))
            where = f"{strategy!r} on pool {name!r} ({dtype}) for n = {n}"
            assert batch.asked == n or (strategy.partial and batch.asked < n), f"{where} chose {batch.asked}"
            assert len(set(batch.places())) == len(batch.places()), f"{where} chose one place twice"
            strays = set(batch.ids.tolist()) - set(scene.ids.tolist())
            assert strategy.asks == "made" or not strays, f"{where} chose {sorted(strays)}, which are no candidates"


@check
def check_refuses_what_is_not_there(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """n = 0 and n > N raise `PoolExhausted`: never fewer picks than asked, in silence."""
    scene = scenes("plain")
    for n in (0, len(scene.ids) + 1):
        refused = raises(PoolExhausted, strategy.select, scene.view(strategy.needs), n, Generator())
        assert refused, f"{strategy!r} took n = {n} of {len(scene.ids)} candidates"


@check
def check_same_seed_same_batch(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """The same view and seed give the same batch, ties included, however often it was asked before."""
    for name in ("plain", "identical"):
        scene = scenes(name)
        batches = []
        for _ in range(3):
            with pinned_generators(3):
                batches.append(strategy.choose(scene.view(strategy.needs), 7, Generator().manual_seed(3)))
        ids = [batch.ids.tolist() for batch in batches]
        assert ids[0] == ids[1] == ids[2], f"{strategy!r} on pool {name!r} chose {ids[0]}, {ids[1]}, then {ids[2]}"


@check
def check_moves_no_global_generator(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Randomness comes from the given generator; torch's, numpy's and Python's global ones stay where they are."""
    for name in ("plain", "identical"):
        view = scenes(name).view(strategy.needs)
        with pinned_generators(5):
            before = global_generators()
            strategy.choose(view, 7, Generator().manual_seed(5))
            moved = [
                who
                for who, a, b in zip(("torch", "numpy", "random"), before, global_generators(), strict=True)
                if a != b
            ]
        assert not moved, f"{strategy!r} moved the global generator of {', '.join(moved)}"


class _Watched(View):
    """A view that notes which needs are read, in itself and in every narrower view."""

    read: set[Need]

    def _read(self, need: Need) -> Any:
        self.read.add(need)
        return super()._read(need)

    def _part(self, rows: Tensor | slice, needs: Sequence[Need] | None = None) -> View:
        view = super()._part(rows, needs)
        view.__class__ = _Watched
        view.read = self.read  # type: ignore[attr-defined]
        return view


@check
def check_reads_exactly_its_needs(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Reads every need that it declares, and none that it does not."""
    view = scenes("plain").view(strategy.needs, generous=False, of=_Watched)
    assert isinstance(view, _Watched)
    view.read = set()
    try:
        _choose(strategy, view, 7)
    except UndeclaredNeed as error:
        raise AssertionError(f"{strategy!r}: {error}") from error
    unread = [str(need) for need in strategy.needs if need not in view.read]
    assert not unread, f"{strategy!r} declares {', '.join(unread)} and never reads it"


@check
def check_changes_no_tensor(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Tensors of the view are as they were: by their version counters and by their content."""
    given: list[tuple[Need, Tensor, int, Tensor]] = []

    def record(need: Need, value: Any) -> Any:
        if isinstance(value, Tensor):
            given.append((need, value, value._version, value.clone()))
        return value

    _choose(strategy, scenes("plain").view(strategy.needs, edit=record), 7)
    changed = {str(need) for need, value, version, copy in given if value._version != version or not value.equal(copy)}
    assert not changed, f"{strategy!r} changed {', '.join(sorted(changed))} of the view"


class _Trusting(View):
    """A view that lets NaN and infinity through."""

    def _fill(self) -> None:
        for need, value in self._fetch(self.needs, {"candidates": self.ids, **self._sets}).items():
            self._cache(need).setdefault(need, value)


@check
def check_refuses_non_finite(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """NaN or infinity in a tensor that it reads raises `NotFinite`; no score is made of it."""
    scene, rows = scenes("plain"), [need for need in strategy.needs if need.kind == "rows"]
    for broken, bad in product(rows, (torch.nan, torch.inf)):
        view = scene.view(strategy.needs, edit=partial(_break, (broken,), bad))
        refused = raises(NotFinite, _choose, strategy, view, 3)
        assert refused, f"{strategy!r} chose although {broken} holds {bad}"
    if rows and isinstance(strategy, ScoreStrategy):
        view = scene.view(strategy.needs, edit=partial(_break, rows, torch.nan), of=_Trusting)
        assert raises(NotFinite, _choose, strategy, view, 3), f"{strategy!r} made a score of a row that is NaN"


def _break(broken: Sequence[Need], bad: float, need: Need, value: Any) -> Any:
    if need in broken:
        value[min(4, len(value) - 1)] = bad
    return value


@check
def check_position_carries_no_information(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Over many shuffles of the items, picks fall evenly over the positions; where all are equal, too.

    Made items have no position.
    """
    if strategy.asks == "made":
        return
    for name in ("plain", "identical"):
        counts, n, shuffles = torch.zeros(26, dtype=torch.float64), 5, 120
        scene = scenes(name)
        view_rows = {int(item): row for row, item in enumerate(scene.ids)}
        for shuffle in range(shuffles):
            order = torch.randperm(26, generator=Generator().manual_seed(shuffle))
            for item in _picks(strategy, scene.permuted(order), n, seed=shuffle):
                counts[view_rows[item]] += 1
        even = counts.sum() / len(counts)
        spread = float(((counts - even) ** 2 / even).sum()) * (len(counts) - 1) / (len(counts) - n)
        assert chi2.sf(spread, len(counts) - 1) > EVEN, (
            f"{strategy!r} on pool {name!r} prefers positions: picks per position {counts.int().tolist()}"
        )


@check
def check_rowwise_scores_are_local(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """A `rowwise` score does not change when other candidates leave: chunked and sharded, it is the whole."""
    if not (isinstance(strategy, ScoreStrategy) and strategy.rowwise):
        return
    scene = scenes("plain")
    whole = _scores(strategy, scene.view(strategy.needs))
    chunked = _fresh(strategy)
    assert isinstance(chunked, ScoreStrategy)
    object.__setattr__(chunked, "chunk", 5)
    parts = [_scores(strategy, scene.view(strategy.needs).narrow(rows)) for rows in torch.arange(len(whole)).chunk(2)]
    for how, scores in (("in chunks", _scores(chunked, scene.view(strategy.needs))), ("in shards", torch.cat(parts))):
        gap = float((scores - whole).abs().max())
        assert gap <= 1e-6 * (1 + float(whole.abs().max())), f"scores of {strategy!r} differ by {gap:.3g} {how}"


def _scores(strategy: ScoreStrategy, view: View) -> Tensor:
    with pinned_generators(7):
        return strategy.scores(view)


@check
def check_confidence_is_from_0_to_1(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Scores of a strategy that declares `confidence` lie in [0, 1] on every pool: 1 − score is a confidence."""
    if not (isinstance(strategy, ScoreStrategy) and strategy.confidence):
        return
    for name in POOLS:
        scores = _scores(strategy, scenes(name).view(strategy.needs))
        least, most = float(scores.min()), float(scores.max())
        assert 0 <= least <= most <= 1, f"{strategy!r} on pool {name!r} gives scores from {least:.4g} to {most:.4g}"


@check
def check_scores_rank_the_batch(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Scores are finite float32, one per pick; a score strategy picks its highest scores, the best first."""
    scene = scenes("plain")
    batch = _choose(strategy, scene.view(strategy.needs), 7)
    if batch.scores is not None:
        assert batch.scores.dtype == torch.float32, f"{strategy!r}: scores are {batch.scores.dtype}"
        assert batch.scores.shape == batch.ids.shape, f"{strategy!r}: scores {tuple(batch.scores.shape)}"
        assert bool(batch.scores.isfinite().all()), f"{strategy!r}: scores {batch.scores.tolist()}"
    if isinstance(strategy, ScoreStrategy):
        scores = _scores(strategy, scene.view(strategy.needs))
        assert scores.shape == scene.ids.shape, f"{strategy!r}: scores {tuple(scores.shape)} of 26 candidates"
        best = scores.sort(descending=True).values[: len(batch.ids)].tolist()
        got = best if batch.scores is None else batch.scores.tolist()
        assert got == best, f"{strategy!r} picked scores {got}; its best are {best}"


@check
def check_maps_ids_with_gaps(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """The same items at other ids are picked alike, also where the view gives rows of a pool-wide tensor."""
    plain, gaps = scenes("plain"), scenes("gaps")
    for n in (1, 7):
        wanted = gaps.ids[torch.tensor(_picks(strategy, plain, n), dtype=torch.int64)].tolist()
        for sliced in (False, True):
            got = _picks(strategy, gaps, n, sliced=sliced)
            form = "rows of a pool-wide tensor" if sliced else "ids with gaps"
            assert got == wanted, f"{strategy!r} on {form} chose {got} instead of {wanted}"


@check
def check_dtypes_agree(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """float16, float32 and float64 of the same numbers give the same picks; on CUDA, where present, the same scores."""
    picks = {dtype: _picks(strategy, scenes("plain", dtype=dtype), 7) for dtype in (torch.float32, *OTHERS)}
    for dtype in OTHERS:
        assert picks[dtype] == picks[torch.float32], (
            f"{strategy!r} chose {picks[dtype]} in {dtype} and {picks[torch.float32]} in torch.float32"
        )
    if torch.cuda.is_available() and isinstance(strategy, ScoreStrategy):
        view = scenes("plain").view(strategy.needs)
        moved = scenes("plain").view(strategy.needs, edit=lambda _, value: _to_cuda(value))
        gap = float((_scores(strategy, view) - _scores(strategy, moved).cpu()).abs().max())
        assert gap < 1e-5, f"scores of {strategy!r} on CUDA differ by {gap:.3g}"


OTHERS = (torch.float16, torch.float64)


def _to_cuda(value: Any) -> Any:
    return value.cuda() if isinstance(value, Tensor) else value


@check
def check_cold_start_is_declared(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Works with no labels at all, or declares `cold_start = False` and is refused by name."""
    view = scenes("no_labels").view(strategy.needs)
    if strategy.cold_start:
        assert _choose(strategy, view, 3).asked, f"{strategy!r} chose nothing with no labels"
        return
    refused = raises(ColdStart, strategy.select, view, 3, Generator())
    assert refused, f"{strategy!r} declares cold_start = False and chose with no labels"


@check
def check_is_a_value(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Pickles, compares and hashes by value, and `eval(repr(s)) == s`."""
    twin = pickle.loads(pickle.dumps(strategy))
    assert twin == strategy, f"{strategy!r} does not equal its pickled copy"
    assert hash(twin) == hash(strategy), f"{strategy!r} and its pickled copy have different hashes"
    assert eval(repr(strategy), _classes(strategy)) == strategy, f"eval(repr) of {strategy!r} is another strategy"


def _classes(part: Any) -> dict[str, Any]:
    """The classes that a part's repr names."""
    found = {type(part).__name__: type(part)}
    for item in fields(part):
        value = getattr(part, item.name)
        for one in value if isinstance(value, tuple) else (value,):
            if is_dataclass(one) and not isinstance(one, type):
                found |= _classes(one)
    return found


@check
def check_docstring_is_complete(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """The docstring names the idea, the paper with year and arXiv number or DOI, the shapes, and the cost in N."""
    text = inspect.getdoc(type(strategy)) or ""
    wanted = {
        "an idea of one sentence": r"\A[^\n]{20,}[.:]",
        "a paper with its year": r"\b(19|20)\d\d\b",
        "an arXiv number or a DOI": r"(?i)arxiv|doi",
        "shapes such as (N, C)": r"\((N|M|B)\b[^)]*\)",
    }
    missing = [what for what, pattern in wanted.items() if not re.search(pattern, text)]
    if not re.search(r"O\([^)]*N", text + strategy.cost):
        missing.append("the cost in N")
    assert not missing, f"the docstring of {type(strategy).__name__} lacks {', '.join(missing)}"


@check
def check_cost_is_read(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """The cost is arithmetic in the letters of docs/shapes.md and in the settings, and more candidates cost more."""
    sizes = dict.fromkeys(LETTERS, 10.0)
    few, many = (effort(strategy, {**sizes, "N": candidates}) for candidates in (1e4, 1e6))
    assert many > few, f"{strategy!r} costs {strategy.cost}, which does not grow with N"


class _Sizes(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch does not annotate it
    """Notes the largest tensor that any torch operation returns; sparse ones are made of dense ones."""

    largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else (out,):
            if isinstance(value, Tensor) and value.layout == torch.strided:
                self.largest = max(self.largest, value.untyped_storage().nbytes())
        return out


@contextmanager
def _measured() -> Iterator[dict[str, int]]:
    """The largest torch tensor and the peak of numpy's memory, in bytes."""
    found, sizes = {"torch": 0, "numpy": 0}, _Sizes()  # type: ignore[no-untyped-call] # nor this
    with sizes:
        torch.empty(0)  # the first operation under a mode imports half of torch
        tracemalloc.start()
        try:
            yield found
            found.update(torch=sizes.largest, numpy=tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()


@check
def check_allocates_no_square(strategy: Strategy, scenes: Scenes = SCENES) -> None:
    """Choosing 100 of 2000 allocates neither N×N nor batch×N: at most 4·N·(C + D) elements, or twice the inputs."""
    scene = scenes("plain", n=2000, classes=10, width=16)
    view = scene.view(strategy.needs)
    given = [view[need] for need in strategy.needs]
    with _measured():
        _choose(strategy, scenes("plain").view(strategy.needs), 7)  # what it imports is not its memory
    inputs = sum(value.numel() for value in given if isinstance(value, Tensor))
    allowed = 4 * max(HOARD * 2000 * (10 + 16), 2 * inputs)
    with _measured() as peak:
        _choose(strategy, view, 100)
    for where, size in peak.items():
        assert size <= allowed, f"{strategy!r} allocated {size} bytes in {where} for 2000 items; {allowed} are allowed"


def golden_picks(strategy: Strategy, scenes: Scenes = SCENES) -> dict[str, list[int]]:
    """What it picks on fixed tensors: scene -> 7 ids, in order."""
    return {name: _picks(strategy, scenes(name), 7) for name in GOLDEN}


@check
def check_picks_are_golden(strategy: Strategy, golden: Mapping[str, list[int]], scenes: Scenes = SCENES) -> None:
    """Picks on fixed tensors are those recorded; if not, a changelog fragment says "can change results"."""
    for name, ids in golden_picks(strategy, scenes).items():
        assert ids == golden.get(name), f"{strategy!r} on pool {name!r} chose {ids}; recorded are {golden.get(name)}"


CHECKS: tuple[Check, ...] = (
    check_returns_exactly_n,
    check_refuses_what_is_not_there,
    check_same_seed_same_batch,
    check_moves_no_global_generator,
    check_reads_exactly_its_needs,
    check_changes_no_tensor,
    check_refuses_non_finite,
    check_position_carries_no_information,
    check_rowwise_scores_are_local,
    check_confidence_is_from_0_to_1,
    check_scores_rank_the_batch,
    check_maps_ids_with_gaps,
    check_dtypes_agree,
    check_cold_start_is_declared,
    check_is_a_value,
    check_docstring_is_complete,
    check_cost_is_read,
    check_allocates_no_square,
)
"""All but the golden picks, which need the recorded ones."""
