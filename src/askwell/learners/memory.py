"""Training again with half the batch where memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch

from askwell.core.scheme import Scheme
from askwell.errors import InputError
from askwell.training.fit import Fitted

__all__ = ["SMALLEST", "fitting", "out_of_memory"]

log = logging.getLogger("askwell")

SMALLEST = 2
"""Items of the smallest batch: batch norm takes no fewer."""


def fitting(train: Callable[[Any], Fitted], scheme: Scheme, labelled: int) -> Fitted:
    """What `train(scheme)` gives; where memory runs out, of the scheme with half the batch, from the start.

    labelled  M: of a larger batch than that nothing is left over. `notes["batch"]` of the report says what it came to.
    A scheme without a field `batch`, or down to 2, cannot shrink.
    """
    first = scheme
    while True:
        try:
            fitted = train(scheme)
        except RuntimeError as error:
            scheme = _smaller(scheme, labelled, error)
            continue
        if scheme is not first:
            fitted.report.notes["batch"] = _batch(scheme)
        return fitted


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that memory ran out, on an accelerator or on the CPU.

    >>> out_of_memory(torch.OutOfMemoryError("out of memory")), out_of_memory(RuntimeError("shapes do not match"))
    (True, False)
    """
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _smaller(scheme: Scheme, labelled: int, error: RuntimeError) -> Any:
    """The scheme with half the items that it took per step."""
    if not out_of_memory(error) or not _batch(scheme):
        raise error
    taken = min(_batch(scheme), max(SMALLEST, labelled))
    if taken <= SMALLEST:
        raise InputError(
            f"training does not fit into memory with {SMALLEST} items per step: choose a smaller model or smaller items"
        ) from error
    half = max(SMALLEST, taken // 2)
    log.warning("training with %d items per step does not fit into memory: again with %d", taken, half)
    return replace(scheme, batch=half)  # type: ignore[type-var] # `_batch` has seen the field


def _batch(scheme: Scheme) -> int:
    """Items per step; 0 where the scheme has no such number."""
    known = is_dataclass(scheme) and any(field.name == "batch" for field in fields(scheme))
    return int(getattr(scheme, "batch")) if known else 0  # noqa: B009 - not every scheme has it
