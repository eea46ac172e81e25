"""What every task promises. A check takes the task; labels are made by deciding on random outputs."""

from __future__ import annotations

import json
import pickle
from math import inf, nan
from typing import Any

import torch
from torch import Generator, Tensor

from askwell.core.task import MINIMISED, Task
from askwell.errors import BadLabel
from askwell.testing.check import Check, check, global_generators, pinned_generators, raises

__all__ = [
    "CHECKS",
    "check_foreign_labels_are_refused",
    "check_is_a_value",
    "check_keeps_what_it_learns",
    "check_labels_are_canonical_json",
    "check_loss_is_per_item",
    "check_loss_wants_the_label",
    "check_metrics_are_numbers",
    "check_moves_no_global_generator",
    "check_offers_rows",
    "check_predictions_are_per_item",
    "check_temperature_divides_outputs",
    "check_units_reduce_to_items",
]

STRANGE = ("no such label", None, nan, b"ash", {"label": 0}, object(), [0.5, "ash"])
NO_NAMES = (3.7, -1, 10**9, ["no such label"], [7, 7, 7])
NO_NUMBERS = (inf, -inf, True, [1.0], "1.0.0")
STEPS = 400
NEAR = 0.01
"""How far from a label a prediction may end, in standard deviations of the labels."""


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
    for value in (*STRANGE, *(NO_NUMBERS if task.form == "number" else NO_NAMES)):
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
    """The loss is lower for the labels that the outputs decide than for others; going down it leads to the label."""
    outputs, right = _outputs(task), task.encode(_labels(task))
    own, foreign = (float(task.loss(outputs, targets).mean()) for targets in (right, right.roll(1, 0)))
    assert own < foreign, f"the loss is {own:.3g} for the decided labels and {foreign:.3g} for others"
    wanted = task.encode([*_labels(task), *([[], list(task.labels)] if task.form == "labels" else [])])
    for which, some in (("the task", task), ("the task fitted to five labels", task.fitted(right[:5]))):
        led = task.encode(some.decide(some.predict(_descended(some, wanted))))
        gap = float((led - wanted).abs().max())
        assert gap <= NEAR * float(wanted.float().std()), f"{which} goes down its loss and ends {gap:.3g} from a label"


def _descended(task: Task, targets: Tensor) -> Tensor:
    """(n, O) outputs whose loss was gone down, from 0 on."""
    outputs = torch.zeros(len(targets), task.outputs, requires_grad=True)
    optimiser = torch.optim.Adam([outputs], lr=0.05)
    for _ in range(STEPS):
        (outputs.grad,) = torch.autograd.grad(task.loss(outputs, targets).sum(), outputs)
        optimiser.step()
    return outputs.detach()


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
    """Every need in `offers` and `drawn` has a method that makes finite rows of outputs; probabilities are such."""
    outputs = _outputs(task)
    for need, method in (*task.offers.items(), *task.drawn.items()):
        rows = getattr(task, method)(outputs)
        assert len(rows) == 40, f"{need} has {len(rows)} rows for 40 items"
        assert bool(rows.isfinite().all()), f"{need} holds NaN or infinity"
        if need.name.endswith("probs"):
            assert 0 <= float(rows.min()) <= float(rows.max()) <= 1, f"{need} leaves [0, 1]"
        if need.name in ("probs", "mc_probs"):
            gap = float((rows.sum(-1) - 1).abs().max())
            assert gap < 1e-5, f"rows of probs miss one by {gap:.3g}"


@check
def check_metrics_are_numbers(task: Task) -> None:
    """Metrics are finite floats; the headline is among them, and perfect predictions are at least as good by it.

    More is better, unless `MINIMISED` names the metric.
    """
    predictions = task.predict(_outputs(task))
    right, wrong = task.encode(_labels(task)), task.encode(_labels(task)).roll(1, 0)
    found = task.metrics(predictions, right)
    assert task.headline in found, f"the headline {task.headline!r} is none of {', '.join(found)}"
    bad = [name for name, value in found.items() if not isinstance(value, float) or value != value]
    assert not bad, f"metrics {', '.join(bad)} are no numbers"
    better, worse = found[task.headline], task.metrics(predictions, wrong)[task.headline]
    ranked = better <= worse if task.headline in MINIMISED else better >= worse
    assert ranked, f"{task.headline} is {better} when all is right and {worse} when it is not"


@check
def check_units_reduce_to_items(task: Task) -> None:
    """Scores of units become one finite score per item, whatever the order of the units."""
    scores, items = torch.tensor([0.1, 0.9, -3.0, -2.0, 0.4]), torch.tensor([0, 0, 1, 1, 2])
    one, other = task.reduce(scores, items, 3), task.reduce(scores.flip(0), items.flip(0), 3)
    assert one.shape == (3,), f"three items have scores of shape {tuple(one.shape)}"
    assert bool(one.isfinite().all()), "a reduced score is not finite"
    assert torch.allclose(one, other), "reducing depends on the order of the units"


@check
def check_keeps_what_it_learns(task: Task) -> None:
    """What `fitted` learns, `state` holds and `restored` brings back; fitting changes nothing in the task itself."""
    outputs, targets = _outputs(task), task.encode(_labels(task))
    before = task.predict(outputs)
    fitted = task.fitted(targets[:5])
    assert torch.equal(task.predict(outputs), before), "fitting changes the task itself"
    assert fitted.fitted(targets[:5]) == fitted, "fitted twice to the same labels it is another task"
    assert task.fitted(targets[:0]) == task, "no labels make another task of it"
    again = task.restored({name: value.clone() for name, value in fitted.state().items()})
    assert again == fitted, f"{fitted!r} comes back from its state as {again!r}"


@check
def check_temperature_divides_outputs(task: Task) -> None:
    """`tempered` predictions are those of outputs divided by the temperature; numbers stay as they are."""
    outputs = _outputs(task)
    for temperature in (0.5, 1.0, 3.0):
        wanted = task.predict(outputs / temperature if task.labels else outputs)
        gap = float((task.tempered(task.predict(outputs), temperature) - wanted).abs().max())
        assert gap < 1e-5, f"at temperature {temperature} predictions are off by {gap:.3g}"


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
    check_keeps_what_it_learns,
    check_temperature_divides_outputs,
    check_moves_no_global_generator,
    check_is_a_value,
)
