"""Figures that say how good a model is, how far raters agree, and whether choosing paid."""

from askwell.metrics.agreement import cohen, fleiss, krippendorff, resampled
from askwell.metrics.calibration import temperature
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
from askwell.metrics.multi_label import f1, mean_average_precision, of_label_probs
from askwell.metrics.paired import Paired, paired_interval
from askwell.metrics.regression import of_predictions, r2

__all__ = [
    "Comparison",
    "Interval",
    "Paired",
    "Saving",
    "area",
    "auroc",
    "balanced_accuracy",
    "calibration_error",
    "cohen",
    "compare_areas",
    "f1",
    "fleiss",
    "intervals",
    "krippendorff",
    "labels_to_target",
    "mean_average_precision",
    "mean_interval",
    "of_label_probs",
    "of_predictions",
    "of_probs",
    "paired_interval",
    "r2",
    "resampled",
    "saving",
    "temperature",
]
