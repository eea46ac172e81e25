"""Learning on a stream of sentences whether to ask for a label: deep Q-learning over episodes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from askwell.core.needs import PROBS
from askwell.core.seeds import Seeds
from askwell.data import Data
from askwell.engine.episodes import Episode
from askwell.engine.word_rows import word_rows
from askwell.errors import InputError, UnmetNeeds
from askwell.models.sentence_values import LABEL
from askwell.strategies.pal import sentence_state
from askwell.training.q_learning import QLearner, State

__all__ = ["StreamTraining"]

UNKNOWN_CONFIDENCE = 0.2
"""What stands for the confidence before there is a model."""


@dataclass(frozen=True)
class StreamTraining:
    """Numbers by which a policy of `pal` learns.

    budget      labels of an episode; it ends earlier where the stream does
    lr, gamma   learning rate of Adam, and what a reward is worth a step later
    replay, batch, warm_up  remembered steps, steps of an update, steps before the first update
    epsilon, last_epsilon, explore  share of random actions at first, at last, and after how many steps that is
    filters, hidden  of the network

    The defaults are those of the paper's code; a short training needs a larger lr, such as 1e-3, and some exploration.

    Fang, Li and Cohn 2017, "Learning how to Active Learn", arXiv 1708.02383.
    """

    budget: int = 200
    lr: float = 1e-6
    gamma: float = 0.99
    replay: int = 1000
    batch: int = 32
    warm_up: int = 32
    epsilon: float = 0.0
    last_epsilon: float = 0.0
    explore: int = 100_000
    filters: int = 128
    hidden: int = 256

    def __post_init__(self) -> None:
        for name in ("budget", "lr", "replay", "batch", "warm_up", "explore", "filters", "hidden"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} of a training of pal must be above 0, got {getattr(self, name)}")
        for name in ("gamma", "epsilon", "last_epsilon"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of a training of pal must be from 0 to 1, got {getattr(self, name)}")

    def sizes(self, data: Data) -> dict[str, int]:
        """Of the network; refuses data without a part to measure on."""
        if not len(data.split.validation):
            raise UnmetNeeds("a policy of pal is paid by the validation part and there is none: set validation_size")
        return {"filters": self.filters, "hidden": self.hidden}

    def learner(self, net: nn.Module) -> QLearner:
        """What learns, before its first step."""
        return QLearner(
            net, torch.Generator(), lr=self.lr, gamma=self.gamma, capacity=self.replay, batch=self.batch,
            warm_up=self.warm_up, epsilon=(self.epsilon, self.last_epsilon), explore=self.explore,
        )  # fmt: skip

    def play(self, learner: QLearner, episode: Episode, seeds: Seeds) -> list[float]:
        """One episode: rewards of all steps, whose sum is the last value of the model."""
        learner.rng = seeds.torch("actions")
        stream = Stream(episode)
        rewards: list[float] = []
        ended = False
        while not ended:
            place, state = len(rewards), stream.state(len(rewards))
            action = learner.act(state)
            rewards.append(stream.buy(place) if action == LABEL else 0.0)
            ended = len(episode.batches) == self.budget or place + 1 == len(stream.order)
            learner.learn(state, action, rewards[-1], stream.state(place + (not ended)), ended)
        return rewards


class Stream:
    """The candidates in a random order, as the policy sees them one by one."""

    def __init__(self, episode: Episode) -> None:
        self.episode, self.order = episode, episode.shuffled("stream")
        self.words = word_rows(episode.data.pool, self.order)
        classes = episode.task.outputs
        self.value = 0.0
        self._told = sentence_state(self.words, torch.full((len(self.order), classes), 1 / classes))
        self._told[1].fill_(UNKNOWN_CONFIDENCE)

    def state(self, place: int) -> State:
        """What the policy reads at this place of the stream, by the model of now."""
        return tuple(part[place] for part in self._told)

    def buy(self, place: int) -> float:
        """Buys the label, trains, and returns by how much the model got better."""
        self.episode.buy(self.order[place : place + 1])
        before, self.value = self.value, self.episode.value()
        self._look(slice(place + 1, None))
        return self.value - before

    def _look(self, rest: slice) -> None:
        """What is still to come, by the model of now."""
        if len(self.order[rest]):
            probs = self.episode.told(PROBS, self.order[rest]).float()
            for part, now in zip(self._told[1:], sentence_state(self.words[rest], probs)[1:], strict=True):
                part[rest] = now
