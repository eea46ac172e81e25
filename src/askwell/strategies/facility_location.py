"""Facility location: items that stand for all others."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from askwell.core.needs import EMBEDDING, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.kernels import Cosine, highest, unit
from askwell.functional.pick import uniform
from askwell.functional.submodular import facility_location

__all__ = ["FacilityLocation"]

log = logging.getLogger("askwell")


@dataclass(frozen=True)
class FacilityLocation(Strategy):
    """Asks for the item that makes all others most alike to a labelled or picked one, by the angle between embeddings.

    Embeddings (N, D) and, of the labelled items, (M, D); two items are alike by (1 + cosine) / 2. The greedy walk ends
    within 1 − 1/e of the best batch. The score of a pick is by how much it raises the mean over the N candidates of the
    highest similarity to a labelled or picked item. At most O(N·(N + M)·D) for each pick; of 8,000 pictures,
    100 picks cost 7 times the first. Memory O(N·D); `subsample` bounds it.

    Wei, Iyer and Bilmes 2015, "Submodularity in data subset selection and active learning", ICML; the bound is that of
    Nemhauser, Wolsey and Fisher 1978, doi:10.1007/BF01588971.

    >>> import torch
    >>> angle = torch.tensor([0., .1, .2, 1., 1.1, 3.])
    >>> z = {EMBEDDING: torch.stack([angle.cos(), angle.sin()], 1), EMBEDDING.at("labelled"): torch.zeros(0, 2)}
    >>> view = View(torch.arange(6), tuple(z), lambda *_: z)
    >>> FacilityLocation().select(view, 2, torch.Generator())
    Batch(ids=tensor([3, 5]), scores=tensor([0.7865, 0.1180]), ...)
    """

    cost: ClassVar[str] = "O(N·(N + M)·D)"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        space, labelled = (unit(view[need]) for need in self.needs)
        floor = highest(Cosine(), space, labelled)
        found = facility_location(space, n, uniform(len(view), rng), Cosine(), floor=floor)
        covered = int((found.gains <= 0).sum())
        if covered:
            log.info("facility_location: %d of %d items add nothing and are drawn at random", covered, n)
        return view.pick(found.rows, found.gains / len(space))
