"""Pre-clustering: uncertainty by clusters, weighed by density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import FEATURES, LABELS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import UnknownName
from askwell.functional.cluster import kmeans
from askwell.functional.mixture import Mixture, centre_classifier, nearest_centre
from askwell.functional.pick import one_each_first, top
from askwell.functional.tiles import tiles
from askwell.strategies.labels import class_indices

__all__ = ["PreClustering"]

Error = Literal["hard", "mean"]
FEWEST = 4


@dataclass(frozen=True)
class PreClustering(Strategy):
    """Asks where the pool is dense and clusters are undecided, once per cluster before it asks twice in one.

    error  expected squared error of a decision of ±1: "hard" 4·min(p, 1 − p), or "mean" 4·p·(1 − p)
    ridge  of the logistic function on the centres

    Features (N, D), fixed ones, of the candidates and of the labelled items, and labels (M,) as class indices. P(k | x)
    comes from Gaussians of one width about the k-means centres, p = Σ_k P(+ | k) P(k | x) from a logistic function of
    the centre. The score is the error times the density, of which the highest in the pool counts as 1; with more than
    two classes, the mean error of one class against the rest. Centres are the strategy's state, at least 4 or 2·C; once
    every cluster holds a label, each is split into two. Needs at least one labelled item. O(N·D·k).

    Nguyen and Smeulders 2004, "Active learning using pre-clustering", doi:10.1145/1015330.1015349.

    >>> z = torch.tensor([[-2.], [-1.9], [0.], [0.1], [0.2], [2.], [2.1]])
    >>> given = {FEATURES: z, FEATURES.at("labelled"): torch.tensor([[-2.], [2.]]), LABELS: torch.tensor([0, 1])}
    >>> view = View(torch.arange(7), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([7, 8])})
    >>> PreClustering().select(view, 1, torch.Generator().manual_seed(0)).ids
    tensor([3])
    """

    cold_start: ClassVar[bool] = False
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(N·D·k), k = max(4, 2·C)"

    error: Error = "hard"
    ridge: float = 0.01

    def __post_init__(self) -> None:
        if self.error not in get_args(Error):
            raise UnknownName("error", self.error, get_args(Error))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (FEATURES, FEATURES.at("labelled"), LABELS)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        rows = torch.cat([view[need] for need in self.needs[:2]]).float()
        sides = _sides(class_indices(self.name, view[LABELS]).to(rows.device))
        centres = _split_when_known(rows, len(view), _centres(view, rows, rng), rng)
        mixture, cluster = Mixture.of(rows, centres)
        posterior = mixture.log_joint(rows[len(view) :]).softmax(1)
        levels = self._levels(rows[: len(view)], mixture, centre_classifier(mixture, posterior, sides, self.ridge))
        picked = one_each_first(top(levels, len(view), rng), cluster)[:n]
        return view.pick(picked, levels[picked].exp(), state={"centres": centres.cpu()})

    def _levels(self, rows: Tensor, mixture: Mixture, chances: Tensor) -> Tensor:
        """(N,) logarithm of density times error, the highest density being 1; float32, as scores are."""
        density, error = torch.empty(2, len(rows), dtype=torch.float64, device=rows.device)
        for where in tiles(len(rows), max(chances.shape[0], rows.shape[1]), rows.device):
            joint = mixture.log_joint(rows[where])
            p = joint.softmax(1) @ chances
            density[where] = joint.logsumexp(1)
            error[where] = (4 * (torch.minimum(p, 1 - p) if self.error == "hard" else p * (1 - p))).mean(1)
        levels: Tensor = density - density.max() + error.log()
        return levels.float()


def _sides(labels: Tensor) -> Tensor:
    """(M, A) of 0 and 1: the second of two classes, or each class that has labels, against the rest."""
    seen = labels.bincount().nonzero()[:, 0]
    sides: Tensor = labels[:, None] == (seen[1:] if len(seen) == 2 else seen)
    return sides.double()


def _centres(view: View, rows: Tensor, rng: Generator) -> Tensor:
    """The centres of the last round; at first those of few clusters."""
    if "centres" in view.state:
        return torch.as_tensor(view.state["centres"]).to(rows)
    return kmeans(rows, max(FEWEST, 2 * (view.num_classes or 0)), rng)[1]


def _split_when_known(rows: Tensor, candidates: int, centres: Tensor, rng: Generator) -> Tensor:
    """The centres, or two for each where every cluster holds a label."""
    cluster = nearest_centre(rows, centres)[0]
    used, known = (of.bincount(minlength=len(centres)) > 0 for of in (cluster, cluster[candidates:]))
    if not torch.equal(used, known):
        return centres
    return torch.cat([kmeans(rows[cluster == k], 2, rng)[1] for k in used.nonzero()[:, 0].tolist()])
