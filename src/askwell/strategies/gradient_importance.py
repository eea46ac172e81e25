"""Gradient importance of items whose labels are not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from askwell.core.needs import NETWORK, Need
from askwell.core.network import Network
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.functional.importance import expected_importance, tile_width
from askwell.functional.likely import warn_dropped
from askwell.functional.steps import counting
from askwell.functional.tiles import tiles
from askwell.strategies.words import check_least

__all__ = ["GradientImportance"]


@dataclass(frozen=True)
class GradientImportance(ScoreStrategy):
    """Asks for the items that would be most important to the model, by the gradient of all its weights.

    least  classes with at most this probability are left out; a warning says so where they hold a hundredth or more

    The importance of a labelled item is ‖∂ℓ(x, y)/∂θ‖. As the label is not known, the score is its expectation under
    the model's probabilities (N, C), expected gradient length over all weights of the network: Σ_c p_c ‖∂ℓ(x, c)/∂θ‖
    >= 0. `EGL` is the same for the last layer alone, at the cost of a forward pass. O(N·C) gradients, each by itself,
    memory for a few hundred: put `Subsample` around it for large pools.

    Vodrahalli, Li and Malik 2018, "Are All Training Examples Created Equal?", arXiv 1811.12569; for unknown labels
    Settles and Craven 2008, doi:10.3115/1613715.1613855.

    >>> import torch
    >>> from askwell.testing.scenes import Scenes
    >>> view = Scenes()("plain").view(GradientImportance().needs)
    >>> GradientImportance().select(view, 2, torch.Generator())
    Batch(ids=tensor([13,  6]), scores=tensor([3.9284, 3.9176]), ...)
    """

    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(N·C) gradients of the whole network"

    least: float = 1e-3

    def __post_init__(self) -> None:
        check_least(self.name, self.least)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (NETWORK,)

    def score(self, view: View) -> Tensor:
        network: Network = view[NETWORK]
        weights = network.weights
        lengths = torch.empty(len(view), device=view.ids.device)
        dropped, done = torch.empty_like(lengths), counting(len(view))
        for where in tiles(len(view), tile_width(weights), view.ids.device):
            items = network.items(view.ids[where])
            lengths[where], dropped[where] = expected_importance(network.at, weights, items, self.least)
            done(where.stop)
        warn_dropped(dropped, self.least)
        return lengths
