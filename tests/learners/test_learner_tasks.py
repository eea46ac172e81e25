"""Nets and linear heads on several labels and on numbers: references, scales, draws, files, other processes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression, Ridge
from torch import nn

from askwell.core.needs import (
    EMBEDDING,
    HEAD,
    LABEL_PROBS,
    LOGITS,
    MC_LABEL_PROBS,
    MC_PREDICTIONS,
    MC_PROBS,
    PREDICTIONS,
    PROBS,
)
from askwell.core.seeds import Seeds
from askwell.errors import BadData, InputError
from askwell.learners import Linear, Net
from askwell.models import MLP
from askwell.schemes import Supervised
from askwell.testing.fakes import FakePool
from askwell.testing.toys import toy

SCHEME = Supervised(steps=60, batch=18, lr=1e-2)
NET = Net(MLP(width=16, depth=1, dropout=0.2))


def fitted(factory, task, scheme=None, labelled=None, **job):
    problem = toy("vector", task=task)
    learner = factory.build(problem.pool.form, problem.task, scheme)
    learner.fit(problem.pool, problem.job(labelled, **job), Seeds(1))
    return problem, learner


def computed(problem, learner, *needs, seed=2):
    return learner.compute(problem.pool, needs, {"candidates": problem.unlabelled}, Seeds(seed))


@pytest.mark.parametrize("l2", [0.1, 4.0])
def test_a_linear_head_on_numbers_is_ridge_on_their_scale(l2):
    problem, learner = fitted(Linear(l2=l2), "regression")
    rows, labels = problem.pool.rows.double().numpy(), problem.truth.double().numpy()
    mean, scale = labels[:36].mean(), labels[:36].std()
    reference = Ridge(alpha=l2 / 2).fit(rows[:36], (labels[:36] - mean) / scale)
    np.testing.assert_allclose(learner.head.weight[0], reference.coef_, atol=1e-5)
    wanted = reference.predict(rows[problem.unlabelled]) * scale + mean
    np.testing.assert_allclose(computed(problem, learner, PREDICTIONS)[PREDICTIONS][:, 0], wanted, rtol=1e-4)


def test_a_linear_head_on_labels_is_a_logistic_regression_for_each():
    problem, learner = fitted(Linear(l2=0.5), "multi_label")
    rows = problem.pool.rows.double().numpy()
    found = computed(problem, learner, LABEL_PROBS)[LABEL_PROBS]
    for label in (0, 1):
        reference = LogisticRegression(C=2.0, tol=1e-8).fit(rows[:36], problem.truth[:36, label])
        wanted = reference.predict_proba(rows[problem.unlabelled])[:, 1]
        np.testing.assert_allclose(found[:, label], wanted, atol=1e-4)
    assert float(found[:, 2].max()) < 0.01


@pytest.mark.parametrize(("factory", "scheme"), [(NET, SCHEME), (Linear(dropout=0.2), None)], ids=["net", "linear"])
@pytest.mark.parametrize(
    ("task", "plain", "drawn", "width"),
    [
        ("classification", PROBS, MC_PROBS, 3),
        ("multi_label", LABEL_PROBS, MC_LABEL_PROBS, 3),
        ("regression", PREDICTIONS, MC_PREDICTIONS, 1),
    ],
)
def test_every_task_has_its_needs(factory, scheme, task, plain, drawn, width):
    problem, learner = fitted(factory, task, scheme)
    own = {"network"} if isinstance(factory, Net) else set()
    sums = {"mean_probs", "mean_entropy", "vote_shares"} if own and task == "classification" else set()
    assert learner.provides == {"logits", "embedding", "head", plain.name, drawn.name, *own, *sums}
    few, many = drawn(draws=3), drawn(draws=40)
    found = computed(problem, learner, plain, few, many, LOGITS, EMBEDDING, HEAD)
    assert found[plain].shape == (48, width)
    assert found[many].shape == (48, 40, width)
    torch.testing.assert_close(found[few], found[many][:, :3])
    assert torch.equal(found[plain], learner.predict(problem.pool, problem.unlabelled))
    spread = float(problem.truth.float().std())
    assert float((found[many].mean(1) - found[plain]).abs().mean()) < 0.3 * spread
    assert float(found[many].std(1).mean()) > 0


def test_numbers_may_lie_anywhere():
    """A thousand times the labels, shifted by a million: predictions move with them."""
    problem, learner = fitted(NET, "regression", SCHEME)
    plain = learner.predict(problem.pool, problem.test)
    problem.truth.mul_(1000).add_(1e6)
    learner.fit(problem.pool, problem.job(), Seeds(1))
    torch.testing.assert_close(learner.predict(problem.pool, problem.test), plain * 1000 + 1e6, rtol=1e-4, atol=1)


def test_the_scale_is_learnt_from_the_labelled_items_of_each_fit():
    problem = toy("vector", task="regression")
    learner = NET.build(problem.pool.form, problem.task, SCHEME)
    for labelled in (torch.arange(36), torch.arange(0, 36, 3)):
        learner.fit(problem.pool, problem.job(labelled), Seeds(1))
        targets = problem.targets(labelled).double()
        state = learner.state()
        assert state["task.mean"] == targets.mean()
        assert state["task.scale"] == (targets.std(correction=0) if len(set(targets.tolist())) > 1 else 1)
    assert problem.task.mean == 0


@pytest.mark.parametrize("policy", ["warm", ("shrink_perturb", 0.4, 0.1)])
def test_the_last_rounds_scale_is_no_weight(policy):
    scheme = Supervised(steps=20, lr=1e-2, policy=policy)
    problem, learner = fitted(NET, "regression", scheme)
    previous = learner.state()
    assert {"task.mean", "task.scale"} < previous.keys()
    twin = NET.build(problem.pool.form, problem.task, scheme)
    report = twin.fit(problem.pool, problem.job(torch.arange(0, 36, 2), previous=previous), Seeds(2))
    assert not [note for note in report.notes if note.startswith("fresh tensors")]
    assert twin.state()["task.mean"] == problem.targets(torch.arange(0, 36, 2)).double().mean()


AGAIN = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from askwell.learners import Linear, Net
from askwell.models import MLP
from askwell.schemes import Supervised
from askwell.testing.toys import toy
problem = toy("vector", task="regression")
for name, factory, scheme in (
    ("net", Net(MLP(width=16, depth=1, dropout=0.2)), Supervised(steps=60, batch=18, lr=1e-2)),
    ("linear", Linear(), None),
):
    learner = factory.build(problem.pool.form, problem.task, scheme)
    learner.load(Path(sys.argv[1]) / name)
    print(learner.predict(problem.pool, problem.test).numpy().tobytes().hex())
"""


