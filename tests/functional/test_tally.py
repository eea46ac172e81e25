"""Committees summed up member by member: the scores of stored draws, in any order, from wherever it stopped."""

from __future__ import annotations

import hashlib

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import BadShape
from askwell.functional.information import bald, entropy_of_mean, mean_entropy, vr_votes
from askwell.functional.tally import Tally
from askwell.functional.uncertainty import entropy, least_confidence


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pool_of(seed: int, *shape: int) -> Tensor:
    return torch.softmax(2 * torch.randn(*shape, generator=rng(seed), dtype=torch.float64), -1)


def heard(mc: Tensor, order: Tensor | None = None) -> Tally:
    """The tally of draws (N, K, C), in this order of the K."""
    tally = Tally(len(mc), mc.shape[2])
    for member in range(mc.shape[1]) if order is None else order.tolist():
        tally.add(mc[:, member])
    return tally


def digest(tally: Tally) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in tally.state().values())).hexdigest()


@pytest.mark.parametrize("seed", range(200))
def test_sums_give_the_scores_of_stored_draws(seed: int) -> None:
    rows, draws, classes = 20 + seed % 31, 1 + seed % 13, 2 + seed % 9
    mc = pool_of(seed, rows, draws, classes)
    tally = heard(mc, torch.randperm(draws, generator=rng(seed)))
    exact = {"atol": 1e-10, "rtol": 0}
    assert_close(entropy(tally.mean_probs), entropy_of_mean(mc), **exact)
    assert_close(tally.mean_entropy, mean_entropy(mc), **exact)
    assert_close((entropy(tally.mean_probs) - tally.mean_entropy).clamp(min=0), bald(mc), **exact)
    assert_close(least_confidence(tally.vote_shares), vr_votes(mc), **exact)


def test_the_order_of_members_does_not_matter() -> None:
    mc = pool_of(1, 50, 40, 7)
    one, other = heard(mc), heard(mc, torch.arange(40).flip(0))
    assert torch.equal(one.vote_shares, other.vote_shares)
    for name in ("mean_probs", "mean_entropy"):
        assert_close(getattr(one, name), getattr(other, name), atol=1e-14, rtol=0)


@pytest.mark.parametrize("after", [0, 1, 6])
def test_an_interrupted_tally_goes_on_to_the_same_bits(after: int) -> None:
    mc = pool_of(2, 30, 7, 4)
    first = heard(mc[:, :after]) if after else Tally(30, 4)
    again = Tally.of({key: value.clone() for key, value in first.state().items()})
    first.add(mc[:, 0])  # what goes on in the other copy is nothing to this one
    again.extend(mc[:, after:])
    assert again.heard == 7
    assert digest(again) == digest(heard(mc))


def test_one_member_disagrees_with_nobody() -> None:
    tally = heard(pool_of(3, 9, 1, 5))
    assert float((entropy(tally.mean_probs) - tally.mean_entropy).abs().max()) == 0
    assert torch.equal(tally.vote_shares.amax(1), torch.ones(9, dtype=torch.float64))


def test_votes_of_the_card() -> None:
    """Votes 0, 0, 1, 2, 0: two of five leave the most voted class."""
    votes = torch.eye(3)[torch.tensor([[0, 0, 1, 2, 0]])]
    assert heard(votes).vote_shares.tolist() == [[0.6, 0.2, 0.2]]


def test_a_tie_of_a_vote_goes_to_the_lowest_class() -> None:
    assert heard(torch.full((2, 3, 4), 0.25)).vote_shares.tolist() == [[1, 0, 0, 0]] * 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_narrow_numbers_are_summed_in_double(dtype: torch.dtype) -> None:
    mc = pool_of(4, 6, 300, 1000).to(dtype)
    tally = heard(mc)
    assert tally.mean_probs.dtype == torch.float64
    assert_close(tally.mean_probs, mc.double().mean(1), atol=1e-12, rtol=0)


def test_one_hot_members_are_finite() -> None:
    tally = heard(torch.eye(4)[torch.tensor([[0, 1], [2, 2]])])
    assert tally.mean_entropy.tolist() == [0, 0]
    assert entropy(tally.mean_probs).tolist() == pytest.approx([0.693147, 0], abs=1e-6)


def test_a_member_of_another_shape_is_refused() -> None:
    with pytest.raises(BadShape, match=r"^a member's probabilities have shape \(3, 2\) instead of \(3, 4\)$"):
        Tally(3, 4).add(torch.ones(3, 2))
    with pytest.raises(BadShape, match=r"^no member was heard: add probabilities first$"):
        _ = Tally(3, 4).mean_probs
