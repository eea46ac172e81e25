"""What stands beside each strategy in the table of growth: the straightforward version, and packages as they ship.

Every entry takes the view that the strategy got, how many to pick, and a generator. Scores of the plain versions are
whole arrays, one pass per pick, with no tiles and no bounds; a package runs only where it can be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import plain
import torch
from torch import Generator, Tensor
from torch.special import entr

from askwell.core.needs import EMBEDDING, FEATURES, LABELS, MC_PROBS, PROBS, Need, Over
from askwell.core.view import View

__all__ = ["available", "memory"]

Run = Callable[[View, int, Generator], Any]


def drawn(view: View, over: Over = "candidates") -> Tensor:
    """The draws that the strategy declared over a set."""
    need = next(need for need in view.needs if need.name == MC_PROBS.name and need.over == over)
    return view[need]


def scored(score: Callable[[Tensor], Tensor], need: Need | None = None) -> Run:
    """The largest scores of whole arrays of probabilities, or of draws."""
    return lambda view, n, rng: score(drawn(view) if need is None else view[need]).topk(n).indices


def two_best(p: Tensor) -> Tensor:
    return p.topk(2, dim=1).values


def knowledge(mc: Tensor) -> Tensor:
    return entr(mc.mean(1)).sum(1) - entr(mc).sum(2).mean(1)


def votes(mc: Tensor) -> Tensor:
    """Share of each class among the draws' decisions."""
    return torch.nn.functional.one_hot(mc.argmax(2), mc.shape[2]).float().mean(1)


def nearest_first(need: Need) -> Run:
    """k-center by one pass over all candidates per pick, after one over the labelled items."""

    def run(view: View, n: int, rng: Generator) -> list[int]:
        z, near = view[need], torch.full((len(view),), torch.inf)
        for centre in view[need.at("labelled")]:
            torch.minimum(near, (z - centre).square().sum(1), out=near)
        picks: list[int] = []
        for _ in range(n):
            picks.append(int(near.argmax()))
            torch.minimum(near, (z - z[picks[-1]]).square().sum(1), out=near)
        return picks

    return run


def badge(view: View, n: int, rng: Generator) -> Tensor:
    return plain.badge(view[PROBS], view[EMBEDDING], n, rng)


def batch_bald(view: View, n: int, rng: Generator) -> Tensor:
    return plain.batch_bald(drawn(view), n, 10_000, rng)


def epig(view: View, n: int, rng: Generator) -> Tensor:
    """Joint probabilities of every candidate with every target, a table of (chunk, T, C, C) at a time."""
    mc, targets = drawn(view), drawn(view, "targets")
    found = []
    for part in mc.split(64):
        joint = torch.einsum("nkc,tkd->ntcd", part, targets) / mc.shape[1]
        alone = part.mean(1)[:, None, :, None] * targets.mean(1)[None, :, None, :]
        found.append((entr(alone) - entr(joint)).sum((2, 3)).mean(1))
    return torch.cat(found).topk(n).indices


