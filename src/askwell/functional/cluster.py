"""Clusters without N × N: k-means++ seeding, k-means, rows near a centroid, typical rows."""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple, get_args

import torch
from torch import Generator, Tensor

from askwell.errors import PoolExhausted, UnknownName
from askwell.functional.distance import Points, Space
from askwell.functional.pick import draw, top, uniform
from askwell.functional.steps import steps
from askwell.functional.tiles import tiles

__all__ = ["First", "Seeding", "kmeans", "kmeans_plus_plus", "nearest_to", "typicality"]

First = Literal["max", "uniform", "norm"]
REFRESH = 48
PROPOSALS = 16
ROUNDS = 4
EXACT_UP_TO = 50
MINI_BATCH = 5000


class Seeding(NamedTuple):
    """What k-means++ drew: `rows` (n,) int64 in order, and each one's `potentials` (n,) when it was drawn.

    A potential is the weighted squared distance to the nearest earlier row, of the first its weighted squared length.
    """

    rows: Tensor
    potentials: Tensor


def kmeans_plus_plus(
    space: Space, n: int, rng: Generator, first: First = "uniform", weights: Tensor | None = None
) -> Seeding:
    """Draws n distinct rows, each with probability proportional to weight times squared distance to those drawn before.

    first    "uniform": in proportion to the weights alone; "max": the longest weighted vector, ties at random;
             "norm": in proportion to the weighted squared length
    weights  (N,) >= 0; 1 when None

    Exactly that law without its n passes over the pool. Squared distances that are out of date are upper bounds: a
    row is proposed in proportion to its bound and accepted with probability distance / bound, where the distance
    looks only at the rows drawn since the bounds were brought up to date, every 48 draws, by one matrix product.
    When all distances are 0 the rest is drawn uniformly. At most O(n·N·D), memory O(N).

    Arthur and Vassilvitskii 2007, doi:10.5555/1283383.1283494.

    >>> from askwell.functional.distance import Points
    >>> line = Points(torch.tensor([[0.], [0.], [1.], [9.]]))
    >>> kmeans_plus_plus(line, 3, torch.Generator().manual_seed(0), "max").rows
    tensor([3, 1, 2])
    """
    if not 1 <= n <= len(space):
        raise PoolExhausted(n, len(space))
    if first not in get_args(First):
        raise UnknownName("first pick", first, get_args(First))
    draw = _Draw(space, weights, rng)
    draw.first(first)
    for _ in steps(n - 1):
        if not draw.next():
            break
    return draw.result(n)


class _Draw:
    """Stale potentials: `bounds` (N,) on squared distances, lowered when many rows were drawn since."""

    def __init__(self, space: Space, weights: Tensor | None, rng: Generator) -> None:
        self.space, self.rng = space, rng
        self.weights = torch.ones_like(space.norms) if weights is None else weights.to(space.norms)
        self.bounds = torch.full_like(space.norms, torch.inf)
        self.rows: list[int] = []
        self.potentials: list[float] = []
        self.recent: list[int] = []

    def first(self, first: First) -> None:
        """Draws the first row and brings the bounds up to date."""
        lengths = self.weights * self.space.norms
        if first == "max":
            row = int(top(lengths, 1, self.rng))
        else:
            row = draw(self.weights if first == "uniform" else lengths, self.rng)
        self._add(row, float(lengths[row]))
        self._bring_up_to_date()

    def next(self) -> bool:
        """Draws one more row; False when all that are left lie on rows drawn before."""
        if len(self.recent) >= REFRESH:
            self._bring_up_to_date()
        if any(self._propose() for _ in range(ROUNDS)):
            return True
        self._bring_up_to_date()
        return self._propose()

    def result(self, n: int) -> Seeding:
        """The rows drawn, filled up to n at random."""
        kind = self.space.norms
        rows = torch.tensor(self.rows, device=kind.device)
        potentials = torch.tensor(self.potentials, dtype=kind.dtype, device=kind.device)
        if len(rows) < n:
            left = torch.ones_like(kind).index_fill_(0, rows, 0)
            rest = top(left, n - len(rows), self.rng)
            rows, potentials = torch.cat([rows, rest]), torch.cat([potentials, kind.new_zeros(len(rest))])
        return Seeding(rows, potentials)

    def _propose(self) -> bool:
        """Proposes some rows by their bounds and adds the first that is accepted."""
        if not self.total > 0:
            return False
        places = uniform(PROPOSALS, self.rng).to(self.cumulative.device) * self.total
        rows = torch.searchsorted(self.cumulative, places, right=True).clamp_(max=len(self.bounds) - 1)
        stale = self.bounds[rows]
        squared = stale
        if self.recent:
            drawn = self._drawn_since()
            fresh = self.space.take(rows).squared(self.space.take(drawn)).amin(0)
            squared = torch.minimum(stale, fresh).masked_fill_(torch.isin(rows, drawn), 0.0)
        accepted = uniform(PROPOSALS, self.rng).to(stale) * stale < squared
        if not bool(accepted.any()):
            return False
        place = int(accepted.int().argmax())
        row = int(rows[place])
        self._add(row, float(squared[place] * self.weights[row]))
        return True

    def _drawn_since(self) -> Tensor:
        return torch.tensor(self.recent, dtype=torch.int64, device=self.bounds.device)

    def _add(self, row: int, potential: float) -> None:
        self.rows.append(row)
        self.recent.append(row)
        self.potentials.append(potential)

    def _bring_up_to_date(self) -> None:
        if self.recent:
            drawn = self._drawn_since()
            self.space.lower(self.bounds, self.space.take(drawn))
            self.bounds[drawn] = 0.0
            self.recent = []
        self.cumulative = (self.weights * self.bounds).cumsum(0, dtype=torch.float64)
        self.total = float(self.cumulative[-1])


