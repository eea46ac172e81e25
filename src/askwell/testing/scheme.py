"""What every training scheme promises, tried on a small network and a toy problem. A check takes the scheme."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor, nn

from askwell.core.learner import Job
from askwell.core.scheme import Outputs, Scheme
from askwell.core.seeds import Seeds
from askwell.models import MLP
from askwell.testing.check import Check, check
from askwell.testing.toys import Toy, toy
from askwell.training import Fitted, fit, rehearse

__all__ = [
    "CHECKS",
    "check_is_a_value",
    "check_kept_weights_are_copies",
    "check_leaves_no_hooks",
    "check_loss_falls",
    "check_offers_what_it_declares",
    "check_reads_what_it_declares",
    "check_rehearsal_is_its_hash",
    "check_resumed_is_uninterrupted",
    "check_runs_on_one_item_and_one_class",
    "check_same_seed_same_weights",
    "check_stops_at_its_limit",
    "check_weights_move_in_updates_only",
]


def _fit(scheme: Scheme, problem: Toy, job: Job | None = None, seed: int = 1, **how: Any) -> Fitted:
    job = job or problem.job(batches=(problem.labelled,))
    return fit(scheme, problem.pool, job, problem.task, _makers(problem), Seeds(seed), **how)


def _makers(problem: Toy) -> Mapping[str, Any]:
    return {"net": lambda: MLP(width=8, depth=1).build(problem.pool.form, problem.task.outputs)}


def _weights(fitted: Fitted) -> dict[str, Tensor]:
    modules = vars(fitted.modules).items()
    return {f"{name}.{key}": value for name, module in modules for key, value in module.state_dict().items()}


def _differ(one: Fitted, other: Fitted) -> list[str]:
    there = _weights(other)
    return [name for name, value in _weights(one).items() if not torch.equal(value, there[name])]


def _limit(scheme: Scheme) -> int | None:
    """Its `steps`, where it has such a number and uses it."""
    return getattr(scheme, "steps", None)


def _short(scheme: Scheme, steps: int) -> Scheme:
    """The scheme with another step limit, where it has one."""
    return replace(scheme, steps=steps) if _limit(scheme) else scheme  # type: ignore[type-var] # a dataclass


def _names(scheme: Scheme) -> list[str]:
    return [item.name for item in fields(scheme)]  # type: ignore[arg-type] # a scheme is a dataclass by contract


@check
def check_loss_falls(scheme: Scheme) -> None:
    """The task's loss on the labelled items ends below 70 % of what guessing gets, ln C."""
    problem = toy("vector")
    net = _fit(scheme, problem).modules.net
    with torch.no_grad():
        losses = problem.task.loss(net(problem.pool.rows[problem.labelled]), problem.targets(problem.labelled))
    guessing = math.log(problem.task.outputs)
    assert float(losses.mean()) < 0.7 * guessing, (
        f"the loss is {float(losses.mean()):.3f}; guessing gets {guessing:.3f}"
    )


@check
def check_stops_at_its_limit(scheme: Scheme) -> None:
    """A scheme with `steps` takes no more, those of the update "task" where it has one; the report counts them."""
    limit = 7 if _limit(scheme) else None
    report = _fit(_short(scheme, 7), toy("vector")).report
    taken = report.updates.get("task", report.steps)
    assert limit is None or taken <= limit, f"{taken} steps were taken; {limit} are allowed"
    assert report.steps == 0 or sum(report.updates.values()) > 0, f"{report.steps} steps and no update"


@check
def check_weights_move_in_updates_only(scheme: Scheme) -> None:
    """Weights move in updates and acts of the kit, never by an optimiser of one's own."""
    _fit(_short(scheme, 7), toy("vector"), record=True)


@check
def check_leaves_no_hooks(scheme: Scheme) -> None:
    """The fitted modules have no hooks and are in eval mode."""
    for name, module in vars(_fit(_short(scheme, 7), toy("vector")).modules).items():
        for part in module.modules():
            assert not _hooks(part), f"module {name!r} has a hook on {type(part).__name__}"
            assert not part.training, f"module {name!r} is in training mode after the fit"


def _hooks(part: nn.Module) -> bool:
    return bool(part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks)


@check
def check_offers_what_it_declares(scheme: Scheme) -> None:
    """Every need in `offers` has a method that gives finite rows, one per item, and changes nothing."""
    problem = toy("vector")
    fitted = _fit(_short(scheme, 7), problem)
    before = {name: value.clone() for name, value in _weights(fitted).items()}
    x = problem.pool.rows[problem.unlabelled]
    with torch.no_grad():
        z, taps = fitted.modules.net.embed(x)
        outputs = Outputs(x, z, taps, fitted.modules.net.head(z))
        for need, method in scheme.offers.items():
            rows = getattr(scheme, method)(fitted.run, outputs)
            assert len(rows) == len(x), f"{need} has {len(rows)} rows for {len(x)} items"
            assert bool(rows.isfinite().all()), f"{need} holds NaN or infinity"
    for need, method in scheme.functions.items():
        assert callable(getattr(scheme, method)), f"{need} is offered and there is no method {method!r}"
    changed = [name for name, value in _weights(fitted).items() if not torch.equal(value, before[name])]
    assert not changed, f"computing needs changed {', '.join(changed)}"


