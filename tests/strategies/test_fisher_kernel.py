"""Fisher kernel: descriptors, their similarity, and what is asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from cluster_pools import draws
from strategy_views import rng
from torch import Tensor
from torch.nn.functional import cross_entropy

from askwell.core.needs import HEAD, LABELS, NETWORK
from askwell.core.seeds import Seeds
from askwell.core.view import View
from askwell.errors import BadShape, InputError, UnknownName, UnmetNeeds
from askwell.functional.cover import k_center
from askwell.functional.fisher_kernel import (
    Alike,
    Matches,
    interleaved,
    likeness,
    matches,
    most_alike,
    pooled,
    standardised,
)
from askwell.functional.uncertainty import entropy
from askwell.learners import Net
from askwell.models import MLP, SmallCNN, TextCNN
from askwell.schemes import Supervised
from askwell.strategies import FisherKernel
from askwell.testing.scenes import Scenes
from askwell.testing.toys import toy

EDGES = (0, 10, 30, 80)
"""Of the blocks of a LeNet's features: two layers of maps and one of numbers."""


def test_numbers_of_the_card() -> None:
    rows = standardised(torch.tensor([[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 9.0]]).double())
    assert float(rows[0] @ rows[1]) == pytest.approx(2.983130, abs=1e-6)
    assert float(rows[0] @ rows[1]) == pytest.approx(3 * float(torch.corrcoef(rows)[0, 1]), abs=1e-8)


def test_blocks_are_blind_to_scale_and_shift() -> None:
    rows = draws(0, 5, 9)
    torch.testing.assert_close(standardised(3.5 * rows - 2), standardised(rows))
    assert standardised(torch.full((2, 4), 3.0)).tolist() == [[0.0] * 4] * 2
    assert standardised(torch.tensor([[3.0], [4.0]])).tolist() == [[0.0], [0.0]]


def test_maps_are_averaged_over_their_places() -> None:
    maps = draws(1, 3, 4, 5, 6)
    torch.testing.assert_close(pooled(maps), maps.mean((2, 3)))
    torch.testing.assert_close(pooled(draws(2, 3, 7, 4)), draws(2, 3, 7, 4).mean(1))
    assert pooled(maps[..., 0, 0]) is not None
    torch.testing.assert_close(pooled(maps[..., 0, 0]), maps[..., 0, 0])


