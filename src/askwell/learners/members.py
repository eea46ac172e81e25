"""Draws and their sums from the networks of a committee."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from askwell.core.needs import MEAN_ENTROPY, MEAN_PROBS, VOTE_SHARES, Need
from askwell.errors import UnmetNeeds
from askwell.functional.tally import Tally

__all__ = ["TALLIED", "Members", "tallied", "tally_of"]

log = logging.getLogger("askwell")

TALLIED = frozenset({MEAN_PROBS.name, MEAN_ENTROPY.name, VOTE_SHARES.name})
"""Needs that are sums over draws."""


class Members:
    """The networks of a committee in place of a sampler: draw k is what network k says.

    forward  (network, batch) -> outputs
    net      whose outputs are those of no draw; it may be one of the committee

    >>> net, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> members = Members(lambda net, x: net(x), net, [other, net])
    >>> outputs, draws = members(torch.ones(4, 2), torch.arange(4), 2, lambda outputs: outputs)
    >>> draws.shape, torch.equal(draws[:, 1], outputs)
    (torch.Size([4, 2, 3]), True)
    """

    def __init__(self, forward: Callable[[Any, Any], Any], net: nn.Module, committee: Sequence[nn.Module]) -> None:
        self.forward, self.net, self.committee = forward, net, tuple(committee)
        self.most, self.differ = 0, False

    def __call__(self, x: Any, ids: Tensor, draws: int, each: Callable[[Any], Tensor]) -> tuple[Any, Tensor]:
        """Outputs of the net, and `each(outputs)` (n, …) of the first K networks as (n, K, …)."""
        outputs = self.forward(self.net, x)
        said = [outputs if net is self.net else self.forward(net, x) for net in self._first(draws)]
        rows = torch.stack([each(one) for one in said], 1)
        self.most = max(self.most, draws)
        self.differ = self.differ or bool((rows != rows[:, :1]).any())
        return outputs, rows

    def check(self) -> None:
        """Warns if all members said the same of all items so far."""
        if self.most > 1 and not self.differ:
            log.warning("all %d members say the same of every item: they have nothing to disagree about", self.most)

    def _first(self, draws: int) -> Sequence[nn.Module]:
        if not 1 <= draws <= len(self.committee):
            raise UnmetNeeds(
                f"{draws} draws are wanted of a committee of {len(self.committee)}: set draws to "
                f"{len(self.committee)} or less"
            )
        return self.committee[:draws]


def tally_of(mc: Tensor) -> Tally:
    """The sums over draws (n, K, C)."""
    tally = Tally(len(mc), mc.shape[2], mc.device)
    tally.extend(mc)
    return tally


def tallied(need: Need, tally: Tally) -> Tensor:
    """The need's rows, float32, by what a tally of its draws has heard."""
    rows: Tensor = getattr(tally, need.name)
    return rows.float()
