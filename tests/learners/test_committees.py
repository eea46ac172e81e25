"""Draws by schemes and by members with draws of their own: checkpoints, coupled networks, Gaussian weights, DEBAL."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from askwell.core.needs import (
    EMBEDDING,
    HEAD,
    LABEL_PROBS,
    LOGITS,
    MC_LABEL_PROBS,
    MC_PREDICTIONS,
    MC_PROBS,
    MEAN_ENTROPY,
    MEAN_PROBS,
    PREDICTIONS,
    PROBS,
    VOTE_SHARES,
)
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.data import load
from askwell.engine.assemble import check
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.gaussian import gaussian
from askwell.functional.information import bald, entropy_of_mean, mean_entropy, vr_votes
from askwell.learners import Ensemble, Linear, Net
from askwell.models import MLP
from askwell.models.bayes import GaussianLinear, with_gaussians
from askwell.recipes.plain import plain
from askwell.schemes import DPE, Checkpoints, Supervised, Variational
from askwell.strategies import BALD
from askwell.testing.toys import toy
from askwell.training.mc_dropout import MCDropout

NET = Net(MLP(width=8, depth=1))
DROP = Net(MLP(width=8, depth=2, dropout=0.3))
SHORT = Supervised(steps=15, batch=18, lr=2e-2)
FEW: dict[str, Any] = {"steps": 12, "batch": 18, "lr": 2e-2}


def fitted(factory, scheme, task="classification"):
    problem = toy("vector", task=task)
    learner = factory.build(problem.pool.form, problem.task, scheme)
    learner.fit(problem.pool, problem.job(), Seeds(1))
    return problem, learner


def computed(problem, learner, *needs):
    return learner.compute(problem.pool, needs, {"candidates": problem.unlabelled}, Seeds(2))


def said(problem, learner, name) -> Tensor:
    """What one module of a fitted net says of the unlabelled items."""
    with torch.no_grad():
        return getattr(learner.fitted.modules, name)(problem.pool.rows[problem.unlabelled]).softmax(1)


@pytest.mark.parametrize(
    ("scheme", "names"),
    [
        (Checkpoints(last=3, **FEW), ("checkpoint0", "checkpoint1", "checkpoint2")),
        (DPE(members=4, **FEW), ("net", "member1", "member2", "member3")),
    ],
)
def test_draws_are_the_networks_of_the_scheme(scheme, names) -> None:
    problem, learner = fitted(NET, scheme)
    need = MC_PROBS(draws=len(names))
    found = computed(problem, learner, need, PROBS, EMBEDDING, HEAD, LOGITS)
    rows = torch.stack([said(problem, learner, name) for name in names], 1)
    assert_close(found[need], rows)
    assert_close(found[PROBS], rows.mean(1))
    assert_close(learner.predict(problem.pool, problem.unlabelled), rows.mean(1))
    assert_close(found[LOGITS].softmax(1), said(problem, learner, "net"))
    assert_close(found[HEAD](found[EMBEDDING]), found[LOGITS])
    assert float(bald(rows).mean()) > 1e-5


@pytest.mark.parametrize(
    ("task", "single", "drawn"),
    [("regression", PREDICTIONS, MC_PREDICTIONS), ("multi_label", LABEL_PROBS, MC_LABEL_PROBS)],
)
def test_committees_answer_other_tasks(task, single, drawn) -> None:
    problem, learner = fitted(NET, Checkpoints(last=3, **FEW), task)
    found = computed(problem, learner, drawn(draws=3), single)
    assert_close(found[drawn(draws=3)].mean(1), found[single])
    assert_close(learner.predict(problem.pool, problem.unlabelled), found[single])


SUMS = (MEAN_PROBS, MEAN_ENTROPY, VOTE_SHARES)


@pytest.mark.parametrize(
    ("factory", "scheme", "draws"),
    [
        (DROP, SHORT, 7),
        (NET, Checkpoints(last=3, **FEW), 3),
        (Ensemble(3, NET), SHORT, 3),
        (Ensemble(3, NET), SHORT, 2),
        (Ensemble(2, DROP, inner_draws=5), SHORT, 10),
        (Ensemble(2, DROP, inner_draws=5), SHORT, 7),
        (Ensemble(2, NET, inner_draws=3), Checkpoints(last=3, **FEW), 6),
    ],
)
def test_sums_are_of_the_draws(factory, scheme, draws) -> None:
    """Asked alone, so that no draws are stored, or beside them."""
    problem, learner = fitted(factory, scheme)
    needs = [need(draws=draws) for need in SUMS]
    mc = computed(problem, learner, MC_PROBS(draws=draws))[MC_PROBS(draws=draws)]
    for found in (computed(problem, learner, *needs), computed(problem, learner, *needs, MC_PROBS(draws=draws))):
        assert_close(found[needs[0]], mc.mean(1))
        assert_close(found[needs[1]], mean_entropy(mc))
        assert_close(1 - found[needs[2]].amax(1), vr_votes(mc))


def test_sums_keep_no_draws() -> None:
    """What is allocated for rows over the pool does not grow with K."""
    problem, learner = fitted(Ensemble(2, DROP, inner_draws=50), SHORT)
    made: list[tuple[int, ...]] = []

    def out(need, shape, dtype):
        made.append(shape)
        return torch.empty(shape, dtype=dtype)

    needs = [need(draws=100) for need in SUMS]
    learner.compute(problem.pool, needs, {"candidates": problem.unlabelled}, Seeds(2), out)
    n = len(problem.unlabelled)
    assert made == [(n, 3), (n,), (n, 3)]


def test_inner_draws_take_turns() -> None:
    """Draw k is number k // M of member k % M, so that the first M are one of each."""
    problem, learner = fitted(Ensemble(3, DROP, inner_draws=4), SHORT)
    need = MC_PROBS(draws=12)
    mc = computed(problem, learner, need)[need]
    for place, member in enumerate(learner.members):
        sets = {"candidates": problem.unlabelled}
        own = member.compute(problem.pool, [MC_PROBS(draws=4)], sets, Seeds(2).child("member", place))
        assert_close(mc[:, place::3], own[MC_PROBS(draws=4)])
    fewer = computed(problem, learner, MC_PROBS(draws=5))[MC_PROBS(draws=5)]
    assert torch.equal(fewer, mc[:, :5])
    plain = computed(problem, learner, PROBS)[PROBS]
    assert_close(plain, sum(computed(problem, one, PROBS)[PROBS] for one in learner.members) / 3)


