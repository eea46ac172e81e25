"""Parcels of knowledge: clusters of what a model gets right and of what it gets wrong."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from askwell.errors import BadShape
from askwell.functional.cluster import kmeans
from askwell.functional.distance import Points
from askwell.functional.tiles import tiles

__all__ = ["Parcels", "lack", "out_of_fold", "parcels"]


class Parcels(NamedTuple):
    """Centres (P, D) of the parcels of all classes, and `classes` (P,) int64 that they belong to."""

    centres: Tensor
    classes: Tensor


def parcels(rows: Tensor, labels: Tensor, most: int, rng: Generator) -> Parcels:
    """Of each class the centres of at most `most` clusters of its rows, by k-means.

    rows (M, D), labels (M,) int64. As many clusters as there are different rows, where those are fewer. O(M·D·most)
    per iteration.

    >>> rows, labels = torch.tensor([[0.], [2.], [9.]]), torch.tensor([1, 1, 0])
    >>> parcels(rows, labels, 1, torch.Generator().manual_seed(0))
    Parcels(centres=tensor([[9.],
            [1.]]), classes=tensor([0, 1]))
    """
    found, classes = [rows[:0]], [labels[:0]]
    for label in torch.unique(labels):
        own = rows[labels == label]
        centres = kmeans(own, min(most, len(torch.unique(own, dim=0))), rng)[1]
        found.append(centres)
        classes.append(label.expand(len(centres)))
    return Parcels(torch.cat(found), torch.cat(classes))


def lack(rows: Tensor, right: Tensor, wrong: Tensor, weights: Tensor | None = None) -> Tensor:
    """How much nearer a row lies to what is wrong than to what is right: min ‖z − right‖ − min ‖z − wrong‖ · 1/w, (N,).

    rows     (N, D), right (R, D) and wrong (W, D) centres, none of them empty
    weights  (W,) >= 0 of the wrong parcels: a heavier one counts as nearer, one of weight 0 as out of reach

    Where all weights are 0 the second term is left out. O(N·(R + W)·D), memory for one tile of distances.

    >>> z = torch.tensor([[.9, .1], [.5, .5], [.1, .9]])
    >>> lack(z, torch.tensor([[0., 1.]]), torch.tensor([[1., 0.]]))
    tensor([ 1.1314,  0.0000, -1.1314])
    """
    if not len(right) or not len(wrong):
        got = (tuple(right.shape), tuple(wrong.shape))
        raise BadShape(
            f"expected right (R, D) and wrong (W, D) with R and W above 0, got {got[0]} and {got[1]}", got=got
        )
    space = Points(rows)
    if weights is not None:
        wrong, weights = wrong[weights > 0], weights[weights > 0]
    reach = _reach(space, space.beside(right), None)
    return reach - _reach(space, space.beside(wrong), weights) if len(wrong) else reach


def _reach(space: Points, centres: Points, weights: Tensor | None) -> Tensor:
    """(N,) distances to the nearest centre, each divided by its weight."""
    near = centres.take(torch.arange(len(centres), device=space.norms.device))
    out = torch.empty_like(space.norms)
    for where in tiles(len(space), len(near), space.norms.device):
        distances = space.squared(near, where).sqrt()
        out[where] = (distances if weights is None else distances / weights[:, None]).amin(0)
    return out


def out_of_fold(z: Tensor, labels: Tensor, folds: int, rng: Generator) -> Tensor:
    """(M,) class indices, each predicted by a logistic regression that has not seen the item: by scikit-learn.

    z (M, D), labels (M,) int64. Items are dealt to at most M folds at random; where the others are all of one class,
    that is what is predicted. O(folds · fit).

    >>> z = torch.tensor([[-3.], [-2.], [-2.5], [2.], [3.], [2.5], [-2.2]])
    >>> out_of_fold(z, torch.tensor([0, 0, 0, 1, 1, 1, 1]), 7, torch.Generator().manual_seed(0))
    tensor([0, 0, 0, 1, 1, 1, 0])
    """
    from sklearn.linear_model import LogisticRegression

    order = torch.randperm(len(z), generator=rng, device=rng.device).to(z.device)
    fold = torch.empty_like(labels)
    fold[order] = torch.arange(len(z), device=z.device) % max(2, min(folds, len(z)))
    rows, found = z.double().cpu().numpy(), labels.clone()
    for held in torch.unique(fold):
        seen, left = labels[fold != held], (fold == held).cpu().numpy()
        if len(torch.unique(seen)) < 2:
            found[fold == held] = seen[0] if len(seen) else labels[0]
            continue
        model = LogisticRegression(max_iter=1000).fit(rows[~left], seen.cpu().numpy())
        found[fold == held] = torch.from_numpy(model.predict(rows[left])).to(labels)
    return found
