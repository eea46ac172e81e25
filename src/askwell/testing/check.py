"""What all contract checks share: how a failure reads, and the global generators that nobody may move."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

import numpy as np
import torch

__all__ = ["Check", "check", "elsewhere", "global_generators", "pinned_generators", "raises"]

Check = Callable[..., None]
"""A function of a part, and of a context where it needs one, that raises AssertionError with a clear text."""


def check(body: Check) -> Check:
    """Marks a contract check: whatever it raises becomes an AssertionError that begins with the check's name.

    >>> @check
    ... def check_is_even(part):
    ...     assert part % 2 == 0, f"{part} is odd"
    >>> check_is_even(3)
    Traceback (most recent call last):
    AssertionError: check_is_even: 3 is odd
    """

    @wraps(body)
    def run(*parts: Any, **context: Any) -> None:
        try:
            body(*parts, **context)
        except AssertionError as error:
            raise AssertionError(f"{body.__name__}: {error}") from error
        except Exception as error:
            raise AssertionError(f"{body.__name__}: {type(error).__name__}: {error}") from error

    return run


def raises(error: type[Exception], call: Callable[..., Any], *args: Any) -> bool:
    """Whether the call raises this error; any other error passes through.

    >>> raises(ValueError, int, "x"), raises(ValueError, int, "1")
    (True, False)
    """
    try:
        call(*args)
    except error:
        return True
    return False


def global_generators() -> tuple[Any, ...]:
    """The state of torch's, numpy's and Python's global generators, to compare before and after."""
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - the global one is what is watched
    return bytes(torch.get_rng_state().numpy()), (kind, np.asarray(keys).tobytes(), *rest), random.getstate()


@cache
def elsewhere() -> ProcessPoolExecutor:
    """Another process, started afresh on the first call and kept; what is sent there must pickle.

    >>> elsewhere().submit(abs, -1).result()
    1
    """
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def pinned_generators(seed: int) -> Iterator[None]:
    """Sets the global generators for a while, so that one check alone answers for who moves them."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        random.setstate(before[2])
