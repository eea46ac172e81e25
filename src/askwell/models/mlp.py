"""Multi-layer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from torch import nn

from askwell.core.pool import Form
from askwell.models.net import HeadedNet, Net, refuse

__all__ = ["MLP"]


@dataclass(frozen=True)
class MLP:
    """`depth` hidden layers of ReLU units with dropout; takes vectors, and images as vectors.

    width   units per hidden layer, D; dropout  probability of each unit to be dropped, in [0, 1)

    >>> MLP(width=16, depth=1).build(Form("vector", (4,)), 3).head
    Linear(in_features=16, out_features=3, bias=True)
    """

    width: int = 256
    depth: int = 2
    dropout: float = 0.3

    def build(self, form: Form, outputs: int) -> Net:
        """The network for items of this form; refuses tokens."""
        refuse(self, form, "vector", "image")
        widths = [prod(form.shape), *[self.width] * self.depth]
        stages: list[nn.Module] = [
            nn.Sequential(nn.Flatten(), nn.Linear(before, after), nn.ReLU(), nn.Dropout(self.dropout))
            for before, after in pairwise(widths)
        ]
        return HeadedNet(stages or [nn.Flatten()], widths[-1], outputs)
