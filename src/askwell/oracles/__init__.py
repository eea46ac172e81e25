"""Who answers questions: the truth in simulation; people answer through a project."""

from askwell.oracles.truth import Truth

__all__ = ["Truth"]
