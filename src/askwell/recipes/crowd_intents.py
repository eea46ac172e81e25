"""Learning from crowds: what to ask, whom, and how far to believe it [177]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.oracles import Crowd
from askwell.recipes.plain import plain
from askwell.schemes import CrowdEM
from askwell.strategies import CrowdIntents

__all__ = ["crowd_intents"]


def crowd_intents() -> Recipe:
    """Asks the best annotator for its class about the least known item, and trains on beliefs about true classes."""
    return plain(
        "crowd_intents",
        CrowdIntents(),
        scheme=CrowdEM(),
        oracle=Crowd(confusion=(0.1, 0.2, 0.3, 0.3, 0.4)),
        answers=3,
        resolve="dawid_skene",
        source="Yang, Drake, Damianou & Maarek 2018, arXiv:1803.04223",
        deviations=(
            "Interpretation: priors, rank, threshold and turns are ours, and so is the form of the low-rank expertise.",
            "Simulated by a crowd of five who are wrong at rates from 0.1 to 0.4; people take its place in a project.",
            "Items of round 0 get three answers each; from then on a question goes to one annotator.",
            "The network's own probabilities of its training items enter the beliefs; nothing is held out.",
            "Labels that are counted and shown are resolved by Dawid-Skene; beliefs are soft in training alone.",
        ),
    )
