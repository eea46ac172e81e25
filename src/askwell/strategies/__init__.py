"""Query strategies: what to label next. One file per strategy; prefilters and selectors stand around one.

>>> import askwell.strategies as strategies
>>> all(strategy.__doc__ for strategy in map(strategies.__dict__.get, strategies.__all__))
True
"""

from askwell.strategies.acs_fw import AcsFW
from askwell.strategies.activelab import Activelab
from askwell.strategies.albl import ALBL
from askwell.strategies.alfa_mix import ALFAMix
from askwell.strategies.badge import BADGE
from askwell.strategies.bait import BAIT
from askwell.strategies.bald import BALD
from askwell.strategies.batch_bald import BatchBALD
from askwell.strategies.bayes_nlp import BayesNLP
from askwell.strategies.bemps import BEMPS
from askwell.strategies.binary_entropy import BinaryEntropy
from askwell.strategies.cal import CAL
from askwell.strategies.careful import Careful
from askwell.strategies.cip import CIP
from askwell.strategies.class_balance import ClassBalance
from askwell.strategies.cluster_margin import ClusterMargin
from askwell.strategies.cluster_round_robin import ClusterRoundRobin
from askwell.strategies.committee import Committee
from askwell.strategies.core_log import CoreLog
from askwell.strategies.core_mse import CoreMSE
from askwell.strategies.coreset import Coreset
from askwell.strategies.crowd_intents import CrowdIntents
from askwell.strategies.dfal import DFAL
from askwell.strategies.discriminative import Discriminative
from askwell.strategies.diverse_minibatch import DiverseMinibatch
from askwell.strategies.dropquery import Dropquery
from askwell.strategies.egl import EGL
from askwell.strategies.egl_entropy_beta import EGLEntropyBeta
from askwell.strategies.egl_word import EGLWord
from askwell.strategies.emoc import EMOC
from askwell.strategies.ensemble_search import EnsembleSearch
from askwell.strategies.entropy import Entropy
from askwell.strategies.epig import EPIG
from askwell.strategies.expected_error import ExpectedError
from askwell.strategies.exploration_p import ExplorationP
from askwell.strategies.facility_location import FacilityLocation
from askwell.strategies.falcun import Falcun
from askwell.strategies.ff_active import FFActive
from askwell.strategies.fisher_kernel import FisherKernel
from askwell.strategies.galaxy import GALAXY
from askwell.strategies.gradient_importance import GradientImportance
from askwell.strategies.greedy_sampling import GreedySampling
from askwell.strategies.k_center import KCenter
from askwell.strategies.kmeans import Kmeans
from askwell.strategies.latent_score import LatentScore
from askwell.strategies.lcmd import LCMD
from askwell.strategies.least_confidence import LeastConfidence
from askwell.strategies.margin import Margin
from askwell.strategies.marginal_relevance import MarginalRelevance
from askwell.strategies.max_entropy import MaxEntropy
from askwell.strategies.maxherding import Maxherding
from askwell.strategies.mean_std import MeanSTD
from askwell.strategies.membership_synthesis import MembershipSynthesis
from askwell.strategies.multi_label_bald import MultiLabelBALD
from askwell.strategies.no_duplicates import NoDuplicates
from askwell.strategies.one_per_cluster import OnePerCluster
from askwell.strategies.pal import PAL
from askwell.strategies.power import Power
from askwell.strategies.pre_clustering import PreClustering
from askwell.strategies.predictive_variance import PredictiveVariance
from askwell.strategies.probcover import Probcover
from askwell.strategies.ral import RAL
from askwell.strategies.random import Random
from askwell.strategies.ratio import Ratio
from askwell.strategies.refine import Refine
from askwell.strategies.robust_coreset import RobustCoreset
from askwell.strategies.similar import Similar
from askwell.strategies.softmax import Softmax
from askwell.strategies.softrank import Softrank
from askwell.strategies.stochastic import Stochastic
from askwell.strategies.stream import Stream
from askwell.strategies.subsample import Subsample
from askwell.strategies.thompson import Thompson
from askwell.strategies.top import Top
from askwell.strategies.top_share import TopShare
from askwell.strategies.typiclust import Typiclust
from askwell.strategies.uherding import Uherding
from askwell.strategies.variation_ratios import VariationRatios
from askwell.strategies.weighted_kmeans import WeightedKmeans

__all__ = [
    "ALBL",
    "ALFAMix",
    "AcsFW",
    "Activelab",
    "BADGE",
    "BAIT",
    "BALD",
    "BEMPS",
    "BatchBALD",
    "BayesNLP",
    "BinaryEntropy",
    "CAL",
    "CIP",
    "Careful",
    "ClassBalance",
    "ClusterMargin",
    "ClusterRoundRobin",
    "Committee",
    "CoreLog",
    "CoreMSE",
    "Coreset",
    "CrowdIntents",
    "DFAL",
    "Discriminative",
    "DiverseMinibatch",
    "Dropquery",
    "EGL",
    "EGLEntropyBeta",
    "EGLWord",
    "EMOC",
    "EPIG",
    "EnsembleSearch",
    "Entropy",
    "ExpectedError",
    "ExplorationP",
    "FFActive",
    "FacilityLocation",
    "Falcun",
    "FisherKernel",
    "GALAXY",
    "GradientImportance",
    "GreedySampling",
    "KCenter",
    "Kmeans",
    "LCMD",
    "LatentScore",
    "LeastConfidence",
    "Margin",
    "MarginalRelevance",
    "MaxEntropy",
    "Maxherding",
    "MeanSTD",
    "MembershipSynthesis",
    "MultiLabelBALD",
    "NoDuplicates",
    "OnePerCluster",
    "PAL",
    "Power",
    "PreClustering",
    "PredictiveVariance",
    "Probcover",
    "RAL",
    "Random",
    "Ratio",
    "Refine",
    "RobustCoreset",
    "Similar",
    "Softmax",
    "Softrank",
    "Stochastic",
    "Stream",
    "Subsample",
    "Thompson",
    "Top",
    "TopShare",
    "Typiclust",
    "Uherding",
    "VariationRatios",
    "WeightedKmeans",
]
