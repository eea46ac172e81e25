"""What every learner promises. A check takes a `Pupil`: a factory, its scheme, and the kind of toy that it learns."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor, nn

from askwell.core.learner import Learner, LearnerFactory
from askwell.core.needs import (
    EMBEDDING,
    FEATURES,
    HEAD,
    LABEL_PROBS,
    LOGITS,
    MC_LABEL_PROBS,
    MC_PREDICTIONS,
    MC_PROBS,
    MEAN_ENTROPY,
    MEAN_PROBS,
    NETWORK,
    PREDICTIONS,
    PROBS,
    VOTE_SHARES,
    Need,
)
from askwell.core.scheme import Scheme
from askwell.core.seeds import Seeds
from askwell.core.view import Sliced
from askwell.testing.check import Check, check, global_generators, pinned_generators
from askwell.testing.toys import Toy, toy

__all__ = [
    "CHECKS",
    "Pupil",
    "check_compute_leaves_it_as_it_was",
    "check_draws_are_the_same_functions_for_all_items",
    "check_functions_are_of_a_copy",
    "check_items_are_computed_apart",
    "check_learns_a_separable_pool",
    "check_moves_no_global_generator",
    "check_provides_what_it_says",
    "check_reads_eval_items_to_compute",
    "check_refit_forgets",
    "check_same_seed_same_weights",
    "check_survives_save_and_load",
    "check_trains_on_its_items_only",
]

PLAIN = (PROBS, LABEL_PROBS, PREDICTIONS, LOGITS, EMBEDDING, FEATURES, HEAD, NETWORK)
DRAWN = {need.name: need(draws=4) for need in (MC_PROBS, MC_LABEL_PROBS, MC_PREDICTIONS)}
SUMMED = {need.name: need(draws=4) for need in (MEAN_PROBS, MEAN_ENTROPY, VOTE_SHARES)}
STANDARD = {need.name: need for need in PLAIN} | DRAWN | SUMMED
WIDE = ("probs", "label_probs", "predictions", "logits", "mean_probs", "vote_shares")
CLOSE = 1e-5


@dataclass(frozen=True)
class Pupil:
    """A learner factory with what it needs to be tried.

    factory  `build(form, task, scheme)` gives a learner that has not been fitted
    scheme   None for learners that have their own way to fit
    kind     of the toy: "vector", "image" or "tokens"
    task     of the toy: "classification", "multi_label" or "regression"
    """

    factory: LearnerFactory
    scheme: Scheme | None = None
    kind: Literal["vector", "image", "tokens"] = "vector"
    task: Literal["classification", "multi_label", "regression"] = "classification"

    @property
    def toy(self) -> Toy:
        """The problem, on a pool that nobody has read."""
        return toy(self.kind, task=self.task)

    def learner(self, problem: Toy) -> Learner:
        """A learner that has not been fitted."""
        return self.factory.build(problem.pool.form, problem.task, self.scheme)

    def fitted(self, problem: Toy, labelled: Tensor | None = None, seed: int = 1) -> Learner:
        """A new learner, fitted on the toy's labelled items, or on these."""
        learner = self.learner(problem)
        learner.fit(problem.pool, problem.job(labelled), Seeds(seed))
        return learner

    def needs(self, learner: Learner) -> list[Need]:
        """All that the learner provides, as needs."""
        return [STANDARD.get(name, Need(name)) for name in sorted(learner.provides)]


def _compute(learner: Learner, problem: Toy, needs: list[Need], ids: Tensor) -> dict[Need, Any]:
    found = learner.compute(problem.pool, needs, {"candidates": ids, "labelled": problem.labelled}, Seeds(2))
    return {need: value.dense() if isinstance(value, Sliced) else value for need, value in found.items()}


def _rows(pupil: Pupil, learner: Learner) -> list[Need]:
    return [need for need in pupil.needs(learner) if need.kind == "rows"]


