"""One file per system: a docstring and a function that returns its recipe."""

from askwell.recipes.acs_fw import acs_fw
from askwell.recipes.active_harnet import active_harnet
from askwell.recipes.activelab import activelab
from askwell.recipes.alfa_mix import alfa_mix
from askwell.recipes.badge import badge
from askwell.recipes.bait import bait
from askwell.recipes.bald import bald
from askwell.recipes.bald_topb import bald_topb
from askwell.recipes.bandit import bandit
from askwell.recipes.batch_bald import batch_bald
from askwell.recipes.bayes_nlp import bayes_nlp
from askwell.recipes.bayes_nlp_bb import bayes_nlp_bb
from askwell.recipes.bayes_semisup import bayes_semisup
from askwell.recipes.bemps import bemps
from askwell.recipes.binary_entropy import binary_entropy
from askwell.recipes.cal import cal
from askwell.recipes.cip import cip
from askwell.recipes.cluster_margin import cluster_margin
from askwell.recipes.committee import committee
from askwell.recipes.core_log import core_log
from askwell.recipes.core_mse import core_mse
from askwell.recipes.coreset import coreset
from askwell.recipes.crowd_intents import crowd_intents
from askwell.recipes.dbal import dbal
from askwell.recipes.debal import debal
from askwell.recipes.dfal import dfal
from askwell.recipes.discriminative import discriminative
from askwell.recipes.diverse_minibatch import diverse_minibatch
from askwell.recipes.dpe import dpe
from askwell.recipes.dropquery import dropquery
from askwell.recipes.egl import egl
from askwell.recipes.egl_entropy_beta import egl_entropy_beta
from askwell.recipes.egl_word import egl_word
from askwell.recipes.emoc import emoc
from askwell.recipes.ensemble import ensemble
from askwell.recipes.ensemble_search import ensemble_search
from askwell.recipes.entropy import entropy
from askwell.recipes.epig import epig
from askwell.recipes.expected_error import expected_error
from askwell.recipes.exploration_p import exploration_p
from askwell.recipes.facility_location import facility_location
from askwell.recipes.falcun import falcun
from askwell.recipes.ff_active import ff_active
from askwell.recipes.fisher_kernel import fisher_kernel
from askwell.recipes.galaxy import galaxy
from askwell.recipes.gradient_importance import gradient_importance
from askwell.recipes.greedy_sampling import greedy_sampling
from askwell.recipes.kmeans import kmeans
from askwell.recipes.layer_position import layer_position
from askwell.recipes.lcmd import lcmd
from askwell.recipes.least_confidence import least_confidence
from askwell.recipes.margin import margin
from askwell.recipes.max_entropy import max_entropy
from askwell.recipes.maxherding import maxherding
from askwell.recipes.mean_std import mean_std
from askwell.recipes.membership_synthesis import membership_synthesis
from askwell.recipes.pal import pal
from askwell.recipes.palmprint import palmprint
from askwell.recipes.power_bald import power_bald
from askwell.recipes.pre_clustering import pre_clustering
from askwell.recipes.predictive_variance import predictive_variance
from askwell.recipes.probcover import probcover
from askwell.recipes.ral import ral
from askwell.recipes.random import random
from askwell.recipes.ratio import ratio
from askwell.recipes.refine import refine
from askwell.recipes.robust_coreset import robust_coreset
from askwell.recipes.similar import similar
from askwell.recipes.stream import stream
from askwell.recipes.tool_condition import tool_condition
from askwell.recipes.typiclust import typiclust
from askwell.recipes.uherding import uherding
from askwell.recipes.vaal import vaal
from askwell.recipes.variation_ratios import variation_ratios

__all__ = [
    "acs_fw",
    "active_harnet",
    "activelab",
    "alfa_mix",
    "badge",
    "bait",
    "bald",
    "bald_topb",
    "bandit",
    "batch_bald",
    "bayes_nlp",
    "bayes_nlp_bb",
    "bayes_semisup",
    "bemps",
    "binary_entropy",
    "cal",
    "cip",
    "cluster_margin",
    "committee",
    "core_log",
    "core_mse",
    "coreset",
    "crowd_intents",
    "dbal",
    "debal",
    "dfal",
    "discriminative",
    "diverse_minibatch",
    "dpe",
    "dropquery",
    "egl",
    "egl_entropy_beta",
    "egl_word",
    "emoc",
    "ensemble",
    "ensemble_search",
    "entropy",
    "epig",
    "expected_error",
    "exploration_p",
    "facility_location",
    "falcun",
    "ff_active",
    "fisher_kernel",
    "galaxy",
    "gradient_importance",
    "greedy_sampling",
    "kmeans",
    "layer_position",
    "lcmd",
    "least_confidence",
    "margin",
    "max_entropy",
    "maxherding",
    "mean_std",
    "membership_synthesis",
    "pal",
    "palmprint",
    "power_bald",
    "pre_clustering",
    "predictive_variance",
    "probcover",
    "ral",
    "random",
    "ratio",
    "refine",
    "robust_coreset",
    "similar",
    "stream",
    "tool_condition",
    "typiclust",
    "uherding",
    "vaal",
    "variation_ratios",
]
