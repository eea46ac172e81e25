"""Random streams with names, lent to code that can only draw from torch's global generators: dropout, initialisers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from askwell.core.seeds import Seeds
from askwell.errors import AskwellError

__all__ = ["Chance", "lend", "unmoved"]


@contextmanager
def lend(*generators: Generator) -> Iterator[None]:
    """Inside, torch's global generators are these, one per device; afterwards the global ones stand where they stood.

    >>> rng, before = torch.Generator().manual_seed(0), torch.get_rng_state()
    >>> with lend(rng):
    ...     draw = torch.rand(1)
    >>> torch.equal(torch.get_rng_state(), before), torch.equal(draw, torch.rand(1, generator=rng.manual_seed(0)))
    (True, True)
    """
    homes = [_home(generator.device) for generator in generators]
    outside = [home.get_state() for home in homes]
    for home, generator in zip(homes, generators, strict=True):
        home.set_state(generator.get_state())
    try:
        yield
    finally:
        for home, generator, state in zip(homes, generators, outside, strict=True):
            generator.set_state(home.get_state())
            home.set_state(state)


class Chance:
    """The named streams of one fit. A name's stream depends on the seeds and the name, never on what others drew."""

    def __init__(self, seeds: Seeds, device: str) -> None:
        self._seeds = seeds
        self._devices = ["cpu"] if torch.device(device).type == "cpu" else ["cpu", device]
        self._streams: dict[str, tuple[Generator, ...]] = {}

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Inside, global draws come from the stream of this name and move it on."""
        with lend(*self._stream(name)):
            yield

    def state(self) -> dict[str, list[Tensor]]:
        """Where every stream stands."""
        return {name: [one.get_state() for one in stream] for name, stream in self._streams.items()}

    def restore(self, state: Mapping[str, list[Tensor]]) -> None:
        """Puts every stream where `state` found it."""
        self._streams.clear()
        for name, places in state.items():
            for one, place in zip(self._stream(name), places, strict=True):
                one.set_state(place)

    def _stream(self, name: str) -> tuple[Generator, ...]:
        if name not in self._streams:
            self._streams[name] = tuple(self._seeds.torch("chance", name, device=device) for device in self._devices)
        return self._streams[name]


@contextmanager
def unmoved(who: str) -> Iterator[None]:
    """Raises `AskwellError` naming the global generator that moved inside: torch, numpy or random."""
    before = _positions()
    yield
    moved = [name for name, place in _positions().items() if place != before[name]]
    if moved:
        raise AskwellError(
            f"{who} moved the global generator of {' and '.join(moved)}: "
            "draw from `run.seeds`, or inside an update or an act"
        )


def _home(device: torch.device) -> Generator:
    if device.type == "cpu":
        return torch.default_generator
    torch.cuda.init()  # type: ignore[no-untyped-call] # torch leaves it untyped
    return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]


def _positions() -> dict[str, Any]:
    numbers: Any = np.random.get_state(legacy=True)  # noqa: NPY002 - the global one is what is watched
    _, keys, place, *rest = numbers
    return {
        "torch": bytes(torch.get_rng_state().numpy()),
        "numpy": (bytes(keys), place, *rest),
        "random": random.getstate(),
    }
