"""ACS-FW: active Bayesian coresets by Frank-Wolfe [119]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import AcsFW

__all__ = ["acs_fw"]


def acs_fw() -> Recipe:
    """Asks for a batch whose weighted likelihoods come near to those of the whole pool."""
    return plain(
        "acs_fw",
        AcsFW(),
        source="Pinsler et al. 2019, arXiv:1908.02144",
        deviations=(
            "The draws of the posterior are dropout masks of the whole network; the paper draws the last layer of "
            "a neural linear model with 32 features.",
            "Interpretation: Frank-Wolfe ends after ten iterations per pick, and the items best aligned with the "
            "residual fill up; the official code returns fewer items than asked.",
            "The predictive distribution is the mean of the draws' probabilities; the official code averages "
            "logits that are not normalised.",
            "A probability below the rounding of float32 counts as that; the paper takes its logarithm as it is.",
            "Random projections alone: the paper's closed form for linear regression is left out.",
            "Batches of 20 after 20 random items; the paper asks 3000 after 1000.",
        ),
    )
