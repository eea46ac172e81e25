"""What the kernels allocate: never N × N, never N × (C·D), never more than their inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator
from torch.utils._python_dispatch import TorchDispatchMode

from askwell.functional.cluster import kmeans_plus_plus, typicality
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.gradient import Gradients, surprise
from askwell.functional.information import bald, vote_entropy
from askwell.functional.joint import batch_bald
from askwell.functional.pick import top
from askwell.functional.uncertainty import entropy, least_confidence, margin

N, C, D, K = 20_000, 10, 64, 20


class Largest(TorchDispatchMode):
    """Records the most numbers that any tensor made meanwhile holds; views of the inputs do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0
        self.inputs = {tensor.untyped_storage().data_ptr() for tensor in (P, Z, MC)}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # torch's signature
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage().data_ptr() not in self.inputs:
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // tensor.element_size())
        return out


def rng() -> Generator:
    return Generator().manual_seed(0)


P = torch.softmax(torch.randn(N, C, generator=rng()), 1)
Z = torch.randn(N, D, generator=rng())
MC = torch.softmax(torch.randn(2000, K, C, generator=rng()), 2)


def badge() -> object:
    return kmeans_plus_plus(Gradients(surprise(P), Z), 120, rng(), "max")


KERNELS: list[tuple[Callable[[], object], int]] = [
    (badge, N * D),
    (lambda: k_center(Points(Z), 60, torch.arange(N)), N * D),
    (lambda: typicality(Z[:2000], 20), 2000 * D),
    (lambda: batch_bald(MC, 4, rng(), samples=1000), 2000 * K * C),
]
SCORES: list[tuple[Callable[[], object], int]] = [
    (lambda: entropy(P), N),
    (lambda: margin(P), N),
    (lambda: least_confidence(P), N),
    (lambda: bald(MC), 2000),
    (lambda: vote_entropy(MC), 2000),
]


@pytest.mark.parametrize(("kernel", "inputs"), KERNELS)
def test_no_tensor_is_larger_than_the_inputs(kernel: Callable[[], object], inputs: int) -> None:
    with Largest() as largest:
        kernel()
    assert 0 < largest.numbers <= max(inputs, 1 << 17)


@pytest.mark.parametrize(("score", "rows"), SCORES)
def test_scores_allocate_one_tile_and_the_scores(score: Callable[[], object], rows: int) -> None:
    with Largest() as largest:
        score()
    assert 0 < largest.numbers <= max(rows, 1 << 17)


def test_a_memory_map_is_scored_as_an_array_is(tmp_path: Path) -> None:
    path = tmp_path / "p.npy"
    np.save(path, P.numpy())
    mapped = torch.from_numpy(np.load(path, mmap_mode="c"))
    for score in (entropy, margin, least_confidence):
        assert torch.equal(score(mapped), score(P))
        assert torch.equal(top(score(mapped), 100, rng()), top(score(P), 100, rng()))
