"""Logistic regression that is refitted with one more label, for many items and labels at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from askwell.errors import BadShape, InputError

__all__ = ["Logistic"]

STEPS = 500
"""Of the fit that all refits start from, at most."""
LEVEL = 1e-9
"""Where no number of a gradient is larger, there is nothing left to do."""


class Logistic:
    """Multinomial logistic regression: weights (C, D + 1) that minimise Σ cross-entropy + l2/2 · ‖W‖², biases free.

    z       (M, D) embeddings of labelled items, M >= 1; computed in float64
    labels  (M,) int64 class indices below `classes`
    l2      above 0

    Steps of bound optimisation with Nesterov's momentum, restarted where it leads uphill: the Hessian is at most
    ½ I ⊗ ZᵀZ + l2, which is inverted once, so that no matrix is larger than D × D and no step has to be tuned.
    O(D³ + steps·M·D·C).

    Böhning 1992, doi:10.1007/BF00048682; O'Donoghue and Candès 2015, arXiv 1204.3982.

    >>> model = Logistic(torch.tensor([[-1.], [1.]]), torch.tensor([0, 1]), classes=2, l2=1.0)
    >>> model.probs(torch.tensor([[-1.], [0.], [1.]]))[:, 1]
    tensor([0.2606, 0.5000, 0.7394], dtype=torch.float64)
    """

    def __init__(self, z: Tensor, labels: Tensor, classes: int, l2: float) -> None:
        if z.ndim != 2 or not len(z) or labels.shape != (len(z),):
            got = (tuple(z.shape), tuple(labels.shape))
            raise BadShape(f"expected z (M, D) and labels (M,) with M above 0, got {got[0]} and {got[1]}", got=got)
        if not l2 > 0:
            raise InputError(f"l2 is {l2}: it must be above 0", got=l2)
        self.z, self.classes = _with_one(z), classes
        self.targets = one_hot(labels, classes).double()
        self.penalty = torch.full_like(self.z[0], l2).index_fill(0, torch.tensor(z.shape[1], device=z.device), 0)
        self.inverse = torch.linalg.inv(self.z.t() @ self.z / 2 + self.penalty.diag())
        start = self.z.new_zeros(1, classes, self.z.shape[1])
        self.weights = _descend(start, self._slope, lambda slope: slope @ self.inverse, STEPS)[0]

    def probs(self, z: Tensor) -> Tensor:
        """(n, C) class probabilities of embeddings (n, D), float64."""
        p: Tensor = (_with_one(z) @ self.weights.t()).softmax(1)
        return p

    def refits(self, z: Tensor, labels: Tensor, steps: int) -> Tensor:
        """(n, C, D + 1) weights after `steps` steps from the fit, each with one of the items (n, D) and its label (n,).

        O(n·steps·M·D·C), memory O(n·C·(D + M)): meant for a tile of items.
        """
        x, y = _with_one(z), one_hot(labels, self.classes).double()
        across = x @ self.inverse
        bound = 2 + (across * x).sum(1)

        def slope(weights: Tensor) -> Tensor:
            apart = torch.einsum("ncd,nd->nc", weights, x).softmax(1) - y
            return self._slope(weights) + apart[:, :, None] * x[:, None]

        def solved(slope: Tensor) -> Tensor:
            step = slope @ self.inverse
            along = torch.einsum("ncd,nd->nc", step, x) / bound[:, None]
            solution: Tensor = step - along[:, :, None] * across[:, None]
            return solution

        return _descend(self.weights.expand(len(z), -1, -1), slope, solved, steps)

    @staticmethod
    def futures(weights: Tensor, z: Tensor) -> Tensor:
        """(n, U, C) class probabilities of embeddings (U, D) by each of n refits."""
        p: Tensor = (_with_one(z) @ weights.transpose(1, 2)).softmax(2)
        return p

    def _slope(self, weights: Tensor) -> Tensor:
        """(n, C, D + 1) gradient of the objective over the labelled items at weights of that shape."""
        apart = (self.z @ weights.transpose(1, 2)).softmax(2) - self.targets
        slope: Tensor = apart.transpose(1, 2) @ self.z + self.penalty * weights
        return slope


def _with_one(z: Tensor) -> Tensor:
    return pad(z.double(), (0, 1), value=1.0)


def _descend(
    weights: Tensor, slope: Callable[[Tensor], Tensor], solved: Callable[[Tensor], Tensor], steps: int
) -> Tensor:
    """Weights (n, C, W) after some steps of n problems side by side."""
    ahead, pace = weights, weights.new_ones(len(weights))
    for _ in range(steps):
        down = slope(ahead)
        if float(down.abs().amax()) <= LEVEL:
            break
        new = ahead - solved(down)
        uphill = (down * (new - weights)).sum((1, 2)) > 0
        faster = (1 + (1 + 4 * pace.square()).sqrt()) / 2
        momentum = ((pace - 1) / faster).masked_fill(uphill, 0)
        ahead, weights = new + momentum[:, None, None] * (new - weights), new
        pace = faster.masked_fill(uphill, 1)
    return weights
