"""ActiveHARNet: a tiny Bayesian network that learns a new user on the device [54]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Net
from askwell.models import HARNet
from askwell.recipes.plain import plain
from askwell.schemes import Supervised
from askwell.strategies import VariationRatios

__all__ = ["active_harnet"]


def active_harnet() -> Recipe:
    """Asks a new user about the windows whose ten draws are least decided, and goes on training from the last round.

    It is meant to begin from weights that other users' windows have trained: `benchmarks/new_user.py` leaves one user
    out, trains on the others, and goes on with scheme="supervised(…, policy=('warm', path))" and batches of a fraction
    of the pool.
    """
    return plain(
        "active_harnet",
        VariationRatios(draws=10),
        learner=Net(model=HARNet()),
        scheme=Supervised(
            epochs=10, batch=16, lr=1e-3, kind="adam", schedule="constant", weight_decay=0, policy="warm"
        ),
        source="Gudur, Sundaramoorthy & Umaashankar 2019, arXiv:1906.00108; code gauthamkrishna-g/ActiveHARNet",
        deviations=(
            "Stand-in data: raw heart beats of ecg_mitbih by record take the place of a watch's accelerometer (HHAR) "
            "by user, with records 201 and 202 of one person; windows have one axis, and are not standardised.",
            "The first items of a user are random, since round 0 has no model that could choose; the paper's "
            "pre-trained network chooses them all.",
            "Every round goes on from the last one's weights and trains on all labels of the user so far; the released "
            "code takes up the pre-trained weights again for every fraction.",
            "A round trains for 10 epochs in batches of 16 at a rate of 0.001, after 20 more labels; the released code "
            "for 30 epochs in batches of 4 at 0.0002, after each eighth of 60 % of the pool.",
            "The benchmark trains on the others for 600 steps of 64 by AdamW at 0.002 on a cosine, classes balanced; "
            "the released code for 50 epochs in batches of 64 by Adam at 0.0002.",
            "Variation ratios of the averaged draws (1 - max mean p), not of votes as in the released code.",
            "In the released code the layer of 8 units reads past the dropout, so that all draws are equal, and the "
            "score of an arm is its best epoch on the test items; here dropout lies before both hidden layers, and the "
            "last epoch counts.",
            "Filters of the 1-D convolutions are channels of the picture that the 2-D ones see, and pooling there runs "
            "along time; the released code reshapes the axes' concatenated vectors.",
        ),
        initial_size=10,
        batch=20,
        rounds=5,
    )
