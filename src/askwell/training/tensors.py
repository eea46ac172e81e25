"""The tensors of several modules under one set of names, `module.key`: what is saved, and what the next round gets."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from askwell.errors import InputError

__all__ = ["held", "restore", "tensors", "transfer"]


def tensors(modules: SimpleNamespace) -> dict[str, Tensor]:
    """Copies of all parameters and buffers, on the CPU, as `module.key`.

    >>> sorted(tensors(SimpleNamespace(net=nn.Linear(2, 1))))
    ['net.bias', 'net.weight']
    """
    return {
        f"{name}.{key}": value.detach().to("cpu", copy=True).contiguous()
        for name, module in vars(modules).items()
        for key, value in module.state_dict().items()
    }


def restore(modules: SimpleNamespace, values: Mapping[str, Tensor]) -> None:
    """Writes back what `tensors` copied; a missing, extra or misshapen tensor raises `InputError` naming it."""
    wanted = {f"{name}.{key}": value for name, module in vars(modules).items() for key, value in held(module).items()}
    odd = sorted(wanted.keys() ^ values.keys()) or [key for key in wanted if wanted[key].shape != values[key].shape]
    if odd:
        raise InputError(f"these weights are of other modules: {odd[0]!r} does not fit ({len(odd)} in all)", got=odd)
    with torch.no_grad():
        for key, value in wanted.items():
            value.copy_(values[key])


def transfer(module: nn.Module, values: Mapping[str, Tensor]) -> list[str]:
    """Writes the tensors that fit by key and shape; returns the keys of those that stay as they were.

    A head whose number of classes changed stays as it was built.
    """
    left = []
    with torch.no_grad():
        for key, value in held(module).items():
            if key in values and values[key].shape == value.shape:
                value.copy_(values[key])
            else:
                left.append(key)
    return left


def held(module: nn.Module) -> dict[str, Tensor]:
    """The module's own parameters and buffers by key, not copies."""
    return dict(module.state_dict())
