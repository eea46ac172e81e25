"""k-means, and pre-clustering with a classifier on the centres."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cluster_pools import blobs, draws
from scipy.optimize import minimize
from strategy_views import rng, view_of
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import FEATURES, LABELS
from askwell.core.view import Batch
from askwell.errors import UnknownName, UnmetNeeds
from askwell.functional.cluster import kmeans
from askwell.functional.mixture import Mixture, centre_classifier, nearest_centre
from askwell.functional.pick import one_each_first, uniform
from askwell.functional.prototypes import innermost, representatives
from askwell.strategies import Kmeans, PreClustering

KNOWN = FEATURES.at("labelled")
CARD = Mixture(torch.tensor([[-1.0], [1.0]]), torch.tensor([0.5, 0.5]), 0.5)


def one_each(strategy: Kmeans, z: Tensor, n: int, seed: int = 0) -> list[int]:
    return strategy.select(view_of(strategy, {FEATURES: z}, torch.arange(len(z))), n, rng(seed)).ids.tolist()


def test_kmeans_asks_once_in_each_group() -> None:
    assert sorted(row // 12 for row in one_each(Kmeans(), blobs(5), 4)) == [0, 1, 2, 3]


def test_kmeans_asks_for_the_middle() -> None:
    z = blobs(5)
    for row in one_each(Kmeans(), z, 4):
        group = z[row // 12 * 12 :][:12]
        assert int((group - group.mean(0)).norm(dim=1).argmin()) == row % 12


def test_kmeans_fills_empty_clusters_at_random() -> None:
    z = torch.tensor([[0.0], [0.0], [0.0], [7.0]])
    found = [one_each(Kmeans(), z, 3, seed) for seed in range(60)]
    assert all(3 in rows and len(set(rows)) == 3 for rows in found)
    assert {frozenset(rows) for rows in found} == {frozenset({3, a, b}) for a, b in ((0, 1), (0, 2), (1, 2))}


def test_hundreds_of_clusters_of_few_rows_take_no_mini_batches() -> None:
    rows, generator = draws(0, 80, 2), rng()
    cluster, centroids = kmeans(rows, 60, generator, exact_up_to=60)
    wanted = innermost(rows, cluster, centroids, uniform(80, generator))
    assert torch.equal(representatives(rows, 60, rng()), wanted)


@pytest.mark.parametrize(
    ("seed", "theirs"), [(0, [11, 13, 26, 36]), (1, [2, 22, 28, 43]), (2, [1, 22, 29, 43])], ids=["0", "1", "2"]
)
def test_kmeans_agrees_with_small_text(seed: int, theirs: list[int]) -> None:
    """`EmbeddingKMeans` of small-text 1.4.1 on vectors of length one, with one seed for k-means: 200 of 200 pools."""
    assert sorted(one_each(Kmeans(), torch.nn.functional.normalize(blobs(seed)), 4)) == theirs


def test_the_mixture_of_the_card() -> None:
    x = torch.tensor([[0.0], [0.5], [1.0], [2.0]])
    joint = CARD.log_joint(x)
    p = joint.softmax(1) @ torch.tensor([0.1, 0.9], dtype=torch.float64)
    density = joint.logsumexp(1).exp()
    double = torch.float64
    assert_close(p, torch.tensor([0.5, 0.804638, 0.885611, 0.899732], dtype=double), atol=1e-6, rtol=0)
    assert_close(density, torch.tensor([0.207554, 0.249428, 0.287262, 0.103812], dtype=double), atol=1e-6, rtol=0)
    quarter = density * torch.minimum(p, 1 - p)
    assert_close(quarter, torch.tensor([0.103777, 0.048729, 0.032860, 0.010409], dtype=double), atol=1e-6, rtol=0)


def test_with_one_cluster_all_are_as_likely_and_the_density_ranks() -> None:
    joint = Mixture(torch.ones(1, 1), torch.ones(1), 0.5).log_joint(torch.tensor([[1.0], [0.5], [2.0], [-3.0]]))
    assert torch.equal(joint.softmax(1), torch.ones(4, 1, dtype=torch.float64))
    assert joint.logsumexp(1).argsort(descending=True).tolist() == [0, 1, 2, 3]


def test_a_mixture_counts_its_rows() -> None:
    z, centres = draws(0, 50, 3), draws(1, 4, 3)
    mixture, cluster = Mixture.of(z, centres)
    gaps = torch.cdist(z, centres)
    assert torch.equal(cluster, gaps.argmin(1))
    assert mixture.shares.tolist() == pytest.approx([(cluster == k).sum().item() / 50 for k in range(4)])
    assert mixture.variance == pytest.approx(float(gaps.amin(1).square().mean() / 3))
    assert Mixture.of(torch.ones(4, 2), torch.ones(1, 2))[0].variance == pytest.approx(1e-7)


def test_the_classifier_is_the_most_likely_one() -> None:
    z, sides = draws(2, 20, 3), (torch.arange(20) % 3 == 0).double()[:, None]
    mixture, _ = Mixture.of(z, draws(3, 5, 3))
    posterior = mixture.log_joint(z).softmax(1)
    centres = ((mixture.centres - mixture.centres.mean(0)) / mixture.variance**0.5).numpy()

    def loss(values: np.ndarray) -> float:
        chances = 1 / (1 + np.exp(-(centres @ values[:3] + values[3])))
        p, y = posterior.numpy() @ chances, sides[:, 0].numpy()
        return float(0.25 * (values[:3] ** 2).sum() - (y * np.log(p) + (1 - y) * np.log(1 - p)).sum())

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8})
    wanted = 1 / (1 + np.exp(-(centres @ best.x[:3] + best.x[3])))
    assert_close(centre_classifier(mixture, posterior, sides, 0.5)[:, 0].numpy(), wanted, atol=1e-4, rtol=0)


def test_the_classifier_has_no_unit_of_length() -> None:
    z, sides = draws(2, 20, 3), (torch.arange(20) % 2).double()[:, None]
    chances = []
    for scale in (1.0, 100.0):
        mixture, _ = Mixture.of(scale * z, scale * draws(3, 5, 3))
        chances.append(centre_classifier(mixture, mixture.log_joint(scale * z).softmax(1), sides, 0.1))
    assert_close(chances[0], chances[1], atol=1e-5, rtol=0)


def ask(strategy: PreClustering, z: Tensor, known: Tensor, labels: list[int], n: int, **state: np.ndarray) -> Batch:
    tensors = {FEATURES: z, KNOWN: known, LABELS: torch.tensor(labels)}
    view = view_of(strategy, tensors, torch.arange(len(z)), len(known))
    view.state = dict(state)
    return strategy.select(view, n, rng())


def reference(z: Tensor, known: Tensor, labels: Tensor, centres: Tensor, error: str) -> Tensor:
    """Scores of two classes, row by row, with densities as they are."""
    mixture, _ = Mixture.of(torch.cat([z, known]), centres)
    posterior = mixture.log_joint(known).softmax(1)
    chances = centre_classifier(mixture, posterior, (labels[:, None] == 1).double(), 0.01)[:, 0]
    scores = []
    for row in z.double():
        gaps = (row - mixture.centres.double()).square().sum(1)
        parts = mixture.shares * torch.exp(-gaps / 2 / mixture.variance)
        p = float((parts @ chances) / parts.sum())
        scores.append(float(parts.sum()) * 4 * (min(p, 1 - p) if error == "hard" else p * (1 - p)))
    return torch.tensor(scores)


@pytest.mark.parametrize("error", ["hard", "mean"])
def test_scores_are_density_times_error(error: str) -> None:
    z, known, labels = draws(0, 30, 2).float(), draws(1, 4, 2).float(), [0, 1, 1, 0]
    centres = torch.cat([draws(2, 5, 2).float(), torch.full((1, 2), 9.0)])
    batch = ask(PreClustering(error), z, known, labels, 30, centres=centres.numpy())
    wanted = reference(z, known, torch.tensor(labels), centres, error)[batch.ids]
    assert_close(batch.scores / batch.scores[0], wanted / wanted[0], atol=1e-4, rtol=1e-4)


def test_asks_for_the_undecided_middle_and_between_equal_doubts_for_the_denser_one() -> None:
    z = torch.tensor([[0.0], [0.5], [1.0], [2.0], [-0.5], [-1.0], [-2.0], [8.0]])
    centres = np.array([[-1.0], [1.0], [8.0]])
    batch = ask(PreClustering(ridge=0.5), z, torch.tensor([[-1.0], [1.0]]), [0, 1], 8, centres=centres)
    scores = dict(zip(batch.ids.tolist(), batch.scores.tolist(), strict=True))
    assert max(scores, key=scores.__getitem__) == 0
    assert scores[2] > 2 * scores[3]


def test_one_pick_per_cluster_before_a_second() -> None:
    z = torch.cat([torch.zeros(20, 1), torch.full((3, 1), 5.0), torch.full((2, 1), 10.0)]) + 0.1 * draws(0, 25, 1)
    batch = ask(PreClustering(), z, torch.tensor([[0.0], [10.0]]), [0, 1], 25, centres=np.array([[0.0], [5.0], [10.0]]))
    cluster = nearest_centre(z[batch.ids], torch.tensor([[0.0], [5.0], [10.0]]).double())[0]
    assert sorted(cluster[:3].tolist()) == [0, 1, 2]
    for part in (batch.scores[:3], batch.scores[3:]):
        assert torch.equal(part, part.sort(descending=True).values)


def test_one_each_first() -> None:
    order = torch.tensor([4, 2, 0, 1, 3])
    assert one_each_first(order, torch.tensor([1, 1, 0, 0, 0])).tolist() == [4, 0, 2, 1, 3]


def test_clusters_are_split_once_all_hold_a_label() -> None:
    z, centres = torch.cat([draws(0, 30, 2), 20 + draws(1, 30, 2)]), np.array([[0.0, 0.0], [20.0, 20.0]])
    coarse = ask(PreClustering(), z, z[:2], [0, 1], 1, centres=centres)
    fine = ask(PreClustering(), z, z[[0, 59]], [0, 1], 1, centres=centres)
    assert coarse.state is not None
    assert fine.state is not None
    assert coarse.state["centres"].tolist() == centres.tolist()
    halves = fine.state["centres"]
    assert sorted(nearest_centre(halves, torch.as_tensor(centres).float())[0].tolist()) == [0, 0, 1, 1]


@pytest.mark.parametrize(("classes", "clusters"), [(2, 4), (3, 6)])
def test_starts_with_four_clusters_or_two_per_class(classes: int, clusters: int) -> None:
    strategy = PreClustering()
    tensors = {FEATURES: draws(0, 60, 3), KNOWN: draws(1, 1, 3), LABELS: torch.tensor([0])}
    view = view_of(strategy, tensors, torch.arange(60), 1)
    view.num_classes = classes
    state = strategy.select(view, 1, rng()).state
    assert state is not None
    assert len(state["centres"]) == clusters


def test_labelled_items_are_clustered_with_the_candidates() -> None:
    state = ask(PreClustering(), draws(0, 40, 2), torch.full((1, 2), 50.0), [0], 1).state
    assert state is not None
    assert state["centres"].amax(0).tolist() == pytest.approx([50.0, 50.0])


def test_more_classes_are_taken_one_against_the_rest() -> None:
    z = torch.cat([draws(0, 20, 2), torch.tensor([[4.0, 4.0]])]).float()
    known = torch.tensor([[0.0, 0.0], [8.0, 0.0], [4.0, 8.0]])
    centres = np.vstack([known.numpy(), [[4.0, 4.0]]])
    batch = ask(PreClustering(), z, known, [0, 1, 2], 21, centres=centres)
    scores = dict(zip(batch.ids.tolist(), batch.scores.tolist(), strict=True))
    mixture, _ = Mixture.of(torch.cat([z, known]), torch.as_tensor(centres).float())
    chances = centre_classifier(mixture, mixture.log_joint(known).softmax(1), torch.eye(3), 0.01)
    joint = mixture.log_joint(z)
    p = joint.softmax(1) @ chances
    wanted = joint.logsumexp(1).exp() * 4 * torch.minimum(p, 1 - p).mean(1)
    assert [scores[row] / scores[20] for row in range(21)] == pytest.approx((wanted / wanted[20]).tolist(), rel=1e-4)


@pytest.mark.parametrize("labels", [torch.tensor([0.5, 1.5]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])])
def test_refuses_labels_that_are_no_class(labels: Tensor) -> None:
    strategy = PreClustering()
    view = view_of(strategy, {FEATURES: draws(0, 5, 2), KNOWN: draws(1, 2, 2), LABELS: labels}, torch.arange(5), 2)
    with pytest.raises(UnmetNeeds, match=r"^strategy 'pre_clustering' needs exactly one class per item$"):
        strategy.select(view, 1, rng())


def test_refuses_an_unknown_error() -> None:
    with pytest.raises(UnknownName, match=r"^unknown error 'soft': Known: hard, mean$"):
        PreClustering(error="soft")  # type: ignore[arg-type]  # the wrong name is the point


def test_defaults_are_those_of_the_card() -> None:
    assert PreClustering() == PreClustering(error="hard", ridge=0.01)
