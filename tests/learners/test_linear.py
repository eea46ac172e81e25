"""The linear head: scikit-learn's logistic regression as a reference, features that are not copied, draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from askwell.core.needs import EMBEDDING, HEAD, LOGITS, MC_PROBS, PROBS
from askwell.core.seeds import Seeds
from askwell.core.view import Sliced
from askwell.errors import BadData, InputError, UnmetNeeds
from askwell.learners import Linear
from askwell.schemes import Supervised
from askwell.testing.fakes import FakePool
from askwell.testing.toys import toy


def fitted(problem=None, job=None, **settings):
    problem = problem or toy("vector")
    learner = Linear(**settings).build(problem.pool.form, problem.task, None)
    report = learner.fit(problem.pool, job or problem.job(), Seeds(1))
    return problem, learner, report


def computed(problem, learner, needs, ids=None, seed=2):
    return learner.compute(problem.pool, needs, {"candidates": problem.unlabelled if ids is None else ids}, Seeds(seed))


@pytest.mark.parametrize("l2", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_logistic_regression_of_scikit_learn(l2, weighted):
    problem = toy("vector")
    weights = torch.arange(1, 37) / 10 if weighted else None
    _, learner, report = fitted(problem, problem.job(weights=weights), l2=l2)
    rows, labels = problem.pool.rows.double().numpy(), problem.truth.numpy()
    reference = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=2000)
    reference.fit(rows[:36], labels[:36], sample_weight=None if weights is None else weights.numpy())
    found = computed(problem, learner, (PROBS,))[PROBS]
    np.testing.assert_allclose(found, reference.predict_proba(rows[problem.unlabelled]), atol=1e-4)
    np.testing.assert_allclose(learner.head.weight, reference.coef_, atol=1e-3)
    assert 0 < report.steps < 500


def test_embeddings_are_the_features_and_nothing_is_copied():
    problem, learner, _ = fitted()
    features = problem.pool.rows
    problem.pool.features = features.numpy
    found = computed(problem, learner, (EMBEDDING, LOGITS, HEAD))
    assert isinstance(found[EMBEDDING], Sliced)
    assert found[EMBEDDING].rows.data_ptr() == features.data_ptr()
    assert torch.equal(found[EMBEDDING].positions, problem.unlabelled)
    torch.testing.assert_close(found[HEAD](found[EMBEDDING].dense()), found[LOGITS])


def test_no_item_is_read():
    problem, learner, _ = fitted()
    computed(problem, learner, (PROBS, EMBEDDING))
    assert problem.pool.read == []


def test_no_seed_matters_without_dropout():
    problem = toy("vector")
    states = []
    for seed in (1, 2):
        learner = Linear().build(problem.pool.form, problem.task, None)
        learner.fit(problem.pool, problem.job(), Seeds(seed))
        states.append(learner.state())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_draws_drop_features():
    problem, learner, _ = fitted(dropout=0.4)
    need = MC_PROBS(draws=30)
    found = computed(problem, learner, (PROBS, need))
    assert found[need].shape == (len(problem.unlabelled), 30, 3)
    torch.testing.assert_close(found[need].sum(2), torch.ones(len(problem.unlabelled), 30))
    assert torch.equal(computed(problem, learner, (MC_PROBS(draws=10),))[MC_PROBS(draws=10)], found[need][:, :10])
    assert not torch.equal(computed(problem, learner, (need,), seed=3)[need], found[need])
    z, head = problem.pool.rows[problem.unlabelled], learner.head
    kept = torch.rand(8, generator=Seeds(2).child("dropout", 4).torch("mask")) >= 0.4
    torch.testing.assert_close(found[need][:, 4], head(z * kept / 0.6).softmax(1))


def test_dropout_is_also_in_the_fit():
    """Weight that one feature alone would carry is spread, since it may be dropped."""
    rows = torch.tensor([[2.0, 1.0], [-2.0, -1.0]]).repeat(60, 1)
    shares = []
    for dropout in (0.0, 0.5):
        problem = replace(toy("vector").fresh(rows), truth=torch.arange(120) % 2)
        problem.pool.features = rows.numpy
        _, learner, _ = fitted(problem, problem.job(), l2=0.01, dropout=dropout)
        gap = learner.head.weight[0] - learner.head.weight[1]
        shares.append(float(gap[1] / gap[0]))
    assert shares[0] == pytest.approx(0.5, abs=0.01)
    assert shares[1] > 0.6


def test_draws_are_not_offered_without_dropout():
    _, learner, _ = fitted()
    assert learner.provides == {"probs", "logits", "embedding", "head"}


def test_one_labelled_class_and_one_item():
    problem = toy("vector")
    for ids in (torch.tensor([0, 3, 6]), torch.tensor([1])):
        _, learner, _ = fitted(problem, problem.job(ids))
        found = learner.predict(problem.pool, problem.unlabelled)
        assert bool((found.argmax(1) == problem.truth[ids[0]]).all())
        assert bool(found.isfinite().all())


def test_files_of_another_width_are_refused(tmp_path):
    problem, learner, _ = fitted()
    learner.save(tmp_path / "head.safetensors")
    narrow = Linear().build(problem.pool.form, type(problem.task)(("a", "b")), None)
    with pytest.raises(BadData, match="holds no linear head with 2 outputs"):
        narrow.load(tmp_path / "head.safetensors")


class Featureless(FakePool):
    def features(self):
        return None


def test_what_it_refuses():
    problem = toy("vector")
    with pytest.raises(UnmetNeeds, match="has its own way to fit and takes no scheme"):
        Linear().build(problem.pool.form, problem.task, Supervised())
    learner = Linear().build(problem.pool.form, problem.task, None)
    with pytest.raises(UnmetNeeds) as caught:
        learner.fit(Featureless(problem.pool.rows), problem.job(), Seeds(0))
    assert str(caught.value) == "a linear head reads fixed features and these items have none: give `features`"
    with pytest.raises(UnmetNeeds, match="this learner has not been fitted"):
        learner.predict(problem.pool, problem.test)
    with pytest.raises(InputError, match="l2 must be above 0, got 0"):
        Linear(l2=0)
    with pytest.raises(InputError, match="dropout must be at least 0 and below 1, got 1"):
        Linear(dropout=1)
