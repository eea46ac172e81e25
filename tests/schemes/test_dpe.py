"""Deep probabilistic ensembles: which weights are coupled to which prior, and what the penalty does."""

from __future__ import annotations

import pytest
import torch
from scheme_parts import accuracy, some, trained
from torch import nn
from torch.testing import assert_close

from askwell.errors import InputError
from askwell.functional.coupling import coupling
from askwell.models import MLP, SmallCNN
from askwell.schemes import DPE, Supervised
from askwell.schemes.dpe import penalty, priors

SHORT = {"steps": 20, "batch": 16, "lr": 5e-3, "members": 4}
QUIET = MLP(width=16, depth=1, dropout=0.0)


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


def test_priors_of_layers() -> None:
    """He's fan-out: 2 / (outputs · kernel); norms .01 around 1 and 0; embeddings have none."""
    net = nn.Sequential(
        nn.Embedding(9, 4), nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.Linear(8, 5, bias=False), nn.Conv1d(2, 4, 5)
    )
    found = {name: tuple(prior) for name, prior in priors(net)}
    assert found == {
        "1.weight": (0.0, pytest.approx(0.0138889, abs=1e-7)),
        "1.bias": (0.0, pytest.approx(0.0138889, abs=1e-7)),
        "2.weight": (1.0, 0.01),
        "2.bias": (0.0, 0.01),
        "3.weight": (0.0, 0.4),
        "4.weight": (0.0, 0.1),
        "4.bias": (0.0, 0.1),
    }


def test_the_penalty_is_the_sum_over_all_weights() -> None:
    nets = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)) for _ in range(4)]
    by_hand = sum(
        coupling(torch.stack([net[place].get_parameter(own) for net in nets]), variance, mean, 1e-6)
        for place, own, mean, variance in ((0, "weight", 0, 1), (0, "bias", 0, 1), (1, "weight", 1, 0.01))
    ) + coupling(torch.stack([net[1].bias for net in nets]), 0.01, 0.0, 1e-6)
    assert_close(penalty(nets), by_hand)


def test_the_loss_is_that_of_all_members_and_the_penalty() -> None:
    scheme = DPE(**SHORT, beta=0.01)
    run = trained(scheme, some(), model=QUIET).run
    rows = run.stream("rows", 8, "labelled").next()
    fits = [run.task.loss(net(rows.x), rows.y).mean() for net in scheme.committee(run)]
    assert len(fits) == 4
    assert_close(scheme.loss(run, rows), sum(fits) + 0.01 * penalty(scheme.committee(run)))


def test_without_the_penalty_members_are_trained_each_by_itself() -> None:
    fitted = trained(DPE(**SHORT, beta=0.0, clip=0.0), some(), model=QUIET)
    alone = Supervised(**{key: value for key, value in SHORT.items() if key != "members"}, weight_decay=0.0)
    assert_close(weights(fitted.modules.net), weights(trained(alone, some(), model=QUIET).modules.net))


def test_members_start_apart_and_are_trained_together() -> None:
    fitted = trained(DPE(**SHORT), some())
    nets = fitted.run.scheme.committee(fitted.run)
    rows = [weights(net) for net in nets]
    assert len(rows) == 4
    assert all(not torch.equal(one, other) for place, one in enumerate(rows) for other in rows[:place])
    assert fitted.report.updates == {"task": 20}


def test_the_penalty_brings_weights_to_the_spread_of_the_prior() -> None:
    """With nothing but the penalty to weigh, the variance over the members nears that of the prior."""
    far = trained(DPE(**{**SHORT, "steps": 1}, beta=0.0), some(), model=QUIET)
    near = trained(DPE(**{**SHORT, "steps": 300, "lr": 2e-2}, beta=1.0), some(), model=QUIET)
    gaps = []
    for fitted in (far, near):
        nets = fitted.run.scheme.committee(fitted.run)
        spread = torch.stack([net.stages[0][1].weight for net in nets]).var(0, correction=0)
        gaps.append((spread.log() - torch.tensor(2 / 16).log()).abs().mean().item())
    assert gaps[1] < 0.25 * gaps[0]


def test_scales_of_norms_that_start_equal_do_not_explode() -> None:
    """By SGD, whose steps are as long as the gradient: without clipping their variance ends a million times that of
    the prior, .01."""
    sgd = {"steps": 60, "batch": 32, "lr": 0.05, "kind": "sgd", "members": 4, "beta": 1e-3}
    nets = [*vars(trained(DPE(**sgd), some(), model=SmallCNN(channels=4, width=16)).modules).values()]
    norm = next(name for name, layer in nets[0].named_modules() if isinstance(layer, nn.BatchNorm2d))
    spread = torch.stack([net.get_submodule(norm).weight for net in nets]).var(0, correction=0).mean()
    assert 0.003 < spread.item() < 0.03


@pytest.mark.parametrize("model", [QUIET, SmallCNN(channels=8, width=32)])
def test_it_learns(model: object) -> None:
    fitted = trained(DPE(steps=150, batch=32, lr=1e-2, members=4), some(200), model=model)
    assert accuracy(fitted, torch.arange(1000, 1500)) > 0.8


def test_gradients_of_equal_members_are_finite() -> None:
    nets = [nn.Linear(3, 2) for _ in range(4)]
    for net in nets:
        net.load_state_dict(nets[0].state_dict())
    penalty(nets).backward()
    assert all(bool(one.grad.isfinite().all()) for net in nets for one in net.parameters())


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (
            {"members": 3},
            "members of scheme DPE must be at least 4, got 3: the variance over fewer is too uncertain",
        ),
        ({"beta": -1.0}, "beta of scheme DPE must not be negative, got -1.0"),
        ({"average": ("ema", 0.9)}, "average of scheme DPE must be (): its members are averaged by what they say"),
    ],
)
def test_bad_numbers_are_refused(numbers: dict, text: str) -> None:
    with pytest.raises(InputError) as caught:
        DPE(**numbers)
    assert str(caught.value) == text
