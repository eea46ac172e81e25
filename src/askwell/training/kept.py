"""Tensors of any length that one round's fit leaves to the next, beside its networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from askwell.errors import UnknownName

__all__ = ["Kept"]


class Kept(nn.Module):
    """A module of a fit that is no network: named tensors whose length may change, saved with the weights.

    Built like any other, `run.build("warm", pseudo=lambda: Kept(ids=…))`; `put` belongs into `run.act`. What the last
    round kept comes back under the policy "warm", whatever its length.

    >>> import torch
    >>> kept = Kept(ids=torch.empty(0, dtype=torch.int64))
    >>> kept.put(ids=torch.tensor([3, 8]))
    >>> kept.ids
    tensor([3, 8])
    """

    def __init__(self, **tensors: Tensor) -> None:
        super().__init__()
        for name, value in tensors.items():
            self.register_buffer(name, value)

    def put(self, **tensors: Tensor) -> None:
        """Replaces tensors by others of any shape; the device and the kind of number stay."""
        for name, value in tensors.items():
            before = self._buffers.get(name)
            if before is None:
                raise UnknownName("kept tensor", name, self._buffers)
            self._buffers[name] = value.detach().to(before, copy=True)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        self.put(**{name: state_dict[prefix + name] for name in self._buffers if prefix + name in state_dict})
