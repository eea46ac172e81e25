"""True labels and confusion matrices from several annotators."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from askwell.errors import BadShape, InputError
from askwell.functional.answers import Answers
from askwell.functional.dawid_skene import confusions, dawid_skene, likelihood

EIGHT = torch.tensor(
    [[int(label) for label in item] for item in ["001", "111", "000", "110", "010", "111", "001", "100"]]
)


def test_one_round_of_the_worked_example() -> None:
    found = dawid_skene(Answers.table(EIGHT, 2), least=0, rounds=1)
    assert found.posterior[:, 1].tolist() == pytest.approx(
        [0.183238, 0.946516, 0.053484, 0.816762, 0.334163, 0.946516, 0.183238, 0.334163], abs=1e-6
    )


def test_the_worked_example_converged() -> None:
    found = dawid_skene(Answers.table(EIGHT, 2), least=0)
    assert found.posterior[:, 1].tolist() == pytest.approx(
        [0.000090, 0.932348, 0.000027, 0.805583, 0.010474, 0.932348, 0.000090, 0.010474], abs=1e-6
    )
    assert found.prior.tolist() == pytest.approx([0.663571, 0.336429], abs=1e-6)
    assert found.confusion[0].diagonal().tolist() == pytest.approx([0.750543, 0.992373], abs=1e-6)
    assert found.confusion[1].diagonal().tolist() == pytest.approx([0.750543, 0.992373], abs=1e-6)
    assert found.confusion[2].diagonal().tolist() == pytest.approx([0.597429, 0.691470], abs=1e-6)
    assert found.rounds < 200


def test_one_expectation_step_with_known_accuracies() -> None:
    accuracies = torch.tensor([0.9, 0.6, 0.6], dtype=torch.float64)
    matrix = torch.stack([torch.stack([accuracies, 1 - accuracies]), torch.stack([1 - accuracies, accuracies])])
    joint = likelihood(Answers.table(torch.tensor([[0, 1, 1]]), 2).incidence, matrix.permute(2, 0, 1))
    assert joint.softmax(1)[0].tolist() == pytest.approx([0.8, 0.2], abs=1e-6)


def test_equal_known_accuracies_are_a_majority_vote() -> None:
    table = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (40, 5)))
    said = Answers.table(table, 3)
    same = (0.7 * torch.eye(3) + 0.1).double().expand(5, 3, 3)
    joint, counts = likelihood(said.incidence, same), said.counts
    for row in range(40):
        assert counts[row, joint[row].argmax()] == counts[row].max()


@pytest.mark.parametrize("least", [0, math.inf])
def test_without_smoothing_the_likelihood_never_falls(least: float) -> None:
    said = Answers.table(EIGHT, 2)
    found = [
        dawid_skene(said, smoothing=0, least=least, rounds=rounds, tolerance=0).log_likelihood
        for rounds in range(1, 40)
    ]
    assert all(after >= before - 1e-12 for before, after in pairwise(found))
    assert found[-1] > found[0]


def test_annotators_in_another_order_permute_the_matrices_alone() -> None:
    order = torch.tensor([2, 0, 1])
    first, other = (dawid_skene(Answers.table(table, 2), least=0) for table in (EIGHT, EIGHT[:, order]))
    torch.testing.assert_close(other.posterior, first.posterior)
    torch.testing.assert_close(other.confusion, first.confusion[order])


def test_who_answered_little_has_one_accuracy() -> None:
    table = torch.cat([EIGHT, EIGHT])
    table[6:, 2] = -1
    found = dawid_skene(Answers.table(table, 2), least=10)
    assert found.confusion[2, 0, 0] == found.confusion[2, 1, 1]
    assert found.confusion[0, 0, 0] != found.confusion[0, 1, 1]
    full = dawid_skene(Answers.table(table, 2), least=0)
    assert full.confusion[2, 0, 0] != full.confusion[2, 1, 1]


def test_just_enough_answers_are_enough() -> None:
    """Ten expected counts may add up to a little less than ten."""
    for seed in range(20):
        said = Answers.table(torch.from_numpy(np.random.default_rng(seed).integers(0, 3, (10, 3))), 3)
        torch.testing.assert_close(dawid_skene(said, least=10).confusion, dawid_skene(said, least=0).confusion)


def test_items_without_answers_have_the_prior_and_change_nothing() -> None:
    gap = torch.full((3, 3), -1)
    plain = dawid_skene(Answers.table(EIGHT, 2), least=0)
    found = dawid_skene(Answers.table(torch.cat([EIGHT, gap]), 2), least=0)
    torch.testing.assert_close(found.posterior[:8], plain.posterior)
    assert torch.equal(found.posterior[8:], found.prior.expand(3, 2))
    torch.testing.assert_close(found.prior, plain.prior)


def test_a_class_that_nobody_named_is_nowhere() -> None:
    found = dawid_skene(Answers.table(EIGHT, 4), least=0)
    assert found.posterior[:, 2:].eq(0).all()
    assert found.confusion.isfinite().all()
    torch.testing.assert_close(found.confusion.sum(2), torch.ones(3, 4, dtype=torch.float64))


def crowd(seed: int, items: int = 1500) -> tuple[Tensor, Tensor, Tensor]:
    """True classes, confusion matrices (4, 3, 3) of annotators from good to bad, and their answers."""
    rng = np.random.default_rng(seed)
    keep = np.array([0.8, 0.65, 0.5, 0.3])[:, None, None]
    confusion = keep * np.eye(3) + (1 - keep) * rng.dirichlet(np.ones(3), (4, 3))
    truth = rng.integers(0, 3, items)
    drawn = rng.random((items, 4, 1)) > confusion[:, truth].transpose(1, 0, 2).cumsum(2)
    return torch.from_numpy(truth), torch.from_numpy(confusion), torch.from_numpy(drawn.sum(2).clip(max=2))


@pytest.mark.parametrize("seed", range(3))
def test_known_confusion_matrices_are_recovered(seed: int) -> None:
    truth, confusion, table = crowd(seed)
    said = Answers.table(table, 3)
    found = dawid_skene(said)
    assert (found.confusion - confusion).abs().max() < 0.1
    assert (found.confusion - confusion).abs().mean() < 0.025
    right = (found.posterior.argmax(1) == truth).double().mean()
    assert right > (said.counts.argmax(1) == truth).double().mean()


def table_of(seed: int) -> Tensor:
    """12 items of 3 classes, 4 annotators who are right at a rate of 0.8, a quarter of the cells empty."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 12)
    said = np.where(rng.random((12, 4)) < 0.7, truth[:, None], rng.integers(0, 3, (12, 4)))
    said[rng.random((12, 4)) < 0.25] = -1
    said[(said < 0).all(1), 0] = 0
    return torch.from_numpy(said)


