"""Moment matching: which layers it takes, what its loss is, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from askwell.core.pool import Form
from askwell.core.scheme import Outputs
from askwell.core.seeds import Seeds
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.moments import probit
from askwell.models import MLP, SmallCNN
from askwell.models.moments import MomentNet, with_moments
from askwell.models.net import HeadedNet
from askwell.schemes import MomentMatching
from askwell.testing.toys import Toy, toy
from askwell.training import Fitted, fit

SCHEME = MomentMatching(steps=60, epochs=None, batch=12, lr=1e-2)


def trained(scheme: MomentMatching, problem: Toy, **job: object) -> Fitted:
    makers = {"net": lambda: MLP(width=8, depth=1).build(problem.pool.form, problem.task.outputs)}
    given = problem.job(batches=(problem.labelled,), **job)
    return fit(scheme, problem.pool, given, problem.task, makers, Seeds(1))


def test_it_learns_and_its_probabilities_are_those_of_its_moments() -> None:
    problem = toy("vector")
    fitted = trained(SCHEME, problem)
    net = fitted.modules.net
    assert isinstance(net, MomentNet)
    x = problem.pool.rows[problem.unlabelled]
    with torch.no_grad():
        z, taps = net.embed(x)
        rows = SCHEME.logit_moments(fitted.run, Outputs(x, z, taps, net.head(z)))
        p = probit(*rows.unbind(2))
        assert_close(net(x).softmax(1), p / p.sum(1, keepdim=True))
    assert rows.shape == (len(x), 3, 2)
    assert bool((rows[:, :, 1] > 0).all())
    right = p.argmax(1) == problem.truth[problem.unlabelled]
    assert float(right.double().mean()) > 0.9


def test_the_divergence_counts_less_the_more_labels_there_are() -> None:
    problem = toy("vector")
    fitted = trained(replace(SCHEME, steps=1), problem)
    run, rows = fitted.run, fitted.run.stream("labelled", 12).next()
    loss = SCHEME.loss_of(run, run.m.net, rows, None)
    without = replace(SCHEME, precision=1e-9).loss_of(run, run.m.net, rows, None)
    squares = [(layer.mean.square() + layer.log_var.exp()).detach().sum() for layer in run.m.net.layers()]
    gap = 0.5 * 10 * float(torch.stack(squares).sum())
    assert float((loss - without).detach()) == pytest.approx(gap / 36, rel=1e-4)


def test_each_round_starts_from_the_last() -> None:
    problem = toy("vector")
    first = trained(SCHEME, problem)
    kept = {f"net.{key}": value for key, value in first.modules.net.state_dict().items()}
    again = trained(replace(SCHEME, steps=1, lr=1e-9), problem, previous=kept)
    assert_close(again.modules.net.head.layer.mean, first.modules.net.head.layer.mean)


def test_convolutions_have_moments_too() -> None:
    stages = [nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU()), nn.Sequential(nn.Flatten(), nn.Dropout(0.5))]
    net = with_moments(HeadedNet(stages, width=36, outputs=2)).eval()
    for layer in net.layers():
        layer.log_var.data.fill_(-11.0)
    x = torch.rand(3, 1, 8, 8)
    mean, var = net.moments(x)
    first, last = list(net.layers())
    plain = nn.functional.conv2d(x, first.mean, first.bias, stride=2).relu().flatten(1) @ last.mean.t() + last.bias
    assert_close(mean, plain, rtol=0, atol=0.02)
    assert float(var.detach().max()) < 0.01


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (SmallCNN().build(Form("image", (1, 8, 8)), 2), "there are no moments through a layer BatchNorm2d(16, "),
        (nn.Linear(2, 2), "moments go through a network of layers and a linear head, such as mlp, not Linear"),
    ],
)
def test_other_layers_are_refused(net: nn.Module, message: str) -> None:
    with pytest.raises(InputError) as error:
        with_moments(net)
    assert str(error.value).startswith(message)


def test_other_labels_are_refused() -> None:
    with pytest.raises(UnmetNeeds, match=r"^scheme moment_matching is for one class per item, and task"):
        trained(SCHEME, toy("vector", task="multi_label"))


def test_precision_is_above_zero() -> None:
    with pytest.raises(InputError, match=r"^precision of scheme MomentMatching must be above 0, got 0$"):
        MomentMatching(precision=0)
