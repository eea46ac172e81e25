"""EGL: expected gradient length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

from torch import Tensor

from askwell.core.needs import EMBEDDING, PROBS, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import UnknownName
from askwell.functional.gradient_length import Norm, expected_gradient_length

__all__ = ["EGL"]


@dataclass(frozen=True)
class EGL(ScoreStrategy):
    """Asks for the labels expected to move the last layer most: its gradient's length, averaged over the classes.

    norm  "l2" Euclidean length, as in the paper; "l1" the sum of absolute values, as some released code has it
    bias  whether the last layer has a bias, whose gradient counts too

    Probabilities (N, C) and embeddings (N, D) of one forward pass; score ‖(z, 1)‖ Σ_c p_c ‖p − e_c‖ >= 0, exactly the
    expectation over labels drawn from p, for the last layer alone. O(N·(C + D)).

    Settles, Craven and Ray 2007, "Multiple-Instance Active Learning"; Settles and Craven 2008,
    doi:10.3115/1613715.1613855.

    >>> import torch
    >>> p, z = torch.tensor([[.5, .5], [.9, .1], [.5, .5]]), torch.tensor([[3., 4.], [3., 4.], [0., 1.]])
    >>> view = View(torch.arange(3), (PROBS, EMBEDDING), lambda *_: {PROBS: p, EMBEDDING: z})
    >>> EGL().select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([3.6056, 1.2980]), ...)
    """

    cost: ClassVar[str] = "O(N·(C + D))"

    norm: Norm = "l2"
    bias: bool = True

    def __post_init__(self) -> None:
        if self.norm not in get_args(Norm):
            raise UnknownName("norm", self.norm, get_args(Norm))

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING)

    def score(self, view: View) -> Tensor:
        return expected_gradient_length(view[PROBS], view[EMBEDDING], self.norm, self.bias)
