"""Selectors against plain references, on random pools."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.stats import chisquare
from torch import Generator, Tensor

from askwell.core.stage import Selector
from askwell.core.view import View
from askwell.functional.uncertainty import margin
from askwell.strategies import ClusterRoundRobin, KCenter, Margin, MarginalRelevance, Power, Softmax, Softrank
from askwell.testing import view_of

POOLS = range(200)


def rng(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def pool(seed: int) -> tuple[View, Tensor, Tensor, Tensor]:
    """A view of 30 candidates with three labelled items; margins, embeddings, labelled embeddings."""
    generator = rng(seed)
    p = (2 * torch.randn(30, 3, generator=generator)).softmax(1)
    z, known = torch.randn(30, 4, generator=generator), torch.randn(3, 4, generator=generator)
    view = view_of(5 * torch.arange(30), torch.tensor([1, 2, 3]), probs=p, embedding=z, labelled_embedding=known)
    return view, margin(p), z, known


def picked(selector: Selector, view: View, n: int, seed: int = 0) -> list[int]:
    return ((Margin() | selector).select(view, n, rng(seed)).ids // 5).tolist()


@pytest.mark.parametrize("beta", [1.5, 4])
def test_k_center_is_the_farthest_of_the_most_wanted(beta: float) -> None:
    for seed in POOLS:
        view, scores, z, known = pool(seed)
        wanted = scores.argsort(descending=True)[: int(beta * 5)].tolist()
        centres, plain = [*known.double()], []
        for _ in range(5):
            gaps = {row: min(float((z[row] - centre).norm()) for centre in centres) for row in wanted}
            plain.append(max((row for row in wanted if row not in plain), key=gaps.__getitem__))
            centres.append(z[plain[-1]].double())
        assert picked(KCenter(beta=beta), view, 5) == plain


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_marginal_relevance_is_score_less_likeness(alpha: float) -> None:
    for seed in POOLS:
        view, scores, z, _ = pool(seed)
        levels = ((scores - scores.min()) / (scores.max() - scores.min())).double()
        cosine = torch.nn.functional.cosine_similarity(z[:, None].double(), z[None].double(), dim=2)
        plain = [int(levels.argmax())]
        while len(plain) < 5:
            left = levels - alpha * cosine[:, plain].amax(1)
            left[plain] = -torch.inf
            plain.append(int(left.argmax()))
        assert picked(MarginalRelevance(alpha=alpha), view, 5) == plain


@pytest.mark.parametrize("clusters", [1, 2])
def test_round_robin_is_the_best_of_each_cluster_the_smallest_first(clusters: int) -> None:
    for seed in POOLS:
        view, scores, z, _ = pool(seed)
        tree = linkage(z.double().numpy(), "average")
        cluster = fcluster(tree, 5 * clusters, "maxclust")
        best = {
            c: sorted(torch.tensor(cluster == c).nonzero()[:, 0].tolist(), key=lambda row: -scores[row])
            for c in cluster
        }
        turns = sorted(best, key=lambda c: (len(best[c]), -scores[best[c][0]]))
        plain = [best[c][turn] for turn in range(30) for c in turns if turn < len(best[c])][:5]
        assert picked(ClusterRoundRobin(clusters=clusters), view, 5) == plain


@pytest.mark.parametrize(
    ("selector", "chance"),
    [
        (Power(beta=2), lambda scores: scores.square()),
        (Softmax(beta=3), lambda scores: (3 * scores).exp()),
        (Softrank(beta=1.5), lambda scores: (1 + scores.argsort(descending=True).argsort()).double() ** -1.5),
    ],
    ids=["power", "softmax", "softrank"],
)
def test_draws_fall_as_often_as_they_should(selector: Selector, chance) -> None:
    """Ordered pairs of five items, drawn 6000 times, by χ² at .001."""
    p = torch.tensor([[0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [0.95, 0.05]])
    weights = chance(margin(p).double())
    counts = dict.fromkeys(permutations(range(5), 2), 0)
    view = view_of(5 * torch.arange(5), probs=p)
    generator = rng(0)
    for _ in range(6000):
        counts[tuple(((Margin() | selector).select(view, 2, generator).ids // 5).tolist())] += 1
    share = weights / weights.sum()
    wanted = [float(share[a] * share[b] / (1 - share[a])) * 6000 for a, b in counts]
    assert chisquare(list(counts.values()), wanted).pvalue > 1e-3
