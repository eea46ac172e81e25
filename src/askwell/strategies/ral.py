"""A policy that has learned from rewards which uncertain items to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Generator, Tensor

from askwell.core.needs import LOGIT_MOMENTS, MC_PROBS, Need
from askwell.core.view import Batch, View
from askwell.errors import InputError
from askwell.functional.binary import binary_entropy
from askwell.functional.moments import probit
from askwell.functional.pick import draw, top
from askwell.functional.policy import thinned
from askwell.functional.steps import steps
from askwell.strategies.policies import Learned

__all__ = ["RAL", "Decision", "decide", "listed"]

LEAST = 1e-6
"""Smallest probability that is taken for a logarithm."""


@dataclass(frozen=True)
class RAL(Learned):
    """Lets a policy that was trained by rewards pick among the most uncertain items.

    policy  folder that `askwell train-policy ral` wrote; "untrained" for a network with its first weights
    digest  hash of the policy, filled in when the folder is first read
    draws   0: moments of logits (N, C, 2) as a network with Gaussian weights gives them, scheme `moment_matching`; K:
            mean and variance of the log probabilities of K draws (N, K, C), of any learner that has them
    kept    how many of the most uncertain items are listed, by the sum of the entropies of one class against the rest
    span    how many of them the policy is shown, thinned to as many as it has slots

    For each of Q picks the policy reads mean and variance of the shown items, and one of these is drawn by its chances;
    then it leaves the list. Scores (Q,) are the chances, in (0, 1]. Nothing repeats. O(N·C) and O(Q) passes of the
    policy. A policy is for one number of classes.

    Haußmann, Hamprecht and Kandemir 2019, "Deep Active Learning with Adaptive Acquisition", arXiv 1906.11471. There the
    policy learns while it is used; here it has learned before, and stays as it is.

    >>> RAL("untrained").needs[0].name, RAL("untrained", draws=20).needs[0].name
    ('logit_moments', 'mc_probs')
    """

    kind: ClassVar[str] = "ral"
    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(N·C), and Q passes of the policy"

    draws: int = 0
    kept: int = 1200
    span: int = 1000
    slots: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("draws", 0), ("kept", 1), ("span", 1), ("slots", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of ral must be at least {least}, got {getattr(self, name)}")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),) if self.draws else (LOGIT_MOMENTS,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        moments = self._moments(view[self.needs[0]])
        net = self.net(slots=self.slots, classes=moments.shape[1])
        rows = listed(moments, max(self.kept, n), rng)
        decisions = decide(net, moments[rows].cpu(), n, self.slots, self.span, rng)
        places = torch.tensor([one.place for one in decisions], device=rows.device)
        return view.pick(rows[places], torch.tensor([one.chance for one in decisions]))

    def _moments(self, told: Tensor) -> Tensor:
        """(N, C, 2) float32."""
        if not self.draws:
            return told.float()
        logits = told.float().clamp(min=LEAST).log()
        return torch.stack([logits.mean(1), logits.var(1, unbiased=False)], 2)


class Decision(NamedTuple):
    """One pick: what the policy was shown, (slots, C, 2) and (slots,), the slot that it took, and the item's place."""

    state: Tensor
    there: Tensor
    slot: int
    place: int
    chance: float


def listed(moments: Tensor, most: int, rng: Generator) -> Tensor:
    """Rows of the most uncertain items, the most uncertain first: by moments (N, C, 2) of their logits."""
    return top(binary_entropy(probit(*moments.unbind(2))), min(most, len(moments)), rng)


def decide(net: Any, moments: Tensor, n: int, slots: int, span: int, rng: Generator) -> list[Decision]:
    """n picks from a ranked list with moments (m, C, 2), one after the other, each drawn by the policy's chances."""
    left, decisions = torch.arange(len(moments)), []
    for _ in steps(n):
        shown = thinned(len(left), slots, span)
        state, there = moments.new_zeros(slots, *moments.shape[1:]), torch.zeros(slots, dtype=torch.bool)
        state[: len(shown)], there[: len(shown)] = moments[left[shown]], True
        chances = net(state[None], there[None])[0].detach().exp()
        slot = draw(chances, rng)
        decisions.append(Decision(state, there, slot, int(left[shown[slot]]), float(chances[slot])))
        left = torch.cat([left[: shown[slot]], left[shown[slot] + 1 :]])
    return decisions