def kmeans(
    rows: Tensor, clusters: int, rng: Generator, weights: Tensor | None = None, exact_up_to: int = EXACT_UP_TO
) -> tuple[Tensor, Tensor]:
    """Cluster of each row (N,) int64 and centroids (k, D), by scikit-learn, on the CPU.

    rows         (N, D). k <= clusters: no more than there are rows
    weights      (N,) above 0: what a row counts in the seeding, in its centroid and in the sum that is minimised
    exact_up_to  with more clusters than this, mini-batches of 5000 rows

    O(N·D·k) per iteration.

    >>> rows = torch.tensor([[0., 0.], [0., 1.], [9., 9.]])
    >>> cluster, centroids = kmeans(rows, 2, torch.Generator().manual_seed(0))
    >>> bool(cluster[0] == cluster[1]), bool(cluster[0] == cluster[2])
    (True, False)
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    clusters = min(clusters, len(rows))
    seed = int(torch.randint(1 << 31, (), generator=rng, device=rng.device))
    model = (
        KMeans(clusters, n_init=1, random_state=seed)
        if clusters <= exact_up_to
        else MiniBatchKMeans(clusters, n_init=1, batch_size=MINI_BATCH, random_state=seed)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        share = None if weights is None else weights.cpu().double().numpy()
        found = model.fit_predict(rows.cpu().float().numpy(), sample_weight=share)
    centroids = torch.from_numpy(model.cluster_centers_).to(rows)
    return torch.from_numpy(found).to(rows.device, torch.int64), centroids


def nearest_to(rows: Tensor, centroids: Tensor) -> Tensor:
    """The row nearest to each centroid, (k,) int64; lowest row of equally near ones. O(N·k·D).

    >>> nearest_to(torch.tensor([[0.], [1.], [5.]]), torch.tensor([[.9], [4.]]))
    tensor([1, 2])
    """
    space = Points(rows)
    centres = space.beside(centroids)
    best = torch.empty(len(centroids), dtype=torch.int64, device=rows.device)
    for where in tiles(len(centroids), len(rows), rows.device):
        some = centres.take(torch.arange(where.start, where.stop, device=rows.device))
        best[where] = space.squared(some).argmin(1)
    return best


def typicality(rows: Tensor, neighbours: int) -> Tensor:
    """1 / (mean distance to the nearest rows + 1e-5), (n,): high where rows are dense. A lone row counts as 1e5.

    rows        (n, D) of one cluster
    neighbours  how many nearest rows; at most n − 1

    O(n²·D) time, memory for one tile of distances.

    Hacohen, Dekel and Weinshall 2022, arXiv 2202.02794.

    >>> typicality(torch.tensor([[0.], [.1], [.2], [1.]]), 2)
    tensor([6.6662, 9.9990, 6.6662, 1.1765])
    """
    space, near = Points(rows), min(neighbours, len(rows) - 1)
    mean = torch.zeros_like(space.norms)
    for where in tiles(len(rows) if near else 0, len(rows), rows.device):
        own = torch.arange(where.start, where.stop, device=rows.device)
        squared = space.squared(space.take(own))
        squared[own - where.start, own] = torch.inf
        mean[where] = squared.topk(near, dim=1, largest=False).values.sqrt_().mean(1)
    return 1 / (mean + 1e-5)
