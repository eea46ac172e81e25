"""Several labels per item: every way to write them, targets, probabilities and the sentences of refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from askwell.core.needs import LABEL_PROBS, MC_LABEL_PROBS
from askwell.core.spec import build, config
from askwell.errors import BadLabel, InputError
from askwell.metrics import of_label_probs
from askwell.tasks import MultiLabel

TASK = MultiLabel(("car", "sky", "tree"))


@pytest.mark.parametrize(
    "value",
    [
        ["tree", "car"], ("car", "tree"), {"car", "tree"}, ["car", "tree", "car"], "tree|car", "car | tree",
        [1, 0, 1], [1.0, 0.0, 1.0], [True, False, True], np.array([1, 0, 1], np.int8), torch.tensor([1.0, 0.0, 1.0]),
        np.array(["tree", "car"]),
    ],
)  # fmt: skip
def test_every_way_to_write_two_labels(value):
    found = TASK.check(value)
    assert found == ["car", "tree"]
    assert all(type(name) is str for name in found)
    assert TASK.encode([value]).tolist() == [[1.0, 0.0, 1.0]]


def test_one_name_and_none():
    assert TASK.check("sky") == ["sky"]
    assert TASK.check([]) == TASK.check([0, 0, 0]) == TASK.check(np.zeros(3, np.int8)) == []


KNOWN = "Classes: car, sky, tree"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("skyy", f"label 'skyy' is not a class: did you mean 'sky'? {KNOWN}"),
        ("sky|tre", f"label 'sky|tre': 'tre' is not a class: did you mean 'tree'? {KNOWN}"),
        (["sky", "boat"], f"label ['sky', 'boat']: 'boat' is not a class. {KNOWN}"),
        ("sky|", f"label 'sky|': '' is not a class. {KNOWN}"),
        ("", f"label '' is empty: give [] where none applies. {KNOWN}"),
        ([1, 0], "label [1, 0] has 2 numbers and there are 3 classes: car, sky, tree"),
        ([1, 0, -1], f"label [1, 0, -1] holds numbers other than 0 and 1. {KNOWN}"),
        ([1, 0, float("nan")], f"label [1, 0, nan] holds numbers other than 0 and 1. {KNOWN}"),
        (1, f"label 1 is neither a list of names nor 3 numbers 0 or 1. {KNOWN}"),
        (None, f"label None is neither a list of names nor 3 numbers 0 or 1. {KNOWN}"),
        (["sky", 1, 0], f"label ['sky', 1, 0] is neither a list of names nor 3 numbers 0 or 1. {KNOWN}"),
        ({0, 1}, f"label {{0, 1}} is neither a list of names nor 3 numbers 0 or 1. {KNOWN}"),
        ([[1, 0, 1]], f"label [[1, 0, 1]] is neither a list of names nor 3 numbers 0 or 1. {KNOWN}"),
    ],
)
def test_what_is_no_label_is_refused(value, text):
    with pytest.raises(BadLabel) as caught:
        TASK.check(value)
    assert str(caught.value) == text
    assert caught.value.got is value


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ((), "a multi-label task needs at least one class, got (): name them, or give labels"),
        (("car", "car"), "classes must differ: car occurs more than once"),
        (("car", "sky|sea"), "class 'sky|sea' holds '|', which stands between the names of a label: rename it"),
    ],
)
def test_bad_lists_of_classes_are_refused(classes, text):
    with pytest.raises(InputError) as caught:
        MultiLabel(classes)
    assert str(caught.value) == text


def test_semicolons_stand_between_names_where_no_name_holds_them():
    assert TASK.check("tree;car") == TASK.check("tree ; car") == ["car", "tree"]
    assert MultiLabel(("a", "b", "a;b")).check("a;b") == ["a;b"]
    assert MultiLabel(("a", "b", "a;b")).check("a;b|b") == ["b", "a;b"]


def test_encode_and_decide_are_inverse():
    labels = [["car"], [], ["car", "sky", "tree"], ["tree"]]
    targets = TASK.encode(labels)
    assert targets.dtype == torch.float32
    assert TASK.decide(targets) == labels
    assert TASK.encode([]).shape == (0, 3)


def test_one_half_is_enough():
    assert TASK.decide(torch.tensor([[0.5, 0.499, 0.9]])) == [["car", "tree"]]


def test_loss_is_the_mean_of_binary_cross_entropies():
    logits = torch.tensor([[0.0, 0.0, 0.0], [2.0, -1.0, 0.5]])
    targets = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    by_hand = [np.log(2), (np.log1p(np.exp(-2)) + np.log1p(np.exp(-1)) + np.log1p(np.exp(0.5))) / 3]
    torch.testing.assert_close(TASK.loss(logits, targets), torch.tensor(by_hand).float())
    assert TASK.loss(logits[:0], targets[:0]).shape == (0,)


def test_probabilities_are_float32_and_offered():
    logits = torch.tensor([[2.0, 0.0, -2.0]], dtype=torch.bfloat16)
    for offered in (TASK.offers[LABEL_PROBS], TASK.drawn[MC_LABEL_PROBS]):
        assert torch.equal(getattr(TASK, offered)(logits), logits.float().sigmoid())
    assert torch.equal(TASK.predict(logits), logits.float().sigmoid())


def test_tempered_is_sure_where_it_was_and_keeps_decisions():
    probs = torch.tensor([[1.0, 0.0, 0.5], [0.8, 0.4, 0.01]])
    found = TASK.tempered(probs, 3.0)
    assert found[0].tolist() == [1.0, 0.0, 0.5]
    assert TASK.decide(found) == TASK.decide(probs)
    torch.testing.assert_close(found[1], (probs[1].logit() / 3).sigmoid())


def test_metrics_are_those_of_label_probabilities():
    probs, targets = torch.tensor([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]]), torch.tensor([[1.0, 0, 0], [0, 1, 1]])
    assert TASK.metrics(probs, targets) == of_label_probs(probs, targets)
    assert TASK.headline in TASK.metrics(probs, targets)


def test_says_what_it_is():
    again = build("tasks", config(TASK))
    assert again == TASK == pickle.loads(pickle.dumps(TASK))
    assert (TASK.outputs, TASK.num_classes, TASK.form, TASK.labels) == (3, None, "labels", ("car", "sky", "tree"))
    assert MultiLabel(("car",)).loss(torch.zeros(2, 1), torch.ones(2, 1)).tolist() == pytest.approx([np.log(2)] * 2)
