"""Laplace around a learner: its posterior, its draws, its files, what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from askwell.core.needs import EMBEDDING, HEAD, LOGITS, MC_PROBS, PROBS
from askwell.core.pool import Form
from askwell.core.seeds import Seeds
from askwell.core.spec import build, config, parse
from askwell.engine.assemble import assemble
from askwell.errors import BadData, InputError, UnknownName, UnmetNeeds
from askwell.functional.information import bald
from askwell.learners import Ensemble, Laplace, Linear, Net, Sklearn
from askwell.models import MLP
from askwell.schemes import Supervised
from askwell.testing.toys import toy

SHORT = Supervised(steps=15, batch=18, lr=2e-2, stop=())
NET = Net(MLP(width=8, depth=1, dropout=0.2))


def fitted(factory, scheme=None, **job):
    problem = toy("vector")
    learner = factory.build(problem.pool.form, problem.task, scheme)
    learner.fit(problem.pool, problem.job(**job), Seeds(1))
    return problem, learner


def computed(problem, learner, *needs, seed=2):
    return learner.compute(problem.pool, needs, {"candidates": problem.unlabelled}, Seeds(seed))


def with_ones(rows):
    return torch.cat([rows, torch.ones(len(rows), 1)], 1).double()


@pytest.mark.parametrize("kind", ["gaussian", "categorical", "full"])
def test_the_posterior_is_that_of_the_labelled_items(kind):
    weights = torch.linspace(0.5, 2, 36)
    problem, learner = fitted(Laplace(NET, kind, prior=0.7), SHORT, weights=weights)
    _, plain = fitted(NET, SHORT, weights=weights)
    needs = (EMBEDDING.at("labelled"), PROBS.at("labelled"))
    found = plain.compute(problem.pool, needs, {"labelled": problem.labelled}, Seeds(2))
    z, p = with_ones(found[needs[0]]), found[needs[1]].double()
    precision = 0.7 * torch.eye(len(learner.root), dtype=torch.float64)
    for row, probs, weight in zip(z, p, weights.double(), strict=True):
        top = probs.max()
        own = {"gaussian": torch.ones(1, 1), "categorical": (top * (1 - top)).view(1, 1)}
        logits = own.get(kind, probs.diag() - torch.outer(probs, probs)).double()
        precision += weight * torch.kron(logits, torch.outer(row, row))
    assert_close(learner.root @ learner.root.t(), torch.linalg.inv(precision))
    head = plain.fitted.modules.net.head
    assert_close(learner.weight, torch.cat([head.weight, head.bias[:, None]], 1).double(), atol=1e-6, rtol=1e-6)


def test_draws_are_softmaxes_of_drawn_weights():
    problem, learner = fitted(Laplace(NET), SHORT)
    need = MC_PROBS(draws=3)
    found = computed(problem, learner, need, EMBEDDING, PROBS, LOGITS, HEAD)
    z = with_ones(found[EMBEDDING])
    for draw in range(3):
        noise = torch.randn(3, z.shape[1], generator=Seeds(2).torch("laplace", draw), dtype=torch.float64)
        logits = z @ (learner.weight + noise @ learner.root.t()).t()
        assert_close(found[need][:, draw].double(), logits.softmax(1), atol=1e-5, rtol=1e-4)
    assert_close(found[LOGITS].softmax(1), found[PROBS])
    other = computed(problem, learner, need, seed=3)[need]
    assert not torch.equal(found[need], other)


def test_it_answers_as_the_learner_inside():
    problem, learner = fitted(Laplace(NET), SHORT)
    _, plain = fitted(NET, SHORT)
    assert torch.equal(computed(problem, learner, PROBS)[PROBS], computed(problem, plain, PROBS)[PROBS])
    assert torch.equal(learner.predict(problem.pool, problem.test), plain.predict(problem.pool, problem.test))


def test_far_items_are_drawn_further_apart_and_a_strong_prior_holds_them():
    need, spread = MC_PROBS(draws=50), []
    for prior in (0.1, 1.0, 1e9):
        problem, learner = fitted(Laplace(Linear(), prior=prior))
        spread.append(float(bald(computed(problem, learner, need)[need]).mean()))
    assert spread[0] > spread[1] > 100 * spread[2]
    assert spread[2] == pytest.approx(0, abs=1e-6)


def test_warm_fits_go_on_from_the_learner_inside():
    warm = Supervised(steps=5, stop=(), policy="warm")
    problem, learner = fitted(Laplace(NET), warm)
    _, plain = fitted(NET, warm)
    for one in (learner, plain):
        one.fit(problem.pool, problem.job(previous=one.state(), round=1), Seeds(1))
    assert learner.warm
    assert torch.equal(learner.predict(problem.pool, problem.test), plain.predict(problem.pool, problem.test))


def test_a_file_of_another_learner_is_refused(tmp_path):
    problem, plain = fitted(Linear())
    plain.save(tmp_path / "m.safetensors")
    factory = Laplace(Linear())
    with pytest.raises(BadData) as caught:
        factory.build(problem.pool.form, problem.task, None).load(tmp_path / "m.safetensors")
    assert str(caught.value) == f"{tmp_path}/m.safetensors holds no model of {factory!r}"


class Curved(nn.Module):
    """A network whose last module is not linear."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.out = nn.Linear(8, 4), nn.Sequential(nn.Linear(4, 3), nn.Tanh())

    def forward(self, x):
        return self.out(self.body(x))


