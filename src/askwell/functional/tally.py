"""What a committee says, summed up while its members are heard one after the other."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from askwell.errors import BadShape
from askwell.functional.uncertainty import entropy

__all__ = ["Tally"]


class Tally:
    """Sums over K members of which none is kept: what scores of disagreement need, without (N, K, C) draws.

    n items, classes C; counts K, the members heard so far. Sums are float64, so that the members' order does not
    matter beyond rounding and scores equal those of stored draws. `state` holds all of it: a scoring that was
    interrupted goes on from there. N·(2·C + 1) numbers, whatever K; O(N·C) per member.

    Chitta, Álvarez, Haussmann and Farabet 2019, "Training Data Subset Search with Ensemble Active Learning",
    arXiv 1905.12737.

    >>> tally = Tally(1, 2)
    >>> for p in ([[.9, .1]], [[.1, .9]]):
    ...     tally.add(torch.tensor(p))
    >>> tally.mean_probs, tally.mean_entropy, tally.vote_shares
    (tensor([[0.5000, 0.5000]], dtype=torch.float64), tensor([0.3251], dtype=torch.float64),
     tensor([[0.5000, 0.5000]], dtype=torch.float64))
    """

    def __init__(self, n: int, classes: int, device: torch.device | str = "cpu") -> None:
        self.heard = 0
        self._probs, self._votes = (torch.zeros(n, classes, dtype=torch.float64, device=device) for _ in range(2))
        self._entropy = torch.zeros(n, dtype=torch.float64, device=device)

    def add(self, p: Tensor) -> None:
        """Hears one more member: probabilities (N, C); a tie of its vote goes to the lowest class."""
        if p.shape != self._probs.shape:
            wanted = tuple(self._probs.shape)
            raise BadShape(f"a member's probabilities have shape {tuple(p.shape)} instead of {wanted}", got=p.shape)
        p = p.to(self._probs)
        self._probs += p
        self._entropy += entropy(p)
        best = p.max(1, keepdim=True)
        self._votes.scatter_add_(1, best.indices, torch.ones_like(best.values))
        self.heard += 1

    def extend(self, mc: Tensor) -> None:
        """Hears the K members of draws (N, K, C)."""
        for member in mc.unbind(1):
            self.add(member)

    @property
    def mean_probs(self) -> Tensor:
        """(N, C) mean of the members' probabilities."""
        return self._probs / self._count

    @property
    def mean_entropy(self) -> Tensor:
        """(N,) mean of the members' entropies, in nats."""
        return self._entropy / self._count

    @property
    def vote_shares(self) -> Tensor:
        """(N, C) share of the members that vote for each class."""
        return self._votes / self._count

    @property
    def _count(self) -> int:
        if not self.heard:
            raise BadShape("no member was heard: add probabilities first", got=0)
        return self.heard

    def state(self) -> dict[str, Tensor]:
        """All sums and the number of members, to go on from with `Tally.of`."""
        return {
            "heard": torch.tensor(self.heard), "probs": self._probs, "entropy": self._entropy, "votes": self._votes,
        }  # fmt: skip

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Tally:
        """The tally that `state` came from; the sums are copied."""
        n, classes = state["probs"].shape
        made = cls(n, classes, state["probs"].device)
        made.heard = int(state["heard"])
        made._probs, made._entropy, made._votes = (state[key].clone() for key in ("probs", "entropy", "votes"))
        return made