@check
def check_runs_on_one_item_and_one_class(scheme: Scheme) -> None:
    """One labelled item, or labels of one class only, train to finite weights."""
    problem = toy("vector")
    for ids in (problem.labelled[:1], problem.labelled[problem.truth[problem.labelled] == 0]):
        fitted = _fit(_short(scheme, 7), problem, problem.job(ids, batches=(ids,)))
        bad = [name for name, value in _weights(fitted).items() if not bool(value.isfinite().all())]
        assert not bad, f"{len(ids)} labelled items of one class lead to NaN in {', '.join(bad)}"


@check
def check_same_seed_same_weights(scheme: Scheme) -> None:
    """The same job and seeds give the same weights, bit for bit."""
    one, other = (_fit(_short(scheme, 7), toy("vector").fresh(jitter=0.05)) for _ in range(2))
    assert not (names := _differ(one, other)), f"two fits with one seed differ in {', '.join(names)}"


@check
def check_resumed_is_uninterrupted(scheme: Scheme) -> None:
    """Paused after any step and resumed, a fit ends with the same weights: no state lives in local variables."""
    problem, short = toy("vector"), _short(scheme, 7)
    whole = _fit(short, problem)
    for after in (1, 4):
        paused = _fit(short, problem, pause_after=after).paused
        resumed = _fit(short, problem, resume=paused)
        assert not (names := _differ(whole, resumed)), f"paused after {after} steps it differs in {', '.join(names)}"


@check
def check_rehearsal_is_its_hash(scheme: Scheme) -> None:
    """The rehearsal is a JSON document on the config and the fit; its sha256 is the report's, and numbers change it."""
    problem = toy("vector")
    job = problem.job(batches=(problem.labelled,))
    texts = [
        rehearse(one, problem.pool, job, problem.task, _makers(problem), Seeds(1))
        for one in (_short(scheme, 7), _short(scheme, 7), _short(scheme, 9))
    ]
    assert texts[0] == texts[1], "two rehearsals of one scheme differ"
    found = sha256(texts[0].encode()).hexdigest()
    assert _fit(_short(scheme, 7), problem, job).report.rehearsal == found, "the report has another hash"
    assert not _limit(scheme) or texts[0] != texts[2], "the rehearsal does not depend on `steps`"
    config = json.loads(json.dumps(scheme.config()))
    missing = [name for name in _names(scheme) if name not in config]
    assert not missing, f"the config lacks {', '.join(missing)}"


@check
def check_kept_weights_are_copies(scheme: Scheme) -> None:
    """What a scheme keeps in `saved` is a copy: later steps do not change the best weights."""
    fitted = _fit(scheme, toy("vector"))
    live = {value.data_ptr() for value in _weights(fitted).values() if value.numel()}
    for name, kept in fitted.run.saved.items():
        for module in kept.values() if isinstance(kept, Mapping) else vars(kept).values():
            values = module.state_dict().values() if isinstance(module, nn.Module) else [module]
            shared = any(isinstance(value, Tensor) and value.data_ptr() in live for value in values)
            assert not shared, f"saved[{name!r}] shares its weights with the modules that are trained"


@check
def check_reads_what_it_declares(scheme: Scheme) -> None:
    """Unlabelled and validation items leave no trace in the weights unless `reads` names them."""
    problem, short = toy("vector"), _short(scheme, 7)
    for name, ids in (("unlabelled", problem.unlabelled), ("validation", problem.validation)):
        if name not in scheme.reads:
            names = _differ(_fit(short, problem), _fit(short, problem.spoilt(ids)))
            assert not names, f"{name} items are not in `reads` and change {', '.join(names)}"


@check
def check_is_a_value(scheme: Scheme) -> None:
    """Pickles, compares and hashes by value, and `eval(repr(scheme)) == scheme`."""
    twin = pickle.loads(pickle.dumps(scheme))
    assert twin == scheme, f"{scheme!r} does not equal its pickled copy"
    assert hash(twin) == hash(scheme), f"{scheme!r} and its pickled copy have different hashes"
    assert eval(repr(scheme), {type(scheme).__name__: type(scheme)}) == scheme, f"eval(repr) of {scheme!r} is another"


CHECKS: tuple[Check, ...] = (
    check_loss_falls,
    check_stops_at_its_limit,
    check_weights_move_in_updates_only,
    check_leaves_no_hooks,
    check_offers_what_it_declares,
    check_runs_on_one_item_and_one_class,
    check_same_seed_same_weights,
    check_resumed_is_uninterrupted,
    check_rehearsal_is_its_hash,
    check_kept_weights_are_copies,
    check_reads_what_it_declares,
    check_is_a_value,
)
