"""Query strategies: what to label next. One file per strategy; three of them hold another strategy.

>>> import askwell.strategies as strategies
>>> all(strategy.__doc__ for strategy in map(strategies.__dict__.get, strategies.__all__))
True
"""

from askwell.strategies.badge import BADGE
from askwell.strategies.bald import BALD
from askwell.strategies.batch_bald import BatchBALD
from askwell.strategies.binary_entropy import BinaryEntropy
from askwell.strategies.class_balance import ClassBalance
from askwell.strategies.coreset import Coreset
from askwell.strategies.entropy import Entropy
from askwell.strategies.greedy_sampling import GreedySampling
from askwell.strategies.latent_score import LatentScore
from askwell.strategies.least_confidence import LeastConfidence
from askwell.strategies.margin import Margin
from askwell.strategies.multi_label_bald import MultiLabelBALD
from askwell.strategies.predictive_variance import PredictiveVariance
from askwell.strategies.random import Random
from askwell.strategies.stochastic import Stochastic
from askwell.strategies.subsample import Subsample
from askwell.strategies.typiclust import Typiclust
from askwell.strategies.variation_ratios import VariationRatios

__all__ = [
    "BADGE",
    "BALD",
    "BatchBALD",
    "BinaryEntropy",
    "ClassBalance",
    "Coreset",
    "Entropy",
    "GreedySampling",
    "LatentScore",
    "LeastConfidence",
    "Margin",
    "MultiLabelBALD",
    "PredictiveVariance",
    "Random",
    "Stochastic",
    "Subsample",
    "Typiclust",
    "VariationRatios",
]
