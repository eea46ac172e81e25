"""Convolutions over word vectors for sentences."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from askwell.core.pool import Form
from askwell.models.net import HeadedNet, Net, refuse

__all__ = ["TextCNN"]


@dataclass(frozen=True)
class TextCNN:
    """Word vectors, convolutions of widths 3, 4 and 5, maximum over time, dropout, linear; D = filters·widths.

    embedding  size of the word vectors, learned from scratch
    filters    per width, 100 in the paper
    Token 0 is padding: its vector is zero and never trained. Sentences shorter than the widest filter are padded.

    Kim 2014, "Convolutional Neural Networks for Sentence Classification", arXiv 1408.5882 (the variant CNN-rand).

    >>> TextCNN(filters=10).build(Form("tokens", (20,), vocab=50), 2).head
    Linear(in_features=30, out_features=2, bias=True)
    """

    embedding: int = 128
    filters: int = 100
    widths: tuple[int, ...] = (3, 4, 5)
    dropout: float = 0.5

    def build(self, form: Form, outputs: int) -> Net:
        """The network for items of this form; takes tokens."""
        refuse(self, form, "tokens")
        words = nn.Embedding(form.vocab, self.embedding, padding_idx=0)
        over_time = _MaxOverTime(self.embedding, self.filters, self.widths)
        stages = [words, nn.Sequential(over_time, nn.Dropout(self.dropout))]
        return HeadedNet(stages, self.filters * len(self.widths), outputs)


class _MaxOverTime(nn.Module):
    """(n, length, E) to (n, filters·widths): the largest response of every filter."""

    def __init__(self, inputs: int, filters: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(inputs, filters, width) for width in widths)
        self.least = max(widths)

    def forward(self, words: Tensor) -> Tensor:
        over = words.transpose(1, 2)
        over = nn.functional.pad(over, (0, max(0, self.least - over.shape[2])))
        return torch.cat([convolution(over).relu().amax(2) for convolution in self.convolutions], 1)
