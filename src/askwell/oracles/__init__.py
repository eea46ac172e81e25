"""Who answers questions in simulation: the truth, the truth with mistakes, a crowd, another model,
and the truth about what a made item resembles.

People answer through a project.
"""

from askwell.oracles.crowd import Crowd
from askwell.oracles.model import Model
from askwell.oracles.nearest import Nearest
from askwell.oracles.noisy import Noisy
from askwell.oracles.truth import Truth

__all__ = ["Crowd", "Model", "Nearest", "Noisy", "Truth"]
