"""The tensors of several modules under one set of names, `module.key`: what is saved, and what the next round gets."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from askwell.errors import InputError
from askwell.training.kept import Kept

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
    wanted = {f"{name}.{key}": (module, key) for name, module in vars(modules).items() for key in held(module)}
    odd = sorted(wanted.keys() ^ values.keys()) or [key for key in wanted if not _takes(*wanted[key], values[key])]
    if odd:
        raise InputError(f"these weights are of other modules: {odd[0]!r} does not fit ({len(odd)} in all)", got=odd)
    for key, place in wanted.items():
        _write(*place, values[key])


def transfer(module: nn.Module, values: Mapping[str, Tensor]) -> list[str]:
    """Writes the tensors that fit by key and shape; returns the keys of those that stay as they were.

    A head whose number of classes changed stays as it was built.
    """
    left = [key for key in held(module) if key not in values or not _takes(module, key, values[key])]
    for key in held(module).keys() - set(left):
        _write(module, key, values[key])
    return left


def held(module: nn.Module) -> dict[str, Tensor]:
    """The module's own parameters and buffers by key, not copies."""
    return dict(module.state_dict())


def _takes(module: nn.Module, key: str, value: Tensor) -> bool:
    return isinstance(module, Kept) or held(module)[key].shape == value.shape


def _write(module: nn.Module, key: str, value: Tensor) -> None:
    if isinstance(module, Kept):
        module.put(**{key: value})
    else:
        with torch.no_grad():
            held(module)[key].copy_(value)
