"""CAL: contrastive active learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import EMBEDDING, PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.neighbours import contrast

__all__ = ["CAL"]


@dataclass(frozen=True)
class CAL(ScoreStrategy):
    """Asks for items that look like labelled ones to the model and that it predicts otherwise.

    neighbours  how many labelled items an item is held against; all where there are fewer

    Embeddings and probabilities of the candidates, (N, D) and (N, C), and of the labelled items. The score is the mean
    of KL(p_l ‖ p) in nats over the nearest labelled items l, by the angle between embeddings. Needs at least one
    labelled item. O(N·(M·D + neighbours·C)).

    Margatina et al. 2021, arXiv 2109.03764.

    >>> import torch
    >>> z, p = torch.ones(2, 1), torch.tensor([[.5, .5], [.7, .3]])
    >>> here = {EMBEDDING: z, PROBS: p}
    >>> given = here | {EMBEDDING.at("labelled"): z, PROBS.at("labelled"): torch.tensor([[.9, .1], [.6, .4]])}
    >>> view = View(torch.arange(2), tuple(given), lambda *_: given, sets={"labelled": torch.tensor([2, 3])})
    >>> CAL().select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([0.1941, 0.0695]), ...)
    """

    cold_start: ClassVar[bool] = False
    cost: ClassVar[str] = "O(N·(M·D + neighbours·C))"

    neighbours: int = 10

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise InputError(f"neighbours are {self.neighbours}: there must be at least 1", got=self.neighbours)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, PROBS, EMBEDDING.at("labelled"), PROBS.at("labelled"))

    def score(self, view: View) -> Tensor:
        z, p, labelled_z, labelled_p = (view[need] for need in self.needs)
        return contrast(z, p, labelled_z, labelled_p, self.neighbours)
