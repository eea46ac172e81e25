"""What every task promises. A check takes the task; labels are made by deciding on random outputs."""

from __future__ import annotations

import json
import pickle
from typing import Any

import torch
from torch import Generator, Tensor

from askwell.core.task import Task
from askwell.errors import BadLabel
from askwell.testing.check import Check, check, global_generators, pinned_generators, raises

__all__ = [
    "CHECKS",
    "check_foreign_labels_are_refused",
    "check_is_a_value",
    "check_labels_are_canonical_json",
    "check_loss_is_per_item",
    "check_loss_wants_the_label",
    "check_metrics_are_numbers",
    "check_moves_no_global_generator",
    "check_offers_rows",
    "check_predictions_are_per_item",
    "check_units_reduce_to_items",
]


def _outputs(task: Task, n: int = 40) -> Tensor:
    return 2 * torch.randn(n, task.outputs, generator=Generator().manual_seed(6))


def _labels(task: Task, n: int = 40) -> list[Any]:
    return task.decide(task.predict(_outputs(task, n)))


@check
def check_labels_are_canonical_json(task: Task) -> None:
    """What `decide` gives is canonical: JSON, and unchanged by `check` and by a way through JSON."""
    for label in _labels(task):
        assert task.check(label) == label, f"decide gives {label!r}, which check turns into {task.check(label)!r}"
        again = task.check(json.loads(json.dumps(label)))
        assert again == label, f"{label!r} comes back from JSON as {again!r}"


@check
def check_foreign_labels_are_refused(task: Task) -> None:
    """What is no label raises `BadLabel`, in `check` and in `encode`."""
    for value in ("no such label", None, 3.7, float("nan"), -1, 10**9, b"ash", {"label": 0}, object()):
        assert raises(BadLabel, task.check, value), f"check takes {value!r} for a label"
        assert raises(BadLabel, task.encode, [value]), f"encode takes {value!r} for a label"


@check
def check_loss_is_per_item(task: Task) -> None:
    """The loss is (n,), finite, and each item's own: alone as among others; no items, no losses."""
    outputs, targets = _outputs(task), task.encode(_labels(task))
    losses = task.loss(outputs, targets)
    assert losses.shape == (40,), f"the loss of 40 items has shape {tuple(losses.shape)}"
    assert bool(losses.isfinite().all()), "the loss holds NaN or infinity"
    gap = float((task.loss(outputs[5:9], targets[5:9]) - losses[5:9]).abs().max())
    assert gap < 1e-5, f"the loss of an item differs by {gap:.3g} among others"
    assert task.loss(outputs[:0], task.encode([])).shape == (0,), "no items have a loss"


@check
def check_loss_wants_the_label(task: Task) -> None:
    """The loss is lower for the labels that the outputs decide than for others, and has a gradient."""
    outputs = _outputs(task).requires_grad_()
    right = task.encode(_labels(task))
    own, foreign = (float(task.loss(outputs.detach(), targets).mean()) for targets in (right, right.roll(1, 0)))
    assert own < foreign, f"the loss is {own:.3g} for the decided labels and {foreign:.3g} for others"
    (slope,) = torch.autograd.grad(task.loss(outputs, right).sum(), outputs)
    assert float(slope.abs().sum()) > 0, "the loss does not depend on the outputs"


@check
def check_predictions_are_per_item(task: Task) -> None:
    """Predictions are finite rows, one per item, the same alone as among others; labels follow their order."""
    outputs = _outputs(task)
    predictions = task.predict(outputs)
    assert len(predictions) == 40, f"40 items have {len(predictions)} predictions"
    assert bool(predictions.isfinite().all()), "predictions hold NaN or infinity"
    gap = float((task.predict(outputs[5:9]) - predictions[5:9]).abs().max())
    assert gap < 1e-6, f"the prediction of an item differs by {gap:.3g} among others"
    assert task.decide(predictions[5:9]) == task.decide(predictions)[5:9], "decide depends on the other items"


@check
def check_offers_rows(task: Task) -> None:
    """Every need in `offers` has a method that turns outputs into finite rows; probabilities sum to one."""
    outputs = _outputs(task)
    for need, method in task.offers.items():
        rows = getattr(task, method)(outputs)
        assert len(rows) == 40, f"{need} has {len(rows)} rows for 40 items"
        assert bool(rows.isfinite().all()), f"{need} holds NaN or infinity"
        if need.name == "probs":
            gap = float((rows.sum(-1) - 1).abs().max())
            assert gap < 1e-5, f"rows of probs miss one by {gap:.3g}"


@check
def check_metrics_are_numbers(task: Task) -> None:
    """Metrics are finite floats; the headline is among them, and perfect predictions are at least as good by it."""
    predictions = task.predict(_outputs(task))
    right, wrong = task.encode(_labels(task)), task.encode(_labels(task)).roll(1, 0)
    found = task.metrics(predictions, right)
    assert task.headline in found, f"the headline {task.headline!r} is none of {', '.join(found)}"
    bad = [name for name, value in found.items() if not isinstance(value, float) or value != value]
    assert not bad, f"metrics {', '.join(bad)} are no numbers"
    better, worse = found[task.headline], task.metrics(predictions, wrong)[task.headline]
    assert better >= worse, f"{task.headline} is {better} when all is right and {worse} when it is not"


@check
def check_units_reduce_to_items(task: Task) -> None:
    """Scores of units become one finite score per item, whatever the order of the units."""
    scores, items = torch.tensor([0.1, 0.9, -3.0, -2.0, 0.4]), torch.tensor([0, 0, 1, 1, 2])
    one, other = task.reduce(scores, items, 3), task.reduce(scores.flip(0), items.flip(0), 3)
    assert one.shape == (3,), f"three items have scores of shape {tuple(one.shape)}"
    assert bool(one.isfinite().all()), "a reduced score is not finite"
    assert torch.allclose(one, other), "reducing depends on the order of the units"


@check
def check_moves_no_global_generator(task: Task) -> None:
    """Nothing in a task is random."""
    outputs, labels = _outputs(task), _labels(task)
    with pinned_generators(5):
        before = global_generators()
        task.loss(outputs, task.encode(labels))
        task.metrics(task.predict(outputs), task.encode(labels))
        assert global_generators() == before, "a global generator moved"


@check
def check_is_a_value(task: Task) -> None:
    """Pickles, compares and hashes by value, and `eval(repr(task)) == task`."""
    twin = pickle.loads(pickle.dumps(task))
    assert twin == task, f"{task!r} does not equal its pickled copy"
    assert hash(twin) == hash(task), f"{task!r} and its pickled copy have different hashes"
    assert eval(repr(task), {type(task).__name__: type(task)}) == task, f"eval(repr) of {task!r} is another task"


CHECKS: tuple[Check, ...] = (
    check_labels_are_canonical_json,
    check_foreign_labels_are_refused,
    check_loss_is_per_item,
    check_loss_wants_the_label,
    check_predictions_are_per_item,
    check_offers_rows,
    check_metrics_are_numbers,
    check_units_reduce_to_items,
    check_moves_no_global_generator,
    check_is_a_value,
)
