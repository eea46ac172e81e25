"""PAL: learning on one task how to choose on another [37]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Net
from askwell.models import TextCNN
from askwell.recipes.plain import plain
from askwell.strategies import PAL

__all__ = ["pal"]


def pal() -> Recipe:
    """Asks for the sentences that a Q-network, trained by `askwell train-policy pal` on another task, values most.

    As it stands the network has its first weights: give one, --strategy "pal(policy='FOLDER')".
    """
    return plain(
        "pal",
        PAL("untrained"),
        learner=Net(TextCNN()),
        initial_size=10,
        batch=10,
        rounds=19,
        source="Fang, Li & Cohn 2017, arXiv:1708.02383",
        deviations=(
            "Sentences are classified: the five largest class probabilities stand for the marginals of a tagger, the "
            "largest one for the confidence of its best path.",
            "Words have random vectors of 40 numbers that belong to their hash; the paper's are trained across "
            "languages.",
            "Training is paid by the headline metric on the validation part, such as accuracy, in place of the F1 of "
            "tags.",
            "A pool is ranked by the value of asking less that of not asking; the paper decides in a stream.",
            "Dropout of the network is off while it chooses; in the published code it stays on.",
            "Convolutions start with weights and biases of .1, as in the published code; the other layers with .01.",
            "Used on another task the policy stays as it is; the paper also tries to learn on.",
        ),
    )
