"""Classification: labels in, targets and probabilities out, messages that name the nearest class."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from askwell.core.needs import MC_PROBS, PROBS
from askwell.core.spec import build, config
from askwell.errors import BadLabel, InputError
from askwell.metrics import of_probs
from askwell.tasks import Classification

TASK = Classification(("cat", "dog", "owl"))


@pytest.mark.parametrize("value", ["dog", np.str_("dog"), 1, np.int64(1), np.uint8(1), torch.tensor(1)])
def test_names_and_indices_become_names(value):
    found = TASK.check(value)
    assert found == "dog"
    assert type(found) is str


@pytest.mark.parametrize(
    ("value", "shown"), [(3, "3"), (-1, "-1"), (1.0, "1.0"), (True, "True"), (None, "None"), (np.bool_(1), "np.True_")]
)
def test_what_is_no_class_is_refused(value, shown):
    with pytest.raises(BadLabel) as caught:
        TASK.check(value)
    assert str(caught.value) == (
        f"label {shown} is neither the name of a class nor an index from 0 to 2. Classes: cat, dog, owl"
    )
    assert caught.value.got is value


def test_the_nearest_name_is_offered():
    with pytest.raises(BadLabel) as caught:
        TASK.check("dogg")
    assert str(caught.value) == "label 'dogg' is not a class: did you mean 'dog'? Classes: cat, dog, owl"
    with pytest.raises(BadLabel) as caught:
        TASK.check("1")
    assert str(caught.value) == "label '1' is not a class. Classes: cat, dog, owl"


def test_names_that_look_like_numbers_stay_names():
    task = Classification(("1", "0"))
    assert task.check("1") == "1"
    assert task.check(1) == "0"


def test_long_lists_are_cut():
    task = Classification(tuple(f"class {place}" for place in range(100)))
    with pytest.raises(BadLabel) as caught:
        task.check("zebra")
    assert str(caught.value).endswith("class 10, class 11 and 88 more")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("cat",), "a classification needs at least two classes, got ('cat',): name them, or give labels"),
        (("cat", ""), "classes are names that are not empty, got ('cat', '')"),
        (("cat", 1), "classes are names that are not empty, got ('cat', 1)"),
        (("cat", "dog", "cat"), "classes must differ: cat occurs more than once"),
    ],
)
def test_bad_lists_of_classes_are_refused(classes, message):
    with pytest.raises(InputError) as caught:
        Classification(classes)
    assert str(caught.value) == message


def test_encode_and_decide_are_inverse():
    targets = TASK.encode(["owl", "cat", "dog", 2])
    assert targets.dtype == torch.int64
    assert targets.tolist() == [2, 0, 1, 2]
    assert TASK.decide(F.one_hot(targets, 3).float()) == ["owl", "cat", "dog", "owl"]
    assert TASK.encode([]).dtype == torch.int64
    assert len(TASK.encode([])) == 0


def test_loss_is_cross_entropy_per_item_and_takes_soft_targets():
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([0, 1, 2, 0, 1])
    wanted = -logits.log_softmax(1).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(TASK.loss(logits, targets), wanted)
    torch.testing.assert_close(TASK.loss(logits, F.one_hot(targets, 3).float()), wanted)
    assert TASK.loss(logits[:0], targets[:0]).shape == (0,)


def test_probabilities_are_float32_and_offered():
    logits = torch.tensor([[2.0, 0.0, -2.0]], dtype=torch.bfloat16)
    probs = getattr(TASK, TASK.offers[PROBS])(logits)
    assert probs.dtype == torch.float32
    torch.testing.assert_close(probs, torch.tensor([[2.0, 0.0, -2.0]]).softmax(1))
    assert torch.equal(TASK.predict(logits), probs)


def test_metrics_are_those_of_probabilities():
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]])
    assert TASK.metrics(probs, torch.tensor([0, 2])) == of_probs(probs, torch.tensor([0, 2]))
    assert TASK.headline in TASK.metrics(probs, torch.tensor([0, 2]))


def test_compares_pickles_and_is_written_by_value():
    again = build("tasks", config(TASK))
    assert again == TASK == pickle.loads(pickle.dumps(TASK))
    assert hash(again) == hash(TASK)
    assert (TASK.outputs, TASK.num_classes, TASK.form) == (3, 3, "label")


def test_temperature_divides_logits_and_keeps_certainty():
    logits = torch.tensor([[2.0, 0.0, -2.0]])
    torch.testing.assert_close(TASK.tempered(logits.softmax(1), 4.0), (logits / 4).softmax(1))
    assert TASK.tempered(torch.tensor([[1.0, 0.0, 0.0]]), 4.0).tolist() == [[1.0, 0.0, 0.0]]
    assert TASK.labels == TASK.classes
    assert TASK.drawn == {MC_PROBS: "probs"}
