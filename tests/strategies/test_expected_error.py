"""EER: expected error reduction, and the logistic regression that it refits."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws
from sklearn.linear_model import LogisticRegression
from strategy_views import rng
from torch import Tensor

from askwell.core.needs import EMBEDDING, LABELS
from askwell.core.view import View
from askwell.errors import BadShape, ColdStart, InputError, UnknownName, UnmetNeeds
from askwell.functional.expected_error import Risk, expected_error, expected_risk
from askwell.functional.logistic import Logistic
from askwell.strategies import ExpectedError
from askwell.testing.scenes import Scenes

HALF = torch.tensor([0.5, 0.5])


def two_bins(asked: int | None) -> tuple[Tensor, Tensor]:
    """Labels of a bin are Bernoulli with a flat prior; what is believed of four items, three in bin 0, one in bin 1."""
    one_more = torch.tensor([[1 / 3, 2 / 3], [2 / 3, 1 / 3]])
    futures = HALF.expand(1, 2, 2, 2).clone()
    if asked is not None:
        futures[0, :, asked] = one_more
    return HALF[None], futures


@pytest.mark.parametrize(
    ("risk", "asked", "wanted"),
    [
        ("zero_one", None, 2.0),
        ("zero_one", 0, 1.5),
        ("zero_one", 1, 1.833333),
        ("log", None, 2.772589),
        ("log", 0, 2.602690),
        ("log", 1, 2.715957),
    ],
)
def test_numbers_of_the_card(risk: Risk, asked: int | None, wanted: float) -> None:
    found = expected_risk(*two_bins(asked), risk, torch.tensor([3.0, 1.0]))
    assert float(found) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_a_coherent_model_never_expects_to_be_more_often_wrong(seed: int) -> None:
    """Where predictions average to what they are now, as for Bayesian models, the expected risk does not rise."""
    p, futures = draws(seed, 5, 3).softmax(1), draws(seed + 100, 5, 3, 7, 4).softmax(3)
    now = torch.einsum("nk,nkuc->nuc", p, futures)[:, None].expand_as(futures)
    for risk in ("zero_one", "log"):
        counts = torch.ones(7).double()
        assert bool((expected_risk(p, futures, risk, counts) <= expected_risk(p, now, risk, counts) + 1e-12).all())


def test_probabilities_of_some_labels_count_as_all() -> None:
    futures = draws(1, 2, 2, 3, 4).softmax(3)
    whole = expected_risk(torch.tensor([[0.75, 0.25]] * 2).double(), futures, "log", torch.ones(3))
    part = expected_risk(torch.tensor([[0.3, 0.1]] * 2).double(), futures, "log", torch.ones(3))
    torch.testing.assert_close(whole, part)


def problem(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Six labelled items of three classes, ten candidates, twelve items to judge by."""
    labels = torch.arange(6) % 3
    known = draws(seed, 6, 3) + 1.5 * torch.eye(3).double()[labels]
    return known, labels, draws(seed + 1000, 10, 3), draws(seed + 2000, 12, 3)


def exact(z: Tensor, labels: Tensor, at: Tensor, l2: float) -> Tensor:
    """scikit-learn's logistic regression."""
    model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=5000).fit(z, labels)
    return torch.from_numpy(model.predict_proba(at))