CROWD_KIT = {
    (0, 0): [0, 0.005186, 0.116345, 0, 0, 0, 0, 0, 0.036336, 0.032375, 1, 0.945936],
    (0, math.inf): [
        0.572363, 0.947433, 0.975385, 0.001299, 0.001299, 0.009107, 0.002717, 0.001299, 0.386081, 0.006788, 0.969179,
        0.059717,
    ],
    (1, 0): [1, 0.982795, 0, 0, 0.985134, 0, 0, 0, 0, 0, 0, 1],
    (1, math.inf): [
        0.995224, 0.561098, 0.001527, 0.00125, 0.096131, 0.001205, 0.000482, 0.00125, 0.001714, 0.013354, 0.002659,
        0.985251,
    ],
}  # fmt: skip


@pytest.mark.parametrize(("seed", "least"), CROWD_KIT)
def test_dawid_skene_agrees_with_crowd_kit(seed: int, least: float) -> None:
    """With crowd-kit 1.4.2, `DawidSkene` and `OneCoinDawidSkene`, at equal numbers of rounds and without smoothing.

    200 of 200 random crowds (60 items, 3 to 6 annotators, 2 to 4 classes, a fifth of the answers missing) agree within
    1e-9 after 15 rounds, both with matrices and with one accuracy. Rounds must be equal because crowd-kit adds the
    logarithm of the prior once per answer to the bound by which it stops, and may stop early. Recorded: P(class 1)
    after 6 rounds.
    """
    found = dawid_skene(Answers.table(table_of(seed), 3), smoothing=0, least=least, rounds=6, tolerance=0)
    assert found.posterior[:, 1].tolist() == pytest.approx(CROWD_KIT[seed, least], abs=2e-6)


def test_a_dirichlet_prior_is_added_to_the_counts() -> None:
    said = Answers.table(torch.tensor([[0], [0], [1]]), 2)
    belief = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    prior = torch.tensor([[4.0, 1.0], [1.0, 4.0]], dtype=torch.float64)
    found = confusions(said.shape, said.incidence, belief, prior, 0)
    torch.testing.assert_close(found[0], torch.tensor([[5 / 6, 1 / 6], [2 / 7, 5 / 7]], dtype=torch.float64))


def test_of_two_answers_by_one_annotator_the_later_counts() -> None:
    said = Answers.said([0, 1, 0], [0, 0, 0], [1, 1, 2], (2, 1, 3))
    assert said.counts.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert len(said) == 2


def test_wrong_answers_are_refused() -> None:
    with pytest.raises(InputError, match=r"^answers name class 3 of 3, counted from 0$"):
        Answers.table(torch.tensor([[3]]), 3)
    message = "a table of answers has shape (3,) instead of (n, A)"
    with pytest.raises(BadShape, match=f"^{re.escape(message)}$"):
        Answers.table(torch.tensor([0, 1, 2]), 3)
    with pytest.raises(InputError, match=r"^smoothing must not be negative and rounds at least 1, got -1 and 5$"):
        dawid_skene(Answers.table(EIGHT, 2), smoothing=-1, rounds=5)


def test_no_answers_at_all() -> None:
    none = torch.empty(0, dtype=torch.int64)
    found = dawid_skene(Answers(none, none, none, (0, 2, 3)))
    assert found.posterior.shape == (0, 3)
    assert found.confusion.isfinite().all()
