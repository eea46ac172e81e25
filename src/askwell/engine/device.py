"""The device that work is done on."""

from __future__ import annotations

import torch

from askwell.errors import InputError

__all__ = ["check_device", "resolved_device"]


def resolved_device(device: str) -> str:
    """The device by its own name: "auto" is the first GPU where there is one, else the CPU; others stay as they are.

    >>> resolved_device("cuda:1")
    'cuda:1'
    """
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device: str) -> None:
    """Refuses a device on which no tensor can be made."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0]
        raise InputError(
            f"device {device!r} cannot be used: {why}; give cpu, cuda or auto, and see askwell doctor", got=device
        ) from None
