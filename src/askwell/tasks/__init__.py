"""What a label is: one file per task."""

from askwell.tasks.classification import Classification

__all__ = ["Classification"]
