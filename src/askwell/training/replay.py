"""The calls of layers that end before a pass first differs from others: computed once, given again to later passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor, nn

__all__ = ["Call", "Prefix", "copied", "leaves", "tracing"]

Use = Literal["share", "clone", "drop"]
"""Of one recorded tensor: given as it is, as a copy because later code changes it in place, or not at all."""


class Call:
    """One call of a layer and what it returned."""

    def __init__(self, layer: nn.Module, output: Any) -> None:
        self.layer, self.tensors = layer, leaves(output)
        self._versions = [one._version for one in self.tensors]

    def uses(self) -> tuple[Use, ...]:
        """Tensors that were changed in place since the call ended must be copied."""
        pairs = zip(self.tensors, self._versions, strict=True)
        return tuple("share" if one._version == before else "clone" for one, before in pairs)


@contextmanager
def tracing(modules: Sequence[nn.Module], early: Callable[[], bool]) -> Iterator[list[Call]]:
    """Inside, notes the outermost calls of layers that end while `early()` holds; their inner calls are left out."""
    calls: list[Call] = []
    begun: list[int] = []

    def before(layer: nn.Module, given: Any) -> None:
        begun.append(len(calls))

    def after(layer: nn.Module, given: Any, output: Any) -> None:
        inner = begun.pop()
        if early() and _plain(output):
            calls[inner:] = [Call(layer, output)]

    layers = dict.fromkeys(layer for module in modules for layer in module.modules())
    with ExitStack() as hooks:
        for layer in layers:
            hooks.callback(layer.register_forward_pre_hook(before).remove)
            hooks.callback(layer.register_forward_hook(after).remove)
        yield calls


@dataclass(frozen=True)
class Prefix:
    """The first calls of a pass, in order, with one use for every tensor that they return."""

    layers: tuple[nn.Module, ...] = ()
    uses: tuple[tuple[Use, ...], ...] = ()

    def record(self, tape: list[Any]) -> AbstractContextManager[None]:
        """Inside, what the calls return goes to the tape as well."""

        def answer(place: int, compute: Callable[[], Any]) -> Any:
            output = compute()
            tape.append(_mapped(output, self.uses[place]))
            return output

        return _answered(self.layers, answer)

    def replay(self, tape: Sequence[Any], given: list[Any] | None = None) -> AbstractContextManager[None]:
        """Inside, the calls return what is on the tape and compute nothing; `given` gets what they returned."""

        def answer(place: int, compute: Callable[[], Any]) -> Any:
            output = _mapped(tape[place], ["clone" if use == "clone" else "share" for use in self.uses[place]])
            if given is not None:
                given.append(output)
            return output

        return _answered(self.layers, answer)

    def reading(self, given: Sequence[Any], read: set[int]) -> Prefix:
        """The same calls without the tensors that nobody reads; `read` holds the ids of those that are read."""
        kept = zip(self.uses, map(leaves, given), strict=True)
        return replace(
            self,
            uses=tuple(
                tuple(use if id(one) in read else "drop" for use, one in zip(uses, tensors, strict=True))
                for uses, tensors in kept
            ),
        )


@contextmanager
def _answered(layers: Sequence[nn.Module], answer: Callable[[int, Callable[[], Any]], Any]) -> Iterator[None]:
    """Inside, call i of these layers, in this order, returns `answer(i, compute)`; later calls compute."""
    place = 0

    def stand_in(layer: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal place
            if place == len(layers) or layers[place] is not layer:
                return forward(*args, **kwargs)
            output = answer(place, lambda: forward(*args, **kwargs))
            place += 1
            return output

        return call

    with ExitStack() as stand_ins:
        for layer in dict.fromkeys(layers):
            stand_ins.callback(_put_back, layer, layer.__dict__.get("forward"))
            layer.forward = stand_in(layer, layer.forward)
        yield


def _put_back(layer: nn.Module, forward: Any) -> None:
    """The class's own forward, or the one that the instance had."""
    if forward is None:
        layer.__dict__.pop("forward")
    else:
        layer.__dict__["forward"] = forward


def leaves(value: Any) -> list[Tensor]:
    """Tensors in nested tuples, lists and dictionaries, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple | list) else []


def copied(value: Any) -> Any:
    """The same structure with copies of its tensors."""
    return _mapped(value, ["clone"] * len(leaves(value)))


def _plain(value: Any) -> bool:
    """Whether `leaves` sees all that it holds."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return all(_plain(part) for part in value)
    return value is None or isinstance(value, Tensor | int | float | str)


def _mapped(value: Any, uses: Sequence[Use]) -> Any:
    """The same structure, with every tensor by its use."""
    rest = iter(uses)

    def apply(part: Any) -> Any:
        if isinstance(part, Tensor):
            return _used(part, next(rest))
        if isinstance(part, tuple | list):
            parts = [apply(one) for one in part]
            return type(part)(*parts) if hasattr(part, "_fields") else type(part)(parts)
        if isinstance(part, dict):
            return type(part)((key, apply(one)) for key, one in part.items())
        return part

    return apply(value)


def _used(tensor: Tensor, use: Use) -> Tensor:
    if use == "drop":
        return tensor.new_empty(0)
    return tensor.clone() if use == "clone" else tensor
