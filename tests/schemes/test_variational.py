"""Bayes by backprop: the bound, which layers are Gaussian, and that training moves their spreads."""

from __future__ import annotations

import pytest
import torch
from scheme_parts import accuracy, some, trained
from torch import nn
from torch.testing import assert_close

from askwell.core.pool import Form
from askwell.core.scheme import Facts
from askwell.errors import InputError
from askwell.models import MLP, SmallCNN, TextCNN
from askwell.models.bayes import GaussianConv, GaussianLinear, divergence_of, gaussian_layers, with_gaussians
from askwell.schemes import Supervised, Variational

SHORT = {"steps": 30, "batch": 16, "lr": 5e-3}


def kinds(net: nn.Module) -> list[str]:
    """Linear and convolutional layers, from the output backwards."""
    named = ("Linear", "Conv2d", "Conv1d", "GaussianLinear", "GaussianConv")
    return [type(layer).__name__ for layer in net.modules() if type(layer).__name__ in named][::-1]


def test_layers_are_counted_from_the_output() -> None:
    form = Form("image", (1, 8, 8))
    made = {
        flags: kinds(with_gaussians(SmallCNN(channels=2, width=4).build(form, 3), flags, 0.1))
        for flags in (None, 1, 2, (False, True), (True, False, True, False))
    }
    assert made == {
        None: ["GaussianLinear", "GaussianLinear", "GaussianConv", "GaussianConv"],
        1: ["GaussianLinear", "Linear", "Conv2d", "Conv2d"],
        2: ["GaussianLinear", "GaussianLinear", "Conv2d", "Conv2d"],
        (False, True): ["Linear", "GaussianLinear", "Conv2d", "Conv2d"],
        (True, False, True, False): ["GaussianLinear", "Linear", "GaussianConv", "Conv2d"],
    }


def test_embeddings_are_left_and_dropout_is_off() -> None:
    net = with_gaussians(TextCNN(embedding=4, filters=2).build(Form("tokens", (9,), 20), 3), None, 0.1)
    assert sum(isinstance(layer, nn.Embedding) for layer in net.modules()) == 1
    assert [layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)] == [0.0]
    assert [type(layer) for layer in gaussian_layers(net)] == [*[GaussianConv] * 3, GaussianLinear]


def test_means_start_as_the_network_itself() -> None:
    """In eval mode a network with Gaussian layers is the one that it was made of."""
    x, net = torch.randn(5, 1, 8, 8), SmallCNN(channels=2, width=4).build(Form("image", (1, 8, 8)), 3).eval()
    before = net(x)
    assert torch.equal(with_gaussians(net, None, 0.1).eval()(x), before)
    assert not torch.equal(net.train()(x), net(x))


@pytest.mark.parametrize("geometry", [{"stride": 2, "padding": 1}, {"groups": 2}, {"dilation": 2, "padding": 2}])
def test_convolutions_keep_their_geometry(geometry: dict) -> None:
    layer, x = nn.Conv2d(4, 6, 3, **geometry), torch.randn(2, 4, 9, 9)
    assert torch.equal(GaussianConv(layer, 0.1).eval()(x), layer(x))
    with pytest.raises(
        InputError, match=r"^a convolution with Gaussian weights pads by zeros, and Conv2d\(.*'reflect'"
    ):
        GaussianConv(nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), 0.1)


def test_the_divergence_is_over_all_weights() -> None:
    """Two weights and a bias at N(.1, .2²), from N(0, 1): three times the number of the card."""
    layer = GaussianLinear(nn.Linear(2, 1), 0.2)
    with torch.no_grad():
        layer.mean.fill_(0.1)
        layer.bias_mean.fill_(0.1)
    assert divergence_of(nn.Sequential(layer), 1.0).item() == pytest.approx(3 * 1.134438, abs=1e-5)


def test_a_spread_is_softplus_of_rho() -> None:
    layer = GaussianLinear(nn.Linear(2, 1), 0.048587)
    assert_close(layer.rho, torch.full((1, 2), -3.0), atol=1e-4, rtol=0)


def test_the_loss_is_the_bound_per_item() -> None:
    """40 labels in steps of 16: three steps of a pass, so KL / 3 for the sum over 16 items, and a 16th of both."""
    scheme = Variational(**SHORT, weight=0.5)
    run = trained(scheme, some(40)).run
    rows = run.stream("rows", 16, "labelled").next()
    run.m.net.eval()
    fit = run.task.loss(run.m.net(rows.x), rows.y).mean()
    assert_close(scheme.loss(run, rows), fit + 0.5 * divergence_of(run.m.net, 1.0) / 3 / 16)
    assert Variational(batch=16).per_item(Facts(10, 10, 40, 0, 0, 0)) == 1 / 48


