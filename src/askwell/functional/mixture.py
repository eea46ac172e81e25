"""Clusters as a mixture of equally wide Gaussians, and a classifier that lives on their centres."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from askwell.functional.distance import Points
from askwell.functional.tiles import tiles

__all__ = ["Mixture", "centre_classifier", "nearest_centre"]

STEPS = 200
NARROWEST = 1e-7


class Mixture(NamedTuple):
    """Σ_k P(k)·N(z; c_k, σ²I): centres (k, D), shares P(k) (k,) that sum to one, and the variance σ² above 0.

    Nguyen and Smeulders 2004, "Active learning using pre-clustering", doi:10.1145/1015330.1015349.
    """

    centres: Tensor
    shares: Tensor
    variance: float

    @classmethod
    def of(cls, rows: Tensor, centres: Tensor) -> tuple[Self, Tensor]:
        """The mixture that rows (N, D) make about centres, and the nearest centre of each row, (N,) int64. O(N·k·D).

        P(k) is the share of the rows, σ² the mean squared distance to the own centre, over D; where all rows lie on
        centres, 1e-7 of the mean square.

        >>> mixture, cluster = Mixture.of(torch.tensor([[-2.], [0.], [1.5]]), torch.tensor([[-1.], [1.]]))
        >>> mixture.shares, mixture.variance, cluster
        (tensor([0.6667, 0.3333], dtype=torch.float64), 0.75, tensor([0, 0, 1]))
        """
        cluster, squared = nearest_centre(rows, centres)
        narrowest = NARROWEST * float(rows.double().square().mean()) + torch.finfo(torch.float32).tiny
        variance = max(float(squared.double().mean()) / rows.shape[1], narrowest)
        return cls(centres, cluster.bincount(minlength=len(centres)).double() / len(rows), variance), cluster

    def log_joint(self, rows: Tensor) -> Tensor:
        """log P(k)·N(z; c_k, σ²I), (n, k) float64: its softmax is P(k | z), its logsumexp the density. O(n·k·D).

        >>> half = Mixture(torch.tensor([[-1.], [1.]]), torch.tensor([.5, .5]), .5)
        >>> half.log_joint(torch.tensor([[0.], [1.]])).logsumexp(1).exp()
        tensor([0.2076, 0.2873], dtype=torch.float64)
        """
        squared = torch.cdist(rows.double(), self.centres.double()).square_()
        scale = rows.shape[1] / 2 * math.log(2 * math.pi * self.variance)
        return self.shares.double().log() - squared / (2 * self.variance) - scale


def nearest_centre(rows: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest of the centres (k, D) for each row, (N,) int64, and the squared distance to it (N,). O(N·k·D).

    >>> nearest_centre(torch.tensor([[0.], [3.]]), torch.tensor([[1.], [3.]]))
    (tensor([0, 1]), tensor([1., 0.]))
    """
    points = Points(rows)
    known = points.beside(centres).take(torch.arange(len(centres), device=rows.device))
    nearest = torch.empty(len(rows), dtype=torch.int64, device=rows.device)
    squared = torch.empty_like(points.norms)
    for where in tiles(len(rows), len(centres), rows.device):
        squared[where], nearest[where] = points.squared(known, where).min(0)
    return nearest, squared


def centre_classifier(mixture: Mixture, posterior: Tensor, sides: Tensor, ridge: float) -> Tensor:
    """P(+ | k) for each centre, (k, A) float64: A logistic functions of the centre, each fitted to sides of its own.

    posterior  (M, k) P(k | x) of labelled rows
    sides      (M, A) of 0 and 1
    ridge      keeps the slopes finite where the sides can be told apart: ridge/2·‖a‖² is added to the loss, for centres
               measured in σ from their mean

    Maximises the likelihood of p(y | x) = Σ_k P(y | k) P(k | x) by L-BFGS. O(M·k·A) per step.

    Nguyen and Smeulders 2004, doi:10.1145/1015330.1015349.

    >>> pair = Mixture(torch.tensor([[-1.], [1.]]), torch.tensor([.5, .5]), .5)
    >>> centre_classifier(pair, torch.eye(2).double(), torch.tensor([[0.], [1.]]), 0.5)
    tensor([[0.1852],
            [0.8148]], dtype=torch.float64)
    """
    centres = (mixture.centres - mixture.centres.mean(0)).double() / math.sqrt(mixture.variance)
    y = sides.double()
    slopes = torch.zeros(centres.shape[1], y.shape[1], dtype=torch.float64, device=centres.device, requires_grad=True)
    levels = torch.zeros(y.shape[1], dtype=torch.float64, device=centres.device, requires_grad=True)
    search = torch.optim.LBFGS([slopes, levels], max_iter=STEPS, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        t = centres @ slopes + levels
        value = ridge / 2 * slopes.square().sum() - _likelihood(posterior, t, y)
        value.backward()  # type: ignore[no-untyped-call] # torch does not annotate it
        return value

    with torch.enable_grad():
        search.step(loss)  # type: ignore[no-untyped-call] # torch does not annotate it
        return (centres @ slopes + levels).sigmoid().detach()


def _likelihood(posterior: Tensor, t: Tensor, y: Tensor) -> Tensor:
    """Σ log p(y | x) over rows and functions, from the logits t (k, A) at the centres."""
    least = torch.finfo(t.dtype).tiny
    yes, no = ((posterior @ logsigmoid(of).exp()).clamp(min=least).log() for of in (t, -t))
    return (y * yes + (1 - y) * no).sum()
