"""What a label is: one file per task."""

from askwell.tasks.classification import Classification
from askwell.tasks.multi_label import MultiLabel
from askwell.tasks.regression import Regression

__all__ = ["Classification", "MultiLabel", "Regression"]
