"""Discriminative active learning, and the palmprint system, which is the same with another layer and one part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from strategy_views import rng
from torch import Tensor

from askwell.core.needs import EMBEDDING, NETWORK
from askwell.core.pool import Form
from askwell.core.view import Batch, View
from askwell.data import load
from askwell.engine.project import Project
from askwell.errors import ColdStart, InputError, UnknownName
from askwell.recipes import discriminative, palmprint
from askwell.strategies import Discriminative

FAST = Discriminative(sub_batches=1, width=20, lr=1e-2, epochs=100)
NEAR, FAR = 0.0, 10.0


def cloud(seed: int, n: int, centre: float) -> Tensor:
    return centre + torch.randn(n, 2, generator=rng(seed))


def choose(strategy: Discriminative, free: Tensor, known: Tensor, n: int, seed: int = 0) -> Batch:
    given = {EMBEDDING: free, EMBEDDING.at("labelled"): known}
    sets = {"labelled": torch.arange(len(free), len(free) + len(known))}
    view = View(torch.arange(len(free)), strategy.needs, lambda *_: given, sets=sets)
    return strategy.select(view, n, rng(seed))


def halves(seed: int, n: int) -> Tensor:
    """A pool of which the second half is in the other cluster."""
    return torch.cat([cloud(seed, n, NEAR), cloud(seed + 1, n, FAR)])


@pytest.mark.parametrize("seed", range(3))
def test_asks_in_the_cluster_without_labels(seed: int) -> None:
    batch = choose(FAST, halves(seed, 40), cloud(9, 10, NEAR), 40, seed)
    assert set(batch.ids.tolist()) == set(range(40, 80))


def test_parts_ask_there_until_both_are_labelled_alike() -> None:
    """30 items in each of two places, 6 labelled in one: the other has as many after 5 picks, then both are asked."""
    pool = torch.tensor([0.0, 1.0]).repeat_interleave(30)[:, None]
    batch = choose(replace(FAST, sub_batches=9), pool, torch.zeros(6, 1), 9)
    far = (batch.ids >= 30).tolist()
    assert all(far[:4])
    assert 6 <= sum(far) <= 8
    assert all(choose(FAST, pool, torch.zeros(6, 1), 9).ids >= 30)


def test_more_parts_bring_labels_closer_to_the_pool() -> None:
    def apart(labels: Tensor, pool: Tensor) -> float:
        """The Kolmogorov–Smirnov distance of the first coordinates."""
        places = torch.cat([labels, pool])[:, 0].sort().values
        shares = [(rows[:, 0].sort().values[:, None] <= places).double().mean(0) for rows in (labels, pool)]
        return float((shares[0] - shares[1]).abs().max())

    totals = []
    for parts in (1, 8):
        total = 0.0
        for seed in range(3):
            pool, known = halves(seed, 30), cloud(9, 6, NEAR)
            batch = choose(replace(FAST, sub_batches=parts), pool, known, 16, seed)
            total += apart(torch.cat([known, pool[batch.ids]]), torch.cat([known, pool]))
        totals.append(total)
    assert totals[0] > totals[1]


def test_scores_the_whole_pool_though_it_trains_on_a_sample() -> None:
    """With two labels and a ratio of 1, two unlabelled rows train it: it still finds the thirty that are elsewhere."""
    seen = [choose(replace(FAST, ratio=1), halves(seed, 30), cloud(9, 2, NEAR), 20, seed).ids for seed in range(6)]
    assert max(int((ids >= 30).sum()) for ids in seen) == 20


def test_the_sample_grows_with_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    from askwell.strategies import discriminative as module

    def noted(net: Any, labelled: Tensor, unlabelled: Tensor, *others: Any, **settings: Any) -> None:
        sizes.append((len(labelled), len(unlabelled)))

    monkeypatch.setattr(module, "discriminate", noted)
    monkeypatch.setattr(module, "unlabelled_logits", lambda net, rows: rows[:, 0].clone())
    batch = choose(replace(FAST, sub_batches=3, ratio=4), torch.arange(40.0)[:, None], torch.zeros(2, 1), 7)
    assert sizes == [(2, 8), (5, 20), (7, 28)]
    assert batch.ids.tolist() == [39, 38, 37, 36, 35, 34, 33]
    assert batch.scores.tolist() == [39, 38, 37, 36, 35, 34, 33]
    sizes.clear()
    choose(replace(FAST, sub_batches=5, ratio=4), torch.arange(6.0)[:, None], torch.zeros(3, 1), 6)
    assert sizes == [(3, 6), (5, 4), (6, 3), (7, 2), (8, 1)]
    sizes.clear()
    choose(replace(FAST, sub_batches=None), torch.arange(60.0)[:, None], torch.zeros(3, 1), 45)
    assert len(sizes) == 20
    choose(replace(FAST, sub_batches=9), torch.arange(60.0)[:, None], torch.zeros(3, 1), 2)
    assert len(sizes) == 22


def test_far_logits_make_no_ties() -> None:
    batch = choose(
        replace(FAST, epochs=400), torch.cat([cloud(0, 30, NEAR), cloud(1, 30, 1000.0)]), cloud(9, 9, NEAR), 30
    )
    assert len(set(batch.scores.tolist())) == 30


def test_temperature_samples_by_the_logit() -> None:
    pool, known = halves(0, 40), cloud(9, 10, NEAR)
    best = choose(FAST, pool, known, 12).ids.tolist()
    assert choose(replace(FAST, temperature=1e-9), pool, known, 12).ids.tolist() == best
    hot = choose(replace(FAST, temperature=1e6), pool, known, 40).ids
    assert 8 <= int((hot >= 40).sum()) <= 32
    cool = choose(replace(FAST, temperature=0.01), pool, known, 40).ids
    assert int((cool >= 40).sum()) == 40


class Layered:
    """A network whose first hidden features are a picture, whose second and last ones are vectors."""

    form = Form("image", (1, 2, 2))

    def __init__(self, pictures: Tensor, plain: bool = True) -> None:
        self.pictures, self.plain = pictures, plain

    def items(self, ids: Tensor) -> Tensor:
        return self.pictures[ids]

    def embed(self, items: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        flat = items.flatten(1)
        return flat[:, 2:], (items, flat[:, :2]) if self.plain else (items,)


@pytest.mark.parametrize(
    ("layer", "plain", "columns"), [("first", True, [0, 1]), ("first", False, [2, 3]), ("inputs", True, [0, 1, 2, 3])]
)
def test_reads_the_layer_that_it_is_told(layer: Any, plain: bool, columns: list[int]) -> None:
    network = Layered(torch.randn(50, 1, 2, 2, generator=rng(0)), plain)
    view = View(torch.arange(40), (NETWORK,), lambda *_: {NETWORK: network}, sets={"labelled": torch.arange(40, 50)})
    free, known = replace(FAST, layer=layer)._vectors(view)
    assert torch.equal(free, network.pictures.flatten(1)[:40, columns])
    assert torch.equal(known, network.pictures.flatten(1)[40:, columns])


def test_one_part_on_the_same_layer_is_palmprint() -> None:
    system = palmprint().strategy
    pictures = torch.cat([halves(0, 20), cloud(9, 5, NEAR)]).repeat(1, 2)[:, :, None]
    vectors = pictures.flatten(1)[:, 2:]
    view = View(
        torch.arange(40), (NETWORK,), lambda *_: {NETWORK: Layered(pictures, plain=False)},
        sets={"labelled": torch.arange(40, 45)},
    )  # fmt: skip
    theirs = system.select(view, 6, rng(3)).ids.tolist()
    twin = Discriminative(sub_batches=1, depth=2, lr=1e-3, epochs=200)
    assert choose(twin, vectors[:40], vectors[40:], 6, 3).ids.tolist() == theirs


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"layer": "lst"}, UnknownName, "unknown layer 'lst': did you mean 'last'?"),
        ({"temperature": -1.0}, InputError, "temperature is -1.0: it must not be negative"),
        (
            {"ratio": 50},
            InputError,
            "ratio is 50: it must be from 1 to 49, beyond which taking all for unlabelled is right about 98 %",
        ),
        ({"sub_batches": 0}, InputError, "sub_batches is 0: it must be above 0"),
        ({"lr": 0.0}, InputError, "lr is 0.0: it must be above 0"),
    ],
)
def test_refuses(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as refusal:
        Discriminative(**wrong)
    assert str(refusal.value).startswith(message)


def test_needs_labels() -> None:
    with pytest.raises(ColdStart):
        choose(FAST, halves(0, 4), torch.empty(0, 2), 2)


def test_words_are_no_inputs(tmp_path: Any) -> None:
    texts = load([f"word{place % 7}" for place in range(40)], classes=["a", "b"])
    with pytest.raises(InputError, match="strategy 'discriminative' takes items of kind image or vector and these are"):
        Project.create(tmp_path / "p", texts, strategy=Discriminative("inputs"))
    Project.create(tmp_path / "q", texts, strategy=Discriminative("first")).close()


def test_defaults_are_those_of_the_card() -> None:
    assert Discriminative() == Discriminative(
        layer="last", sub_batches=None, temperature=0.0, ratio=10, width=None, depth=3, lr=1e-4, epochs=1000, batch=128
    )
    assert palmprint().strategy == Discriminative("first", sub_batches=1, depth=2, lr=1e-3, epochs=200)
    assert discriminative().batch // discriminative().strategy.sub_batches == 5