@pytest.mark.parametrize("tile", [7, 1 << 17])
def test_matches_in_tiles_are_matches(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.functional.tiles.CPU_ELEMENTS", tile)
    monkeypatch.setattr("askwell.functional.fisher_kernel.TARGETS", 3)
    rows, targets = draws(0, 50, 6), draws(1, 8, 6)
    found, whole = matches(rows, targets, 5), (rows @ targets.t()).topk(5, dim=0)
    assert found.rows.tolist() == whole.indices.tolist()
    torch.testing.assert_close(found.values, whole.values)
    torch.testing.assert_close(likeness(rows, targets), (rows @ targets.t()).amax(1))
    assert most_alike(rows, targets).tolist() == (rows @ targets.t()).argmax(1).tolist()
    assert len(matches(rows[:3], targets, 5).rows) == 3


def test_ranks_interleave() -> None:
    """Three targets, four picks: the best of each, the most alike ahead, then the best second."""
    found = Matches(torch.tensor([[0, 1, 2], [3, 4, 5]]), torch.tensor([[0.5, 0.9, 0.7], [0.4, 0.1, 0.6]]))
    rows, values = interleaved(found, 4)
    assert rows.tolist() == [1, 2, 0, 5]
    assert values.tolist() == pytest.approx([0.9, 0.7, 0.5, 0.6])


def test_a_row_counts_once() -> None:
    found = Matches(torch.tensor([[0, 0, 2], [2, 4, 0]]), torch.tensor([[0.5, 0.9, 0.7], [0.4, 0.1, 0.6]]))
    rows, values = interleaved(found, 9)
    assert rows.tolist() == [0, 2, 4]
    assert values.tolist() == pytest.approx([0.9, 0.7, 0.1])


def descriptors(rows: Tensor) -> tuple[Tensor, list[int]]:
    """Features and gradients (n, 80, 2) in standardised blocks, and their widths."""
    blocks = [standardised(rows[:, a:b, kind]) for kind in (0, 1) for a, b in pairwise(EDGES)]
    return torch.cat(blocks, 1), [block.shape[1] for block in blocks]


def pool(seed: int, targets: int) -> tuple[Tensor, Tensor]:
    generator = rng(seed)
    return torch.randn(60, 80, 2, generator=generator), torch.randn(targets, 80, 2, generator=generator)


@pytest.mark.parametrize(
    ("seed", "values", "picks"),
    [
        (0, [26.262882, 27.351887, 22.421896], [4, 49, 3, 54, 43, 27, 31, 22, 9, 59, 57, 37]),
        (1, [33.844032, 26.728756, 21.814027], [55, 29, 50, 18, 0, 35, 36, 2, 58, 4, 22, 15]),
    ],
)
def test_agrees_with_the_authors(seed: int, values: list[float], picks: list[int]) -> None:
    """gudovskiy/al-fk-self-supervision @ 03a776c, mnist/main_descr.py run as it is: the values of its best matches.

    All similarities and the whole ranking in 200 of 200 pools of 60 candidates and 8 targets, and the picks in all 69
    pools whose first 12 matches are distinct. Where a match comes twice it takes one place too far from the list, and
    drops what it skipped: in these two pools it asks for 57 and 15 no more and for 8 and 7 instead.
    """
    rows, targets = (descriptors(part)[0] for part in pool(seed, 8))
    found = matches(rows, targets, 32)
    assert found.values[0, :3].tolist() == pytest.approx(values, abs=1e-4)
    assert interleaved(found, 12)[0].tolist() == picks


@pytest.mark.parametrize(
    ("seed", "theirs"), [(0, [0, 21, 10, 23, 9, 11, 1, 13, 29, 7]), (1, [0, 29, 8, 1, 20, 13, 2, 25, 10, 12])]
)
def test_targets_far_apart_agree_with_the_authors(seed: int, theirs: list[int]) -> None:
    """The same, k-center over 30 targets from row 0: the same ten in 200 of 200 pools."""
    rows, widths = descriptors(pool(seed, 30)[1])
    assert k_center(Alike(rows, widths), 10, torch.arange(30)).rows.tolist() == theirs


def test_likeness_is_never_above_that_of_an_item_to_itself() -> None:
    rows, widths = descriptors(pool(3, 8)[0])
    alike = Alike(rows, widths)
    squared = alike.squared(alike)
    assert float(squared.min()) >= 0
    assert squared.diagonal().tolist() == pytest.approx([0.0] * 60, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "model"),
    [("vector", MLP(width=8, depth=2)), ("image", SmallCNN(channels=2, width=8)), ("tokens", TextCNN(8, 4))],
)
def test_of_a_network_it_is_the_definition(kind: str, model: MLP | SmallCNN | TextCNN) -> None:
    """Features and gradients of every layer of a trained network, by hand, and the candidates most like its errors."""
    problem = toy(kind)
    learner = Net(model).build(problem.pool.form, problem.task, Supervised(steps=2, batch=18, lr=1e-3))
    learner.fit(problem.pool, problem.job(), Seeds(1))
    strategy, labels = FisherKernel(), problem.targets(problem.validation)
    sets = {"validation": problem.validation, "labelled": problem.labelled}

    def fetch(needs, given):
        called = [need for need in needs if need.kind == "call"]
        found = learner.compute(problem.pool, called, given, Seeds(2))
        return {need: labels if need == LABELS.at("validation") else found[need] for need in needs}

    batch = strategy.select(View(problem.unlabelled, strategy.needs, fetch, sets=sets), 20, rng())
    net = learner.fitted.modules.net.eval()
    checked = net(problem.pool.rows[problem.validation]).argmax(1)
    wrong = problem.validation[checked != labels]
    assert len(wrong)
    candidates = by_hand(net, problem.pool.rows[problem.unlabelled])
    targets = by_hand(net, problem.pool.rows[wrong], problem.targets(wrong))
    rows, values = interleaved(matches(candidates, targets, 32), 20)
    assert batch.ids.tolist() == problem.unlabelled[rows].tolist()
    torch.testing.assert_close(batch.scores, values, atol=1e-3, rtol=1e-3)


def by_hand(net: torch.nn.Module, items: Tensor, labels: Tensor | None = None) -> Tensor:
    """(n, 2·S) one item and one layer at a time."""
    found = []
    for row, item in enumerate(items):
        z, taps = net.embed(item[None])
        logits = net.head(z)
        label = logits.argmax(1) if labels is None else labels[row : row + 1]
        slopes = torch.autograd.grad(cross_entropy(logits, label), taps)
        blocks = [standardised(pooled(layer.detach())) for layer in (*taps, *slopes)]
        found.append(torch.cat(blocks, 1))
    return torch.cat(found)


