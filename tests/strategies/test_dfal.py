"""DFAL: the least attack that flips an item, and the attacked copy beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from askwell.core.needs import NETWORK
from askwell.core.pool import Form
from askwell.core.view import Batch, View
from askwell.data import load
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.deepfool import deepfool
from askwell.oracles import Truth
from askwell.strategies import DFAL, Subsample

WEIGHTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
X = torch.tensor([[3.0, 0.0], [1.0, 0.8], [0.0, 2.0], [1.0, 1.4], [0.5, 0.0]])


class Linear:
    """A network of its own: logits are products with the rows of WEIGHTS."""

    def __init__(self, rows: Tensor, form: Form | None = None, weights: Tensor = WEIGHTS) -> None:
        self.rows, self.weights = rows, weights
        self.form = form or Form("vector", tuple(rows.shape[1:]))

    def items(self, ids: Tensor) -> Tensor:
        return self.rows[ids]

    def __call__(self, items: Tensor, inputs: Tensor | None = None) -> Tensor:
        return items.flatten(1) @ self.weights.t()


def choose(strategy: DFAL, network: Linear, n: int, seed: int = 0) -> Batch:
    view = View(torch.arange(len(network.rows)), (NETWORK,), lambda *_: {NETWORK: network})
    return strategy.select(view, n, torch.Generator().manual_seed(seed))


def test_asks_for_the_least_shift_first() -> None:
    batch = choose(DFAL(), Linear(X), 3)
    assert batch.ids.tolist() == [1, 3, 4]
    assert batch.scores.tolist() == pytest.approx([-0.141421, -0.282843, -0.353553], abs=1e-5)


def test_each_item_has_its_attacked_copy_with_overshoot() -> None:
    network = Linear(X)
    batch = choose(DFAL(), network, 2)
    assert [(made.parent, made.role, made.how) for made in batch.made] == [
        (1, "copy", "deepfool"), (3, "copy", "deepfool"),
    ]  # fmt: skip
    np.testing.assert_allclose(batch.made[0].payload, [0.898, 0.902], rtol=1e-6)
    copies = torch.from_numpy(np.stack([made.payload for made in batch.made]))
    assert (network(copies).argmax(1) != network(X[batch.ids]).argmax(1)).all()
    assert batch.asked == 2
    assert choose(replace(DFAL(), copies=False), network, 2).made == ()


def test_what_no_attack_flips_comes_last_without_a_copy() -> None:
    rows = torch.cat([X, torch.zeros(1, 2)])
    flat = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    network = Linear(rows, weights=flat)
    one = Linear(X, weights=flat[:1])
    assert choose(DFAL(), network, 6).asked == 6
    batch = choose(DFAL(), one, 5)
    assert batch.made == ()
    assert set(batch.scores.tolist()) == {-1.0}


def test_large_pools_are_attacked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = choose(DFAL(), Linear(X), 5)
    monkeypatch.setattr("askwell.strategies.dfal.ROWS", 2)
    parts = choose(DFAL(), Linear(X), 5)
    assert parts.ids.tolist() == whole.ids.tolist()
    assert_close(parts.scores, whole.scores)
    assert [made.parent for made in parts.made] == whole.ids.tolist()


def test_settings_reach_the_attack() -> None:
    """Scores are those of `deepfool` with the same numbers."""
    network = Linear(X)
    for given in ({"overshoot": 0.5}, {"eta": 0.3}, {"steps": 1}, {"classes": 2}):
        found = deepfool(X, network, **given)
        wanted = torch.where(found.flipped, -found.lengths, -found.lengths.max() - 1)
        batch = choose(DFAL(**given), network, 5)
        assert_close(batch.scores, wanted[batch.ids])


def test_pictures_are_kept_within_their_range_where_that_is_wanted() -> None:
    pictures = Linear(torch.tensor([[[[0.9, 0.02]]]]), Form("image", (1, 1, 2)), torch.tensor([[1.0, 1.0], [0.0, 3.0]]))
    free, kept = (choose(DFAL(clip=clip), pictures, 1).made[0].payload for clip in (False, True))
    assert free.shape == kept.shape == (1, 1, 2)
    darker = Linear(torch.tensor([[[[0.02, 0.9]]]]), Form("image", (1, 1, 2)), torch.tensor([[-2.0, 1.0], [8.0, 0.0]]))
    free, kept = (choose(DFAL(clip=clip), darker, 1).made[0].payload for clip in (False, True))
    assert kept.min() >= 0
    assert kept.max() <= 1
    vectors = Linear(torch.tensor([[5.0, 4.0]]))
    assert_close(*(torch.from_numpy(choose(DFAL(clip=clip), vectors, 1).made[0].payload) for clip in (False, True)))


def test_a_sample_of_the_candidates_keeps_their_copies() -> None:
    view = View(torch.arange(5), (NETWORK,), lambda *_: {NETWORK: Linear(X)})
    batch = Subsample(DFAL(), size=3).select(view, 2, torch.Generator().manual_seed(0))
    assert [made.parent for made in batch.made] == batch.ids.tolist()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"overshoot": -1.0}, "overshoot and eta must not be negative, got -1.0 and 0.0"),
        ({"steps": 0}, "steps must be at least 1 and classes at least 2, got 0 and 10"),
    ],
)
def test_refuses(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        DFAL(**wrong)  # type: ignore[arg-type]  # wrong values are the point
    assert str(refusal.value) == message


def test_defaults_are_those_of_the_card() -> None:
    assert DFAL() == DFAL(overshoot=0.02, eta=0.0, steps=50, classes=10, clip=False, copies=True)


# ---------------------------------------------------------------------------------------------- in a project


def blobs(shape: tuple[int, ...] = (2,)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    centres = rng.random((3, *shape))
    return (centres[labels] + 0.05 * rng.standard_normal((90, *shape))).astype(np.float32), labels


def project_of(folder, points, labels, **changes):
    data = load(points, labels=labels, classes=["a", "b", "c"], test_size=20)
    given = {"initial": 6, "batch": 5, "model": "mlp(width=16)", "scheme": "supervised(steps=30)", **changes}
    return Project.create(folder, data, recipe="dfal", **given), data


@pytest.mark.parametrize("shape", [(2,), (4, 4)], ids=["vectors", "pictures"])
def test_copies_join_training_and_cost_nothing(tmp_path, shape) -> None:
    points, labels = blobs(shape)
    project, data = project_of(tmp_path / "p", points, labels)
    oracle = Truth(labels=labels)
    reports = list(rounds(project, oracle, last=2))
    made = project.store.made()
    assert [report.labels for report in reports] == [6, 11, 16]
    assert reports[-1].cost == 16
    assert len(project.store.questions()) == 16
    assert 0 < len(made) <= 10
    assert {one["role"] for one in made} == {"copy"}
    ids, values = project._fitting().labels
    known = dict(zip(ids.tolist(), values, strict=True))
    assert len(ids) == 16 + len(made)
    assert all(known[one["item"]] == known[one["parent"]] for one in made)
    assert not set(project.candidates().tolist()) & {one["item"] for one in made}
    assert not {row.item for row in project.store.questions()} & {one["item"] for one in made}
    project.close()

    again = Project.open(tmp_path / "p", data)
    assert again._fitting().labels[0].tolist() == ids.tolist()
    (report,) = rounds(again, oracle, last=3)
    assert report.labels == 21
    whole, _ = project_of(tmp_path / "whole", points, labels)
    assert [one.weights for one in rounds(whole, oracle, last=3)] == [one.weights for one in again.reports]


def test_the_copy_of_an_item_that_nobody_labelled_is_not_trained_on(tmp_path) -> None:
    points, labels = blobs()
    project, _ = project_of(tmp_path / "p", points, labels)
    for question in project.ask(6):
        project.tell(question.id, int(labels[question.position]))
    project.train()
    first, *others = project.ask(5)
    project.skip(first.id)
    for question in others:
        project.tell(question.id, int(labels[question.position]))
    project.train()
    trained = project._fitting().labels[0].tolist()
    for one in project.store.made():
        assert (one["item"] in trained) == (one["parent"] != first.position)
    assert project.reports[-1].labels == 10


def test_the_model_of_a_round_is_made_again_without_the_copies_of_later_rounds(tmp_path) -> None:
    points, labels = blobs()
    project, data = project_of(tmp_path / "p", points, labels)
    list(rounds(project, Truth(labels=labels), last=1))
    project.plan(5)
    weights = project.reports[-1].weights
    path = project._weights(1)
    project.close()
    path.unlink()
    with Project.open(tmp_path / "p", data) as again:
        again.learner.predict(again.pool, torch.arange(3))
        assert again.reports[-1].weights == weights


def test_words_are_refused_before_anything_is_asked(tmp_path) -> None:
    texts = [f"word{place % 7} other{place % 3}" for place in range(40)]
    data = load(texts, labels=[place % 3 for place in range(40)], classes=["a", "b", "c"])
    with pytest.raises(InputError) as refusal:
        Project.create(tmp_path / "p", data, recipe="dfal")
    assert str(refusal.value) == (
        "recipe 'dfal': strategy 'dfal' takes items of kind image or vector and these are of kind 'tokens'"
    )
    assert not (tmp_path / "p").exists()


def test_models_without_gradients_and_tasks_without_one_class_are_refused(tmp_path) -> None:
    points, labels = blobs()
    data = load(points, labels=labels, classes=["a", "b", "c"])
    with pytest.raises(UnmetNeeds, match="strategy 'subsample-dfal' needs network@model; there is"):
        Project.create(tmp_path / "p", data, recipe="dfal", learner="linear", scheme=None)
    numbers = load(points, labels=labels.astype(float), task="regression")
    with pytest.raises(
        UnmetNeeds, match="strategy 'subsample-dfal' reads one class per item, which regression has not"
    ):
        Project.create(tmp_path / "q", numbers, recipe="dfal")