@check
def check_provides_what_it_says(pupil: Pupil) -> None:
    """Every need that it provides comes in its shape: finite float rows in the order of the ids, also for no ids."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    for ids in (problem.unlabelled.flip(0), problem.unlabelled[:0]):
        found = _compute(learner, problem, pupil.needs(learner), ids)
        width = problem.task.outputs
        shapes = {**dict.fromkeys(WIDE, (width,)), **dict.fromkeys(DRAWN, (4, width))}
        for need in _rows(pupil, learner):
            rows = found[need]
            assert len(rows) == len(ids), f"{need} has {len(rows)} rows for {len(ids)} ids"
            assert rows.is_floating_point(), f"{need} is {rows.dtype}"
            assert bool(rows.isfinite().all()), f"{need} holds NaN or infinity"
            wanted = shapes.get(need.name, tuple(rows.shape[1:]))
            assert rows.shape[1:] == wanted, f"{need} has shape {tuple(rows.shape)} instead of (n, {wanted})"
            if need.name.endswith("probs"):
                _assert_probabilities(need, rows, several="label" in need.name)
        if HEAD in found and EMBEDDING in found and LOGITS in found:
            gap = float((found[HEAD](found[EMBEDDING]).detach() - found[LOGITS]).abs().sum())
            assert gap < CLOSE * (1 + len(ids)), f"the head of the embedding is not the logits, by {gap:.3g}"


def _assert_probabilities(need: Need, rows: Tensor, several: bool) -> None:
    assert bool((rows >= 0).all()), f"{need} holds negative numbers"
    if several:
        assert bool((rows <= 1).all()), f"{need} holds numbers above one"
        return
    gap = float((rows.sum(-1) - 1).abs().sum())
    assert gap < CLOSE * (1 + rows.numel()), f"rows of {need} do not sum to one"


@check
def check_compute_leaves_it_as_it_was(pupil: Pupil) -> None:
    """Computing changes no weight and no buffer, and leaves every module in the mode that it was in."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    before, modes = _copies(learner.state()), _modes(learner)
    _compute(learner, problem, pupil.needs(learner), problem.unlabelled)
    assert _modes(learner) == modes, "computing left a module in another mode"
    learner.predict(problem.pool, problem.test)
    assert _modes(learner) == modes, "predicting left a module in another mode"
    changed = [name for name, value in learner.state().items() if not torch.equal(value, before[name])]
    assert not changed, f"computing changed {', '.join(changed)}"


def _copies(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in state.items()}


def _modes(learner: Learner) -> list[bool]:
    return [part.training for module in _modules(learner) for part in module.modules()]


def _modules(root: Any, depth: int = 6) -> Iterator[nn.Module]:
    """Modules that an object holds, however it holds them."""
    seen: set[int] = set()
    layer = [root]
    for _ in range(depth):
        following = []
        for one in layer:
            if id(one) in seen or isinstance(one, type | str | int | float | Tensor):
                continue
            seen.add(id(one))
            if isinstance(one, nn.Module):
                yield one
            elif isinstance(one, dict | list | tuple) or hasattr(one, "__dict__"):
                following += gc.get_referents(vars(one) if hasattr(one, "__dict__") else one)
        layer = following


@check
def check_reads_eval_items_to_compute(pupil: Pupil) -> None:
    """Scoring and predicting read eval items, never training items: no random crop decides what is asked."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    problem.pool.read.clear()
    _compute(learner, problem, pupil.needs(learner), problem.unlabelled)
    learner.predict(problem.pool, problem.test)
    modes = {reading.mode for reading in problem.pool.read}
    assert modes <= {"eval"}, "training items were read to compute needs"


@check
def check_moves_no_global_generator(pupil: Pupil) -> None:
    """Building, fitting, computing and predicting leave the global generators where they are."""
    problem = pupil.toy
    with pinned_generators(5):
        before = global_generators()
        learner = pupil.fitted(problem)
        _compute(learner, problem, pupil.needs(learner), problem.unlabelled)
        learner.predict(problem.pool, problem.test)
        names = zip(("torch", "numpy", "random"), before, global_generators(), strict=True)
        moved = [who for who, a, b in names if a != b]
    assert not moved, f"the global generator of {', '.join(moved)} moved"


@check
def check_items_are_computed_apart(pupil: Pupil) -> None:
    """What is computed for an item does not depend on what is computed with it: pairs = shards = all at once."""
    problem = pupil.toy
    needs = [need for need in _rows(pupil, pupil.learner(problem)) if need.name not in DRAWN]
    whole = _compute(pupil.fitted(problem), problem, needs, problem.unlabelled)
    for size in (2, 17):
        learner = pupil.fitted(problem)
        parts = [
            _compute(learner, problem, needs, problem.unlabelled[start : start + size])
            for start in range(0, len(problem.unlabelled), size)
        ]
        for need in needs:
            gap = float((torch.cat([part[need] for part in parts]) - whole[need]).abs().max())
            assert gap < CLOSE * (1 + float(whole[need].abs().max())), f"{need} differs by {gap:.3g} in parts of {size}"


@check
def check_draws_are_the_same_functions_for_all_items(pupil: Pupil) -> None:
    """Draw k is one function: the same for every item, shard and number of draws; different draws differ."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    for name in sorted(DRAWN.keys() & learner.provides):
        _assert_same_functions(DRAWN[name], learner, problem)


def _assert_same_functions(need: Need, learner: Learner, problem: Toy) -> None:
    ids, scale = problem.unlabelled, 1 + float(problem.truth.abs().max())
    whole = _compute(learner, problem, [need], ids)[need]
    back = _compute(learner, problem, [need], ids.flip(0))[need].flip(0)
    shard = _compute(learner, problem, [need], ids[5:12])[need]
    fewer = _compute(learner, problem, [need(draws=2)], ids)[need(draws=2)]
    for how, one, other in (
        ("in another order", whole, back),
        ("in a shard", whole[5:12], shard),
        ("with fewer draws", whole[:, :2], fewer),
    ):
        gap = float((one - other).abs().max())
        assert gap < CLOSE * scale, f"the same draw of the same item differs by {gap:.3g} {how}"
    assert float(whole.std(1).max()) > 0, "all draws are the same function"


