"""Tensors on disk: safetensors, written whole or not at all, never a pickle."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import safetensors
from safetensors.torch import load, save
from torch import Tensor

from askwell.errors import BadData

__all__ = ["read", "write"]


def write(path: Path, values: Mapping[str, Tensor]) -> str:
    """Writes tensors to a safetensors file by way of a draft beside it, syncs, and returns its sha256.

    >>> import tempfile, torch
    >>> file = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> digest = write(file, {"w": torch.ones(2)})
    >>> len(digest), read(file)["w"]
    (64, tensor([1., 1.]))
    """
    content = save(dict(values))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return hashlib.sha256(content).hexdigest()


def read(path: Path) -> dict[str, Tensor]:
    """The tensors that `write` wrote; a damaged or missing file raises `BadData`."""
    try:
        return dict(load(path.read_bytes()))
    except (OSError, safetensors.SafetensorError) as error:
        raise BadData(f"cannot read the model {path}: {error}", got=str(path)) from None
