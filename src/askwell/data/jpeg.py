"""Pictures whose encoded bytes lie one behind the other in one array."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.digest import of_parts
from askwell.data.keyed import KeyedPool
from askwell.data.keys import Keys, keys_for
from askwell.data.pictures import PicturePool
from askwell.errors import BadData

__all__ = ["JpegPool"]


class JpegPool(PicturePool):
    """JPEG (or PNG) files back to back: picture i is `data[offsets[i] : offsets[i + 1]]`.

    data (B,) uint8; offsets (N + 1,) whole numbers, rising, the last at most B. Raises `BadData` where they are not.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (8, 6)).save(file, "jpeg")
    >>> data = np.frombuffer(file.getvalue(), np.uint8)
    >>> JpegPool(data, np.array([0, len(data)])).form
    Form(kind='image', shape=(3, 6, 8), vocab=0)
    """

    def __init__(
        self,
        data: NDArray[np.uint8],
        offsets: NDArray[Any],
        keys: Sequence[str] | Keys | None = None,
        *,
        size: int | tuple[int, int] | None = None,
        fit_on: NDArray[np.int64] | None = None,
        features: NDArray[Any] | None = None,
        cache: Path | None = None,
        like: KeyedPool | None = None,
    ) -> None:
        self.data, self.offsets = data, np.asarray(offsets, np.int64)
        if len(offsets) < 2 or (np.diff(self.offsets) <= 0).any() or self.offsets[-1] > len(data):
            raise BadData(f"offsets must rise from 0 to at most {len(data)}, the number of bytes", got=offsets)
        super().__init__(
            keys_for(len(offsets) - 1, keys), size=size, fit_on=fit_on, features=features, cache=cache, like=like
        )

    @cached_property
    def digest(self) -> str:
        return of_parts(self.data, self.offsets)

    @property
    def versions(self) -> NDArray[np.int64]:
        return np.column_stack([self.offsets[:-1], self.offsets[1:]])

    @property
    def _origin(self) -> str:
        return self.digest

    def _source(self, position: int) -> io.BytesIO:
        return io.BytesIO(self.data[self.offsets[position] : self.offsets[position + 1]].tobytes())
