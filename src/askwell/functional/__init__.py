"""Pure tensor functions, usable in anybody's loop: they know no model, no view and no strategy.

>>> import torch
>>> from askwell.functional import entropy, top
>>> p = torch.tensor([[.9, .1], [.5, .5], [.7, .3]])
>>> top(entropy(p), 2, torch.Generator().manual_seed(0))
tensor([1, 2])
"""

from askwell.functional.binary import binary_bald, binary_entropy
from askwell.functional.cluster import kmeans, kmeans_plus_plus, nearest_to, typicality
from askwell.functional.cover import k_center
from askwell.functional.distance import Points
from askwell.functional.gradient import Gradients, surprise
from askwell.functional.greedy import Product, central
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
from askwell.functional.pick import gumbel, quota, top
from askwell.functional.spread import variance
from askwell.functional.uncertainty import entropy, least_confidence, margin, ratio

__all__ = [
    "Gradients",
    "Points",
    "Product",
    "bald",
    "batch_bald",
    "binary_bald",
    "binary_entropy",
    "central",
    "entropy",
    "entropy_of_mean",
    "gumbel",
    "joint_information",
    "k_center",
    "kmeans",
    "kmeans_plus_plus",
    "least_confidence",
    "margin",
    "mean_entropy",
    "mean_std",
    "nearest_to",
    "quota",
    "ratio",
    "surprise",
    "top",
    "typicality",
    "variance",
    "vote_entropy",
    "vr_mean",
    "vr_votes",
]
