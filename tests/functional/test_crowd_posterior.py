"""Expertise by class, and what a model and annotators say together."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from askwell.errors import BadShape, InputError
from askwell.functional.answers import Answers
from askwell.functional.crowd_posterior import crowd_posterior, vote_shares
from askwell.functional.expertise import dirichlet, expertise, with_accuracies


def test_expertise_of_full_rank_is_the_diagonal() -> None:
    matrix = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(4), (3, 4)))
    torch.testing.assert_close(expertise(matrix, 3), matrix.diagonal(dim1=1, dim2=2))


def test_expertise_of_rank_one_is_the_nearest_product_of_log_odds() -> None:
    odds = torch.outer(torch.tensor([2.0, 1.0, 0.5]), torch.tensor([1.0, -0.5, 2.0])).double()
    noise = 0.05 * torch.from_numpy(np.random.default_rng(1).normal(size=(3, 3)))
    matrix = torch.diag_embed((odds + noise).sigmoid())
    found = expertise(matrix, 1).logit()
    assert torch.linalg.matrix_rank(found, atol=1e-6) == 1
    assert (found - odds).norm() < (noise).norm()


def test_mistakes_keep_their_proportions_when_an_accuracy_changes() -> None:
    matrix = torch.tensor([[[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4]]])
    found = with_accuracies(matrix, torch.tensor([[0.4, 1.0, 0.7]]))
    torch.testing.assert_close(found[0], torch.tensor([[0.4, 0.4, 0.2], [0.0, 1.0, 0.0], [0.15, 0.15, 0.7]]))
    torch.testing.assert_close(with_accuracies(matrix, matrix.diagonal(dim1=1, dim2=2)), matrix)


def test_annotators_without_answers_have_the_accuracy_of_the_prior() -> None:
    said = Answers.table(torch.tensor([[0, -1], [1, -1]]), 3)
    found = crowd_posterior(said, vote_shares(said), torch.full((3,), 1 / 3), rank=2)
    torch.testing.assert_close(found.accuracies[1], torch.full((3,), 4 / 6, dtype=torch.float64))
    assert dirichlet(3)[0].tolist() == [4.0, 1.0, 1.0]


def test_annotators_who_are_alike_give_a_majority_vote() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 300)
    wrong = (truth[:, None] + rng.integers(1, 3, (300, 3))) % 3
    said = Answers.table(torch.from_numpy(np.where(rng.random((300, 3)) < 0.3, wrong, truth[:, None])), 3)
    belief = crowd_posterior(said, vote_shares(said), torch.full((3,), 1 / 3), rank=1).belief
    clear = said.counts.amax(1) > 1
    assert torch.equal(belief.argmax(1)[clear], said.counts.argmax(1)[clear])


def test_accuracies_of_two_hundred_answers_each_are_within_five_hundredths() -> None:
    rng = np.random.default_rng(3)
    truth, right = rng.integers(0, 2, 200), np.array([0.95, 0.9, 0.8, 0.7, 0.6])
    said = Answers.table(
        torch.from_numpy(np.where(rng.random((200, 5)) < right, truth[:, None], 1 - truth[:, None])), 2
    )
    belief = vote_shares(said)
    for _ in range(10):
        belief, accuracies = crowd_posterior(said, belief, torch.full((2,), 0.5), rank=2)
    assert (accuracies.mean(1) - torch.from_numpy(right)).abs().max() < 0.05


def test_a_model_is_one_more_witness() -> None:
    said = Answers.table(torch.tensor([[0, 1], [0, 0], [1, 1]]), 2)
    prior = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.5, 0.5]])
    sure = crowd_posterior(said, vote_shares(said), prior, rank=2).belief
    even = crowd_posterior(said, vote_shares(said), torch.tensor([0.5, 0.5]), rank=2).belief
    torch.testing.assert_close(sure[1:], even[1:])
    torch.testing.assert_close(sure[0, 0] / sure[0, 1], even[0, 0] / even[0, 1] * 9, rtol=1e-6, atol=0)


def test_wrong_settings_are_refused() -> None:
    message = "confusion has shape (2, 3) instead of (A, C, C)"
    with pytest.raises(BadShape, match=f"^{re.escape(message)}$"):
        expertise(torch.ones(2, 3), 1)
    with pytest.raises(InputError, match=r"^rank must be at least 1, got 0$"):
        expertise(torch.ones(1, 2, 2) / 2, 0)
