"""The reservoir: a uniform sample that only forgets."""

from __future__ import annotations

import torch
from scipy.stats import chisquare

from askwell.functional.reservoir import reservoir


def held(ids, size, seed=0):
    return set(ids[reservoir(ids, size, torch.Generator().manual_seed(seed))].tolist())


def test_nothing_and_everything():
    ids = torch.tensor([4, 9, 2])
    assert reservoir(ids[:0], 3, torch.Generator()).tolist() == []
    assert reservoir(ids, 3, torch.Generator()).tolist() == reservoir(ids, 8, torch.Generator()).tolist() == [0, 1, 2]
    assert reservoir(ids, 0, torch.Generator()).tolist() == []


def test_an_item_that_has_left_never_comes_back():
    ids, gone = torch.randperm(200, generator=torch.Generator().manual_seed(1)), set()
    for n in range(1, 201):
        now = held(ids[:n], 20)
        assert len(now) == min(n, 20)
        assert not now & gone
        gone = set(ids[:n].tolist()) - now


def test_it_does_not_depend_on_the_order():
    ids = torch.arange(50)
    assert held(ids.flip(0), 10) == held(ids, 10)


def test_every_item_is_held_alike():
    counts = torch.zeros(30)
    for seed in range(3000):
        counts[list(held(torch.arange(30), 6, seed))] += 1
    assert chisquare(counts.numpy()).pvalue > 1e-3
