"""Budget managers: worked numbers, budgets, and decisions that another library makes."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import pytest
import torch

import askwell.managers.quantile
from askwell.core.registry import catalogue
from askwell.core.spec import build, config, parse
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.functional.budget import balanced
from askwell.managers import Fixed, Quantile, Randomised, Region, Split, Variable

ALL = [
    Fixed(), Variable(), Variable(spent="counted"), Variable(recompute=True), Randomised(), Split(), Quantile(),
    Region(), Region(slope=2.0),
]  # fmt: skip
SPENDERS = [Fixed, Variable, Randomised, Split, Region]
names = [repr(manager) for manager in ALL]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def walked(manager, scores, classes=2, seed=0):
    return manager.walk(manager.start(classes), scores, rng(seed))


def stepped(manager, scores, classes=2):
    """Decisions and every state, one step at a time."""
    state, asks, states, chance = manager.start(classes), [], [], rng()
    for score in scores:
        ask, state = manager.step(state, score, chance)
        asks.append(ask)
        states.append(state)
    return asks, states


def test_variable_threshold_of_the_stream_card():
    asks, states = stepped(Variable(budget=1.0), [0.5, 0.01, 0.8])
    assert asks == [True, False, True]
    assert [state["threshold"] for state in states] == pytest.approx([0.99, 0.9999, 0.989901])


def test_variable_threshold_and_spending():
    asks, states = stepped(Variable(budget=0.5, window=4), [0.5, 0.005, 0.8, 0.03, 0.9])
    assert asks == [True, False, True, True, False]
    thresholds = [0.99, 0.9999, 0.989901, 0.980002, 0.980002]
    assert [state["threshold"] for state in states] == pytest.approx(thresholds, abs=1e-6)
    assert [state["spent"] for state in states[:4]] == [1, 0.75, 1.5625, 2.171875]


def test_fixed_threshold():
    assert walked(Fixed(), [0.45, 0.449, 0.9], classes=2)[0] == [True, False, True]
    assert walked(Fixed(), [0.80, 0.82], classes=10)[0] == [False, True]


def test_randomised_threshold():
    given = Randomised(budget=1.0)
    object.__setattr__(given, "noise", lambda *chance: 0.9)
    assert walked(given, [0.05])[0] == [False]
    assert walked(Variable(budget=1.0), [0.05])[0] == [True]


def test_noise_is_normal_around_1():
    drawn = np.array([Randomised(spread=0.5).noise(chance) for chance in (np.arange(999) + 1) / 1000])
    assert drawn.mean() == pytest.approx(1)
    assert drawn.std() == pytest.approx(0.5, abs=0.01)
    assert np.isfinite(Randomised().noise(0.0))


def test_split_decides_some_at_random_and_leaves_the_threshold():
    memory = dict(Split(budget=0.3, explore=0.1).start(2))
    assert Split(budget=0.3, explore=0.1).wants(memory, 0.0, 0.099, 0.299)
    assert not Split(budget=0.3, explore=0.1).wants(memory, 1.0, 0.099, 0.3)
    assert memory["threshold"] == 1
    assert Split(budget=0.3, explore=0.1).wants(memory, 0.5, 0.1, 0.9)
    assert memory["threshold"] == 0.99


def test_balanced_quantile(monkeypatch):
    thresholds = []

    def noted(threshold, span, ahead, tolerance):
        thresholds.append((threshold, balanced(threshold, span, ahead, tolerance)))
        return thresholds[-1][1]

    monkeypatch.setattr(askwell.managers.quantile, "balanced", noted)
    assert walked(Quantile(budget=0.25, tolerance=10), [0.1, 0.5, 0.9, 0.3, 0.6])[0] == [True, True, True, False, False]
    assert [plain for plain, _ in thresholds] == pytest.approx([0.1, 0.4, 0.7, 0.6, 0.6])
    assert [moved for _, moved in thresholds] == pytest.approx([0.1, 0.42, 0.8, 0.76, 0.74])


def test_balanced_quantile_while_all_scores_are_equal():
    assert all(walked(Quantile(budget=0.1), [0.5] * 500)[0])
    asks = np.array(walked(Quantile(budget=0.1), [0.2, *[0.5] * 99] * 20)[0])
    assert asks.mean() == pytest.approx(0.1, abs=0.05)


def test_region_of_disagreement():
    hard, soft = Region(budget=1.0), Region(budget=1.0, slope=2.0)
    assert walked(hard, [0.0, 1e-6, 0.7])[0] == [False, True, True]
    assert walked(soft, [0.5] * 50)[0] == [True] * 50
    share = np.mean(walked(soft, [0.15] * 4000)[0])
    assert share == pytest.approx(0.3, abs=0.03)
    with pytest.raises(InputError, match=r"^manager 'region' reads scores as disagreement, .* got -1"):
        walked(hard, [-1.0])


@pytest.mark.parametrize("kind", SPENDERS)
@pytest.mark.parametrize("spent", ["estimated", "counted"])
def test_without_budget_nothing_is_asked(kind, spent):
    assert not any(walked(kind(budget=0.0, spent=spent), [0.9] * 50)[0])


@pytest.mark.parametrize("kind", SPENDERS)
@pytest.mark.parametrize("budget", [0.03, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("window", [1, 10, 1000])
def test_exact_counts_keep_to_the_budget_at_every_moment(kind, budget, window):
    scores = np.random.default_rng(0).random(3000)
    asks = np.array(walked(kind(budget=budget, window=window, spent="counted"), scores.tolist())[0])
    assert np.all(asks.cumsum() <= budget * (np.arange(3000) + 1) + 1)
    lately = np.convolve(asks, np.ones(window))[:3000]
    assert lately.max() <= np.ceil(budget * window)


def test_what_was_asked_a_window_ago_is_free_again():
    always = Variable(budget=0.5, window=4, spent="counted", rate=0.0, threshold=2.0)
    assert walked(always, [0.5] * 8)[0] == [True, False] * 4


@pytest.mark.parametrize("manager", [Variable(), Randomised(), Split(), Quantile()], ids=repr)
def test_share_asked_is_near_the_budget(manager):
    scores = np.random.default_rng(1).beta(2, 8, 20_000)
    assert np.mean(walked(manager, scores.tolist())[0]) == pytest.approx(0.1, abs=0.006)


def test_settings_that_make_one_manager_another():
    scores = np.random.default_rng(2).random(500).tolist()
    plain = walked(Variable(), scores)[0]
    assert walked(Randomised(spread=0.0), scores)[0] == plain
    assert walked(Split(explore=0.0), scores)[0] == plain
    still = walked(Variable(rate=0.0, threshold=0.4, budget=1.0), scores)
    assert still[0] == [1 - score < 0.4 for score in scores]
    assert still[1]["threshold"] == 0.4


@pytest.mark.parametrize("manager", ALL, ids=names)
def test_one_by_one_is_the_walk_and_states_stay_as_they_were(manager):
    scores = np.random.default_rng(3).random(300).tolist()
    whole, last = walked(manager, scores)
    asks, states = stepped(manager, scores)
    assert asks == whole
    assert states[-1] == last
    before = repr(states[99])
    chance = rng()
    manager.walk(states[99], scores, chance)
    assert repr(states[99]) == before


@pytest.mark.parametrize("manager", ALL, ids=names)
def test_a_walk_ends_with_the_last_question_wanted(manager):
    scores = np.random.default_rng(4).random(300).tolist()
    whole, _ = walked(manager, scores)
    asks, state = manager.walk(manager.start(2), scores, rng(), 5)
    assert asks == whole[: len(asks)]
    assert sum(asks) == 5
    assert asks[-1]
    assert state == stepped(manager, scores[: len(asks)])[1][-1]


def test_a_new_model_sets_the_threshold_anew():
    manager = Variable(budget=0.25, recompute=True, window=5)
    state = {**manager.start(2), "threshold": 0.01, "recent": [0.9, 0.5, 0.7, 0.6, 0.8]}
    assert manager.renewed(state)["threshold"] == pytest.approx(0.6)
    assert manager.renewed(manager.start(2)) == manager.start(2)
    assert manager.walk(state, [0.9], rng())[1]["recent"] == pytest.approx([0.5, 0.7, 0.6, 0.8, 0.1])
    assert Variable().renewed({"threshold": 0.01, "spent": 0.0})["threshold"] == 0.01


@pytest.mark.parametrize("manager", ALL, ids=names)
def test_states_are_json_and_managers_values(manager):
    state = walked(manager, np.random.default_rng(5).random(50).tolist())[1]
    assert json.loads(json.dumps(state)) == state
    assert build("managers", config(manager)) == manager
    assert parse("managers", repr(manager).replace(type(manager).__name__, manager.name)) == manager


def test_drift_where_the_model_is_sure_is_found_by_chance_alone():
    """Confidences of .55 and of .999 by turns: `variable` settles on the first kind and never asks about the second."""
    scores = np.tile([0.45, 0.001], 20_000)
    sure = {}
    for manager in (Variable(), Randomised(), Split()):
        sure[manager.name] = int(np.array(walked(manager, scores.tolist())[0])[2000:][1::2].sum())
    assert sure["variable"] == 0
    assert sure["randomised"] > 200
    assert sure["split"] > 10


def test_bad_settings_are_refused():
    for make, message in (
        (lambda: Variable(budget=1.5), r"^budget of Variable is a share from 0 to 1, got 1.5$"),
        (lambda: Fixed(window=0), r"^window of Fixed must be at least 1 item, got 0$"),
        (lambda: Split(rate=1.0), r"^rate of Split is a share from 0 to below 1, got 1.0$"),
        (lambda: Variable(threshold=0.0), r"^threshold of Variable must be above 0, got 0.0$"),
        (lambda: Randomised(spread=-1.0), r"^spread of Randomised must not be negative, got -1.0$"),
        (lambda: Split(explore=2.0), r"^explore of Split is a chance from 0 to 1, got 2.0$"),
        (lambda: Quantile(budget=-0.1), r"^budget of Quantile is a share from 0 to 1, got -0.1$"),
        (lambda: Quantile(tolerance=0.0), r"^tolerance of Quantile must be above 0, got 0.0$"),
        (lambda: Region(slope=0.0), r"^slope of Region must be above 0, or None, got 0.0$"),
    ):
        with pytest.raises(InputError, match=message):
            make()
    with pytest.raises(UnknownName, match="unknown way to count what is spent 'countd': did you mean 'counted'"):
        Variable(spent="countd")
    with pytest.raises(UnmetNeeds, match="number of classes, and there are none"):
        Fixed().start(None)


# ------------------------------------------------------------- another library

AS_IN_SKACTIVEML = {
    "fixed": (34309, "08a38dfdc3c9f63f"),
    "variable": (29597, "041bd1c8e25608c9"),
    "randomised": (29285, "fe10490bea511e12"),
    "split": (31875, "9a45248a8929d8c5"),
    "quantile": (48346, "dc965e06251af091"),
}
"""Number of questions about 85,676 items of 250 streams, and sha256 of all decisions, by scikit-activeml 1.0.1.

