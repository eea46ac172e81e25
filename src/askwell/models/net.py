"""What training and scoring expect of a network: an embedding, and a head on top of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from askwell.core.pool import Form
from askwell.errors import InputError

__all__ = ["HeadedNet", "Net", "refuse"]


class Net(nn.Module, ABC):
    """A network whose outputs are `head(embed(x)[0])`.

    head   maps embeddings (n, D) to outputs (n, O)
    embed  returns z (n, D) and taps: hidden features for parts that read them, such as a loss head
    """

    head: nn.Module

    @abstractmethod
    def embed(self, x: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        """z (n, D), the input of the last layer, and taps, one tensor (n, …) per stage."""

    def forward(self, x: Any) -> Tensor:
        """(n, O) outputs before any softmax."""
        outputs: Tensor = self.head(self.embed(x)[0])
        return outputs


class HeadedNet(Net):
    """Stages one after the other, then a linear head. Each stage's output is a tap; the last one's is the embedding.

    >>> import torch
    >>> net = HeadedNet([nn.Linear(4, 3)], width=3, outputs=2)
    >>> z, taps = net.embed(torch.ones(5, 4))
    >>> z.shape, len(taps), torch.equal(net(torch.ones(5, 4)), net.head(z))
    (torch.Size([5, 3]), 1, True)
    """

    def __init__(self, stages: Iterable[nn.Module], width: int, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(width, outputs)

    def embed(self, x: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        taps = []
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        return taps[-1], tuple(taps)


def refuse(model: object, form: Form, *kinds: str) -> None:
    """Raises `InputError` unless the items are of one of these kinds."""
    if form.kind not in kinds:
        raise InputError(
            f"model {model!r} takes items of kind {' or '.join(kinds)} and these are of kind {form.kind!r}", got=form
        )
