"""ALFA-Mix: items whose predicted class changes on a small step towards what is known of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from askwell.core.needs import EMBEDDING, HEAD, LABELS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.flips import mixing_flips
from askwell.functional.pick import filled, uniform
from askwell.functional.prototypes import representatives
from askwell.functional.tiles import wide

__all__ = ["ALFAMix"]

WIDEST = 1.0


@dataclass(frozen=True)
class ALFAMix(Strategy):
    """Mixes each embedding with the mean of every labelled class; where that changes the predicted class, it asks.

    cap  the first bound on the mixing; while fewer than Q items change, it grows by as much again, to at most 1

    Embeddings (N, D) and, of the labelled items, (M, D), their labels (M,) as class indices, and the head. A step goes
    along the gradient of the loss at the predicted class, ε‖z* − z‖ far with ε = cap / √D. Items that change are
    clustered by k-means with Q centres over vectors of length one; the nearest to each centre are asked. What is
    missing is filled up at random, by those first. Needs at least one labelled item. O(C·N·D·C) per cap, and
    O(candidates·Q·D) per iteration of k-means.

    Parvaneh et al. 2022, arXiv 2203.07034, the closed form.

    >>> z, known = torch.tensor([[2., .1], [2., 1.9], [1.9, 2.], [.1, 2.]]), torch.tensor([[3., 0.], [0., 3.]])
    >>> given = {EMBEDDING: z, EMBEDDING.at("labelled"): known, LABELS: torch.tensor([0, 1]), HEAD: lambda z: z}
    >>> view = View(torch.arange(4), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([4, 5])})
    >>> sorted(ALFAMix().select(view, 2, torch.Generator().manual_seed(0)).ids.tolist())
    [1, 2]
    """

    cold_start: ClassVar[bool] = False
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(N·C²·D/cap), and O(N·Q·D) per iteration of k-means"

    cap: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.cap <= WIDEST:
            raise InputError(f"cap is {self.cap}: it must be above 0 and at most 1", got=self.cap)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"), LABELS, HEAD)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        rows = self._changed(view, n).nonzero()[:, 0]
        rest = uniform(len(view), rng).to(rows.device).index_add_(0, rows, torch.ones_like(rows).double())
        if len(rows) > n:
            rows = rows[representatives(normalize(view[EMBEDDING][rows].float()), n, rng)]
        return view.pick(filled(rows, n, rest, rng))

    def _changed(self, view: View, n: int) -> Tensor:
        """(N,) whether the predicted class changes, by the least cap that changes n items."""
        z, anchors = view[EMBEDDING], _means(view[EMBEDDING.at("labelled")], view[LABELS])
        changed, cap = torch.zeros(len(z), dtype=torch.bool, device=z.device), 0.0
        while cap < WIDEST and int(changed.sum()) < n:
            cap = min(WIDEST, cap + self.cap)
            rest = (~changed).nonzero()[:, 0]
            changed[rest] = mixing_flips(z[rest], view[HEAD], anchors, cap / z.shape[1] ** 0.5)
        return changed


def _means(z: Tensor, labels: Tensor) -> Tensor:
    """(A, D) mean embedding of each class that has labels."""
    classes = torch.as_tensor(labels).to(z.device)
    sizes = classes.bincount()
    sums = wide(z).new_zeros(len(sizes), z.shape[1]).index_add_(0, classes, wide(z))
    means: Tensor = sums[sizes > 0] / sizes[sizes > 0, None]
    return means
