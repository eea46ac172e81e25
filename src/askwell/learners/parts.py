"""Learners in one: their tensors under one set of names, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from askwell.core.learner import Learner
from askwell.learners.weights import read, write

__all__ = ["gathered", "own", "prefixed", "scattered"]


def prefixed(states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of all parts as `part.key`.

    >>> import torch
    >>> prefixed({"member.0": {"w": torch.ones(1)}})
    {'member.0.w': tensor([1.])}
    """
    return {f"{part}.{key}": value for part, state in states.items() for key, value in state.items()}


def own(values: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The tensors of one part, by its own names.

    >>> import torch
    >>> own({"member.0.w": torch.ones(1), "member.1.w": torch.zeros(1)}, "member.1")
    {'w': tensor([0.])}
    """
    prefix = f"{part}."
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def gathered(learners: Mapping[str, Learner], name: str) -> dict[str, Tensor]:
    """What the learners save, as `part.key`; each writes a passing file of this name."""
    states = {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        for part, learner in learners.items():
            learner.save(file)
            states[part] = read(file)
    return prefixed(states)


def scattered(values: Mapping[str, Tensor], learners: Mapping[str, Learner], name: str) -> None:
    """Gives back to each learner what `gathered` took from it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        for part, learner in learners.items():
            write(file, own(values, part))
            learner.load(file)
