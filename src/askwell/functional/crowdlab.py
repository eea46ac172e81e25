"""Labels that a model and several annotators agree on, and how far to trust each of them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import BadShape
from askwell.functional.answers import Answers

__all__ = ["Crowdlab", "crowdlab", "relabelling"]

LEAST = 1e-6
"""The least trust, and the least error of guessing the commonest class."""


class Crowdlab(NamedTuple):
    """What crowd and model say together, all float64.

    consensus   (n,) int64 classes; quality (n,): probability that the consensus is true
    annotators  (A,) trust in each annotator; model: trust in the model; 1 for all where nobody was asked twice
    average     trust in the average annotator of those who answered
    """

    consensus: Tensor
    quality: Tensor
    annotators: Tensor
    model: float
    average: float


class _Trust(NamedTuple):
    likelihood: Tensor
    annotators: Tensor
    model: Tensor


def crowdlab(answers: Answers, probs: Tensor) -> Crowdlab:
    """Weighs annotators by how often they agree with others, and a model by how often it agrees with the consensus.

    answers  every item has at least one
    probs    (n, C) of a model that has not seen these labels, calibrated: see `share_temperature`

    The consensus is the majority, ties by the model; then the class of the highest posterior, and everything is weighed
    once more. Where no item has two answers all weights are 1, and the quality is the model's probability. O(V + n·C).

    Goh, Tkachenko and Mueller 2022, "CROWDLAB", arXiv 2210.06812.

    >>> said = torch.tensor([[0, 0, 0], [1, 1, 0], [2, 2, 2], [1, 1, 1], [0, -1, 0], [2, 2, -1]])
    >>> p = [[.8, .1, .1], [.3, .6, .1], [.1, .1, .8], [.2, .7, .1], [.6, .3, .1], [.3, .3, .4]]
    >>> crowdlab(Answers.table(said, 3), torch.tensor(p)).quality
    tensor([0.8852, 0.6498, 0.8852, 0.8442, 0.7659, 0.6764], dtype=torch.float64)
    """
    if probs.shape != answers.counts.shape:
        raise BadShape(
            f"probabilities have shape {tuple(probs.shape)} and the answers are about {answers.shape[0]} items of "
            f"{answers.shape[2]} classes",
            got=tuple(probs.shape),
        )
    probs, counts = probs.double(), answers.counts
    consensus = _majority(counts, probs)
    if int(counts.sum(1).max()) < 2:
        ones = torch.ones(answers.shape[1], dtype=torch.float64, device=probs.device)
        return Crowdlab(consensus, probs.gather(1, consensus[:, None])[:, 0], ones, 1.0, 1.0)
    first = _posterior(answers, probs, _trust(answers, probs, counts, consensus))
    unique = (first == first.amax(1, keepdim=True)).sum(1) == 1
    consensus = torch.where(unique, first.argmax(1), consensus)
    trust = _trust(answers, probs, counts, consensus)
    quality = _posterior(answers, probs, trust).gather(1, consensus[:, None])[:, 0]
    heard = answers.annotators.bincount(minlength=answers.shape[1]) > 0
    average = float(trust.annotators[heard].mean())
    return Crowdlab(consensus, quality, trust.annotators, float(trust.model), average)


def relabelling(answers: Answers, found: Crowdlab) -> Tensor:
    """(n,) how settled each item's label is, from 0 to 1: the lower, the more another answer is worth.

    The quality is drawn towards 1/C as if one more annotator of average trust knew nothing. For an item without answers
    it is the same with the model's highest probability as quality and the model's trust alone.

    >>> said = Answers.table(torch.tensor([[0], [0]]), classes=3)
    >>> relabelling(said, Crowdlab(torch.zeros(2).long(), torch.tensor([.9, .5]), torch.ones(1), 1.0, 1.0))
    tensor([0.7111, 0.4444], dtype=torch.float64)
    """
    trusted = found.annotators.double()
    weight = trusted.new_zeros(answers.shape[0]).index_add_(0, answers.items, trusted[answers.annotators])
    return settled(found.quality.double(), weight + found.model, found.average, answers.shape[2])


def settled(quality: Tensor, weight: Tensor | float, average: float, classes: int) -> Tensor:
    """(n,) mean of quality and 1/C, weighted by the trust behind each."""
    return (weight * quality + average / classes) / (weight + average)


def _majority(counts: Tensor, probs: Tensor) -> Tensor:
    """(n,) the commonest class; of equally common ones that which the model holds more probable, then the first."""
    tied = counts == counts.amax(1, keepdim=True)
    return probs.masked_fill(~tied, -1).argmax(1)


def _trust(answers: Answers, probs: Tensor, counts: Tensor, consensus: Tensor) -> _Trust:
    """Weights by what the items that were answered more than once show."""
    total = counts.sum(1)
    several, agreeing = total > 1, counts.gather(1, consensus[:, None])[:, 0]
    settled = consensus[several]
    guess = (settled != settled.bincount(minlength=counts.shape[1]).argmax()).double().mean().clamp(min=LEAST)
    wrong = (probs[several].argmax(1) != settled).double().mean()
    return _Trust(
        likelihood=(agreeing / total)[several].mean(),
        annotators=(1 - (1 - _agreement(answers, counts)) / guess).clamp(min=LEAST),
        model=(1 - wrong / guess).clamp(min=LEAST) * total.mean().sqrt(),
    )


def _agreement(answers: Answers, counts: Tensor) -> Tensor:
    """(A,) share of the others' answers that are the same; the others' mean for who never met anybody."""
    others = counts.sum(1)[answers.items] - 1
    same = counts[answers.items, answers.labels] - 1
    zeros = counts.new_zeros(answers.shape[1])
    met = zeros.index_add(0, answers.annotators, others)
    shares = zeros.index_add(0, answers.annotators, same) / met.clamp(min=1)
    return torch.where(met > 0, shares, shares[met > 0].mean())


def _posterior(answers: Answers, probs: Tensor, trust: _Trust) -> Tensor:
    """(n, C) mean of what the model and each answer say, weighted by trust."""
    n, _, classes = answers.shape
    each = trust.annotators[answers.annotators]
    missed = (1 - trust.likelihood) / (classes - 1)
    weight = each.new_zeros(n).index_add_(0, answers.items, each)
    said = each.new_zeros(n * classes).index_add_(0, answers.items * classes + answers.labels, each).view(n, classes)
    summed = trust.model * probs + said * (trust.likelihood - missed) + weight[:, None] * missed
    return summed / (weight + trust.model)[:, None]
