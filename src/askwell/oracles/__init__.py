"""Who answers questions in simulation: the truth, the truth with mistakes, a crowd, another model.

People answer through a project.
"""

from askwell.oracles.crowd import Crowd
from askwell.oracles.model import Model
from askwell.oracles.noisy import Noisy
from askwell.oracles.truth import Truth

__all__ = ["Crowd", "Model", "Noisy", "Truth"]
