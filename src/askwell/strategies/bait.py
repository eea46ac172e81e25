"""BAIT: batch active learning by Fisher information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.design import bait
from askwell.functional.fisher import Fishers, contrasts, sketch
from askwell.functional.pick import uniform
from askwell.functional.tiles import wide

__all__ = ["BAIT"]


@dataclass(frozen=True)
class BAIT(Strategy):
    """Asks for the batch that leaves least expected error: least tr(M⁻¹ F), both Fisher information of the last layer.

    ridge    λ > 0, added to the information that the labelled items and the batch give, M
    width    embeddings wider than this are projected to it at random
    classes  with more classes than this plus one, their logits are, too

    Probabilities (N, C) and embeddings (N, D) of one pass, and (M, C) and (M, D) of the labelled items. F is the mean
    information of all of these. 2·Q items are added greedily, then Q taken out again. The score of a pick is what it
    took off the trace when it was added. With w = min(D, width)·min(C − 1, classes) numbers in the layer O(N·w²) once,
    O(Q·N·w·C) and a share of O(Q·N·w²) after it, memory O(N·C + w²): put `Subsample` around it for large pools.

    Ash et al. 2021, "Gone fishing: neural active learning with Fisher embeddings", arXiv 2106.09675.

    >>> p, z = torch.tensor([.5, .9, .6]), torch.tensor([[2., 0.], [0., 1.], [1., 1.]])
    >>> given = {PROBS: torch.stack([p, 1 - p], 1), EMBEDDING: z}
    >>> nothing = {need.at("labelled"): rows[:0] for need, rows in given.items()}
    >>> view = View(torch.arange(3), BAIT().needs, lambda *_: given | nothing)
    >>> BAIT(ridge=2.0).select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 2]), scores=tensor([0.2067, 0.0518]), ...)
    """

    cost: ClassVar[str] = "O(N·w² + Q·N·w·C), w = min(D, width)·min(C, classes)"

    ridge: float = 1.0
    width: int = 64
    classes: int = 16

    def __post_init__(self) -> None:
        for name, least in (("ridge", 0), ("width", 0), ("classes", 0)):
            if not getattr(self, name) > least:
                raise InputError(
                    f"{name} of bait is {getattr(self, name)}: it must be above 0", got=getattr(self, name)
                )

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING, PROBS.at("labelled"), EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        pool, labelled = self._fishers(view, rng)
        known = len(labelled) / (len(labelled) + n)
        information = labelled.mean()
        wanted = (len(pool) * pool.mean() + len(labelled) * information) / (len(pool) + len(labelled))
        pool.scale = 1 - known
        ridge = self.ridge * torch.eye(pool.width, dtype=torch.float64, device=wanted.device)
        chosen = bait(pool, ridge + known * information, wanted, n, uniform(len(view), rng))
        return view.pick(chosen.rows, chosen.gains)

    def _fishers(self, view: View, rng: Generator) -> tuple[Fishers, Fishers]:
        """Candidates and labelled items in the same directions of logits and embeddings."""
        p, z, p_labelled, z_labelled = (view[need] for need in self.needs)
        basis = contrasts(p.shape[1], self.classes, rng)
        if z.shape[1] > self.width:
            directions = sketch(z.shape[1], self.width, rng)
            z, z_labelled = _projected(z, directions), _projected(z_labelled, directions)
        return Fishers(p, z, basis), Fishers(p_labelled, z_labelled, basis)


def _projected(z: Tensor, directions: Tensor) -> Tensor:
    rows = wide(z)
    return rows @ directions.to(rows)
