"""What it is worth to ask for the label of a sentence, and to let it go."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LABEL", "SKIP", "SentenceValues"]

SKIP, LABEL = 0, 1
TAGS = 5
MAPS = 20
WIDTHS = (3, 4, 5)


class SentenceValues(nn.Module):
    """Words (n, L), confidence (n,) and marginals (n, T, 5) to values (n, 2) of skipping and of labelling.

    words      numbers below `vocab`, 0 for padding; their vectors are drawn once and never trained
    marginals  of T places, the label probabilities of each; one place for a sentence of one label

    A sentence is the largest responses of `filters` convolutions of each width 3, 4 and 5; marginals are averages over
    the places of 20 linear maps of width 3; the three are added in one hidden layer.
    Fang, Li and Cohn 2017, "Learning how to Active Learn", arXiv 1708.02383.

    >>> values = SentenceValues(vocab=20, filters=4, hidden=8).eval()
    >>> values(torch.ones(2, 6, dtype=torch.int64), torch.ones(2), torch.zeros(2, 1, 5)).shape
    torch.Size([2, 2])
    """

    def __init__(self, vocab: int = 1 << 14, embedding: int = 40, filters: int = 128, hidden: int = 256) -> None:
        super().__init__()
        self.register_buffer("vectors", _vectors(vocab, embedding), persistent=False)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding, filters, width) for width in WIDTHS)
        self.marginals = nn.Conv1d(TAGS, MAPS, 3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.sentence = nn.Linear(filters * len(WIDTHS), hidden)
        self.confidence = nn.Linear(1, hidden, bias=False)
        self.places = nn.Linear(MAPS, hidden, bias=False)
        self.values = nn.Linear(hidden, 2)
        self.apply(_start)

    def forward(self, words: Tensor, confidence: Tensor, marginals: Tensor) -> Tensor:
        """(n, 2) values of `SKIP` and `LABEL`."""
        said = self.dropout(self._sentence(words))
        told = self.dropout(self.marginals(marginals.transpose(1, 2)).mean(2))
        hidden = self.sentence(said) + self.confidence(confidence[:, None]) + self.places(told)
        values: Tensor = self.values(hidden.relu())
        return values

    def _sentence(self, words: Tensor) -> Tensor:
        vectors: Tensor = self.vectors[words].transpose(1, 2)  # type: ignore[index] # a buffer
        vectors = nn.functional.pad(vectors, (0, max(0, max(WIDTHS) - vectors.shape[2])))
        return torch.cat([convolution(vectors).relu().amax(2) for convolution in self.convolutions], 1)


def _vectors(vocab: int, width: int) -> Tensor:
    """Vectors in [-1, 1) for every number, the same always; padding is 0."""
    drawn = 2 * torch.rand(vocab, width, generator=torch.Generator().manual_seed(0)) - 1
    drawn[0] = 0
    return drawn


def _start(layer: nn.Module) -> None:
    """Truncated normal weights: .1 for convolutions with biases of .1, else .01 and .01."""
    if isinstance(layer, nn.Conv1d | nn.Linear):
        scale = 0.1 if isinstance(layer, nn.Conv1d) else 0.01
        nn.init.trunc_normal_(layer.weight, std=scale, a=-2 * scale, b=2 * scale)
        if layer.bias is not None:
            nn.init.constant_(layer.bias, scale)
