"""DeepBASS: deep Bayesian active semi-supervised learning [128]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.schemes import DeepBASS
from askwell.strategies import MaxEntropy

__all__ = ["bayes_semisup"]


def bayes_semisup() -> Recipe:
    """Asks where draws are least decided, and trains on its own labels wherever it is as sure as of the known ones.

    The other acquisition of the paper, a random one among the doubtful, is strategy="careful"; scheme="deep_bass(
    revoke=True)" lets a pseudo-label go when the net is no longer sure.
    """
    return plain(
        "bayes_semisup",
        MaxEntropy(draws=10),
        scheme=DeepBASS(),
        source="Rottmann, Kahl & Gottschalk 2018, arXiv:1803.01216; code mrottmann/DeepBASS",
        deviations=(
            "The network follows the form of the items, with dropout before its linear layers; the released one has "
            "four convolutions of 16 filters with leaky units and dropout 0.33 after each.",
            "The first 100 items are random; the paper takes ten of each class.",
            "Ten passes come before each ten questions; the released code asks the first ten right after the initial "
            "training, one iteration earlier than its own count.",
            "Adam's moments start anew in every round; in the paper training is never interrupted.",
            "Weight decay 0.001 is Adam's own and counts biases; the released code penalises squared weights by it, "
            "which is twice the decay, and leaves biases out.",
            "Ten items of a batch are the ten of highest entropy, as in the paper; `careful` fills a batch by entropy "
            "where too few candidates are above the threshold, where the released code fails.",
        ),
        switches={"scheme.revoke": (False, True), "scheme.semisup": (True, False)},
        initial_size=100,
        batch=10,
        rounds=20,
    )
