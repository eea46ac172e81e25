"""The moments of Adam as tensors by name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["moments", "restore_moments"]

PREFIX = "adam."


def moments(optimiser: torch.optim.Adam) -> dict[str, Tensor]:
    """Copies of all moments and steps, as `adam.parameter.name`; none before the first step.

    >>> moments(torch.optim.Adam([torch.zeros(1, requires_grad=True)]))
    {}
    """
    held = optimiser.state_dict()["state"]
    return {f"{PREFIX}{place}.{name}": value.clone() for place, one in held.items() for name, value in one.items()}


def restore_moments(optimiser: torch.optim.Adam, values: Mapping[str, Tensor]) -> None:
    """Writes back what `moments` copied, and leaves other values alone."""
    found: dict[int, dict[str, Tensor]] = {}
    for key in values:
        if key.startswith(PREFIX):
            place, name = key.removeprefix(PREFIX).split(".")
            found.setdefault(int(place), {})[name] = values[key].clone()
    state = optimiser.state_dict()
    optimiser.load_state_dict({**state, "state": found})
