"""Bandits over experts: EXP4.P, and Thompson sampling of the labels that experts find."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from askwell.errors import InputError

__all__ = [
    "class_values",
    "decayed_counts",
    "exp4p_chances",
    "exp4p_floor",
    "exp4p_update",
    "importance_weighted_accuracy",
    "thompson_draws",
]


def exp4p_floor(experts: int, steps: int) -> float:
    """Least chance of an expert, √(ln E / (E·T)) for E experts and T steps; refused unless E times it is at most 1.

    >>> round(exp4p_floor(2, 100), 6)
    0.058871
    """
    floor = sqrt(log(experts) / (experts * steps))
    if experts * floor > 1:
        raise InputError(
            f"{experts} experts cannot be told apart in {steps} steps: {_fewest_steps(experts)} are needed", got=steps
        )
    return floor


def exp4p_chances(log_weights: Tensor, steps: int) -> Tensor:
    """Chances (E,) of E experts from the logarithms of their weights: in proportion, but none below the floor.

    >>> exp4p_chances(torch.tensor([3.0, 1.0], dtype=torch.float64).log(), 100)
    tensor([0.7206, 0.2794], dtype=torch.float64)
    """
    floor = exp4p_floor(len(log_weights), steps)
    return (1 - len(log_weights) * floor) * log_weights.softmax(0) + floor


def exp4p_update(log_weights: Tensor, rewards: Tensor, variances: Tensor, steps: int, delta: float) -> Tensor:
    """Logarithms of the weights after a step, the largest 0.

    rewards    (E,) estimated reward of each expert, r·ψ_e/q of what was drawn
    variances  (E,) Σ ψ_e/q over all that could have been drawn
    delta      chance with which the bound of the regret may fail, in (0, 1)

    Beygelzimer et al. 2011, arXiv 1002.4058.
    """
    experts = len(log_weights)
    bonus = sqrt(log(experts / delta) / (experts * steps))
    moved = log_weights + exp4p_floor(experts, steps) / 2 * (rewards + variances * bonus)
    return moved - moved.max()


def importance_weighted_accuracy(right: Tensor, chances: Tensor, n: int, steps: int) -> float:
    """Estimate of the accuracy on all n items from those that were drawn: Σ right/chance, divided by n·T.

    right, chances (τ,) of the items drawn so far. Hsu & Lin 2015, "Active Learning by Learning", AAAI, equation 3.

    >>> importance_weighted_accuracy(torch.tensor([True]), torch.tensor([0.5]), 10, 100)
    0.002
    """
    return float((right.double() / chances.double()).sum()) / (n * steps)


def class_values(counts: Tensor, items: int) -> Tensor:
    """What one more label of each class is worth, (C,): 1 / count, negative for a class of more than half of the items.

    counts  (C,) labelled items of each class, of `items` labelled ones; none count as one

    >>> class_values(torch.tensor([8, 2]), 10)
    tensor([-0.1250,  0.5000], dtype=torch.float64)
    """
    values = 1 / counts.double().clamp(min=1)
    return torch.where(2 * counts > items, -values, values)


def thompson_draws(counts: Tensor, n: int, rng: Generator) -> Tensor:
    """(n, E, C) draws of the shares of classes among what each expert finds: Dirichlet(α + 1) for each expert.

    counts  (E, C) decayed counts α; or (E, C, 2) of labels that may be there or not: then a draw of every label by
            itself, Beta(present, absent)
    O(n·E·C).
    """
    numbers = np.random.default_rng(int(torch.randint(1 << 62, (1,), generator=rng, device=rng.device)))
    alpha: NDArray[np.float64] = counts.double().cpu().numpy()
    if counts.ndim == 3:
        return torch.from_numpy(numbers.beta(alpha[..., 0], alpha[..., 1], size=(n, *alpha.shape[:2])))
    gammas = numbers.standard_gamma(alpha + 1, size=(n, *alpha.shape))
    return torch.from_numpy(gammas / gammas.sum(2, keepdims=True))


def decayed_counts(counts: Tensor, experts: Tensor, labels: Tensor, decay: float) -> Tensor:
    """Counts after a round: the old ones times `decay`, and what the round's items turned out to be.

    counts   (E, C), or (E, C, 2) for labels that may be there or not
    experts  (n,) int64, who picked each item; labels (n,) class indices, or (n, C) of 0 and 1

    >>> counts = torch.tensor([[5.0, 1.0], [2.0, 4.0]])
    >>> decayed_counts(counts, torch.tensor([1, 1, 1]), torch.tensor([1, 1, 0]), 0.9)
    tensor([[4.5000, 0.9000],
            [2.8000, 5.6000]])
    """
    if labels.ndim == 1:
        said = torch.nn.functional.one_hot(labels, counts.shape[1])
    else:
        said = torch.stack([labels, 1 - labels], 2)
    return (decay * counts).index_add(0, experts, said.to(counts))


def _fewest_steps(experts: int) -> int:
    """Fewest steps for which E times the floor is at most 1: E·ln E."""
    return int(np.ceil(experts * log(experts)))
