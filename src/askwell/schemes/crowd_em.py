"""Training on what annotators of different expertise say, with the network as one more witness."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from askwell.core.scheme import Draw, Run
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.answers import Answers
from askwell.functional.crowd_posterior import crowd_posterior, vote_shares
from askwell.schemes.supervised import Supervised
from askwell.training.stops import stop_of

__all__ = ["CrowdEM"]

LEAST = 1e-6
"""The least probability that the network may give a class."""


@dataclass(frozen=True)
class CrowdEM(Supervised):
    """Expectation-maximisation: estimates expertise and true classes, trains the network on these, and starts over.

    turns  how often the network is trained, each time anew, on a belief (M, C) about the true classes; all numbers of
           `Supervised` hold for each turn
    rank   of the annotators' expertise by class

    The first belief is the shares of the answers, weighed by the expertise that they show; every later one is the
    network's probabilities times those of the answers. The loss is the cross-entropy to the belief. A label without
    answers counts for sure; where there are no answers at all one turn is plain training. `turns` times the cost of
    `Supervised`.

    Yang et al. 2018, arXiv 1803.04223; our reading of what is published.

    >>> sorted(CrowdEM(turns=2).reads)
    ['labelled', 'votes']
    """

    turns: int = 3
    rank: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("turns", "rank"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"{name} of scheme {type(self).__name__} must be at least 1, got {getattr(self, name)}"
                )
        if self.class_weights:
            raise InputError(f"class_weights of {type(self).__name__} must be (): its targets are soft")

    @property
    def reads(self) -> frozenset[str]:
        return super().reads | {"votes"}

    def train(self, run: Run) -> None:
        answers = _answers(run)
        run.memory["belief"] = self._belief(run, answers, None)
        for turn in range(self.turns if len(answers) else 1):
            if turn:
                run.memory["belief"] = self._belief(run, answers, _probs(run))
                run.fresh()
            run.build(self.policy, **self.companions(run))
            step = self.supervise(run)
            stop = stop_of(self.stop)
            for tick in run.clock(f"fit {turn}", self.length(run.facts), self.pass_length(run.facts), stop):
                step(tick)
            self.conclude(run)

    def drawn(self, run: Run) -> str | Draw:
        labelled = run.draw("labelled")
        return Draw(labelled.ids, run.memory["belief"].float(), labelled.w)

    def _belief(self, run: Run, answers: Answers, probs: Tensor | None) -> Tensor:
        """(M, C) what the classes are by answers and network; the label for sure where there are no answers."""
        targets = run.draw("labelled").y
        assert targets is not None
        sure = F.one_hot(targets, answers.shape[2]).double()
        if not len(answers):
            return sure
        told = answers.counts.sum(1, keepdim=True) > 0
        before = run.memory.get("belief", vote_shares(answers)) * told
        prior = before.sum(0) / told.sum() if probs is None else probs.clamp(min=LEAST)
        return torch.where(told, crowd_posterior(answers, before, prior.clamp(min=LEAST), self.rank).belief, sure)


def _answers(run: Run) -> Answers:
    """The votes of the job, on the device of its targets."""
    labelled, classes = run.draw("labelled"), run.facts.num_classes
    if classes is None:
        raise UnmetNeeds(f"scheme crowd_em needs one class per item, and task {run.task!r} has none")
    votes = labelled.ids.new_empty(0, 3) if run.votes is None else run.votes.to(labelled.ids.device)
    people = int(votes[:, 1].max()) + 1 if len(votes) else 0
    return Answers(votes[:, 0], votes[:, 1], votes[:, 2], (len(labelled.ids), people, classes))


def _probs(run: Run) -> Tensor:
    """(M, C) the trained network's probabilities of the labelled items."""
    net = run.m.net
    return run.compute(lambda x: run.task.predict(net(x)), run.draw("labelled").ids, net)
