"""The training kit: every fit runs over it. A scheme writes `train(run)`; `fit` runs it."""

from askwell.training.fit import Fitted, fit, outline, rehearse
from askwell.training.stops import Patience, Reached
from askwell.training.weighting import class_weights, no_loss, weighted_mean

__all__ = ["Fitted", "Patience", "Reached", "class_weights", "fit", "no_loss", "outline", "rehearse", "weighted_mean"]
