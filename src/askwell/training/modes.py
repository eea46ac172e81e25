"""Evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["evaluating", "pieces"]


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Inside, the modules are in eval mode and no gradients are kept; every layer's own mode comes back afterwards.

    >>> net = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2).eval())
    >>> with evaluating(net):
    ...     [layer.training for layer in net]
    [False, False]
    >>> [layer.training for layer in net]
    [True, False]
    """
    layers = [layer for module in modules for layer in module.modules()]
    before = [layer.training for layer in layers]
    for module in modules:
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer, training in zip(layers, before, strict=True):
            layer.training = training


def pieces(n: int, size: int) -> Iterator[slice]:
    """Slices of `size` over n rows; never a piece of one row, whose bits would differ, unless n is 1.

    >>> [piece.stop for piece in pieces(9, 4)]
    [4, 9]
    """
    start = 0
    while start < n:
        stop = start + size if n - start - size > 1 else n
        yield slice(start, stop)
        start = stop
