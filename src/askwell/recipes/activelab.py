"""ActiveLab, new labels and second opinions in one list."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.oracles import Crowd
from askwell.recipes.plain import plain
from askwell.strategies import Activelab

__all__ = ["activelab"]


def activelab() -> Recipe:
    """Asks for the label of a new item, or for another opinion on an old one, whichever settles more."""
    return plain(
        "activelab",
        Activelab(),
        oracle=Crowd(confusion=(0.1, 0.2, 0.3, 0.3, 0.4)),
        source="Goh & Mueller 2023, arXiv:2301.11856; Goh, Tkachenko & Mueller 2022, arXiv:2210.06812",
        deviations=(
            "Simulated by a crowd of five who are wrong at rates from 0.1 to 0.4; people take its place in a project.",
            "Probabilities of labelled items are by the network that was trained on them; the paper holds them out.",
            "The network learns the majority of the answers, ties to the first; the method's consensus is CROWDLAB's.",
            "The temperature is searched for continuously; the public code looks at a grid.",
            "An item that everybody has answered comes last; the paper has no such rule.",
            "Who gives another opinion is whoever has not given one yet; the paper leaves it open.",
        ),
    )
