"""Notices weights and buffers that move outside updates and acts, by the version counters of their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

from askwell.errors import AskwellError

__all__ = ["Guard"]


class Guard:
    """Watches the modules of runs while a fit is recorded; a rehearsal always is."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, tuple[int, int]]] = {}

    def check(self, run: str, modules: SimpleNamespace) -> None:
        """Raises `AskwellError` naming a tensor that changed, or was replaced, since `accept`."""
        seen = self._seen.get(run, {})
        for name, place in _places(modules):
            if seen.get(name, place) != place:
                raise AskwellError(
                    f"{name!r} changed outside an update or act: weights and buffers move only inside them"
                )

    def accept(self, run: str, modules: SimpleNamespace) -> None:
        """Takes the modules as they are now."""
        self._seen[run] = dict(_places(modules))


def _places(modules: SimpleNamespace) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, module in vars(modules).items():
        for key, value in (*module.named_parameters(), *module.named_buffers()):
            yield f"{name}.{key}", (id(value), value._version)
