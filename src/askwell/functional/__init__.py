"""Pure tensor functions, usable in anybody's loop: they know no model, no view and no strategy.

>>> import torch
>>> from askwell.functional import entropy, top
>>> p = torch.tensor([[.9, .1], [.5, .5], [.7, .3]])
>>> top(entropy(p), 2, torch.Generator().manual_seed(0))
tensor([1, 2])
"""

from askwell.functional.binary import binary_bald, binary_entropy
from askwell.functional.bisection import Line, line_order
from askwell.functional.cluster import kmeans, kmeans_plus_plus, nearest_to, typicality
from askwell.functional.cover import k_center
from askwell.functional.design import bait
from askwell.functional.determinant import log_determinant
from askwell.functional.distance import Points
from askwell.functional.duplicates import distinct_rows
from askwell.functional.expected_error import expected_error, expected_risk
from askwell.functional.fisher import Fishers
from askwell.functional.flips import dropout_flips, mixing_flips
from askwell.functional.frank_wolfe import bayesian_coreset, log_likelihoods
from askwell.functional.gradient import Gradients, surprise
from askwell.functional.gradient_length import expected_gradient_length
from askwell.functional.greedy import Product, central
from askwell.functional.heaviest import lcmd
from askwell.functional.importance import expected_importance, importance, last_layer_importance
from askwell.functional.information import (
    bald,
    entropy_of_mean,
    mean_entropy,
    mean_log_confidence,
    mean_std,
    vote_entropy,
    vr_mean,
    vr_votes,
)
from askwell.functional.joint import batch_bald, joint_information
from askwell.functional.linkage import agglomerate
from askwell.functional.logistic import Logistic
from askwell.functional.marginal_relevance import marginal_relevance
from askwell.functional.mixture import Mixture
from askwell.functional.neighbours import contrast
from askwell.functional.output_change import expected_output_change
from askwell.functional.pairs import pair_loss
from askwell.functional.parcels import lack, out_of_fold, parcels
from askwell.functional.pick import draw, gumbel, quota, round_robin, top
from askwell.functional.prototypes import middles, representatives
from askwell.functional.purity import pure_radius
from askwell.functional.relevance import relevant
from askwell.functional.robust_cover import robust_cover
from askwell.functional.spread import variance
from askwell.functional.steps import counting, listening, steps
from askwell.functional.submodular import facility_location
from askwell.functional.submodular_information import submodular_information
from askwell.functional.tally import Tally
from askwell.functional.targets import core_mse, epig, prediction_changes
from askwell.functional.uncertainty import entropy, least_confidence, margin, ratio
from askwell.functional.word_gradients import expected_word_lengths

__all__ = [
    "Fishers",
    "Gradients",
    "Line",
    "Logistic",
    "Mixture",
    "Points",
    "Product",
    "Tally",
    "agglomerate",
    "bait",
    "bald",
    "batch_bald",
    "bayesian_coreset",
    "binary_bald",
    "binary_entropy",
    "central",
    "contrast",
    "core_mse",
    "counting",
    "distinct_rows",
    "draw",
    "dropout_flips",
    "entropy",
    "entropy_of_mean",
    "epig",
    "expected_error",
    "expected_gradient_length",
    "expected_importance",
    "expected_output_change",
    "expected_risk",
    "expected_word_lengths",
    "facility_location",
    "gumbel",
    "importance",
    "joint_information",
    "k_center",
    "kmeans",
    "kmeans_plus_plus",
    "lack",
    "last_layer_importance",
    "lcmd",
    "least_confidence",
    "line_order",
    "listening",
    "log_determinant",
    "log_likelihoods",
    "margin",
    "marginal_relevance",
    "mean_entropy",
    "mean_log_confidence",
    "mean_std",
    "middles",
    "mixing_flips",
    "nearest_to",
    "out_of_fold",
    "pair_loss",
    "parcels",
    "prediction_changes",
    "pure_radius",
    "quota",
    "ratio",
    "relevant",
    "representatives",
    "robust_cover",
    "round_robin",
    "steps",
    "submodular_information",
    "surprise",
    "top",
    "typicality",
    "variance",
    "vote_entropy",
    "vr_mean",
    "vr_votes",
]
