"""A classifier of labelled against unlabelled vectors, trained after a fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from askwell.models.discriminator import Discriminator
from askwell.training import discriminate as module
from askwell.training.chance import lend
from askwell.training.discriminate import discriminate, unlabelled_logits

FAST = {"lr": 1e-2}


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def cloud(seed: int, n: int, centre: float = 0.0, width: int = 2) -> Tensor:
    return centre + torch.randn(n, width, generator=rng(seed))


def trained(labelled: Tensor, unlabelled: Tensor, rng: Generator, **settings: Any) -> Discriminator:
    with lend(rng):
        net = Discriminator(labelled.shape[1], 20, 3)
    discriminate(net, labelled, unlabelled, rng, **settings)
    return net


def auc(positive: Tensor, negative: Tensor) -> float:
    return float((positive[:, None] > negative[None]).double().mean())


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of every step that is taken."""
    seen: list[int] = []
    step: Callable[..., Tensor] = module._step

    def noted(net: Tensor, optimiser: Tensor, rows: Tensor, *others: Tensor) -> Tensor:
        seen.append(len(rows))
        return step(net, optimiser, rows, *others)

    monkeypatch.setattr(module, "_step", noted)
    return seen


def test_positive_is_labelled() -> None:
    net = trained(cloud(0, 50), cloud(1, 80, 10.0), rng(), **FAST)
    assert (net(cloud(2, 50)) > 0).all()
    assert (unlabelled_logits(net, cloud(3, 50, 10.0)) > 0).all()


def test_two_samples_of_one_distribution_cannot_be_told_apart() -> None:
    found = []
    for seed in range(8):
        net = trained(cloud(seed, 200), cloud(seed + 100, 200), rng(seed), epochs=20, **FAST)
        scores = [unlabelled_logits(net, cloud(seed + side, 2000)) for side in (200, 300)]
        found.append(auc(*scores))
    assert sum(found) / len(found) == pytest.approx(0.5, abs=0.02)
    assert all(abs(one - 0.5) < 0.05 for one in found)


def test_each_side_weighs_half() -> None:
    """Where both are alike the probability is ½, however many there are of each."""
    net = trained(cloud(0, 60), cloud(1, 600), rng(), epochs=15, **FAST)
    assert float(net(cloud(2, 500)).sigmoid().mean()) == pytest.approx(0.5, abs=0.06)


def test_it_stops_when_nearly_all_are_told_right(sizes: list[int]) -> None:
    trained(cloud(0, 100), cloud(1, 100, 10.0), rng(), epochs=500, **FAST)
    assert len(sizes) < 2 * 60


def test_it_goes_on_while_too_few_are_told_right(sizes: list[int]) -> None:
    trained(cloud(0, 100), cloud(1, 100, 10.0), rng(), epochs=40, enough=1.0, **FAST)
    assert len(sizes) == 2 * 40


def test_every_epoch_sees_every_row_once(sizes: list[int]) -> None:
    trained(cloud(0, 100), cloud(1, 200), rng(), epochs=3, **FAST)
    assert sizes == [128, 128, 44] * 3


def test_the_generator_decides_and_no_other_moves() -> None:
    before = torch.get_rng_state()
    nets = [trained(cloud(0, 20), cloud(1, 20), rng(seed), epochs=5, **FAST) for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), before)
    some = cloud(2, 10)
    assert torch.equal(nets[0](some), nets[1](some))
    assert not torch.equal(nets[0](some), nets[2](some))


def test_trains_in_single_precision_whatever_it_is_given() -> None:
    given = [(cloud(0, 20).half().to(kind), cloud(1, 20, 3.0).half().to(kind)) for kind in (torch.half, torch.double)]
    nets = [trained(*sides, rng(), epochs=5, **FAST) for sides in given]
    some = cloud(2, 10)
    assert torch.equal(nets[0](some), nets[1](some))
    assert not any(weights.requires_grad for weights in nets[0].parameters())


def test_all_rows_are_scored_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    net = trained(cloud(0, 20), cloud(1, 20, 3.0), rng(), epochs=5, **FAST)
    some = cloud(2, 10)
    whole = unlabelled_logits(net, some)
    monkeypatch.setattr(module, "ROWS", 3)
    torch.testing.assert_close(unlabelled_logits(net, some), whole)
    torch.testing.assert_close(whole, -net(some))
