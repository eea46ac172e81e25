"""Query by committee [144]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import Committee

__all__ = ["committee"]


def committee() -> Recipe:
    """Asks where the members of a committee vote for different classes."""
    return plain(
        "committee",
        Committee(),
        source=(
            "Seung, Opper & Sompolinsky 1992, doi:10.1145/130385.130417; Dagan & Engelson 1995, "
            "doi:10.1016/B978-1-55860-377-6.50027-X"
        ),
        deviations=(
            "The members are five dropout masks of one network, which are drawn anew every round; the paper "
            "samples two hypotheses by the Gibbs algorithm. Another learner that gives mc_probs, such as a forest, "
            "takes their place.",
            "Chooses from a pool; the paper filters a stream.",
            "Equal vote entropies, of which there are many, are broken at random.",
        ),
    )