def test_one_member_is_dropout_and_one_draw_of_each_is_an_ensemble() -> None:
    """DEBAL with M = 1 is BALD of one network's draws; with T = 1 nothing is left within the members."""
    problem, learner = fitted(Ensemble(3, DROP, inner_draws=6), SHORT)
    mc = computed(problem, learner, MC_PROBS(draws=18))[MC_PROBS(draws=18)]
    sets, seeds = {"candidates": problem.unlabelled}, Seeds(2).child("member", 0)
    own = learner.members[0].compute(problem.pool, [MC_PROBS(draws=6)], sets, seeds)[MC_PROBS(draws=6)]
    assert_close(bald(mc[:, ::3]), bald(own))
    problem, learner = fitted(Ensemble(3, DROP, inner_draws=1), SHORT)
    mc = computed(problem, learner, MC_PROBS(draws=3))[MC_PROBS(draws=3)]
    between, within = split(mc, 3)
    assert_close(bald(mc), between)
    assert float(within.abs().max()) == 0
    assert float(between.mean()) > 1e-4


def split(mc: Tensor, members: int) -> tuple[Tensor, Tensor]:
    """(N,) BALD between members, and the mean of that within them, of draws (N, K, C) that take turns."""
    grouped = mc.unflatten(1, (-1, members)).transpose(1, 2)
    within = torch.stack([bald(grouped[:, place]) for place in range(members)]).mean(0)
    return bald(grouped.mean(2)), within


def test_bald_is_split_between_and_within_members() -> None:
    """The card's draws .8, .7 of one member and .6, .4 of the other, in turns."""
    first = torch.tensor([0.8, 0.6, 0.7, 0.4], dtype=torch.float64)
    mc = torch.stack([first, 1 - first], 1)[None]
    between, within = split(mc, 2)
    found = torch.cat([bald(mc), between, within]).tolist()
    assert found == pytest.approx([0.047241, 0.033822, 0.013419], abs=1e-6)
    problem, learner = fitted(Ensemble(3, DROP, inner_draws=6), SHORT)
    need = MC_PROBS(draws=18)
    drawn = computed(problem, learner, need)[need]
    parts = split(drawn, 3)
    assert_close(bald(drawn), parts[0] + parts[1], atol=1e-6, rtol=0)
    assert min(float(part.mean()) for part in parts) > 1e-4


def test_scores_of_members_averaged_lose_what_is_between_them() -> None:
    problem, learner = fitted(Ensemble(3, DROP, inner_draws=6), SHORT)
    need = MC_PROBS(draws=18)
    mc = computed(problem, learner, need)[need]
    assert float((bald(mc) - split(mc, 3)[1]).min()) >= -1e-6
    assert float((bald(mc) - split(mc, 3)[1]).max()) > 1e-3


