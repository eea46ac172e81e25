"""The need `network`: the fitted network as a function of its inputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import grad, vmap

from askwell.core.needs import EMBEDDING, LOGITS, NETWORK
from askwell.core.seeds import Seeds
from askwell.errors import UnmetNeeds
from askwell.learners import Net
from askwell.models import MLP, TextCNN
from askwell.schemes import Supervised
from askwell.testing.toys import toy

SCHEME = Supervised(steps=20, batch=18, lr=1e-2)


def fitted(model, kind="vector", **settings):
    problem = toy(kind)
    learner = Net(model=model, **settings).build(problem.pool.form, problem.task, SCHEME)
    learner.fit(problem.pool, problem.job(), Seeds(1))
    sets = {"candidates": problem.unlabelled, "labelled": problem.job().labelled}
    found = learner.compute(problem.pool, [NETWORK, LOGITS, EMBEDDING], sets, Seeds(2))
    return problem, learner, found


@pytest.mark.parametrize(
    ("model", "kind"), [(MLP(width=16, depth=2, dropout=0.5), "vector"), (TextCNN(embedding=8, filters=4), "tokens")]
)
def test_it_says_what_the_learner_says(model, kind):
    problem, _, found = fitted(model, kind)
    network = found[NETWORK]
    items = network.items(problem.unlabelled)
    assert torch.allclose(network(items), found[LOGITS], atol=1e-5)
    assert torch.allclose(network(items, network.inputs(items)), found[LOGITS], atol=1e-5)
    assert torch.allclose(network.embed(items)[0], found[EMBEDDING], atol=1e-5)
    assert network.form.kind == kind
    assert network.marks == ((0, 1) if kind == "tokens" else ())


@pytest.mark.parametrize(
    ("model", "kind"), [(MLP(width=16, depth=2), "vector"), (TextCNN(embedding=8, filters=4), "tokens")]
)
def test_gradients_of_its_inputs_are_differences(model, kind):
    problem, _, found = fitted(model, kind)
    network = found[NETWORK]
    items = network.items(problem.unlabelled[:3])
    inputs = network.inputs(items).requires_grad_()
    (slope,) = torch.autograd.grad(network(items, inputs)[:, 0].sum(), inputs)
    inputs, step = inputs.detach(), 1e-3 * slope / slope.norm()
    change = (network(items, inputs + step) - network(items, inputs - step))[:, 0].sum() / 2
    assert float(change) == pytest.approx(1e-3 * float(slope.norm()), rel=2e-2)


def test_gradients_of_its_weights_by_item_add_up_to_that_of_the_batch():
    problem, _, found = fitted(MLP(width=16, depth=2))
    network = found[NETWORK]
    items = network.items(problem.unlabelled[:5])

    def first(weights, item):
        return network.at(weights, item[None])[0, 0]

    each = vmap(grad(first), (None, 0))(dict(network.weights), items)
    whole = grad(lambda weights: network.at(weights, items)[:, 0].sum())(dict(network.weights))
    assert set(each) == set(whole)
    for name in whole:
        assert torch.allclose(each[name].sum(0), whole[name], atol=1e-5), name


def test_it_is_a_copy():
    problem, learner, found = fitted(MLP(width=16, depth=2))
    before = learner.predict(problem.pool, problem.test)
    for value in found[NETWORK].weights.values():
        value.data.zero_()
    assert torch.equal(learner.predict(problem.pool, problem.test), before)


class Bag(nn.Module):
    """Counts tokens, and looks up no vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(1, 3)

    def forward(self, x):
        return self.out(x.float().mean(1, keepdim=True))


def test_tokens_without_vectors_are_refused():
    problem, _, found = fitted(Bag, "tokens")
    network = found[NETWORK]
    with pytest.raises(UnmetNeeds, match=r"^gradients of tokens need a network that looks up vectors by nn.Embedding$"):
        network.inputs(network.items(problem.unlabelled[:2]))
