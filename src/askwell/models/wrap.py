"""Any `nn.Module` as a `Net`, without changing it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from askwell.errors import InputError, UnknownName
from askwell.models.net import Net

__all__ = ["Wrapped"]


class Wrapped(Net):
    """A user's module. The embedding is the input of its last `nn.Linear`, or of the layer that is named.

    The layer's output must be the module's output: what comes after it would be missing from the head. An embedding
    with several axes is flattened to (n, D) and unflattened before the layer. Inputs may be a tensor, a tuple or a
    mapping of tensors; the module is called with it as it is. Hooks are there during `embed` only.

    >>> net = Wrapped(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)))
    >>> net.layer, net.embed(torch.ones(2, 4))[0].shape
    ('2', torch.Size([2, 8]))
    """

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        super().__init__()
        self.module = module
        self.layer = _last_linear(module) if layer is None else _named(module, layer)
        self._shape: torch.Size | None = None

    @property
    def head(self) -> nn.Module:  # type: ignore[override] # not a second registration of the same layer
        """The layer, taking flat embeddings."""
        layer = self.module.get_submodule(self.layer)
        if self._shape is None or len(self._shape) == 1:
            return layer
        return nn.Sequential(nn.Unflatten(1, tuple(self._shape)), layer)

    def embed(self, x: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        seen: list[Tensor] = []
        hook = self.module.get_submodule(self.layer).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            outputs = self.module(x)
        finally:
            hook.remove()
        if not seen:
            raise InputError(
                f"layer {self.layer!r} of {type(self.module).__name__} was not called: name another `layer`"
            )
        z = seen[-1].flatten(1)
        if self._shape is None:
            self._shape = seen[-1].shape[1:]
            self._check(z, outputs)
        return z, ()

    def forward(self, x: Any) -> Tensor:
        """What the module returns."""
        outputs: Tensor = self.module(x)
        return outputs

    def _check(self, z: Tensor, outputs: Any) -> None:
        again = self.head(z)
        if (
            isinstance(outputs, Tensor)
            and again.shape == outputs.shape
            and torch.allclose(again, outputs, equal_nan=True)
        ):
            return
        self._shape = None
        raise InputError(
            f"{type(self.module).__name__} does not return what its layer {self.layer!r} returns: return its logits "
            "unchanged, or name the `layer` that makes the output",
            got=self.layer,
        )


def _last_linear(module: nn.Module) -> str:
    found: list[str] = [name for name, layer in module.named_modules() if isinstance(layer, nn.Linear)]
    if not found:
        layers = ", ".join(name for name, _ in module.named_modules() if name)
        what = f"name the `layer` that makes its output, one of {layers}" if layers else "let one make its output"
        raise InputError(f"{type(module).__name__} has no nn.Linear whose input could be the embedding: {what}")
    return found[-1]


def _named(module: nn.Module, layer: str) -> str:
    known = [name for name, _ in module.named_modules()]
    if layer not in known:
        raise UnknownName(f"layer of {type(module).__name__}", layer, [name for name in known if name])
    return layer