def view_of(strategy: FisherKernel, labels: Tensor | None = None) -> View:
    scene = Scenes()("plain")
    return scene.view(
        strategy.needs,
        edit=lambda need, value: labels if need == LABELS.at("validation") and labels is not None else value,
    )


def predicted(view: View) -> Tensor:
    network, head = view[NETWORK], view[HEAD]
    return head(network.embed(network.items(view.ids_of("validation")))[0]).argmax(1)


def test_where_nothing_is_wrong_entropy_decides() -> None:
    strategy = FisherKernel()
    view = view_of(strategy, predicted(view_of(strategy)))
    network, head = view[NETWORK], view[HEAD]
    doubt = entropy(head(network.embed(network.items(view.ids))[0]).softmax(1))
    batch = strategy.select(view, 4, rng())
    assert batch.ids.tolist() == doubt.argsort(descending=True)[:4].tolist()
    torch.testing.assert_close(batch.scores, doubt.sort(descending=True).values[:4])


def test_only_wrong_items_are_targets() -> None:
    """One wrong item: its matches in order; a right label for it, and others are targets instead."""
    strategy = FisherKernel()
    right = predicted(view_of(strategy))
    one_wrong = right.clone()
    one_wrong[2] = (right[2] + 1) % 4
    scores = strategy.select(view_of(strategy, one_wrong), 26, rng()).scores
    assert scores is not None
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)


def test_a_short_list_is_filled_with_what_is_most_alike() -> None:
    """One match for each of the targets, then all others by their likeness to any target."""
    view = view_of(FisherKernel())
    wrong = int((predicted(view) != view[LABELS.at("validation")]).sum())
    few, many = FisherKernel(matches=1), FisherKernel()
    short = few.select(view_of(few), 26, rng())
    whole = many.select(view_of(many), 26, rng())
    assert short.scores is not None
    assert whole.scores is not None
    first = len(set(short.ids[:wrong].tolist()))
    assert short.ids[:first].tolist() == whole.ids[:first].tolist()
    assert short.scores[wrong:].tolist() == sorted(short.scores[wrong:].tolist(), reverse=True)


@pytest.mark.parametrize("pseudo", ["features", "both"])
def test_borrowed_labels_are_those_of_the_item_most_alike(pseudo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradients of candidates are taken for the true label of the validation item that they resemble most."""
    from askwell.strategies import fisher_kernel as module

    given: list[Tensor | None] = []
    described = module._Layers.described

    def noted(self, ids, labels=None):
        given.append(labels)
        return described(self, ids, labels)

    strategy = FisherKernel(pseudo)  # type: ignore[arg-type]  # one of the two
    view = view_of(strategy)
    network = module._Layers(view[NETWORK], view[HEAD])
    order = torch.rand(26, generator=rng(), dtype=torch.float64).argsort()
    own, known = network.described(view.ids[order]), network.described(view.ids_of("validation"))
    pair = (own.features, known.features) if pseudo == "features" else (own.both, known.both)
    wanted = view[LABELS.at("validation")][(pair[0] @ pair[1].t()).argmax(1)]
    monkeypatch.setattr(module._Layers, "described", noted)
    strategy.select(view, 4, rng())
    assert any(labels is not None and labels.tolist() == wanted.tolist() for labels in given)


def test_refuses() -> None:
    with pytest.raises(UnknownName, match=r"^unknown pseudo-label 'feature': did you mean 'features'\? Known: both, "):
        FisherKernel("feature")  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(InputError, match=r"^matches of 'fisher_kernel' are 0: at least 1 is needed$"):
        FisherKernel(matches=0)
    strategy = FisherKernel()
    with pytest.raises(UnmetNeeds, match=r"^strategy 'fisher_kernel' needs labelled validation items and there are no"):
        strategy.select(view_of(strategy, torch.empty(0, dtype=torch.int64)), 2, rng())
    with pytest.raises(UnmetNeeds, match=r"^strategy 'fisher_kernel' needs exactly one class per item$"):
        strategy.select(view_of(strategy, torch.eye(4)), 2, rng())
    with pytest.raises(
        BadShape, match=r"^expected descriptors \(N, S\) and targets \(T, S\), got \(4, 3\) and \(2, 2\)"
    ):
        matches(torch.ones(4, 3), torch.ones(2, 2), 1)