def clusters(view: View, n: int, rng: Generator) -> Any:
    """scikit-learn's k-means and the row nearest to each centre."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin

    z = view[FEATURES].numpy()
    return pairwise_distances_argmin(KMeans(n, n_init=1, random_state=0).fit(z).cluster_centers_, z)


def lengths(view: View, n: int, rng: Generator) -> Tensor:
    """Expected gradient length with one table (N, C, C)."""
    p, z = view[PROBS], view[EMBEDDING]
    gaps = (p[:, None, :] - torch.eye(p.shape[1])).square().sum(2).sqrt()
    return ((p * gaps).sum(1) * (1 + z.square().sum(1)).sqrt()).topk(n).indices


PLAIN: Mapping[str, Run] = {
    "least_confidence": scored(lambda p: 1 - p.amax(1), PROBS),
    "margin": scored(lambda p: 1 - (two_best(p)[:, 0] - two_best(p)[:, 1]), PROBS),
    "ratio": scored(lambda p: two_best(p)[:, 1] / two_best(p)[:, 0], PROBS),
    "entropy": scored(lambda p: entr(p).sum(1), PROBS),
    "max_entropy": scored(lambda mc: entr(mc.mean(1)).sum(1)),
    "mean_std": scored(lambda mc: mc.std(1, correction=0).mean(1)),
    "variation_ratios": scored(lambda mc: 1 - mc.mean(1).amax(1)),
    "committee": scored(lambda mc: entr(votes(mc)).sum(1)),
    "bald": scored(knowledge),
    "batch_bald": batch_bald,
    "epig": epig,
    "egl": lengths,
    "badge": badge,
    "coreset": nearest_first(EMBEDDING),
    "ff_active": nearest_first(EMBEDDING),
    "kmeans": clusters,
    "random": lambda view, n, rng: torch.randperm(len(view), generator=rng)[:n],
}


# Packages


def baal(name: str) -> Run:
    def run(view: View, n: int, rng: Generator) -> Any:
        from baal.active import heuristics

        drawn_here = any(need.name == MC_PROBS.name for need in view.needs)
        tensor = drawn(view).movedim(-1, 1) if drawn_here else view[PROBS]
        return getattr(heuristics, name)()(tensor.numpy())[:n]

    return run


def redux(view: View, n: int, rng: Generator) -> Any:
    from batchbald_redux.batchbald import get_batchbald_batch

    return get_batchbald_batch(drawn(view).log(), n, 10_000, dtype=torch.float32)


def items(view: View, need: Need) -> tuple[Any, Any]:
    """Candidates and labelled items as scikit-activeml takes them, in float64."""
    x = torch.cat([view[need], view[need.at("labelled")]]).double().numpy()
    return x, np.concatenate([np.full(len(view), np.nan), view[LABELS].double().numpy()])


def skactiveml(name: str, need: Need, **settings: Any) -> Run:
    def run(view: View, n: int, rng: Generator) -> Any:
        from skactiveml import pool

        x, y = items(view, need)
        return getattr(pool, name)(random_state=0, **settings).query(x, y, batch_size=n)

    return run


def with_model(name: str, **settings: Any) -> Run:
    """A strategy of scikit-activeml that reads a classifier, whose embedding is its input."""

    def run(view: View, n: int, rng: Generator) -> Any:
        from skactiveml import pool

        x, y = items(view, EMBEDDING)
        strategy = getattr(pool, name)(random_state=0, **settings)
        return strategy.query(x, y, clf=fitted(x, y), fit_clf=False, batch_size=n)

    return run


def fitted(x: Any, y: Any) -> Any:
    """A logistic regression on the labelled items, as scikit-activeml takes it."""
    from skactiveml.classifier import SklearnClassifier
    from sklearn.linear_model import LogisticRegression

    known = ~np.isnan(y)
    return SklearnClassifier(LogisticRegression(max_iter=100), classes=np.arange(10)).fit(x[known], y[known])


def small_text(view: View, n: int, rng: Generator) -> Any:
    from small_text.query_strategies import greedy_coreset

    z = np.concatenate([view[EMBEDDING].numpy(), view[EMBEDDING.at("labelled")].numpy()])
    return greedy_coreset(z, np.arange(len(view)), np.arange(len(view), len(z)), n)


def numbers(view: View, n: int, rng: Generator) -> Any:
    from skactiveml.pool import GreedySamplingX

    x, y = items(view, FEATURES)
    return GreedySamplingX(random_state=0).query(x, y, batch_size=n)


PACKAGES: Mapping[str, Mapping[str, Run]] = {
    "least_confidence": {"baal": baal("Certainty"), "skactiveml": with_model("UncertaintySampling")},
    "margin": {"baal": baal("Margin"), "skactiveml": with_model("UncertaintySampling", method="margin_sampling")},
    "entropy": {"baal": baal("Entropy"), "skactiveml": with_model("UncertaintySampling", method="entropy")},
    "max_entropy": {"baal": baal("Entropy")},
    "mean_std": {"baal": baal("Variance")},
    "bald": {"baal": baal("BALD")},
    "batch_bald": {"batchbald_redux": redux},
    "badge": {"skactiveml": with_model("Badge")},
    "falcun": {"skactiveml": with_model("Falcun")},
    "dropquery": {"skactiveml": with_model("DropQuery")},
    "cal": {"skactiveml": with_model("ContrastiveAL")},
    "coreset": {"skactiveml": skactiveml("CoreSet", EMBEDDING), "small_text": small_text},
    "ff_active": {"skactiveml": skactiveml("CoreSet", EMBEDDING), "small_text": small_text},
    "typiclust": {"skactiveml": skactiveml("TypiClust", FEATURES)},
    "probcover": {"skactiveml": skactiveml("ProbCover", FEATURES)},
    "maxherding": {"skactiveml": skactiveml("MaxHerding", FEATURES)},
    "greedy_sampling": {"skactiveml": numbers},
}


def available(name: str) -> dict[str, Run]:
    """The plain version and the packages that can be imported, by name."""
    found = {"plain": PLAIN[name]} if name in PLAIN else {}
    return found | {package: run for package, run in PACKAGES.get(name, {}).items() if find_spec(package)}


def memory(other: str, name: str, view: View, n: int) -> float:
    """Bytes that one asks for beyond the inputs, as its source shows."""
    rows, wide = len(view), 8 * 74
    if other == "plain":
        return {"egl": 400.0, "committee": 1600.0, "kmeans": 0.0}.get(name, 800.0) * rows
    if other == "baal":
        return 3.0 * 4 * 10 * 20 * rows
    if name in ("probcover", "maxherding", "typiclust") or other == "small_text":
        return 8.0 * rows**2
    return float(max(wide, 16 * n) * rows)