def test_a_head_that_is_not_linear_is_refused():
    with pytest.raises(UnmetNeeds) as caught:
        fitted(Laplace(Net(Curved, layer="out")), Supervised(steps=5, lr=0.5, stop=()))
    assert str(caught.value) == "the head of this model is no linear layer, whose weights could be drawn"


def test_the_full_kind_has_a_limit():
    with pytest.raises(UnmetNeeds) as caught:
        fitted(Laplace(Net(MLP(width=1400, depth=1)), "full"), Supervised(steps=1, stop=()))
    assert str(caught.value) == (
        "kind 'full' takes at most 4000 weights and the last layer has 4203: choose 'gaussian' or 'categorical'"
    )


def test_learners_without_a_last_layer_and_other_labels_are_refused():
    problem, factory = toy("vector"), Laplace(Sklearn())
    with pytest.raises(UnmetNeeds) as caught:
        factory.build(problem.pool.form, problem.task, None)
    assert str(caught.value) == (
        f"learner {factory!r} draws from a last layer, and the one inside gives no embedding, head"
    )
    labels, factory = toy("vector", task="multi_label"), Laplace(Linear())
    with pytest.raises(UnmetNeeds) as caught:
        factory.build(labels.pool.form, labels.task, None)
    assert (
        str(caught.value) == f"learner {factory!r} is for one class per item, and task {labels.task!r} has other labels"
    )


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Laplace(prior=0.0), InputError, "prior must be above 0, got 0.0"),
        (
            lambda: Laplace(kind="ful"),
            UnknownName,
            "unknown kind of Laplace 'ful': did you mean 'full'? Known: categorical, full, gaussian",
        ),
        (lambda: Laplace(of=3), InputError, "`of` must be a learner, such as Net() or Linear(), got 3"),
    ],
)
def test_bad_settings_are_refused(make, error, text):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == text


def test_text_json_and_the_front_door():
    made = parse("learners", "laplace(of=ensemble(members=2, of=net(model=mlp(width=3))), kind=full, prior=2.0)")
    assert made == Laplace(Ensemble(2, Net(MLP(width=3))), "full", 2.0)
    assert build("learners", config(made)) == made
    recipe = assemble(strategy="bald", learner=Laplace(), form=Form("vector", (8,)), precision="bfloat16")
    assert recipe.learner == Laplace(Net(MLP(), precision="bfloat16"))
