"""The last layer of a fitted network as a function that strategies may call."""

from __future__ import annotations

import hashlib
from copy import deepcopy

import torch
from torch import Tensor, nn

from askwell.errors import AskwellError

__all__ = ["Head"]


class Head:
    """Embeddings (n, D) to outputs (n, O). A copy: nothing done with it reaches the fitted network.

    Gradients flow to the embeddings. Every call makes sure, by a hash, that the copy is still what was fitted.

    >>> Head(nn.Linear(3, 2))(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    def __init__(self, head: nn.Module) -> None:
        self._copy = deepcopy(head).eval().requires_grad_(False)
        self._digest = _digest(self._copy)

    def __call__(self, z: Tensor) -> Tensor:
        if _digest(self._copy) != self._digest:
            raise AskwellError("a strategy changed the weights of the head that it was given")
        weight = next(self._copy.parameters(), z)
        outputs: Tensor = self._copy(z.to(weight))
        return outputs


def _digest(module: nn.Module) -> str:
    content = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        content.update(name.encode())
        content.update(value.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return content.hexdigest()
