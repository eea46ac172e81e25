"""Greedy sampling: far from the labelled items in inputs, in outputs, or in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from torch import Generator, Tensor

from askwell.core.needs import FEATURES, LABELS, PREDICTIONS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import UnknownName
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.greedy import Product, central
from askwell.functional.pick import uniform

__all__ = ["GreedySampling"]

Over = Literal["inputs", "outputs", "both"]
INPUTS = (FEATURES, FEATURES.at("labelled"))
OUTPUTS = (PREDICTIONS, LABELS)


@dataclass(frozen=True)
class GreedySampling(Strategy):
    """Asks for the item that is least like any labelled one, in its input, its predicted number, or both: regression.

    over  "inputs": the largest distance to the nearest labelled item (GSx); with no labels it starts at the item
          nearest to the mean. "outputs": the largest difference of the prediction from the nearest label (GSy).
          "both": the largest minimum over labelled items of the one distance times the other (iGS). Only the first
          needs no labels

    Features (N, D) and, of the labelled items, (M, D); predictions (N, T) and labels (M,) in the same units; Euclidean.
    Within a batch an item that was picked counts as labelled with its prediction. The score of a pick is its distance
    at that moment. At most O((M + Q)·N·D), memory O(N).

    Wu, Lin and Huang 2019, arXiv 1808.04245; inputs alone: Yu and Kim 2010, "Passive sampling for regression".

    >>> import torch
    >>> x, y = torch.tensor([[1.], [2.], [3.], [9.]]), torch.tensor([[5.], [0.], [9.], [1.]])
    >>> given = {FEATURES: x, PREDICTIONS: y, FEATURES.at("labelled"): torch.zeros(1, 1), LABELS: torch.zeros(1)}
    >>> for over in get_args(Over):
    ...     strategy = GreedySampling(over)
    ...     view = View(torch.arange(1, 5), strategy.needs, lambda *_: given, sets={"labelled": torch.tensor([0])})
    ...     print(over, strategy.select(view, 2, torch.Generator()))
    inputs Batch(ids=tensor([4, 3]), scores=tensor([9., 3.]), ...)
    outputs Batch(ids=tensor([3, 1]), scores=tensor([9., 4.]), ...)
    both Batch(ids=tensor([3, 4]), scores=tensor([27.,  9.]), ...)
    """

    cold_start: ClassVar[bool] = False
    cost: ClassVar[str] = "O((M + Q)·N·D)"

    over: Over = "both"

    def __post_init__(self) -> None:
        if self.over not in get_args(Over):
            raise UnknownName("kind of greedy sampling", self.over, get_args(Over))
        object.__setattr__(self, "cold_start", self.over == "inputs")

    @property
    def needs(self) -> tuple[Need, ...]:
        return {"inputs": INPUTS, "outputs": OUTPUTS, "both": INPUTS + OUTPUTS}[self.over]

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        key = uniform(len(view), rng)
        if self.over == "inputs":
            pool, labelled = _inputs(view)
            key = key if len(labelled) else _from_the_middle(pool, key)
            cover = k_center(pool, n, key, labelled)
        elif self.over == "outputs":
            pool, labelled = _outputs(view)
            cover = k_center(pool, n, key, labelled)
        else:
            (x, x_labelled), (y, y_labelled) = _inputs(view), _outputs(view)
            cover = k_center(Product(x, y), n, key, Product(x_labelled, y_labelled))
        return view.pick(cover.rows, cover.distances)


def _inputs(view: View) -> tuple[Points, Points]:
    """Candidates and labelled items by their features."""
    pool = Points(*view.whole(FEATURES))
    return pool, pool.beside(*view.whole(FEATURES.at("labelled")))


def _outputs(view: View) -> tuple[Points, Points]:
    """Candidates by their predictions, labelled items by their labels; in float64, for numbers lie close together."""
    rows, among = view.whole(PREDICTIONS)
    pool = Points(rows.double(), among)
    labels: Tensor = view[LABELS]
    return pool, pool.beside(labels.reshape(len(labels), -1).to(pool.origin))


def _from_the_middle(pool: Points, key: Tensor) -> Tensor:
    """The keys with that of the central row below all others."""
    first = central(pool, key)
    return key.index_fill(0, key.new_tensor([first]).long(), -1.0)