Of `stream.budgetmanager`: FixedUncertaintyBudgetManager, VariableUncertaintyBudgetManager,
RandomVariableUncertaintyBudgetManager, SplitBudgetManager and BalancedIncrementalQuantileFilter, whose
`query_by_utility` was given each stream at once. All decisions were equal: no disagreement was found.
"""


class NumpyNoise(Randomised):
    """Draws as scikit-activeml does: one normal number of numpy's, where budget is left."""

    def noise(self, *chance):
        return self.numpy.normal(1, self.spread)


class NumpySplit(Split):
    """Draws as scikit-activeml does: a second uniform number only for an item that is decided about at random."""

    def wants(self, memory, score, *chance):
        first = self.numpy.random_sample()
        return super().wants(memory, score, first, self.numpy.random_sample() if first < self.explore else 1.0)


def stream_of(number):
    """Scores of stream `number` with settings: uniform, skewed, rounded, drifting and constant ones."""
    rng = np.random.default_rng(number)
    n = int(rng.integers(50, 600))
    kinds = [
        lambda: rng.random(n),
        lambda: rng.beta(1, 8, n),
        lambda: np.round(rng.random(n), 1),
        lambda: np.r_[rng.beta(1, 20, n // 2), rng.beta(4, 4, n - n // 2)],
        lambda: np.full(n, rng.random()),
    ]
    scores = kinds[number % 5]()
    budget, window = float(rng.choice([0.05, 0.1, 0.25, 0.5, 1.0])), int(rng.choice([5, 20, 100]))
    classes, rate = int(rng.integers(2, 12)), float(rng.choice([0.01, 0.05]))
    return scores, budget, window, classes, rate, rng


def manager_of(name, number, budget, window, rate, rng):
    if name == "fixed":
        return Fixed(budget, window)
    if name == "variable":
        return Variable(budget, window, rate=rate)
    if name == "quantile":
        return Quantile(budget, window, float(rng.choice([10.0, 50.0])))
    cls, own = (NumpyNoise, {}) if name == "randomised" else (NumpySplit, {"explore": 0.2})
    manager = cls(budget, window, rate=rate, **own)
    object.__setattr__(manager, "numpy", np.random.RandomState(number))
    return manager


@pytest.mark.parametrize("name", AS_IN_SKACTIVEML)
def test_decides_as_scikit_activeml(name):
    asked, content = 0, sha256()
    for number in range(250):
        scores, budget, window, classes, rate, rng = stream_of(number)
        manager = manager_of(name, number, budget, window, rate, rng)
        asks = walked(manager, scores.tolist(), classes)[0]
        asked += sum(asks)
        content.update(np.packbits(np.array(asks)).tobytes())
    assert (asked, content.hexdigest()[:16]) == AS_IN_SKACTIVEML[name]


def test_every_manager_is_here():
    assert {type(manager) for manager in ALL} == set(catalogue("managers").values())
