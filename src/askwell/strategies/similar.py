"""SIMILAR: one family of measures for rare classes, for redundancy, and for what should not be asked."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, LABELS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName
from askwell.functional.gradient import Gradients, surprise
from askwell.functional.kernels import Cosine, unit
from askwell.functional.pick import uniform
from askwell.functional.submodular_information import Measure, submodular_information
from askwell.functional.tiles import wide

__all__ = ["Similar"]

log = logging.getLogger("askwell")

LINEAR = "O(M·N·(C + D))"
SQUARE = "O(N·(N + M)·(C + D))"
DETERMINANT = "O(N·(M² + Q·(M + C + D + Q)))"


@dataclass(frozen=True)
class Similar(Strategy):
    """Asks for items whose gradients are like those of wanted labelled items, or unlike those of unwanted ones.

    measure   mutual information with the wanted items, for rare classes: "flqmi", "gcmi", "flvmi", "logdetmi"; gain
              beside the unwanted ones, against redundancy: "flcg", "logdetcg"; or both, where some items do not belong
              at all: "flcmi", "logdetcmi". See `functional.submodular_information`
    wanted    classes of the wanted labelled items; none: those with fewer labels than classes have on average
    unwanted  classes of the unwanted ones; none: all labelled items for measures of gain, those not wanted for both
    eta, nu   above 1: more weight on being like the wanted items, on being unlike the unwanted ones
    ridge     above 0: added to the diagonals of log-determinants

    Probabilities and embeddings of the candidates, (N, C) and (N, D), and of the labelled items, (M, C) and (M, D), and
    labels (M,) as class indices. An item is the gradient of the last layer's weights and bias, at the predicted class
    or the label; two are alike by (1 + cosine) / 2. The score of a pick is what it adds to the measure. With `flqmi`
    and `gcmi` O(M·N·(C + D)); other facility locations at most O(N·(N + M)·(C + D)) for each pick, a few times that
    for a batch; log-determinants O(N·(M² + Q·(M + C + D + Q))), memory O(N·(C + D + Q) + M²).

    Kothawade, Beck, Killamsetty and Iyer 2021, "SIMILAR: Submodular Information Measures Based Active Learning In
    Realistic Scenarios", arXiv 2107.00717.

    >>> p, z = torch.tensor([[.9, .1], [.2, .8], [.6, .4]]), torch.eye(3)
    >>> given = {PROBS: p, EMBEDDING: z, PROBS.at("labelled"): p[1:2], EMBEDDING.at("labelled"): z[1:2]}
    >>> given[LABELS] = torch.tensor([1])
    >>> view = View(torch.arange(3), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([3])})
    >>> Similar(wanted=(1,)).select(view, 2, torch.Generator())
    Batch(ids=tensor([1, 0]), scores=tensor([2.0000, 0.2500]), ...)
    """

    cold_start: ClassVar[bool] = False
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = LINEAR

    measure: Measure = "flqmi"
    wanted: tuple[int, ...] = ()
    unwanted: tuple[int, ...] = ()
    eta: float = 1.0
    nu: float = 1.0
    ridge: float = 1.0

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure):
            raise UnknownName("measure", self.measure, get_args(Measure))
        for name in ("eta", "nu", "ridge"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of 'similar' is {getattr(self, name)}: it must be above 0")
        if self.measure not in ("flqmi", "gcmi"):
            object.__setattr__(self, "cost", DETERMINANT if self.measure.startswith("logdet") else SQUARE)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING, PROBS.at("labelled"), EMBEDDING.at("labelled"), LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        p, z, known_p, known_z, labels = (view[need] for need in self.needs)
        labels = torch.as_tensor(labels, dtype=torch.int64).to(known_p.device)
        space, known = _gradients(surprise(p), z), _gradients(_at_label(known_p, labels), known_z)
        wanted, unwanted = self._parts(labels)
        found = submodular_information(
            self.measure, space, n, uniform(len(view), rng), Cosine(), known.take(wanted), known.take(unwanted),
            eta=self.eta, nu=self.nu, ridge=self.ridge,
        )  # fmt: skip
        idle = int((found.gains == 0).sum())
        if idle:
            log.info("similar: %d of %d items add nothing to %s and are drawn at random", idle, n, self.measure)
        return view.pick(found.rows, found.gains)

    def _parts(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the wanted and of the unwanted labelled items."""
        wanted = _of(labels, self.wanted) if self.wanted else _rare(labels)
        if self.unwanted:
            unwanted = _of(labels, self.unwanted)
        else:
            unwanted = ~wanted if self.measure.endswith("cmi") else torch.ones_like(wanted)
        return wanted.nonzero()[:, 0], unwanted.nonzero()[:, 0]


def _at_label(p: Tensor, labels: Tensor) -> Tensor:
    """p − e_y (M, C): the gradient with respect to the logits at the label."""
    q = wide(p).clone()
    return q.scatter_add_(1, labels[:, None], q.new_full((1, 1), -1.0).expand(len(q), 1))


def _gradients(q: Tensor, z: Tensor) -> Gradients:
    """Gradients (n, C) ⊗ (n, D + 1) of weights and bias, scaled to length one; those of length 0 stay.

    Sure predictions leave gradients whose squares are below the least number: the largest entry is made 1 first.
    """
    bias = torch.cat([wide(z), wide(z).new_ones(len(z), 1)], 1)
    largest = q.abs().amax(1, keepdim=True).clamp_(min=torch.finfo(q.dtype).tiny)
    return Gradients(unit(q / largest).rows, unit(bias).rows)


def _of(labels: Tensor, classes: tuple[int, ...]) -> Tensor:
    return torch.isin(labels, torch.tensor(classes, device=labels.device))


def _rare(labels: Tensor) -> Tensor:
    """(M,) whether an item's class has fewer labels than classes that have any have on average; all, if none has."""
    counts = labels.bincount()
    few = counts < counts.sum() / (counts > 0).sum()
    few &= counts > 0
    return few[labels] if bool(few.any()) else torch.ones_like(labels, dtype=torch.bool)
