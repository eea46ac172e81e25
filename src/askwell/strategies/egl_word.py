"""EGL-word: expected gradient length of word vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from askwell.core.needs import NETWORK, Need
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.strategies.words import check_least, word_lengths

__all__ = ["EGLWord"]


@dataclass(frozen=True)
class EGLWord(ScoreStrategy):
    """Asks for the sentences whose labels are expected to move the vector of one of their words most.

    least  classes with at most this probability are left out; a warning says so where they hold a hundredth or more

    Reads the network as a function of the vectors (n, L, E) of its tokens. Score max_w Σ_c p_c ‖∂ℓ_c/∂E_w‖ >= 0 over
    the distinct words of an item: the gradients of a word that stands twice are added first; padding, unknown words
    and the marks of a tokenizer are no words. Items that are no tokens are refused. O(N·C) passes backwards: put
    `Subsample` around it for large pools.

    Zhang, Lease and Wallace 2017, "Active Discriminative Text Representation Learning", arXiv 1606.04212.

    >>> import torch
    >>> from askwell.testing.scenes import Scenes, sentences
    >>> view = Scenes({"network": sentences})("plain").view(EGLWord().needs)
    >>> EGLWord().select(view, 2, torch.Generator())
    Batch(ids=tensor([17,  7]), scores=tensor([1.4138, 1.2210]), ...)
    """

    one_class: ClassVar[bool] = True
    forms: ClassVar[frozenset[str]] = frozenset({"tokens"})
    cost: ClassVar[str] = "O(N·C) passes backwards"

    least: float = 1e-3

    def __post_init__(self) -> None:
        check_least(self.name, self.least)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (NETWORK,)

    def score(self, view: View) -> Tensor:
        return word_lengths(self.name, view, self.least)
