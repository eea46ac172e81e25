"""Seeded pools on which public packages were run; their picks are recorded in the tests."""

from __future__ import annotations

import torch
from strategy_views import rng
from torch import Tensor


def draws(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def probs(seed: int, *shape: int) -> Tensor:
    return (2 * draws(seed, *shape)).softmax(-1)


def blobs(seed: int) -> Tensor:
    """Four groups of twelve, far apart: every run of k-means with four centres finds them."""
    return 20 * torch.eye(4, dtype=torch.float64).repeat_interleave(12, 0) + draws(seed, 48, 4)
