"""Who decides about the items of a stream: at once, one by one, within a budget."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar, final

from askwell.core.registry import snake

if TYPE_CHECKING:
    from torch import Generator

__all__ = ["Manager", "State"]

State = Mapping[str, Any]
"""What a manager remembers: numbers and lists of numbers by name, as JSON. The store keeps it."""


class Manager(ABC):
    """Base of budget managers: frozen dataclasses of numbers, whose memory is a `State` that is handed in and back.

    confidence  it compares 1 − score with a threshold, so that scores must be 1 − confidence, in [0, 1]: those of a
                score strategy that says so by its own `confidence`
    draws       uniform random numbers per item
    """

    confidence: ClassVar[bool] = False
    draws: ClassVar[int] = 0

    @property
    def name(self) -> str:
        """The name under which `find` and the command line know it."""
        return snake(type(self).__name__)

    @abstractmethod
    def start(self, classes: int | None) -> State:
        """The memory before the first item; `classes` there are, or None where labels are no classes."""

    @abstractmethod
    def decide(self, memory: dict[str, Any], score: float, *chance: float) -> bool:
        """Whether to ask about one item; it changes `memory`, a copy of its own. chance: `draws` numbers in [0, 1)."""

    def opened(self, state: State) -> dict[str, Any]:
        """A copy of the state that `decide` may change."""
        return {name: list(value) if isinstance(value, list | tuple) else value for name, value in state.items()}

    def closed(self, memory: dict[str, Any]) -> State:
        """The state that `memory` has become."""
        return memory

    def renewed(self, state: State) -> State:
        """The state after the model has changed, and with it all scores to come."""
        return state

    @final
    def step(self, state: State, score: float, rng: Generator) -> tuple[bool, State]:
        """Whether to ask about one item, and the state after it; `state` itself stays as it was."""
        asks, state = self.walk(state, [score], rng)
        return asks[0], state

    @final
    def walk(
        self, state: State, scores: Sequence[float], rng: Generator, most: int | None = None
    ) -> tuple[list[bool], State]:
        """The decisions about items in the order in which they come, up to the one that asks for the `most`-th time.

        The same as one `step` after the other: item t gets the same random numbers. A stream is sequential, so this is
        a loop in Python, O(1) per item.
        """
        memory, asks, asked = self.opened(state), [], 0
        for score, chance in zip(scores, self._chances(len(scores), rng), strict=False):
            asks.append(self.decide(memory, score, *chance))
            asked += asks[-1]
            if asked == most:
                break
        return asks, self.closed(memory)

    def _chances(self, n: int, rng: Generator) -> Iterable[Sequence[float]]:
        if not self.draws:
            return repeat(())
        from askwell.functional.pick import uniform

        drawn: list[list[float]] = uniform(n * self.draws, rng).view(n, self.draws).tolist()
        return drawn
