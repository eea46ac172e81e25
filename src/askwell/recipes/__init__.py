"""One file per system: a docstring and a function that returns its recipe."""

from askwell.recipes.badge import badge
from askwell.recipes.bald import bald
from askwell.recipes.batch_bald import batch_bald
from askwell.recipes.binary_entropy import binary_entropy
from askwell.recipes.coreset import coreset
from askwell.recipes.entropy import entropy
from askwell.recipes.greedy_sampling import greedy_sampling
from askwell.recipes.least_confidence import least_confidence
from askwell.recipes.margin import margin
from askwell.recipes.power_bald import power_bald
from askwell.recipes.predictive_variance import predictive_variance
from askwell.recipes.random import random
from askwell.recipes.typiclust import typiclust
from askwell.recipes.vaal import vaal
from askwell.recipes.variation_ratios import variation_ratios

__all__ = [
    "badge",
    "bald",
    "batch_bald",
    "binary_entropy",
    "coreset",
    "entropy",
    "greedy_sampling",
    "least_confidence",
    "margin",
    "power_bald",
    "predictive_variance",
    "random",
    "typiclust",
    "vaal",
    "variation_ratios",
]
