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
from askwell.functional.distance import Points
from askwell.functional.fisher import Fishers
from askwell.functional.flips import dropout_flips, mixing_flips
from askwell.functional.frank_wolfe import bayesian_coreset, log_likelihoods
from askwell.functional.gradient import Gradients, surprise
from askwell.functional.gradient_length import expected_gradient_length
from askwell.functional.greedy import Product, central
from askwell.functional.heaviest import lcmd
from askwell.functional.information import (
    bald,
    entropy_of_mean,
    mean_entropy,
    mean_std,
    vote_entropy,
    vr_mean,
    vr_votes,
)
from askwell.functional.joint import batch_bald, joint_information
from askwell.functional.linkage import agglomerate
from askwell.functional.mixture import Mixture
from askwell.functional.neighbours import contrast
from askwell.functional.output_change import expected_output_change
from askwell.functional.pick import draw, gumbel, quota, round_robin, top
from askwell.functional.prototypes import representatives
from askwell.functional.relevance import relevant
from askwell.functional.spread import variance
from askwell.functional.targets import core_mse, epig, prediction_changes
from askwell.functional.uncertainty import entropy, least_confidence, margin, ratio

__all__ = [
    "Fishers",
    "Gradients",
    "Line",
    "Mixture",
    "Points",
    "Product",
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
    "draw",
    "dropout_flips",
    "entropy",
    "entropy_of_mean",
    "epig",
    "expected_gradient_length",
    "expected_output_change",
    "gumbel",
    "joint_information",
    "k_center",
    "kmeans",
    "kmeans_plus_plus",
    "lcmd",
    "least_confidence",
    "line_order",
    "log_likelihoods",
    "margin",
    "mean_entropy",
    "mean_std",
    "mixing_flips",
    "nearest_to",
    "prediction_changes",
    "quota",
    "ratio",
    "relevant",
    "representatives",
    "round_robin",
    "surprise",
    "top",
    "typicality",
    "variance",
    "vote_entropy",
    "vr_mean",
    "vr_votes",
]