@pytest.mark.parametrize("l2", [0.1, 1.0, 10.0])
def test_the_model_is_scikit_learns(l2: float) -> None:
    known, labels, _, at = problem(3)
    torch.testing.assert_close(
        Logistic(known, labels, 3, l2).probs(at), exact(known, labels, at, l2), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(("steps", "gap"), [(1, 0.3), (50, 0.01), (400, 1e-4)])
def test_refits_come_to_the_fit_with_one_more_label(steps: int, gap: float) -> None:
    known, labels, pool, at = problem(5)
    wanted = torch.arange(10) % 3
    model = Logistic(known, labels, 3, 1.0)
    futures = model.futures(model.refits(pool, wanted, steps), at)
    for row in range(10):
        z, y = torch.cat([known, pool[row : row + 1]]), torch.cat([labels, wanted[row : row + 1]])
        assert float((futures[row] - exact(z, y, at, 1.0)).abs().max()) < gap


def test_a_step_is_one_of_the_bound_with_the_new_item() -> None:
    """By the inverse of ½ Σ x xᵀ + l2 over the labelled items and the new one, not updated but made anew."""
    known, labels, pool, _ = problem(7)
    model, wanted = Logistic(known, labels, 3, 1.0), torch.tensor([2])
    x = torch.cat([torch.cat([known, pool[:1]]), torch.ones(7, 1).double()], 1)
    apart = (x @ model.weights.t()).softmax(1) - torch.eye(3).double()[torch.cat([labels, wanted])]
    penalty = torch.tensor([1.0, 1.0, 1.0, 0.0]).double()
    slope = apart.t() @ x + penalty * model.weights
    stepped = model.weights - slope @ torch.linalg.inv(x.t() @ x / 2 + penalty.diag())
    torch.testing.assert_close(model.refits(pool[:1], wanted, 1)[0], stepped)


def test_biases_are_free_of_the_penalty() -> None:
    """Moving all items changes no prediction but for the penalty's hold on weights: with constant items only biases."""
    z, labels = torch.zeros(8, 1), torch.tensor([0] * 6 + [1] * 2)
    assert Logistic(z, labels, 2, 100.0).probs(z[:1])[0].tolist() == pytest.approx([0.75, 0.25], abs=1e-4)


def test_the_item_itself_is_not_among_its_judges() -> None:
    known, labels, pool, _ = problem(1)
    model = Logistic(known, labels, 3, 1.0)
    found = expected_error(model, pool, pool, torch.arange(10))
    for row in range(10):
        others = torch.cat([pool[:row], pool[row + 1 :]])
        alone = expected_error(model, pool[row : row + 1], others, torch.tensor([-1]))
        assert float(found[row]) == pytest.approx(float(alone), rel=1e-9)


def plainly(known: Tensor, labels: Tensor, pool: Tensor, risk: Risk) -> Tensor:
    """The definition: two fits by scikit-learn for each candidate, judged by the other candidates."""
    found = []
    for row in range(len(pool)):
        p = exact(known, labels, pool[row : row + 1], 1.0)[0]
        best = p.topk(2)
        others, total = torch.cat([pool[:row], pool[row + 1 :]]), torch.zeros(()).double()
        for share, label in zip(best.values, best.indices, strict=True):
            future = exact(torch.cat([known, pool[row : row + 1]]), torch.cat([labels, label[None]]), others, 1.0)
            wrong = 1 - future.amax(1) if risk == "zero_one" else -(future * future.log()).sum(1)
            total += share / best.values.sum() * wrong.mean()
        found.append(-total)
    return torch.stack(found)


@pytest.mark.parametrize("risk", ["log", "zero_one"])
def test_the_strategy_is_the_definition(risk: Risk) -> None:
    known, labels, pool, _ = problem(2)
    strategy = ExpectedError(risk=risk, steps=400)
    wanted = plainly(known, labels, pool, risk)
    batch = strategy.select(view_of(known, labels, pool), 4, rng())
    assert batch.ids.tolist() == wanted.argsort(descending=True)[:4].tolist()
    assert batch.scores is not None
    torch.testing.assert_close(batch.scores.double(), wanted.sort(descending=True).values[:4], atol=1e-4, rtol=0)


def view_of(known: Tensor, labels: Tensor, pool: Tensor) -> View:
    given = {EMBEDDING: pool, EMBEDDING.at("labelled"): known, LABELS: labels}
    sets = {"labelled": torch.arange(len(pool), len(pool) + len(known))}
    return View(torch.arange(len(pool)), tuple(given), lambda *_: given, sets=sets, num_classes=3)


def test_greedy_takes_each_pick_for_labelled() -> None:
    """The first pick is that of the plain form, the second the best once the first has its likeliest label."""
    known, labels, pool, _ = problem(6)
    batch = ExpectedError(greedy=True).select(view_of(known, labels, pool), 2, rng())
    first, second = batch.ids.tolist()
    assert [first] == ExpectedError().select(view_of(known, labels, pool), 1, rng()).ids.tolist()
    likeliest = Logistic(known, labels, 3, 1.0).probs(pool[first : first + 1]).argmax(1)
    model = Logistic(torch.cat([known, pool[first : first + 1]]), torch.cat([labels, likeliest]), 3, 1.0)
    risks = expected_error(model, pool, pool, torch.arange(10))
    risks[first] = torch.inf
    assert second == int(risks.argmin())
    assert batch.scores is not None
    assert float(batch.scores[1]) == pytest.approx(-float(risks.min()), rel=1e-5)


def test_some_candidates_evenly_spaced_stand_for_all() -> None:
    """Four of ten; a candidate that is one of them is judged by the other three."""
    known, labels, pool, _ = problem(3)
    judges, own = torch.tensor([0, 2, 5, 7]), torch.tensor([0, -1, 1, -1, -1, 2, -1, 3, -1, -1])
    wanted = -expected_error(Logistic(known, labels, 3, 1.0), pool, pool[judges], own).float()
    batch = ExpectedError(evaluation=4).select(view_of(known, labels, pool), 10, rng())
    assert batch.ids.tolist() == wanted.argsort(descending=True).tolist()
    torch.testing.assert_close(batch.scores, wanted[batch.ids])


def test_only_the_closest_candidates_are_looked_at() -> None:
    known, labels, pool, _ = problem(4)
    model = Logistic(known, labels, 3, 1.0)
    best = model.probs(pool).topk(2).values
    closest = (best[:, 0] - best[:, 1]).argsort()[:3].tolist()
    assert set(ExpectedError(candidates=3).select(view_of(known, labels, pool), 3, rng()).ids.tolist()) == set(closest)
    assert len(ExpectedError(candidates=3).select(view_of(known, labels, pool), 5, rng()).ids) == 5


@pytest.mark.parametrize(
    ("seed", "risk", "theirs", "utilities"),
    [
        (0, "zero_one", [5, 9, 2, 0], [-4.361644, -4.487651, -4.336082]),
        (1, "zero_one", [2, 7, 5, 0], [-4.604257, -4.841141, -4.182356]),
        (0, "log", [5, 9, 2, 6], [-9.731629, -9.852968, -9.571248]),
        (1, "log", [2, 7, 5, 0], [-9.972785, -10.421485, -9.509916]),
    ],
)
def test_agrees_with_scikit_activeml(seed: int, risk: Risk, theirs: list[int], utilities: list[float]) -> None:
    """scikit-activeml 1.0.1, MonteCarloEER around scikit-learn's logistic regression, judged by items of their own.

    Every label is tried. The same pick in 200 of 200 pools for each risk, and the same utilities: it adds risks up.
    """
    known, labels, pool, at = problem(seed)
    model = Logistic(known, labels, 3, 1.0)
    scores = -12 * expected_error(model, pool, at, torch.full((10,), -1), risk, labels=3, steps=400)
    assert scores.argsort(descending=True)[:4].tolist() == theirs
    assert scores[:3].tolist() == pytest.approx(utilities, abs=2e-5)


def test_refuses() -> None:
    with pytest.raises(UnknownName, match=r"^unknown risk 'lob': did you mean 'log'\? Known: log, zero_one$"):
        ExpectedError(risk="lob")  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(InputError, match=r"^steps of 'expected_error' is 0: it must be at least 1$"):
        ExpectedError(steps=0)
    with pytest.raises(InputError, match=r"^l2 of 'expected_error' is 0: it must be above 0$"):
        ExpectedError(l2=0)
    with pytest.raises(ColdStart):
        ExpectedError().select(Scenes()("no_labels").view(ExpectedError().needs), 2, rng())
    known, labels, pool, _ = problem(0)
    with pytest.raises(UnmetNeeds, match=r"^strategy 'expected_error' needs exactly one class per item$"):
        ExpectedError().select(view_of(known, torch.eye(6)[:, :3], pool), 2, rng())
    with pytest.raises(
        BadShape, match=r"^expected z \(M, D\) and labels \(M,\) with M above 0, got \(0, 3\) and \(6,\)$"
    ):
        Logistic(known[:0], labels, 3, 1.0)