def test_numbers_are_the_same_in_another_process(tmp_path):
    wanted = []
    for name, factory, scheme in (("net", NET, SCHEME), ("linear", Linear(), None)):
        problem, learner = fitted(factory, "regression", scheme)
        learner.save(tmp_path / name)
        wanted.append(learner.predict(problem.pool, problem.test).numpy().tobytes().hex())
    found = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tmp_path)], check=True, capture_output=True, text=True
    ).stdout.split()
    assert found == wanted


@pytest.mark.parametrize(("factory", "scheme"), [(NET, SCHEME), (Linear(), None)], ids=["net", "linear"])
def test_files_without_the_scale_are_refused(tmp_path, factory, scheme):
    _, learner = fitted(factory, "regression", scheme)
    learner.save(tmp_path / "whole")
    bare = {key: value for key, value in load_file(tmp_path / "whole").items() if not key.startswith("task.")}
    save_file(bare, tmp_path / "bare")
    with pytest.raises(BadData) as caught:
        learner.load(tmp_path / "bare")
    assert str(caught.value) == (
        f"{tmp_path / 'bare'} is of another task: Regression(mean=0.0, scale=1.0) keeps mean, scale beside a model"
    )


def test_no_module_may_take_the_tasks_place():
    class Taking(Supervised):
        def companions(self, run):
            return {"task": lambda: nn.Linear(1, 1)}

    problem = toy("vector")
    with pytest.raises(InputError, match="no module may be called 'task': what the task has learned is saved by that"):
        Net(MLP(width=4)).build(problem.pool.form, problem.task, Taking(steps=1)).fit(
            problem.pool, problem.job(), Seeds(1)
        )


def test_weights_count_for_numbers_too():
    heavy = torch.where(torch.arange(36) % 3 == 0, 1.0, 1e-4)
    problem, learner = fitted(Linear(l2=1e-3), "regression", weights=heavy)
    own = learner.predict(FakePool(problem.pool.rows), problem.labelled[::3])
    assert float((own - 10).abs().max()) < 0.5