def test_one_checkpoint_disagrees_with_nobody() -> None:
    problem, learner = fitted(NET, Checkpoints(last=1, **FEW))
    found = computed(problem, learner, MC_PROBS(draws=1), PROBS)
    assert float(bald(found[MC_PROBS(draws=1)]).abs().max()) == 0
    assert torch.equal(found[MC_PROBS(draws=1)][:, 0], found[PROBS])


def test_equal_members_are_told(caplog) -> None:
    problem, learner = fitted(NET, Checkpoints(last=3, late=0.99, steps=1, batch=18))
    with caplog.at_level(logging.WARNING, "askwell"):
        computed(problem, learner, MC_PROBS(draws=3))
    assert caplog.messages == ["all 3 members say the same of every item: they have nothing to disagree about"]


def gaussian_draws(net: nn.Module, x: Tensor, draws: int, seed: int = 0) -> Tensor:
    """(n, K, O) outputs of K draws of the weights."""
    mc = MCDropout(net, [net], Seeds(seed), x.__getitem__, torch.arange(len(x)))
    return mc(x, torch.arange(len(x)), draws, lambda outputs: outputs)[1]


def test_variance_of_logits_is_that_of_the_card() -> None:
    """Weights N(W, .1² I) and features (1, 2): variance (1 + 4) · .01 of every logit, independent over the classes."""
    net = GaussianLinear(nn.Linear(2, 3, bias=False), 0.1).eval()
    rows = gaussian_draws(net, torch.tensor([[1.0, 2.0], [2.0, -1.0]]), 20_000)
    covariance = torch.cov(rows[0].T)
    assert_close(covariance, 0.05 * torch.eye(3), atol=0.0025, rtol=0)
    assert_close(rows[0].mean(0), net(torch.tensor([[1.0, 2.0]]))[0].detach(), atol=0.01, rtol=0)
    both = torch.cov(torch.stack([rows[0, :, 0], rows[1, :, 0]]))
    assert float(both[0, 1]) == pytest.approx(0.01 * (1 * 2 - 2 * 1), abs=0.002)


