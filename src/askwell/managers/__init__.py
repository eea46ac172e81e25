"""Budget managers: which items of a stream are asked about, so that no more is spent than planned.

>>> import torch
>>> manager = Quantile(budget=0.2)
>>> ask, state = manager.step(manager.start(None), 0.7, torch.Generator())
>>> ask, state
(True, {'scores': [0.7], 'seen': 1, 'asked': 1})
"""

from askwell.managers.fixed import Fixed
from askwell.managers.quantile import Quantile
from askwell.managers.randomised import Randomised
from askwell.managers.region import Region
from askwell.managers.split import Split
from askwell.managers.variable import Variable

__all__ = ["Fixed", "Quantile", "Randomised", "Region", "Split", "Variable"]
