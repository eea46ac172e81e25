"""Query strategies: what to label next. One file per strategy; three of them hold another strategy.

>>> import askwell.strategies as strategies
>>> all(strategy.__doc__ for strategy in map(strategies.__dict__.get, strategies.__all__))
True
"""

from askwell.strategies.acs_fw import AcsFW
from askwell.strategies.activelab import Activelab
from askwell.strategies.alfa_mix import ALFAMix
from askwell.strategies.badge import BADGE
from askwell.strategies.bait import BAIT
from askwell.strategies.bald import BALD
from askwell.strategies.batch_bald import BatchBALD
from askwell.strategies.bemps import BEMPS
from askwell.strategies.binary_entropy import BinaryEntropy
from askwell.strategies.cal import CAL
from askwell.strategies.class_balance import ClassBalance
from askwell.strategies.cluster_margin import ClusterMargin
from askwell.strategies.committee import Committee
from askwell.strategies.core_log import CoreLog
from askwell.strategies.core_mse import CoreMSE
from askwell.strategies.coreset import Coreset
from askwell.strategies.crowd_intents import CrowdIntents
from askwell.strategies.diverse_minibatch import DiverseMinibatch
from askwell.strategies.dropquery import Dropquery
from askwell.strategies.egl import EGL
from askwell.strategies.emoc import EMOC
from askwell.strategies.entropy import Entropy
from askwell.strategies.epig import EPIG
from askwell.strategies.falcun import Falcun
from askwell.strategies.galaxy import GALAXY
from askwell.strategies.greedy_sampling import GreedySampling
from askwell.strategies.kmeans import Kmeans
from askwell.strategies.latent_score import LatentScore
from askwell.strategies.lcmd import LCMD
from askwell.strategies.least_confidence import LeastConfidence
from askwell.strategies.margin import Margin
from askwell.strategies.max_entropy import MaxEntropy
from askwell.strategies.mean_std import MeanSTD
from askwell.strategies.multi_label_bald import MultiLabelBALD
from askwell.strategies.pre_clustering import PreClustering
from askwell.strategies.predictive_variance import PredictiveVariance
from askwell.strategies.random import Random
from askwell.strategies.ratio import Ratio
from askwell.strategies.stochastic import Stochastic
from askwell.strategies.subsample import Subsample
from askwell.strategies.typiclust import Typiclust
from askwell.strategies.variation_ratios import VariationRatios

__all__ = [
    "ALFAMix",
    "AcsFW",
    "Activelab",
    "BADGE",
    "BAIT",
    "BALD",
    "BEMPS",
    "BatchBALD",
    "BinaryEntropy",
    "CAL",
    "ClassBalance",
    "ClusterMargin",
    "Committee",
    "CoreLog",
    "CoreMSE",
    "Coreset",
    "CrowdIntents",
    "DiverseMinibatch",
    "Dropquery",
    "EGL",
    "EMOC",
    "EPIG",
    "Entropy",
    "Falcun",
    "GALAXY",
    "GreedySampling",
    "Kmeans",
    "LCMD",
    "LatentScore",
    "LeastConfidence",
    "Margin",
    "MaxEntropy",
    "MeanSTD",
    "MultiLabelBALD",
    "PreClustering",
    "PredictiveVariance",
    "Random",
    "Ratio",
    "Stochastic",
    "Subsample",
    "Typiclust",
    "VariationRatios",
]
