"""What several predictions of one item say together: disagreement between draws, members or a committee.

All take P (N, K, C), rows of class probabilities that sum to one, and return (N,) of the same type; half precision is
computed in float32. All are finite on one-hot rows. O(N·K·C) time, memory for one tile; a memory map streams.
Information is in nats.
"""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.functional.tiles import rowwise
from askwell.functional.uncertainty import plogp

__all__ = [
    "bald",
    "entropy_of_mean",
    "mean_entropy",
    "mean_log_confidence",
    "mean_std",
    "vote_entropy",
    "vr_mean",
    "vr_votes",
]

SHAPE = "(N, K, C)"


def entropy_of_mean(mc: Tensor) -> Tensor:
    """H(mean of the draws): all uncertainty about the label, between 0 and log C.

    >>> entropy_of_mean(torch.tensor([[[.9, .1], [.1, .9]]]))
    tensor([0.6931])
    """
    return rowwise(mc, lambda tile: _entropy(tile.mean(1)), SHAPE)


def mean_entropy(mc: Tensor) -> Tensor:
    """Mean of the draws' entropies: the uncertainty that no label can remove.

    >>> mean_entropy(torch.tensor([[[.9, .1], [.1, .9]]]))
    tensor([0.3251])
    """
    return rowwise(mc, lambda tile: _entropy(tile).mean(1), SHAPE)


def bald(mc: Tensor) -> Tensor:
    """H(mean) − mean H: information between label and parameters, from 0 to log K; the draws' disagreement.

    Also the mean Kullback-Leibler divergence of the draws from their mean. Biased down by about
    Σ_c Var_k(P_c) / mean_c / 2K: compare at equal K only.

    Houlsby et al. 2011, arXiv 1112.5745.

    >>> bald(torch.tensor([[[.5, .5], [.5, .5]], [[.9, .1], [.1, .9]]]))
    tensor([0.0000, 0.3681])
    """
    return rowwise(mc, lambda tile: (_entropy(tile.mean(1)) - _entropy(tile).mean(1)).clamp_(min=0), SHAPE)


def vr_mean(mc: Tensor) -> Tensor:
    """1 − max of the mean of the draws: variation ratio as least confidence of the averaged prediction.

    >>> vr_mean(torch.tensor([[[.8, .2], [.7, .3], [.6, .4], [.4, .6]]]))
    tensor([0.3750])
    """
    return rowwise(mc, lambda tile: 1 - tile.mean(1).amax(1), SHAPE)


def vr_votes(mc: Tensor) -> Tensor:
    """1 − share of the draws that vote for the most voted class; a draw's tie goes to the lowest class.

    At most K values, from 0 to 1 − ⌈K/C⌉/K. Freeman 1965, "Elementary Applied Statistics".

    >>> vr_votes(torch.tensor([[[.8, .2], [.7, .3], [.6, .4], [.4, .6]]]))
    tensor([0.2500])
    """
    return rowwise(mc, lambda tile: 1 - _shares(tile).amax(1), SHAPE)


def vote_entropy(mc: Tensor) -> Tensor:
    """Entropy of the shares of votes, from 0 to log min(K, C).

    Dagan and Engelson 1995, doi:10.1016/B978-1-55860-377-6.50027-X.

    >>> vote_entropy(torch.tensor([[[.8, .2], [.7, .3], [.6, .4], [.4, .6]]]))
    tensor([0.5623])
    """
    return rowwise(mc, lambda tile: _entropy(_shares(tile)), SHAPE)


def mean_std(mc: Tensor) -> Tensor:
    """Standard deviation over the draws (of the population), averaged over the classes; at most 1/2.

    Kendall, Badrinarayanan and Cipolla 2015, arXiv 1511.02680.

    >>> mean_std(torch.tensor([[[.9, .1], [.1, .9]]]))
    tensor([0.4000])
    """
    return rowwise(mc, _mean_std, SHAPE)


def mean_log_confidence(mc: Tensor) -> Tensor:
    """Mean over the draws of log max p: how sure each draw is of its own class, from −log C to 0.

    >>> mean_log_confidence(torch.tensor([[[.9, .1], [.1, .9]], [[.5, .5], [.5, .5]]]))
    tensor([-0.1054, -0.6931])
    """
    return rowwise(mc, lambda tile: tile.amax(2).log().mean(1), SHAPE)


def _entropy(p: Tensor) -> Tensor:
    return plogp(p).sum(-1).neg_()


def _mean_std(tile: Tensor) -> Tensor:
    return (tile - tile.mean(1, keepdim=True)).square_().mean(1).sqrt_().mean(1)


def _shares(tile: Tensor) -> Tensor:
    """(n, C): the share of draws that vote for each class; NaN where a vote is no number."""
    rows, draws, classes = tile.shape
    best = tile.max(2)
    counts = torch.zeros(rows, classes, dtype=tile.dtype, device=tile.device)
    return counts.scatter_add_(1, best.indices, best.values.mul_(0).add_(1)).div_(draws)
