"""RAL: a policy that learns the acquisition from rewards [57]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Net
from askwell.models import MLP
from askwell.recipes.plain import plain
from askwell.schemes import MomentMatching
from askwell.strategies import RAL

__all__ = ["ral"]


def ral() -> Recipe:
    """Lets a policy, trained by `askwell train-policy ral`, pick by means and variances of a Bayesian network.

    As it stands the policy has its first weights: give one, --strategy "ral(policy='FOLDER')".
    """
    return plain(
        "ral",
        RAL("untrained"),
        learner=Net(MLP(depth=1)),
        scheme=MomentMatching(),
        initial_size=50,
        batch=5,
        rounds=90,
        source="Haußmann, Hamprecht & Kandemir 2019, arXiv:1906.11471",
        deviations=(
            "The policy is trained over episodes before it is used and then stays as it is; in the paper it learns "
            "during its one use.",
            "The policy reads the variances of its state; the published code leaves them out of its first layer.",
            "The network is a multi-layer perceptron, or one of convolutions and ReLU; the paper's is a LeNet5.",
            "Adam takes a learning rate of 1e-3 in every round; the paper's falls from 1e-4 to 0 over the rounds.",
            "Where fewer than 1000 items are listed they are thinned to 50 at even steps, and empty slots are not "
            "picked.",
        ),
    )
