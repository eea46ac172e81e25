"""One file per system: a docstring and a function that returns its recipe."""

from askwell.recipes.badge import badge
from askwell.recipes.bald import bald
from askwell.recipes.batch_bald import batch_bald
from askwell.recipes.coreset import coreset
from askwell.recipes.entropy import entropy
from askwell.recipes.least_confidence import least_confidence
from askwell.recipes.margin import margin
from askwell.recipes.power_bald import power_bald
from askwell.recipes.random import random
from askwell.recipes.typiclust import typiclust
from askwell.recipes.vaal import vaal
from askwell.recipes.variation_ratios import variation_ratios

__all__ = [
    "badge",
    "bald",
    "batch_bald",
    "coreset",
    "entropy",
    "least_confidence",
    "margin",
    "power_bald",
    "random",
    "typiclust",
    "vaal",
    "variation_ratios",
]
