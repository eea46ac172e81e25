"""Recipes with one known fault each; the fault often lies in a part that only a run brings to light."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import torch
from mutant import Mutant

from askwell.core.recipe import Recipe
from askwell.functional.pick import top
from askwell.learners import Net
from askwell.schemes import Supervised
from askwell.strategies import Margin, Random


def _clean(name, **changes):
    parts = {
        "strategy": Margin(), "initial": Random(), "learner": Net(), "scheme": Supervised(),
        "source": "Scheffer et al. 2001, doi:10.1007/3-540-44816-0_31", **changes,
    }  # fmt: skip
    return Recipe(name=name, **parts)


def asks_the_network():
    """Looks for newer weights whenever it is built."""
    with socket.socket() as connection:
        connection.settimeout(0.1)
        try:
            connection.connect(("127.0.0.1", 9))
        except OSError:
            return _clean("asks_the_network")
    return _clean("asks_the_network")


def goes_by_another_name():
    """Calls itself by the name of the recipe that it was copied from."""
    return _clean("margin")


class Trusting(Recipe):
    """Refuses nothing."""

    def check(self, provides, before):
        """Never looks."""


def refuses_nothing():
    """Takes parts that do not fit, and fails in the third round."""
    return Trusting(**vars(_clean("refuses_nothing")))


class Forgetful(Recipe):
    """Writes the paper's number of rounds into its config, whatever its own is."""

    def config(self):
        return {**super().config(), "rounds": 10}


def forgets_its_rounds():
    """Runs with one number and records another."""
    return Forgetful(**vars(_clean("forgets_its_rounds", rounds=7)))


def has_no_source():
    """Follows some paper or other, without saying which."""
    return _clean("has_no_source", source="folklore")


def deviates_in_a_word():
    """Notes its differences from the paper as keywords."""
    return _clean("deviates_in_a_word", deviations=("other optimiser",))


@dataclass(frozen=True)
class Endless(Supervised):
    """Takes 80 steps in every round, whatever `steps` says."""

    def length(self, facts):
        return 80


def ignores_its_steps():
    """Trains longer than it says."""
    return _clean("ignores_its_steps", scheme=Endless())


@dataclass(frozen=True)
class Bandit(Margin):
    """Turns to the other arm after its first round; the round is counted in an attribute, not in the store."""

    def choose(self, view, n, rng):
        seen = self.__dict__.get("seen", 0)
        object.__setattr__(self, "seen", seen + 1)
        scores = self.scores(view)
        return view.pick(top(-scores if seen else scores, n, rng))


def remembers_in_an_attribute():
    """A bandit whose arms are lost when the project is closed."""
    return _clean("remembers_in_an_attribute", strategy=Bandit(), initial=Random())


@dataclass(frozen=True)
class GlobalStart(Random):
    """Draws the first items by torch's global generator, seeded once before all trials."""

    def choose(self, view, n, rng):
        return view.pick(top(torch.zeros(len(view)), n, torch.rand(len(view))))


def seeds_once_before_the_trials():
    """Trials after the first start from other items in every arm."""
    return _clean("seeds_once_before_the_trials", initial=GlobalStart())


def _mutant(make, source, caught_by):
    return Mutant(make, source, caught_by, name=make.__name__)


MUTANTS = [
    _mutant(asks_the_network, "ANCHORS 3 recipe", "check_builds_offline"),
    _mutant(goes_by_another_name, "ANCHORS 1.7 collisions", "check_builds_offline"),
    _mutant(refuses_nothing, "ANCHORS 1.9 EPIG gets no targets", "check_unmet_needs_are_refused"),
    _mutant(forgets_its_rounds, "FIELD 2.26 configs", "check_config_leads_back"),
    _mutant(has_no_source, "ANCHORS 3 recipe", "check_source_and_deviations_are_given"),
    _mutant(deviates_in_a_word, "ANCHORS 3 recipe", "check_source_and_deviations_are_given"),
    _mutant(ignores_its_steps, "ANCHORS 3 recipe", "check_two_rounds_run"),
    _mutant(remembers_in_an_attribute, "CONTRACTS 1.12", "check_resumed_is_uninterrupted"),
    _mutant(seeds_once_before_the_trials, "FIELD 1.2.8 unpaired trials", "check_arms_are_paired"),
]
