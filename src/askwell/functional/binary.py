"""How unsure labels are that are each there or not: scores of probabilities that need not sum to one.

Half precision is computed in float32; all are finite on 0 and 1. Memory for one tile; a memory map streams. In nats.
"""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from askwell.errors import UnknownName
from askwell.functional.tiles import rowwise
from askwell.functional.uncertainty import plogp

__all__ = ["Reduce", "binary_bald", "binary_entropy"]

Reduce = Literal["mean", "max"]


def binary_entropy(p: Tensor, reduce: Reduce = "mean") -> Tensor:
    """−p log p − (1 − p) log(1 − p) of each label, their mean or their maximum: 0 when all is sure, at most log 2.

    p (N, C) in [0, 1]; returns (N,). O(N·C).

    >>> import torch
    >>> p = torch.tensor([[.5, 1.], [.2, .8]])
    >>> binary_entropy(p), binary_entropy(p, "max")
    (tensor([0.3466, 0.5004]), tensor([0.6931, 0.5004]))
    """
    if reduce not in get_args(Reduce):
        raise UnknownName("way to reduce", reduce, get_args(Reduce))
    if reduce == "max":
        return rowwise(p, lambda tile: _entropies(tile).amax(1), "(N, C)")
    return rowwise(p, lambda tile: _entropies(tile).mean(1), "(N, C)")


def binary_bald(mc: Tensor) -> Tensor:
    """H(mean) − mean H of each label, averaged over the labels: what the labels tell of the parameters, each by itself.

    mc (N, K, C) of K draws; returns (N,), 0 to log 2. Compare at equal K only, as for `information.bald`. O(N·K·C).

    >>> import torch
    >>> binary_bald(torch.tensor([[[.9, .5], [.1, .5]]]))
    tensor([0.1840])
    """
    return rowwise(mc, _information, "(N, K, C)")


def _information(tile: Tensor) -> Tensor:
    return (_entropies(tile.mean(1)) - _entropies(tile).mean(1)).clamp_(min=0).mean(1)


def _entropies(p: Tensor) -> Tensor:
    return plogp(p).add_(plogp(1 - p)).neg_().clamp_(min=0)
