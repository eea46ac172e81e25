"""One file per system: a docstring and a function that returns its recipe."""

from askwell.recipes.acs_fw import acs_fw
from askwell.recipes.activelab import activelab
from askwell.recipes.alfa_mix import alfa_mix
from askwell.recipes.badge import badge
from askwell.recipes.bait import bait
from askwell.recipes.bald import bald
from askwell.recipes.bald_topb import bald_topb
from askwell.recipes.batch_bald import batch_bald
from askwell.recipes.bemps import bemps
from askwell.recipes.binary_entropy import binary_entropy
from askwell.recipes.cal import cal
from askwell.recipes.cluster_margin import cluster_margin
from askwell.recipes.committee import committee
from askwell.recipes.core_log import core_log
from askwell.recipes.core_mse import core_mse
from askwell.recipes.coreset import coreset
from askwell.recipes.crowd_intents import crowd_intents
from askwell.recipes.dbal import dbal
from askwell.recipes.diverse_minibatch import diverse_minibatch
from askwell.recipes.dropquery import dropquery
from askwell.recipes.egl import egl
from askwell.recipes.emoc import emoc
from askwell.recipes.ensemble import ensemble
from askwell.recipes.entropy import entropy
from askwell.recipes.epig import epig
from askwell.recipes.falcun import falcun
from askwell.recipes.galaxy import galaxy
from askwell.recipes.greedy_sampling import greedy_sampling
from askwell.recipes.kmeans import kmeans
from askwell.recipes.lcmd import lcmd
from askwell.recipes.least_confidence import least_confidence
from askwell.recipes.margin import margin
from askwell.recipes.max_entropy import max_entropy
from askwell.recipes.mean_std import mean_std
from askwell.recipes.power_bald import power_bald
from askwell.recipes.pre_clustering import pre_clustering
from askwell.recipes.predictive_variance import predictive_variance
from askwell.recipes.random import random
from askwell.recipes.ratio import ratio
from askwell.recipes.typiclust import typiclust
from askwell.recipes.vaal import vaal
from askwell.recipes.variation_ratios import variation_ratios

__all__ = [
    "acs_fw",
    "activelab",
    "alfa_mix",
    "badge",
    "bait",
    "bald",
    "bald_topb",
    "batch_bald",
    "bemps",
    "binary_entropy",
    "cal",
    "cluster_margin",
    "committee",
    "core_log",
    "core_mse",
    "coreset",
    "crowd_intents",
    "dbal",
    "diverse_minibatch",
    "dropquery",
    "egl",
    "emoc",
    "ensemble",
    "entropy",
    "epig",
    "falcun",
    "galaxy",
    "greedy_sampling",
    "kmeans",
    "lcmd",
    "least_confidence",
    "margin",
    "max_entropy",
    "mean_std",
    "power_bald",
    "pre_clustering",
    "predictive_variance",
    "random",
    "ratio",
    "typiclust",
    "vaal",
    "variation_ratios",
]
