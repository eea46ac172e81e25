"""True labels by a model and by annotators of estimated expertise."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from askwell.functional.answers import Answers
from askwell.functional.dawid_skene import confusions, likelihood
from askwell.functional.expertise import dirichlet, expertise, with_accuracies

__all__ = ["CrowdPosterior", "crowd_posterior", "vote_shares"]


class CrowdPosterior(NamedTuple):
    """belief (n, C) about the true classes, and accuracies (A, C) of the annotators; float64."""

    belief: Tensor
    accuracies: Tensor


def crowd_posterior(answers: Answers, belief: Tensor, prior: Tensor, rank: int) -> CrowdPosterior:
    """One maximisation, of expertise under a belief, and one expectation, of the classes under expertise and a prior.

    belief  (n, C) about the true classes so far: `vote_shares` to begin with, which keeps the classes in their places
    prior   (n, C) or (C,) probabilities of the classes without the answers: a model's, or their shares
    rank    of the annotators' log-odds of being right, by class: see `expertise`

    Confusion matrices come from expected counts on top of a Dirichlet prior, their diagonals from `expertise`. The
    belief is the prior times the probabilities of all answers, normalised. O(V·C), memory O(n·C + A·C²).

    >>> import torch
    >>> said = Answers.table(torch.tensor([[0, 0, 1], [1, 1, 1], [0, 0, 1], [1, 1, 0]]), 2)
    >>> crowd_posterior(said, vote_shares(said), torch.tensor([.5, .5]), rank=2).belief[:, 0]
    tensor([0.8488, 0.0294, 0.8488, 0.1608], dtype=torch.float64)
    """
    classes = answers.shape[2]
    matrix = confusions(answers.shape, answers.incidence, belief, dirichlet(classes).to(belief.device), 0)
    accuracies = expertise(matrix, rank)
    joint = prior.double().log() + likelihood(answers.incidence, with_accuracies(matrix, accuracies))
    return CrowdPosterior(joint.softmax(1), accuracies)


def vote_shares(answers: Answers) -> Tensor:
    """(n, C) float64 shares of the answers about each item; zeros where there are none."""
    counts = answers.counts
    return counts / counts.sum(1, keepdim=True).clamp(min=1)
