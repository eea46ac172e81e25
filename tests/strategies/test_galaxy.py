"""GALAXY: bisecting lines of items."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from cluster_pools import probs
from numpy.typing import NDArray
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import LABELS, PROBS
from askwell.functional.bisection import Line, line_order
from askwell.strategies import GALAXY

KNOWN = PROBS.at("labelled")
FIRST = torch.tensor([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])


def two(first: Tensor) -> Tensor:
    return torch.stack([first, 1 - first], 1)


def choose(p: Tensor, known: Tensor, labels: list[int], n: int, seed: int = 0) -> list[int]:
    tensors = {PROBS: p, KNOWN: known, LABELS: torch.tensor(labels)}
    return GALAXY().select(view_of(GALAXY(), tensors, torch.arange(len(p)), len(known)), n, rng(seed)).ids.tolist()


def test_picks_of_the_card() -> None:
    found = [choose(two(FIRST[1:9]), two(FIRST[[0, 9]]), [0, 1], 5, seed) for seed in range(40)]
    assert {tuple(1 + row for row in rows[:4]) for rows in found} == {(4, 6, 5, 7)}
    assert {1 + rows[4] for rows in found} == {3, 8}


def test_equal_steps_go_to_the_lowest_key() -> None:
    line = Line(np.arange(10), np.array([0, 4, 5, 6, 7, 9]), np.array([True, True, True, False, False, False]))
    assert line.beside(np.arange(10.0)) == 3
    assert line.beside(-np.arange(10.0)) == 8


def test_of_equally_short_runs_the_first_is_halved() -> None:
    assert Line(np.arange(9), np.array([0, 4, 8]), np.array([True, False, True])).middle() == 2


def test_orders_of_the_card() -> None:
    p = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.45, 0.35, 0.2], [0.1, 0.1, 0.8]])
    orders = [line_order(p, c, torch.arange(4)).tolist() for c in range(3)]
    assert orders == [[0, 2, 1, 3], [1, 2, 0, 3], [3, 1, 2, 0]]


ORDERS = [
    [[1, 4, 8, 5, 2, 9, 6, 3, 10, 7, 0, 11], [0, 7, 10, 6, 5, 2, 9, 8, 3, 4, 11, 1],
     [11, 3, 9, 7, 10, 6, 2, 8, 5, 0, 4, 1]],
    [[5, 0, 1, 8, 2, 11, 3, 7, 10, 4, 9, 6], [6, 9, 7, 10, 2, 8, 1, 5, 4, 0, 3, 11],
     [11, 4, 3, 1, 8, 10, 0, 5, 9, 7, 2, 6]],
]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
def test_orders_agree_with_the_repository(seed: int) -> None:
    """`create_linear_graphs` of jifanz/GALAXY at 3323af8, from its end: 200 of 200 pools."""
    p = probs(seed, 12, 3)
    assert [line_order(p, c, torch.arange(12)).tolist() for c in range(3)] == ORDERS[seed]


def test_equal_items_stand_by_their_keys() -> None:
    p = torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.2, 0.8]])
    assert line_order(p, 0, torch.tensor([0.9, 0.5, 0.1])).tolist() == [1, 2, 0]


def plain(order: NDArray[np.int64], known: dict[int, bool]) -> tuple[list[int], list[int]]:
    """The middles of the shortest runs between differing labels, and what is nearest to a cut, by walking the line."""
    places = [place for place, row in enumerate(order) if row in known]
    pairs = [(a, b) for a, b in pairwise(places) if known[order[a]] != known[order[b]]]
    runs = [(b - a, order[(a + b) // 2]) for a, b in pairs if b - a > 1]
    cuts = [a for a, b in pairs if b - a == 1]
    steps = {
        row: min((max(a - at, at - a - 1) for a in cuts), default=0) for at, row in enumerate(order) if row not in known
    }
    nearest = [row for row, count in steps.items() if count == min(steps.values())] if cuts else []
    return [row for length, row in runs if length == min(length for length, _ in runs)], nearest


@pytest.mark.parametrize("seed", range(30))
def test_a_line_is_walked_as_it_is_defined(seed: int) -> None:
    generator = np.random.default_rng(seed)
    order, truth = generator.permutation(40), generator.random(40) < 0.5
    start = generator.choice(40, 3, replace=False)
    line, known = Line(order, start, truth[start]), {int(row): bool(truth[row]) for row in start}
    for _ in range(30):
        middles, nearest = plain(order, known)
        found = line.middle()
        assert found == (middles[0] if middles else None)
        if found is None:
            found = line.beside(generator.random(40))
            assert found in nearest if nearest else found is None
        row = found if found is not None else next(int(row) for row in order if int(row) not in known)
        line.label(row, bool(truth[row]))
        known[row] = bool(truth[row])


def test_a_pick_counts_as_its_predicted_class() -> None:
    """The first pick is predicted class 0, so the next lies between it and the label of class 1."""
    first = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.55])
    assert choose(two(first), two(torch.tensor([0.95, 0.01])), [0, 1], 3) == [2, 3, 4]


def test_each_class_has_a_line_and_any_is_drawn() -> None:
    p = torch.eye(3).repeat_interleave(5, 0) * 0.6 + torch.rand(15, 3, generator=rng()) * 0.2
    p /= p.sum(1, keepdim=True)
    known = torch.tensor([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]])
    wanted = set()
    both = torch.cat([p, known])
    for c in range(3):
        line = Line(line_order(both, c, torch.arange(18)).numpy(), np.array([15, 16, 17]), np.arange(3) == c)
        wanted.add(line.middle())
    assert {choose(p, known, [0, 1, 2], 1, seed)[0] for seed in range(60)} == wanted


def test_with_labels_of_one_class_any_is_asked() -> None:
    found = {choose(probs(0, 6, 2), probs(1, 2, 2), [0, 0], 1, seed)[0] for seed in range(80)}
    assert found == set(range(6))


def test_all_are_asked_once() -> None:
    chosen = choose(probs(0, 30, 4), probs(1, 5, 4), [0, 1, 2, 3, 0], 30)
    assert sorted(chosen) == list(range(30))


@pytest.mark.parametrize(("seed", "theirs"), [(0, {1}), (1, {22, 23}), (2, {7, 15}), (4, {10, 23}), (5, {18})])
def test_galaxy_agrees_with_its_repository(seed: int, theirs: set[int]) -> None:
    """`Graph.shortest_shortest_path` of jifanz/GALAXY at 3323af8: the middles of its path.

    On 200 of 200 pools every one of 1042 bisections was of a run as short as the one that it finds, 822 of them to the
    same row; the others are of one of several shortest runs, or of runs of an even number of items, of whose two
    middles it takes the one nearer to the other label. Its orders along the lines of all classes are the same on 200 of
    200 pools.
    """
    first = torch.rand(30, generator=rng(seed), dtype=torch.float64)
    assert choose(two(first[:26]), two(first[26:]), [0, 1, 0, 1], 1)[0] in theirs
