"""A pool of nothing but zeros, for building a model before any real item is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from askwell.core.pool import Form, Mode

__all__ = ["Blank"]


@dataclass
class Blank:
    """One item of zeros of a form; it is its own `Items`.

    >>> next(Blank(Form("tokens", (3,), 9)).batches(torch.tensor([0]), 1))[1]
    tensor([[0, 0, 0]])
    """

    form: Form
    device: str = "cpu"

    @property
    def digest(self) -> str:
        """The same for all blank pools."""
        return "blank"

    def __len__(self) -> int:
        return 1

    def keys(self, positions: Sequence[int] | NDArray[np.int64]) -> list[str]:
        return ["blank" for _ in positions]

    def positions(self, keys: Sequence[str]) -> NDArray[np.int64]:
        return np.zeros(len(keys), np.int64)

    def item(self, position: int) -> Any:
        return np.zeros(self.form.shape)

    def items(self, mode: Mode) -> Blank:
        return self

    def features(self) -> None:
        return None

    def to(self, device: str) -> Blank:
        return Blank(self.form, device)

    def batches(self, positions: Tensor, size: int, rng: Generator | None = None) -> Iterator[tuple[slice, Any]]:
        dtype = torch.int64 if self.form.kind == "tokens" else torch.float32
        for start in range(0, len(positions), size):
            stop = min(start + size, len(positions))
            yield slice(start, stop), torch.zeros((stop - start, *self.form.shape), dtype=dtype, device=self.device)
