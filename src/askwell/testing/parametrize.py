"""One pytest case per (part, check), with readable ids; excuses are data with a reason, and strict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from askwell.errors import UnknownName
from askwell.testing.check import Check

__all__ = ["parametrize_with_checks"]

Excuses = Mapping[str, Mapping[str, str]]


def parametrize_with_checks(
    parts: Mapping[str, Any], checks: Iterable[Check], expected_failures: Excuses | None = None
) -> Any:
    """Decorates a test of `(part, check)`, so that `-k "margin and check_dtypes_agree"` runs one case.

    parts              id -> part
    checks             `CHECKS` of the file for this kind of part
    expected_failures  id -> {check: reason}; an excused check that passes fails the run

        @parametrize_with_checks({"mine": MyStrategy()}, strategy.CHECKS)
        def test_contract(part, check):
            check(part)

    Needs pytest.
    """
    import pytest

    checks, excuses = tuple(checks), expected_failures or {}
    names = [check.__name__ for check in checks]
    for part, excused in excuses.items():
        _known("part", part, parts)
        for name in excused:
            _known("check", name, names)
    cases = [
        pytest.param(part, check, id=f"{key}-{check.__name__}", marks=_marks(excuses.get(key, {}), check.__name__))
        for key, part in parts.items()
        for check in checks
    ]
    return pytest.mark.parametrize(("part", "check"), cases)


def _known(kind: str, name: str, known: Iterable[str]) -> None:
    if name not in (known := list(known)):
        raise UnknownName(f"{kind} in expected_failures:", name, known)


def _marks(excused: Mapping[str, str], name: str) -> list[Any]:
    import pytest

    return [pytest.mark.xfail(reason=excused[name], raises=AssertionError, strict=True)] if name in excused else []
