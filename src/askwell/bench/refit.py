"""Fresh last layers on frozen embeddings, one for each of many sets of labels, trained side by side."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot, pad

__all__ = ["last_layers"]

STEP = 64
MOMENTUM = 0.9


def last_layers(
    z: Tensor, y: Tensor, members: Tensor, classes: int, rng: Generator, *, epochs: int = 50, lr: float = 0.1
) -> Tensor:
    """Softmax layers (B, C, D + 1), the last column the bias, each trained from zero on its own members.

    z        (P, D) embeddings, y (P,) classes
    members  (B, M) rows of z that each layer is trained on: all in the same order, so that layers with the same members
             are equal
    epochs   passes of gradient descent with momentum .9, 64 rows per step in random order

    O(epochs·B·M·D·C) time, memory for one step of all layers.

    >>> z, y = torch.tensor([[0.], [2.], [6.]]), torch.tensor([0, 1, 1])
    >>> weights = last_layers(z, y, torch.tensor([[0, 1], [0, 2]]), 2, torch.Generator().manual_seed(0))
    >>> (torch.tensor([1.05, 1.0]) @ weights.transpose(1, 2)).argmax(1)
    tensor([1, 0])
    """
    rows, targets = pad(z.float(), (0, 1), value=1.0), one_hot(y, classes).float()
    weights = rows.new_zeros(len(members), classes, rows.shape[1])
    speed = torch.zeros_like(weights)
    for _ in range(epochs):
        order = torch.randperm(members.shape[1], generator=rng).to(members.device)
        for start in range(0, len(order), STEP):
            places = order[start : start + STEP]
            now = members[:, places]
            apart = (rows[now] @ weights.transpose(1, 2)).softmax(2) - targets[now]
            slope = apart.transpose(1, 2) @ rows[now] / len(places)
            speed = MOMENTUM * speed + slope
            weights = weights - lr * speed
    return weights
