"""True labels from several annotators who err differently."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import InputError
from askwell.functional.answers import Answers

__all__ = ["DawidSkene", "confusions", "dawid_skene", "likelihood"]


class DawidSkene(NamedTuple):
    """What the answers say together, all float64.

    posterior       (n, C) of the true classes; the prior where nothing was said
    confusion       (A, C, C): how often annotator a says l where c is true, rows (a, c) sum to one
    prior           (C,) shares of the true classes
    log_likelihood  of all answers under confusion and prior, in nats
    rounds          taken until nothing moved
    """

    posterior: Tensor
    confusion: Tensor
    prior: Tensor
    log_likelihood: float
    rounds: int


def dawid_skene(
    answers: Answers, *, smoothing: float = 0.01, least: float = 10, rounds: int = 200, tolerance: float = 1e-10
) -> DawidSkene:
    """Expectation-maximisation over true labels and one confusion matrix per annotator, begun at the shares of answers.

    smoothing  is added to every cell of the expected counts; 0 is the maximum likelihood
    least      answers that an annotator needs for a matrix of his own; with fewer he has one accuracy, and the other
               classes share the rest evenly. `math.inf`: that for all
    rounds, tolerance  ends when no posterior moves by more than `tolerance`, or after so many rounds

    O(V·C) per round for V answers, memory O(n·C + A·C²). Where most annotators are worse than chance, classes may
    change places.

    Dawid and Skene 1979, doi:10.2307/2346806.

    >>> table = torch.tensor([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1], [1, 0, 0]])
    >>> found = dawid_skene(Answers.table(table, 2), least=0)
    >>> found.posterior[:4, 1].numpy().round(4).tolist()
    [0.0001, 0.9323, 0.0, 0.8056]
    """
    if smoothing < 0 or rounds < 1:
        raise InputError(f"smoothing must not be negative and rounds at least 1, got {smoothing} and {rounds}")
    said, counts = answers.incidence, answers.counts
    told = counts.sum(1, keepdim=True)
    belief, told = counts / told.clamp(min=1), told > 0
    done, moved = 0, inf
    while done < rounds and moved >= tolerance:
        prior = belief.sum(0) / told.sum().clamp(min=1)
        matrix = confusions(answers.shape, said, belief, smoothing, least)
        joint = prior.log() + likelihood(said, matrix)
        evidence = joint.logsumexp(1, keepdim=True)
        before, belief = belief, (joint - evidence).exp() * told
        done, moved = done + 1, float((belief - before).abs().max()) if len(belief) else 0.0
    return DawidSkene(torch.where(told, belief, prior), matrix, prior, float(evidence[told].sum()), done)


def likelihood(said: Tensor, matrix: Tensor) -> Tensor:
    """(n, C) log-probability of each item's answers if c were true: said (n, A·C) sparse, matrix (A, C, C)."""
    columns = matrix.log().transpose(1, 2).reshape(-1, matrix.shape[1])
    found: Tensor = torch.sparse.mm(said, columns)
    return found


def confusions(
    shape: tuple[int, int, int], said: Tensor, belief: Tensor, smoothing: Tensor | float, least: float
) -> Tensor:
    """(A, C, C) confusion matrices by the expected counts under beliefs (n, C) about the true classes.

    smoothing  is added to the counts: one number, or (C, C) of a Dirichlet prior; a row without counts is uniform
    least      answers that an annotator needs for a matrix of his own, see `dawid_skene`
    """
    _, annotators, classes = shape
    counts = torch.sparse.mm(said.t(), belief).view(annotators, classes, classes).transpose(1, 2)
    few = torch.sparse.sum(said, 0).to_dense().view(annotators, classes).sum(1) < least
    counts = counts + smoothing
    if bool(few.any()):
        counts = torch.where(few[:, None, None], _one_coin(counts), counts)
    total = counts.sum(2, keepdim=True)
    return torch.where(total > 0, counts / total.clamp(min=torch.finfo(total.dtype).tiny), 1 / classes)


def _one_coin(counts: Tensor) -> Tensor:
    """(A, C, C) where each annotator is right at one rate, whatever the class, and wrong evenly."""
    classes = counts.shape[1]
    total = counts.sum((1, 2))
    right = torch.where(total > 0, counts.diagonal(dim1=1, dim2=2).sum(1) / total, 1 / classes)[:, None, None]
    same = torch.eye(classes, dtype=counts.dtype, device=counts.device)
    return right * same + (1 - right) / max(classes - 1, 1) * (1 - same)
