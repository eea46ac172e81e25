"""Threads of torch: bits depend on their number, so that a project keeps the number that it was made with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from askwell.engine.folder import Folder
from askwell.engine.numbers import whole
from askwell.errors import InputError

__all__ = ["threads", "threads_of"]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Runs with this many torch threads, and puts the number back.

    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    if whole("threads", count) < 1:
        raise InputError(f"threads must be at least 1, got {count}", got=count)
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def threads_of(project: Path) -> Iterator[None]:
    """Runs with as many threads as a project was made with."""
    with threads(Folder(project).manifest()["threads"]):
        yield
