from dataclasses import dataclass
from typing import ClassVar

import pytest

from askwell.core.needs import COST, EMBEDDING, FEATURES, LABELS, MC_PROBS
from askwell.core.recipe import Recipe, unmet
from askwell.core.scheme import Scheme
from askwell.core.strategy import Strategy
from askwell.errors import InputError, UnmetNeeds


@dataclass(frozen=True)
class Reads(Strategy):
    """Reads what it is told; by name, so that a recipe can be written as JSON."""

    names: tuple[str, ...] = ()
    known: ClassVar = {
        "mc": MC_PROBS(draws=5),
        "z": EMBEDDING,
        "zl": EMBEDDING.at("labelled"),
        "x": FEATURES,
        "y": LABELS,
        "cost": COST,
    }

    @property
    def needs(self):
        return tuple(self.known[name] for name in self.names)

    def choose(self, view, n, rng):
        raise NotImplementedError


@dataclass(frozen=True)
class Factory:
    """Builds nothing; takes no scheme."""

    width: int = 4
    uses_scheme: ClassVar[bool] = False


@dataclass(frozen=True)
class Schooled(Factory):
    """Takes a scheme."""

    uses_scheme: ClassVar[bool] = True


@dataclass(frozen=True)
class Idle(Scheme):
    """Trains nothing."""

    steps: int = 3

    def train(self, run):
        raise NotImplementedError


def recipe(**more):
    parts = {"strategy": Reads(("z",)), "learner": Factory(), "initial": Reads(), "name": "mine", **more}
    return Recipe(**parts)


def test_tables_come_from_the_store():
    assert unmet(Reads(("mc", "z", "y", "cost")), {"embedding"}) == ["mc_probs(draws=5)"]
    assert unmet(Reads(("zl", "z", "x")), set()) == ["embedding", "embedding@labelled", "features"]
    assert unmet(Reads(), set()) == []


@pytest.mark.parametrize(
    ("strategy", "initial", "text", "names"),
    [
        (
            Reads(("mc", "z")),
            Reads(),
            "recipe 'mine': strategy 'reads' needs mc_probs(draws=5); there is embedding, probs",
            ("mc_probs(draws=5)",),
        ),
        (
            Reads(("z",)),
            Reads(("x", "zl")),
            "recipe 'mine': strategy 'reads' needs embedding@labelled, features; there is nothing",
            ("embedding@labelled", "features"),
        ),
    ],
)
def test_parts_that_do_not_fit(strategy, initial, text, names):
    with pytest.raises(UnmetNeeds) as caught:
        recipe(strategy=strategy, initial=initial).check({"probs", "embedding"}, set())
    assert str(caught.value) == text
    assert caught.value.names == names


def test_parts_that_fit():
    recipe(initial=Reads(("x",))).check({"embedding"}, {"features"})


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [("initial_size", 0, 1), ("batch", -1, 1), ("rounds", -1, 0), ("answers", 0, 1), ("batch", 2.0, 1)],
)
def test_numbers_that_are_refused(name, value, least):
    with pytest.raises(InputError) as caught:
        recipe(**{name: value})
    assert str(caught.value) == f"recipe 'mine': {name} must be a whole number of at least {least}, got {value!r}"


def test_a_learner_that_takes_no_scheme():
    with pytest.raises(UnmetNeeds) as caught:
        recipe(scheme=Idle())
    assert str(caught.value) == "recipe 'mine': learner Factory(width=4) has its own way to fit and takes no scheme"
    assert recipe(learner=Schooled(), scheme=Idle()).scheme == Idle()


def test_budget():
    assert recipe(initial_size=5, batch=3, rounds=4).budget == 17


def test_config_leads_back():
    whole = recipe(
        learner=Schooled(8), scheme=Idle(7), initial=Reads(("x",)), source="Somebody 2020, arXiv 2001.00001",
        deviations=("one", "two"), switches={"scheme.steps": (1, 2)}, answers=2, resolve="last",
    )  # fmt: skip
    assert Recipe.of(whole.config()) == whole
    assert Recipe.of(whole.config()).hash == whole.hash


def test_hash_follows_every_number():
    hashes = [
        recipe(**change).hash for change in ({}, {"batch": 21}, {"learner": Factory(5)}, {"strategy": Reads(("x",))})
    ]
    assert len(set(hashes)) == 4
    assert all(len(text) == 8 for text in hashes)
