"""The shipped tools themselves: parametrisation, excuses, scenes and fakes."""

import pytest
import torch

from askwell.core.needs import (
    EMBEDDING,
    HEAD,
    LABEL_PROBS,
    LABELS,
    LOGITS,
    MC_LABEL_PROBS,
    MC_PREDICTIONS,
    MC_PROBS,
    PREDICTIONS,
    PROBS,
    Need,
)
from askwell.core.seeds import Seeds
from askwell.errors import UnknownName
from askwell.testing import FakeLearner, FakePool, Scenes, parametrize_with_checks, toy, view_of
from askwell.testing.check import check
from askwell.testing.scenes import KINDS


@check
def check_is_even(part):
    assert part % 2 == 0, f"{part} is odd"


@check
def check_is_small(part):
    assert part < 10, f"{part} is large"


CHECKS = (check_is_even, check_is_small)


@parametrize_with_checks({"two": 2, "three": 3}, CHECKS, {"three": {"check_is_even": "three is prime"}})
def test_an_excused_check_is_an_expected_failure(part, check):
    check(part)


def test_ids_are_readable_and_excuses_strict():
    cases = parametrize_with_checks({"two": 2, "three": 3}, CHECKS, {"three": {"check_is_even": "prime"}}).mark.args[1]
    assert [case.id for case in cases] == [
        "two-check_is_even", "two-check_is_small", "three-check_is_even", "three-check_is_small",
    ]  # fmt: skip
    (mark,) = cases[2].marks
    assert mark.kwargs == {"reason": "prime", "raises": AssertionError, "strict": True}
    assert [len(case.marks) for case in cases] == [0, 0, 1, 0]


def test_an_excuse_for_nobody_is_refused():
    with pytest.raises(UnknownName) as caught:
        parametrize_with_checks({"two": 2}, CHECKS, {"tow": {"check_is_even": "x"}})
    assert str(caught.value) == "unknown part in expected_failures: 'tow': did you mean 'two'? Known: two"
    with pytest.raises(UnknownName, match=r"^unknown check in expected_failures: 'check_is_evn': did you mean"):
        parametrize_with_checks({"two": 2}, CHECKS, {"two": {"check_is_evn": "x"}})


def test_a_failure_begins_with_the_name_of_the_check():
    with pytest.raises(AssertionError, match=r"^check_is_even: 3 is odd"):
        check_is_even(3)
    with pytest.raises(AssertionError, match=r"^check_is_even: TypeError: "):
        check_is_even("three")


@pytest.mark.parametrize("name", KINDS)
def test_scenes_hold_the_same_numbers_in_every_precision(name):
    needs = [
        PROBS, LOGITS, EMBEDDING, MC_PROBS(draws=3), EMBEDDING.at("labelled"), LABEL_PROBS, MC_LABEL_PROBS(draws=3),
        PREDICTIONS, MC_PREDICTIONS(draws=3),
    ]  # fmt: skip
    half, single = (Scenes()(name, dtype=dtype).view(needs) for dtype in (torch.float16, torch.float32))
    for need in needs:
        assert half[need].dtype == torch.float16
        assert torch.equal(half[need].float(), single[need])
    for need in (PROBS, MC_PROBS(draws=3)):
        assert torch.equal(single[need].double().sum(-1), torch.ones(single[need].shape[:-1], dtype=torch.float64))


def test_equal_items_have_equal_draws():
    rows = Scenes()("identical").view([MC_PROBS])[MC_PROBS]
    assert torch.equal(rows, rows[:1].expand_as(rows))
    assert float(rows[0].std(0).max()) > 0


def test_a_permuted_scene_moves_items_and_not_ids():
    scene = Scenes()("gaps")
    order = torch.randperm(26, generator=torch.Generator().manual_seed(0))
    moved = scene.permuted(order)
    assert torch.equal(moved.ids, scene.ids)
    assert torch.equal(moved.view([PROBS])[PROBS], scene.view([PROBS])[PROBS][order])
    assert torch.equal(moved.view([LABELS])[LABELS], scene.view([LABELS])[LABELS])


def test_a_scene_that_does_not_know_a_need():
    view = Scenes()("plain").view([Need("depth")])
    with pytest.raises(UnknownName, match=r"^unknown need in this scene: give it in `extra`; 'depth': "):
        view[Need("depth")]
    extra = Scenes({"depth": lambda scene, need, ids: ids.float()})
    assert extra("gaps").view([Need("depth")])[Need("depth")].tolist() == extra("gaps").ids.tolist()


def test_view_of_by_name():
    view = view_of(
        mc_probs=torch.full((2, 5, 3), 1 / 3), labelled_embedding=torch.eye(4), labels=torch.arange(4), head=torch.neg
    )
    assert view.needs == (MC_PROBS(draws=5), EMBEDDING.at("labelled"), LABELS, HEAD)
    assert (view.ids.tolist(), view.ids_of("labelled").tolist(), view.num_classes) == ([0, 1], [2, 3, 4, 5], 3)
    assert torch.equal(view.narrow(torch.tensor([1]))[EMBEDDING.at("labelled")], torch.eye(4))
    with pytest.raises(UnknownName, match=r"^unknown tensor 'embeding': did you mean 'embedding'\?"):
        view_of(embeding=torch.eye(2))


def test_fake_learner_gives_what_it_was_given():
    problem = toy("vector")
    probs = torch.rand(120, 3).softmax(1)
    learner = FakeLearner({PROBS: probs, HEAD: torch.neg})
    learner.fit(problem.pool, problem.job(), Seeds(0))
    needs = [PROBS, PROBS.at("labelled"), HEAD]
    found = learner.compute(problem.pool, needs, {"candidates": problem.test, "labelled": problem.labelled}, Seeds(0))
    assert torch.equal(found[PROBS], probs[problem.test])
    assert torch.equal(found[PROBS.at("labelled")], probs[problem.labelled])
    assert found[HEAD] is torch.neg
    assert len(learner.jobs) == 1
    assert problem.pool.read == []
    with pytest.raises(UnknownName, match=r"^unknown need 'logits': "):
        learner.compute(problem.pool, [LOGITS], {"candidates": problem.test}, Seeds(0))


def test_fake_learner_survives_save_and_load(tmp_path):
    learner, twin = FakeLearner({PROBS: torch.eye(3)}), FakeLearner({PROBS: torch.zeros(3, 3)})
    assert len(learner.save(tmp_path / "m")) == 64
    twin.load(tmp_path / "m")
    assert torch.equal(twin.predict(FakePool(torch.eye(3)), torch.tensor([2])), torch.eye(3)[2:])


@pytest.mark.parametrize("kind", ["vector", "image", "tokens"])
def test_toys_are_balanced_and_apart(kind):
    problem = toy(kind)
    assert problem.truth.bincount().tolist() == [40, 40, 40]
    parts = torch.cat([problem.labelled, problem.validation, problem.test, problem.unlabelled])
    assert parts.tolist() == list(range(120))
    assert not torch.equal(problem.spoilt(problem.test).pool.rows[problem.test], problem.pool.rows[problem.test])
    assert torch.equal(problem.spoilt(problem.test).pool.rows[problem.labelled], problem.pool.rows[problem.labelled])


def test_an_unknown_toy():
    with pytest.raises(UnknownName, match=r"^unknown toy 'vectors': did you mean 'vector'\?"):
        toy("vectors")