@check
def check_refit_forgets(pupil: Pupil) -> None:
    """A second fit is as good as new: nothing of the first one is left, unless the learner declares `warm`."""
    problem = pupil.toy
    learner = pupil.fitted(problem, problem.labelled[:9])
    if learner.warm:
        return
    learner.fit(problem.pool, problem.job(), Seeds(1))
    gap = _gap(learner, pupil.fitted(problem), problem)
    assert gap == 0, f"a refit differs from a first fit on the same items by {gap:.3g}"


def _gap(one: Learner, other: Learner, problem: Toy, ids: Tensor | None = None) -> float:
    ids = problem.test if ids is None else ids
    return float((one.predict(problem.pool, ids) - other.predict(problem.pool, ids)).abs().max())


@check
def check_trains_on_its_items_only(pupil: Pupil) -> None:
    """Other items leave no trace in a fit: test items never, others only where the scheme declares it."""
    problem = pupil.toy
    reads = pupil.scheme.reads if pupil.scheme is not None else frozenset({"labelled"})
    for name, ids in (("test", problem.test), ("unlabelled", problem.unlabelled), ("validation", problem.validation)):
        if name in reads:
            continue
        gap = _gap(pupil.fitted(problem), pupil.fitted(problem.spoilt(ids)), problem, problem.labelled)
        assert gap == 0, f"the fit depends on {name} items: predictions differ by {gap:.3g}"


@check
def check_same_seed_same_weights(pupil: Pupil) -> None:
    """The same job and seeds give the same weights, bit for bit, with augmented training items too."""
    states = []
    for _ in range(2):
        problem = pupil.toy.fresh(jitter=0.05)
        with pinned_generators(3):
            states.append(_copies(pupil.fitted(problem).state()))
    differ = [name for name, value in states[0].items() if not torch.equal(value, states[1][name])]
    assert not differ, f"two fits with one seed differ in {', '.join(differ)}"


@check
def check_learns_a_separable_pool(pupil: Pupil) -> None:
    """Three sorts of items that lie apart: 95 % of unseen ones get the right label; of numbers 85 % of the variance."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    decided = problem.task.encode(problem.task.decide(learner.predict(problem.pool, problem.test)))
    gaps = (decided - problem.targets(problem.test)).float()
    if problem.task.form == "number":
        explained = 1 - float(gaps.square().mean() / problem.targets(problem.test).var(correction=0))
        assert explained >= 0.85, f"{explained:.0%} of the test items' variance is learnt from {len(problem.labelled)}"
        return
    share = float((gaps.reshape(len(gaps), -1).abs().amax(1) == 0).float().mean())
    assert share >= 0.95, f"{share:.0%} of the test items are right after a fit on {len(problem.labelled)} labels"


@check
def check_survives_save_and_load(pupil: Pupil) -> None:
    """Saved as safetensors, never a pickle; a new learner that loads it computes the same."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        digest = learner.save(path)
        content = path.read_bytes()
        header = int.from_bytes(content[:8], "little")
        assert header < len(content), "the file is no safetensors file"
        assert content[8:9] == b"{", "the file is no safetensors file"
        assert digest == hashlib.sha256(content).hexdigest(), "save does not return the sha256 of the file"
        twin = pupil.learner(problem)
        twin.load(path)
    needs = _rows(pupil, learner)
    one, other = (_compute(which, problem, needs, problem.unlabelled) for which in (learner, twin))
    differ = [str(need) for need in needs if not torch.equal(one[need], other[need])]
    assert not differ, f"a loaded learner computes other {', '.join(differ)}"


@check
def check_functions_are_of_a_copy(pupil: Pupil) -> None:
    """What a strategy does to a head or network that it is given does not reach the fitted model."""
    problem = pupil.toy
    learner = pupil.fitted(problem)
    before = learner.predict(problem.pool, problem.test)
    for need in (HEAD, NETWORK):
        if need.name not in learner.provides:
            continue
        for module in _modules(_compute(learner, problem, [need], problem.unlabelled)[need]):
            for value in module.parameters():
                value.data.zero_()
        same = torch.equal(learner.predict(problem.pool, problem.test), before)
        assert same, f"the {need} is the fitted model's own"


CHECKS: tuple[Check, ...] = (
    check_provides_what_it_says,
    check_compute_leaves_it_as_it_was,
    check_reads_eval_items_to_compute,
    check_moves_no_global_generator,
    check_items_are_computed_apart,
    check_draws_are_the_same_functions_for_all_items,
    check_refit_forgets,
    check_trains_on_its_items_only,
    check_same_seed_same_weights,
    check_learns_a_separable_pool,
    check_survives_save_and_load,
    check_functions_are_of_a_copy,
)
