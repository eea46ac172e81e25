"""Whose code a model in a folder may run: estimators of scikit-learn, layers of torch, and modules that are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from askwell.core.registry import find

__all__ = ["foreign_code", "foreign_types"]

BASES: Mapping[str, tuple[str, ...]] = {
    "sklearn": ("sklearn.base:BaseEstimator", "sklearn.gaussian_process.kernels:Kernel"),
    "torch.nn": ("torch.nn:Module",),
}
"""Module -> bases of the classes in it that do nothing when they are made; functions, and other classes, may."""
FUNCTIONS = ("sklearn.metrics",)
"""Modules whose functions a saved estimator may hold."""


def foreign_code(spec: Any, trusted: Sequence[str]) -> list[str]:
    """Those "module:name" in the description of a part that may do anything at all, and whose module is not trusted.

    >>> foreign_code({"part": "sklearn", "estimator": "sklearn.svm:SVC"}, trusted=())
    []
    >>> foreign_code({"part": "sklearn", "estimator": "sklearn.datasets:load_files"}, trusted=())
    ['sklearn.datasets:load_files']
    """
    return [address for address in _addresses(spec) if not (_trusted(address, trusted) or _inert(address))]


def foreign_types(names: Iterable[str], trusted: Sequence[str]) -> list[str]:
    """Those "module.name" in a saved estimator that are no types of scikit-learn, and whose module is not trusted.

    >>> foreign_types(["sklearn.tree._tree.Tree", "sklearn.datasets.load_files", "os.system"], trusted=())
    ['sklearn.datasets.load_files', 'os.system']
    """
    return [name for name in names if not (_below(name, trusted) or _known_type(name))]


def _addresses(spec: Any) -> Iterator[str]:
    if isinstance(spec, Mapping):
        spec = list(spec.values())
    if isinstance(spec, list):
        for value in spec:
            yield from _addresses(value)
    elif isinstance(spec, str) and ":" in spec:
        yield spec


def _trusted(address: str, modules: Sequence[str]) -> bool:
    return _below(address.partition(":")[0], modules)


def _inert(address: str) -> bool:
    """Whether it names a class that can be made without anything happening."""
    bases = next((bases for module, bases in BASES.items() if _trusted(address, [module])), ())
    found = find("part", address) if bases else None
    return isinstance(found, type) and issubclass(found, tuple(find("base", base) for base in bases))


def _known_type(name: str) -> bool:
    if _below(name, FUNCTIONS):
        return True
    module, _, own = name.rpartition(".")
    return _below(name, ["sklearn"]) and isinstance(find("type", f"{module}:{own}"), type)


def _below(name: str, modules: Sequence[str]) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for module in modules)
