"""Deep Bayesian active learning for sentences, by dropout: DO-BALD [149]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.learners import Net
from askwell.models import TextCNN
from askwell.recipes.plain import plain
from askwell.schemes import Supervised
from askwell.strategies import BayesNLP

__all__ = ["bayes_nlp"]


def bayes_nlp() -> Recipe:
    """Asks for sentences whose label differs between dropout draws of a convolutional network: DO-BALD."""
    return plain(
        "bayes_nlp",
        BayesNLP(draws=100),
        learner=Net(TextCNN(embedding=300, filters=100, widths=(3, 4, 5), dropout=0.5)),
        scheme=Supervised(epochs=10, batch=50, lr=1e-3, kind="adam", schedule="constant", weight_decay=0.0),
        source="Siddhant & Lipton 2018, arXiv:1808.05697; the network: Kim 2014, arXiv:1408.5882",
        deviations=(
            "Word vectors of 300 numbers are learned from scratch; the paper starts from GloVe.",
            "Two percent are those of the 5,452 questions of TREC, 109 sentences; other data need other numbers: 213 "
            "for the 10,662 reviews of MR.",
            "Equal shares of votes are decided by the mean log probability of the labels given; the official code "
            "takes the mean probability, and with Bayes by backprop sorts by it first.",
            "Three widths of filters lie side by side, as in the paper; in the official code one follows the other.",
            "Sentences alone: tagging and its budget in words are not here.",
        ),
        initial_size=109,
        batch=109,
        rounds=24,
    )
