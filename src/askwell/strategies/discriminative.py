"""Discriminative active learning: what a classifier tells most surely from the labelled items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, NETWORK, Need
from askwell.core.network import Network
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.pick import gumbel, some, top
from askwell.models.discriminator import Discriminator
from askwell.training.chance import lend
from askwell.training.discriminate import discriminate, unlabelled_logits

__all__ = ["Discriminative"]

Layer = Literal["last", "first", "inputs"]
ROWS = 256
NARROW, FEW, MANY = 30, 20, 256
LEARNED, GIVEN = 20, 10
MOST = 49


@dataclass(frozen=True)
class Discriminative(Strategy):
    """Trains a classifier of labelled against unlabelled items, and asks for what looks unlabelled most surely.

    layer        whose activations it reads: "last", the input of the network's last layer; "first", the first fully
                 connected layer; "inputs", the items as the network takes them, which texts are not
    sub_batches  the batch is chosen in as many parts; what was chosen counts as labelled for the next part, and the
                 classifier is trained anew. None: 20 on learned activations, 10 on inputs
    temperature  0 takes the highest logits; above, chances grow with exp(logit / temperature), .01 in the paper
    ratio        at most so many unlabelled vectors per labelled one train the classifier; it scores all of them
    width, depth, lr, epochs, batch  of the classifier; width None: 256, and 20 for vectors of less than 30 numbers

    Vectors (N, D) of the candidates and (M, D) of the labelled items. Scores are logits, from as many classifiers as
    there are parts. The classifier stops when it is right about 98 % of what it trains on. Needs at least one labelled
    item. One training per part: O(sub_batches·epochs·ratio·M·D·width), and O(sub_batches·N·D·width) to score.

    Gissin & Shalev-Shwartz 2019, "Discriminative Active Learning", arXiv 1907.06347.

    >>> z = torch.tensor([[0.0], [0.1], [9.0], [0.2]])
    >>> given = {EMBEDDING: z, EMBEDDING.at("labelled"): torch.zeros(4, 1)}
    >>> view = View(torch.arange(4), tuple(given), lambda *_: given, sets={"labelled": torch.arange(4, 8)})
    >>> Discriminative(lr=1e-2, epochs=30).select(view, 1, Generator().manual_seed(0)).ids
    tensor([2])
    """

    cold_start: ClassVar[bool] = False
    cost: ClassVar[str] = "O(sub_batches·epochs·ratio·M·D·width) to train, O(sub_batches·N·D·width) to score"

    layer: Layer = "last"
    sub_batches: int | None = None
    temperature: float = 0.0
    ratio: int = 10
    width: int | None = None
    depth: int = 3
    lr: float = 1e-4
    epochs: int = 1000
    batch: int = 128

    def __post_init__(self) -> None:
        if self.layer not in get_args(Layer):
            raise UnknownName("layer", self.layer, get_args(Layer))
        if not self.temperature >= 0:
            raise InputError(f"temperature is {self.temperature}: it must not be negative", got=self.temperature)
        if not 1 <= self.ratio <= MOST:
            raise InputError(
                f"ratio is {self.ratio}: it must be from 1 to {MOST}, beyond which taking all for unlabelled is right "
                "about 98 %",
                got=self.ratio,
            )
        for name in ("sub_batches", "width", "depth", "lr", "epochs", "batch"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}: it must be above 0", got=value)
        if self.layer == "inputs":
            object.__setattr__(self, "forms", frozenset({"vector", "image"}))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled")) if self.layer == "last" else (NETWORK,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        free, known = self._vectors(view)
        chosen = torch.empty(0, dtype=torch.int64, device=free.device)
        scores = free.new_zeros(len(free))
        for share in self._shares(n):
            logits = self._logits(free, known, chosen, rng)
            keys = gumbel(logits, "softmax", 1 / self.temperature, rng) if self.temperature else logits
            rows = top(keys, share, rng)
            scores[rows] = logits[rows]
            chosen = torch.cat([chosen, rows])
        return view.pick(chosen.to(view.ids.device), scores[chosen])

    def _logits(self, free: Tensor, known: Tensor, chosen: Tensor, rng: Generator) -> Tensor:
        """(N,) logits of "unlabelled", −∞ for what was chosen, by a new classifier."""
        left = torch.ones(len(free), dtype=torch.bool, device=free.device).index_fill_(0, chosen, value=False)
        rows, labelled = left.nonzero()[:, 0], torch.cat([known, free[chosen]])
        seen = rows[some(len(rows), self.ratio * len(labelled), rng).to(rows.device)]
        width = self.width or (FEW if free.shape[1] < NARROW else MANY)
        with lend(rng):
            net = Discriminator(free.shape[1], width, self.depth)
        discriminate(net.to(free.device), labelled, free[seen], rng, lr=self.lr, epochs=self.epochs, batch=self.batch)
        return unlabelled_logits(net, free).masked_fill_(~left, -torch.inf)

    def _shares(self, n: int) -> Iterator[int]:
        """How many of n items each part has, the larger ones first."""
        parts = min(n, self.sub_batches or (GIVEN if self.layer == "inputs" else LEARNED))
        return (n // parts + (place < n % parts) for place in range(parts))

    def _vectors(self, view: View) -> tuple[Tensor, Tensor]:
        """Vectors of the candidates and of the labelled items, float32."""
        if self.layer == "last":
            return view[EMBEDDING].float(), view[EMBEDDING.at("labelled")].float()
        network: Network = view[NETWORK]
        return self._read(network, view.ids), self._read(network, view.ids_of("labelled"))

    @torch.no_grad()
    def _read(self, network: Network, ids: Tensor) -> Tensor:
        """(n, D) activations of the first fully connected layer, or inputs."""
        read = torch.Tensor.detach if self.layer == "inputs" else (lambda items: _first(*network.embed(items)))
        return torch.cat([read(network.items(part)).flatten(1).float() for part in torch.split(ids, ROWS)])


def _first(z: Tensor, taps: tuple[Tensor, ...]) -> Tensor:
    """The first hidden features that are plain vectors: those of a fully connected layer."""
    return next(tap for tap in (*taps, z) if tap.ndim == 2)
