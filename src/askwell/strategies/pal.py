"""Values of asking and of not asking for a sentence, learned on another task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from askwell.core.needs import PROBS, WORDS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.models.sentence_values import LABEL, SKIP, TAGS
from askwell.strategies.policies import Learned
from askwell.training.modes import pieces

__all__ = ["PAL", "sentence_state"]

ROWS = 64
"""Sentences of one pass of the network."""


@dataclass(frozen=True)
class PAL(Learned, ScoreStrategy):
    """Asks for the sentences whose label a Q-network, trained on another task, values most over letting them go.

    policy  folder that `askwell train-policy pal` wrote; "untrained" for a network with its first weights
    digest  hash of the policy, filled in when the folder is first read

    The network reads the words of a sentence (N, L), the confidence (N,) of the model and its five largest class
    probabilities, which stand for the marginals (N, 1, 5) of a tagger; numbers of classes may differ between tasks.
    Scores (N,) are Q(label) − Q(skip), any real number: above 0 the policy would ask if the sentence came by in a
    stream. One pass of the network, O(N·L).

    Fang, Li and Cohn 2017, "Learning how to Active Learn: A Deep Reinforcement Learning Approach", arXiv 1708.02383.
    Ranking a pool by the difference is ours.

    >>> [str(need) for need in PAL("untrained").needs]
    ['words', 'probs']
    """

    kind: ClassVar[str] = "pal"
    one_class: ClassVar[bool] = True
    forms: ClassVar[frozenset[str]] = frozenset({"tokens"})
    cost: ClassVar[str] = "O(N·L), one pass of the policy"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (WORDS, PROBS)

    def score(self, view: View) -> Tensor:
        net, state = self.net(), sentence_state(view[WORDS], view[PROBS].float())
        values = [net(*(part[where].cpu() for part in state)) for where in pieces(len(view), ROWS)]
        gains = torch.cat(values)
        return (gains[:, LABEL] - gains[:, SKIP]).to(view.ids.device)


def sentence_state(words: Tensor, probs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Words (n, L), confidences (n,) and the five largest of the probabilities (n, C), as marginals (n, 1, 5).

    >>> sentence_state(torch.ones(1, 2), torch.tensor([[.2, .7, .1]]))[1:]
    (tensor([0.7000]), tensor([[[0.7000, 0.2000, 0.1000, 0.0000, 0.0000]]]))
    """
    largest = probs.topk(min(TAGS, probs.shape[1]), dim=1).values
    marginals = torch.nn.functional.pad(largest, (0, TAGS - largest.shape[1]))
    return words, largest[:, 0], marginals[:, None]
