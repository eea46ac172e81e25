"""Deep Bayesian active learning for sentences, by Bayes by backprop: BB-BALD [149]."""

from __future__ import annotations

from dataclasses import replace

from askwell.core.recipe import Recipe
from askwell.recipes.bayes_nlp import bayes_nlp
from askwell.schemes import Variational

__all__ = ["bayes_nlp_bb"]


def bayes_nlp_bb() -> Recipe:
    """Asks for sentences whose label differs between draws of a convolutional network's Gaussian weights: BB-BALD."""
    base = bayes_nlp()
    return replace(
        base,
        name="bayes_nlp_bb",
        scheme=Variational(epochs=25, batch=50, lr=1e-3, kind="adam", schedule="constant", prior=0.05, weight=0.005),
        source="Siddhant & Lipton 2018, arXiv:1808.05697; Blundell et al. 2015, arXiv:1505.05424",
        deviations=(
            *base.deviations,
            "The loss is the cross-entropy and its divergence is exact, of local reparameterisation; the official code "
            "draws weights, and its noise has the prior's deviation in place of 1.",
            "The divergence counts 1/200: the official code's likelihood is a Gaussian of deviation exp(-3) around the "
            "outputs, which multiplies squared errors by 202; by the full bound the posterior stays at the prior.",
            "The last layer has Gaussian weights too and dropout is off; in the official code it has dropout.",
        ),
    )
