"""Learning which of the uncertain items to ask for: REINFORCE over episodes of active learning."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from askwell.core.needs import LOGIT_MOMENTS
from askwell.core.seeds import Seeds
from askwell.data import Data
from askwell.engine.episodes import Episode
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.moments import probit_loss
from askwell.strategies.ral import decide, listed
from askwell.training.reinforce import Reinforce

__all__ = ["RankingTraining"]


@dataclass(frozen=True)
class RankingTraining:
    """Numbers by which a policy of `ral` learns; an episode has the sizes and rounds of its recipe.

    lr, gamma   learning rate of Adam, and what a reward is worth a step later
    divergence  weight of the KL divergence of the policy's weights from N(0, 1/precision)
    slots, hidden, kept, span  of the policy and its list, see strategy `ral`

    An episode ends earlier where its items do. A pick is paid by how much likelier its label has become after the next
    fit, the last of a round also by the share of different classes in it. The defaults are those of the paper's code;
    there the divergence pulls at the first weights about fifteen times as hard as gains of 1 do, so that a short
    training needs a smaller weight, such as 1e-6.

    Haußmann, Hamprecht and Kandemir 2019, arXiv 1906.11471.
    """

    lr: float = 1e-3
    gamma: float = 0.95
    divergence: float = 1.0
    precision: float = 100.0
    slots: int = 50
    hidden: int = 256
    kept: int = 1200
    span: int = 1000

    def __post_init__(self) -> None:
        for name in ("lr", "precision", "slots", "hidden", "kept", "span"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of a training of ral must be above 0, got {getattr(self, name)}")
        if not (0 <= self.gamma <= 1 and self.divergence >= 0):
            raise InputError(
                f"gamma of a training of ral must be from 0 to 1 and divergence not below 0, got {self.gamma} and "
                f"{self.divergence}"
            )

    def sizes(self, data: Data) -> dict[str, int]:
        """Of the network, which is for the number of classes of these data."""
        if len(data.classes) < 2:
            raise UnmetNeeds("a policy of ral is for one of several classes per item, and these labels are no classes")
        return {"slots": self.slots, "classes": len(data.classes), "hidden": self.hidden}

    def learner(self, net: nn.Module) -> Reinforce:
        """What learns, before its first step."""
        return Reinforce(net, self.lr, self.gamma, self.divergence, self.precision)

    def play(self, learner: Reinforce, episode: Episode, seeds: Seeds) -> list[float]:
        """One episode: rewards of all picks; after each round the policy makes one step."""
        recipe, rewards = episode.recipe, []
        episode.buy(episode.shuffled("start")[: recipe.initial_size])
        for round in range(recipe.rounds):
            if not len(episode.left):
                break
            rewards += self._round(learner, episode, seeds.torch("picks", round))
        return rewards

    def _round(self, learner: Reinforce, episode: Episode, rng: torch.Generator) -> list[float]:
        ids = episode.left
        n = min(episode.recipe.batch, len(ids))
        moments = episode.told(LOGIT_MOMENTS, ids)
        rows = listed(moments, max(self.kept, n), rng)
        decisions = decide(learner.policy, moments[rows], n, self.slots, self.span, rng)
        picked = rows[[one.place for one in decisions]]
        episode.buy(ids[picked])
        labels = episode.labels(ids[picked])
        before, after = moments[picked], episode.told(LOGIT_MOMENTS, ids[picked])
        gained = likelihood(after, labels) - likelihood(before, labels)
        gained[-1] += len(set(labels.tolist())) / len(labels)
        states = [torch.stack([getattr(one, name) for one in decisions]) for name in ("state", "there")]
        rewards: list[float] = gained.tolist()
        learner.update(states, torch.tensor([one.slot for one in decisions]), rewards)
        return rewards


def likelihood(moments: Tensor, labels: Tensor) -> Tensor:
    """(n,) chance of all C answers about an item, by moments (n, C, 2) of its logits.

    >>> likelihood(torch.tensor([[[1.0, 3.0], [-1.0, 3.0]]]), torch.tensor([0]))
    tensor([0.4781])
    """
    targets = nn.functional.one_hot(labels, moments.shape[1])
    mean, var = moments.unbind(2)
    return (-probit_loss(mean, var, targets)).exp()