class Trunk(nn.Module):
    """Counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.passes = nn.Linear(4, 6), 0

    def forward(self, x):
        self.passes += 1
        return self.layer(x).relu()


def test_the_trunk_is_computed_once_and_draws_are_as_without() -> None:
    net = nn.Sequential(Trunk(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    with_gaussians(net, 2, 0.3).eval()
    x, ids = torch.randn(7, 4), torch.arange(7)
    mc = MCDropout(net, [net], Seeds(3), x.__getitem__, ids)
    net[0].passes = 0
    _, cached = mc(x, ids, 30, lambda outputs: outputs)
    assert (mc.replays, net[0].passes) == (True, 1)
    with torch.no_grad():
        naive = torch.stack([mc._naive(x, ids, draw) for draw in range(30)], 1)
    assert torch.equal(cached, naive)
    assert net[0].passes == 31


def test_early_gaussian_layers_are_not_frozen_by_the_cache() -> None:
    """A Gaussian layer before a plain one: nothing is computed once that draws change."""
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    with_gaussians(net, (False, True), 0.3)
    rows = gaussian_draws(net, torch.randn(5, 4), 10)
    assert float(rows.std(1).min()) > 1e-3


def test_draws_of_weights_are_one_function() -> None:
    """Equal items get equal draws, ten draws are the first ten of twenty, and another seed has others."""
    net = GaussianLinear(nn.Linear(3, 2), 0.3)
    x = torch.randn(4, 3)[[0, 1, 2, 3, 0, 1]]
    rows = gaussian_draws(net, x, 20)
    assert torch.equal(rows[:2], rows[4:])
    assert torch.equal(gaussian_draws(net, x, 10), rows[:, :10])
    assert not torch.equal(gaussian_draws(net, x, 20, seed=1), rows)
    assert float(rows.std(1).min()) > 0.01


def test_weights_beyond_what_is_kept_are_drawn_to_the_same_bits(monkeypatch) -> None:
    net, x = GaussianLinear(nn.Linear(3, 2), 0.3), torch.randn(4, 3)
    rows = gaussian_draws(net, x, 5)
    monkeypatch.setattr("askwell.training.masks.KEPT", 0)
    assert torch.equal(gaussian_draws(net, x, 5), rows)


def test_draws_have_the_moments_of_the_weights() -> None:
    net = GaussianLinear(nn.Linear(1, 1, bias=False), 0.5)
    rows = gaussian_draws(net, torch.ones(2, 1), 20_000)[0, :, 0]
    assert float(rows.mean()) == pytest.approx(net.mean.item(), abs=0.015)
    assert float(rows.std()) == pytest.approx(0.5, abs=0.01)


def test_a_fitted_network_with_gaussian_layers_gives_draws_and_means() -> None:
    problem, learner = fitted(NET, Variational(steps=60, batch=18, lr=2e-2, spread=0.1, layers=1))
    need = MC_PROBS(draws=200)
    found = computed(problem, learner, need, PROBS, EMBEDDING, HEAD, LOGITS)
    assert_close(found[PROBS], said(problem, learner, "net"))
    assert_close(found[HEAD](found[EMBEDDING]), found[LOGITS])
    assert_close(found[need].mean(1), found[PROBS], atol=0.1, rtol=0)
    assert float(bald(found[need]).mean()) > 1e-3


def test_a_network_without_dropout_draws_by_its_scheme() -> None:
    bare = Net(MLP(width=8, depth=1, dropout=0.0))
    problem = toy("vector")
    build = partial(bare.build, problem.pool.form, problem.task)
    assert "mc_probs" not in build(SHORT).provides
    for scheme in (Variational(), DPE(members=4), Checkpoints()):
        assert {"mc_probs", "mean_probs", "mean_entropy", "vote_shares"} <= build(scheme).provides


def test_no_gaussian_layer_says_nothing_of_disagreement() -> None:
    """All flags off: K draws of one function, whose BALD is 0; as a scheme it is refused."""
    net = nn.Linear(3, 2)
    draws = torch.stack([net(torch.ones(4, 3)).softmax(1)] * 5, 1)
    assert bald(draws).abs().max().item() < 1e-6
    problem = toy("vector")
    with pytest.raises(InputError, match=r"^layers \(False, False\) of a network that has 2 linear and convolutional"):
        NET.build(problem.pool.form, problem.task, Variational(layers=(False, False)))
    assert gaussian(net.weight, net.weight) is net.weight


@pytest.fixture
def rows():
    problem = toy("vector", 120)
    return load(problem.pool.rows.numpy(), labels=problem.truth.numpy(), classes=["a", "b", "c"], test_size=30)


def recipe(learner, scheme, draws) -> Recipe:
    return plain("bald", BALD(draws=draws), learner=learner, scheme=scheme)


@pytest.mark.parametrize(
    ("learner", "scheme", "draws", "most"),
    [
        (NET, Checkpoints(last=3), 4, 3),
        (NET, DPE(members=4), 5, 4),
        (Ensemble(2, DROP, inner_draws=3), SHORT, 7, 6),
    ],
)
def test_too_many_draws_are_refused_before_anything_is_trained(rows, learner, scheme, draws, most) -> None:
    check(recipe(learner, scheme, most), rows)
    with pytest.raises(UnmetNeeds) as caught:
        check(recipe(learner, scheme, draws), rows)
    assert str(caught.value) == (
        f"recipe 'bald': strategy 'bald' needs mc_probs(draws={draws}) and the learner has {most} members: set draws "
        f"to {most} or less, or members to {draws}"
    )


@pytest.mark.parametrize(
    ("factory", "scheme", "has"),
    [
        (Ensemble(2, Linear(), inner_draws=3), None, "none"),
        (Ensemble(2, NET, inner_draws=5), Checkpoints(last=4), "4"),
    ],
)
def test_inner_draws_that_members_do_not_have_are_refused(factory, scheme, has) -> None:
    problem = toy("vector")
    with pytest.raises(UnmetNeeds) as caught:
        factory.build(problem.pool.form, problem.task, scheme)
    assert str(caught.value) == (
        f"inner_draws of {factory!r} are {factory.inner_draws} and a member has {has}: give it dropout, Gaussian "
        "weights or as many checkpoints"
    )


def test_inner_draws_are_counted() -> None:
    with pytest.raises(InputError, match=r"^inner_draws must not be negative, got -1$"):
        Ensemble(inner_draws=-1)
    problem, learner = fitted(Ensemble(2, DROP, inner_draws=2), SHORT)
    with pytest.raises(UnmetNeeds) as caught:
        computed(problem, learner, MEAN_PROBS(draws=5))
    assert str(caught.value) == (
        "mean_probs(draws=5) asks for 5 draws and the ensemble has 4: set draws to 4 or less, or train more members"
    )
    problem, learner = fitted(NET, Checkpoints(last=2, **FEW))
    with pytest.raises(UnmetNeeds, match=r"^3 draws are wanted of a committee of 2: set draws to 2 or less$"):
        computed(problem, learner, MC_PROBS(draws=3))


def test_entropy_of_all_draws_is_at_least_that_within() -> None:
    problem, learner = fitted(Ensemble(2, DROP, inner_draws=4), SHORT)
    mc = computed(problem, learner, MC_PROBS(draws=8))[MC_PROBS(draws=8)]
    assert bool((entropy_of_mean(mc) >= mean_entropy(mc) - 1e-6).all())