def test_without_the_divergence_and_with_no_spread_it_is_plain_training() -> None:
    plain = {**SHORT, "weight_decay": 0.0}
    model = MLP(width=16, depth=1, dropout=0.0)
    one = trained(Variational(**plain, weight=0.0, spread=1e-8), some(), model=model)
    other = trained(Supervised(**plain), some(), model=model)
    for mine, theirs in zip(
        gaussian_layers(one.modules.net), (other.modules.net.stages[0][1], other.modules.net.head), strict=True
    ):
        assert_close(mine.mean, theirs.weight, atol=1e-3, rtol=0)


def test_the_divergence_alone_leads_to_the_prior() -> None:
    scheme = Variational(steps=400, batch=16, lr=5e-2, schedule="constant", weight=1e5, prior=0.3, spread=0.1)
    fitted = trained(scheme, some(), model=MLP(width=8, depth=1))
    for layer in gaussian_layers(fitted.modules.net):
        assert_close(layer.weight[1].mean(), torch.tensor(0.3), atol=0.01, rtol=0)
        assert layer.mean.abs().max().item() < 0.05


def test_a_posterior_that_is_the_prior_is_told() -> None:
    model = MLP(width=8, depth=1)
    collapsed = Variational(steps=400, batch=16, lr=5e-2, schedule="constant", weight=1e5, prior=0.3, spread=0.1)
    notes = trained(collapsed, some(), model=model).report.notes
    signal = notes["signal_to_noise"]
    assert signal < 0.2
    assert notes["collapse"] == (
        f"the weights are noise: their means are {signal:.3f} of their spread, below 0.2, for the labels do not "
        "outweigh the prior; lower weight, or give more labels or a wider prior"
    )
    fitted = trained(Variational(**SHORT, layers=1), some(), model=model)
    mean, spread = next(gaussian_layers(fitted.modules.net)).weight
    ratio = (mean.square().sum() / spread.square().sum()).sqrt().item()
    assert fitted.report.notes["signal_to_noise"] == pytest.approx(ratio, rel=1e-5)
    assert ratio > 1
    assert "collapse" not in fitted.report.notes


def test_labels_take_uncertainty_away() -> None:
    """With more labels the divergence counts less for each: spreads end lower, against the pull of the prior."""
    spreads = []
    for labels in (10, 400):
        scheme = Variational(steps=300, batch=32, lr=1e-2, schedule="constant", layers=1, spread=0.3)
        fitted = trained(scheme, some(labels), model=MLP(width=8, depth=1))
        spreads.append(next(gaussian_layers(fitted.modules.net)).weight[1].log().mean().item())
    assert spreads[1] < spreads[0] - 0.2


@pytest.mark.parametrize("layers", [None, 1])
def test_it_learns(layers: int | None) -> None:
    fitted = trained(Variational(steps=150, batch=32, lr=5e-3, layers=layers), some(200))
    assert accuracy(fitted, torch.arange(1000, 1500)) > 0.8


def test_draws_of_training_are_of_the_update_alone() -> None:
    """Noise comes from the update's own stream: the same seeds give the same spreads."""
    one, other = (trained(Variational(**SHORT), some()).modules.net for _ in range(2))
    for mine, theirs in zip(gaussian_layers(one), gaussian_layers(other), strict=True):
        assert torch.equal(mine.rho, theirs.rho)
        assert (mine.weight[1] - 0.02).abs().max().item() > 1e-3


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"prior": 0.0}, "prior of scheme Variational must be above 0, got 0.0"),
        ({"spread": -1.0}, "spread of scheme Variational must be above 0, got -1.0"),
        ({"weight": -0.1}, "weight of scheme Variational must not be negative, got -0.1"),
    ],
)
def test_bad_numbers_are_refused(numbers: dict, text: str) -> None:
    with pytest.raises(InputError) as caught:
        Variational(**numbers)
    assert str(caught.value) == text


@pytest.mark.parametrize("flags", [0, (), (False, False), 3, (True, True, True)])
def test_layers_that_are_not_there_are_refused(flags: object) -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    with pytest.raises(InputError) as caught:
        with_gaussians(net, flags, 0.1)
    assert str(caught.value) == (
        f"layers {flags!r} of a network that has 2 linear and convolutional ones: choose at least one, counted from "
        "the output"
    )
