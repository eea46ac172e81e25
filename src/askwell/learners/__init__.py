"""Learners: a model that learns, and what it can compute for strategies."""

from askwell.learners.ensemble import Ensemble
from askwell.learners.laplace import Laplace
from askwell.learners.linear import Linear
from askwell.learners.net import Net
from askwell.learners.sklearn import Sklearn
from askwell.learners.transformer import Transformer

__all__ = ["Ensemble", "Laplace", "Linear", "Net", "Sklearn", "Transformer"]
