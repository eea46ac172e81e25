"""Query strategies: what to label next. One file per strategy; three of them hold another strategy.

>>> import askwell.strategies as strategies
>>> all(strategy.__doc__ for strategy in map(strategies.__dict__.get, strategies.__all__))
True
"""

from askwell.strategies.badge import BADGE
from askwell.strategies.bald import BALD
from askwell.strategies.batch_bald import BatchBALD
from askwell.strategies.class_balance import ClassBalance
from askwell.strategies.coreset import Coreset
from askwell.strategies.entropy import Entropy
from askwell.strategies.latent_score import LatentScore
from askwell.strategies.least_confidence import LeastConfidence
from askwell.strategies.margin import Margin
from askwell.strategies.random import Random
from askwell.strategies.stochastic import Stochastic
from askwell.strategies.subsample import Subsample
from askwell.strategies.typiclust import Typiclust
from askwell.strategies.variation_ratios import VariationRatios

__all__ = [
    "BADGE",
    "BALD",
    "BatchBALD",
    "ClassBalance",
    "Coreset",
    "Entropy",
    "LatentScore",
    "LeastConfidence",
    "Margin",
    "Random",
    "Stochastic",
    "Subsample",
    "Typiclust",
    "VariationRatios",
]
