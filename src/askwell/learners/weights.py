"""Fitted tensors on disk: safetensors, written whole or not at all, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from askwell.core.task import Task
from askwell.errors import BadData
from askwell.training.tensor_files import read, write

__all__ = ["parted", "read", "together", "write"]

TASK = "task."
"""Prefix of what the task has learned from the labels of the fit."""


def together(values: Mapping[str, Tensor], task: Task) -> dict[str, Tensor]:
    """A model's tensors and, as `task.…`, what its task has learned."""
    return {**values, **{TASK + key: value for key, value in task.state().items()}}


def parted(path: Path, values: Mapping[str, Tensor], task: Task) -> tuple[dict[str, Tensor], Task]:
    """The model's own of the tensors that were read from `path`, and the task that `together` put beside them."""
    own = {key: value for key, value in values.items() if not key.startswith(TASK)}
    learned = {key.removeprefix(TASK): values[key] for key in values if key.startswith(TASK)}
    if learned.keys() != task.state().keys():
        wanted = ", ".join(task.state()) or "nothing"
        raise BadData(f"{path} is of another task: {task!r} keeps {wanted} beside a model", got=sorted(learned))
    return own, task.restored(learned)
