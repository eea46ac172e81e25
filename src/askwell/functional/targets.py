"""What the label of an item would tell about the predictions for other items, the targets.

All take the draws of N candidates (N, K, C) and of T targets (T, K, C); draw k is the same function for both. With y
the label of a candidate and y' that of a target, p(y, y') is the mean over k of P_k(y) P'_k(y'): a matrix product per
tile, never N × T × C × C at once. Half precision is computed in float32, sums over targets in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor

from askwell.errors import BadShape
from askwell.functional.tiles import rowwise, tiles, wide
from askwell.functional.uncertainty import plogp

__all__ = ["Rule", "core_mse", "epig", "prediction_changes"]

Rule = Literal["log", "mse"]


def epig(mc: Tensor, targets: Tensor) -> Tensor:
    """Expected predictive information gain (N,) in nats: what the label tells about a target's, mean over targets.

    From 0 to the item's `bald`. It is also the expected change of the targets' predictions by the logarithmic score,
    CoreLog: mean over targets of Σ_y p(y) KL(p(y' | y) ‖ p(y')). O(N·T·K·C²).

    Bickford Smith et al. 2023, arXiv 2304.08151; Tan, Du and Buntine 2021, arXiv 2110.14171.

    >>> mc = torch.tensor([[[.9, .1], [.1, .9]]])
    >>> epig(mc, torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]], [[.8, .2], [.2, .8]]]))
    tensor([0.1139])
    """
    _check(mc, targets)
    total = torch.zeros(len(mc), dtype=torch.float64, device=mc.device)
    for rows, _, joint in _joints(mc, targets):
        total[rows] += plogp(joint).flatten(1).sum(1)
    alone = _certainty(mc).double() + _certainty(targets).double().mean()
    return total.div_(len(targets)).sub_(alone).clamp_(min=0).to(mc.dtype)


def core_mse(mc: Tensor, targets: Tensor) -> Tensor:
    """Expected change (N,) of the targets' predictions by the quadratic score, mean over targets; from 0 to 2.

    Σ_y p(y) ‖p(y' | y) − p(y')‖² = Σ_y Σ_y' Cov_k(P(y), P'(y'))² / p(y), in which the targets appear only by the inner
    products (K, K) of their draws about the mean: O((N + T)·K²·C).

    Tan, Du and Buntine 2021, arXiv 2110.14171.

    >>> mc = torch.tensor([[[.9, .1], [.1, .9]]])
    >>> core_mse(mc, torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]], [[.8, .2], [.2, .8]]]))
    tensor([0.1067])
    """
    _check(mc, targets)
    spread = _centred(targets).transpose(0, 1).flatten(1)
    inner = spread @ spread.t() / (len(targets) * mc.shape[1] ** 2)

    def kernel(tile: Tensor) -> Tensor:
        apart = _centred(tile).transpose(1, 2)
        return (apart @ inner).mul_(apart).sum(2).div_(_likely(tile)).sum(1).clamp_(min=0)

    return rowwise(mc, kernel, "(N, K, C)")


def prediction_changes(mc: Tensor, targets: Tensor, rule: Rule) -> Tensor:
    """Expected change of each target's prediction by each candidate's label, (N, T) in float32 or float64.

    rule  "log": what `epig` averages over the targets; "mse": what `core_mse` averages

    O(N·T·K·C²) time, memory O(N·T).

    >>> mc = torch.tensor([[[.9, .1], [.1, .9]]])
    >>> targets = torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]], [[.8, .2], [.2, .8]]])
    >>> prediction_changes(mc, targets, "log"), prediction_changes(mc, targets, "mse")
    (tensor([[0.2218, 0.0000, 0.1201]]), tensor([[0.2048, 0.0000, 0.1152]]))
    """
    _check(mc, targets)
    out = torch.empty(len(mc), len(targets), dtype=wide(mc[:0]).dtype, device=mc.device)
    if rule == "mse":
        for rows, columns, joint in _joints(mc, targets, _centred):
            out[rows, columns] = joint.square_().sum(3).div_(_likely(wide(mc[rows]))[:, :, None]).sum(1)
        return out
    own, theirs = _certainty(mc), _certainty(targets)
    for rows, columns, joint in _joints(mc, targets):
        out[rows, columns] = plogp(joint).sum((1, 3)) - own[rows, None] - theirs[columns]
    return out.clamp_(min=0)


def _check(mc: Tensor, targets: Tensor) -> None:
    floating = mc.is_floating_point() and targets.is_floating_point()
    if not (mc.ndim == targets.ndim == 3 and mc.shape[1:] == targets.shape[1:] and len(targets) and floating):
        got = (tuple(mc.shape), tuple(targets.shape))
        raise BadShape(f"expected draws (N, K, C) and (T, K, C) with T >= 1, got {got[0]} and {got[1]}", got=got)


def _joints(
    mc: Tensor, targets: Tensor, of: Callable[[Tensor], Tensor] = wide
) -> Iterator[tuple[slice, slice, Tensor]]:
    """(rows, columns, joint (n, C, t, C)): the mean over draws of products of `of` the draws, tile by tile."""
    draws, classes = mc.shape[1:]
    for columns in tiles(len(targets), classes * max(classes, draws), mc.device):
        there = of(targets[columns]).transpose(0, 1).flatten(1) / draws
        for rows in tiles(len(mc), classes * max(there.shape[1], draws), mc.device):
            here = of(mc[rows]).transpose(1, 2)
            yield rows, columns, (here @ there).view(len(here), classes, -1, classes)


def _certainty(mc: Tensor) -> Tensor:
    """Σ p log p of the mean of the draws, (n,) in float32 or float64."""
    out = torch.empty(len(mc), dtype=wide(mc[:0]).dtype, device=mc.device)
    for where in tiles(len(mc), mc[0].numel() if len(mc) else 1, mc.device):
        out[where] = plogp(wide(mc[where]).mean(1)).sum(1)
    return out


def _centred(mc: Tensor) -> Tensor:
    draws = wide(mc)
    return draws - draws.mean(1, keepdim=True)


def _likely(mc: Tensor) -> Tensor:
    """Mean of the draws (n, C), kept off zero: what is divided by it is zero there."""
    return mc.mean(1).clamp_(min=torch.finfo(mc.dtype).tiny)
