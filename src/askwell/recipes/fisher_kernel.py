"""Fisher-kernel self-supervision for pools that are biased [53]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.schemes import Supervised
from askwell.strategies import FisherKernel

__all__ = ["fisher_kernel"]


def fisher_kernel() -> Recipe:
    """Asks for what resembles the validation items that the network gets wrong; reads a validation part with labels."""
    return plain(
        "fisher_kernel",
        FisherKernel(),
        scheme=Supervised(epochs=50, batch=25, lr=0.05, kind="sgd", momentum=0.5, weight_decay=0.0, schedule="drop"),
        initial_size=125,
        batch=125,
        rounds=9,
        source="Gudovskiy, Hodgkinson, Yamaguchi and Tsukizawa 2020, arXiv:2003.00393",
        deviations=(
            "A network that follows the form of the items, and its layers; the paper has LeNet and ResNets.",
            "No pre-training of the trunk by rotations.",
            "Every round trains anew; the authors' code goes on from the last round, at the rate where it ended.",
            "The learning rate falls to a tenth after each quarter of a fit; the paper's after every 15 of 50 epochs.",
            "Momentum is Nesterov's.",
            "The model of the last epoch counts; the authors' code keeps the one that is best on the test part.",
            "Where 32 matches of every target are too few, the candidates most like any target fill the batch.",
            "Where no validation item is wrong, entropy decides.",
        ),
    )
