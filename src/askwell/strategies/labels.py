"""Labels as strategies read them that know one class per item."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from askwell.core.needs import LABELS
from askwell.errors import UnmetNeeds

__all__ = ["class_indices"]


def class_indices(name: str, labels: Any) -> Tensor:
    """(M,) int64 class indices; labels of another form, such as several classes per item, raise `UnmetNeeds`.

    name  of the strategy, for what is said then

    >>> class_indices("cip", torch.tensor([2, 0], dtype=torch.int32))
    tensor([2, 0])
    """
    found = torch.as_tensor(labels)
    if found.ndim != 1 or found.is_floating_point():
        raise UnmetNeeds(f"strategy {name!r} needs exactly one class per item", [str(LABELS)])
    return found.long()
