"""Figures that say how good a model is, how far raters agree, and whether choosing paid."""

from askwell.metrics.agreement import cohen
from askwell.metrics.classification import auroc, balanced_accuracy, calibration_error, of_probs
from askwell.metrics.curves import (
    Comparison,
    Interval,
    Saving,
    area,
    compare_areas,
    intervals,
    labels_to_target,
    mean_interval,
    saving,
)

__all__ = [
    "Comparison",
    "Interval",
    "Saving",
    "area",
    "auroc",
    "balanced_accuracy",
    "calibration_error",
    "cohen",
    "compare_areas",
    "intervals",
    "labels_to_target",
    "mean_interval",
    "of_probs",
    "saving",
]
