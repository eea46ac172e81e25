"""Monte-Carlo dropout for any module: K draws, what no dropout touches computed once.

A draw is a set of dropout masks, one per dropout call, keyed by (seed, call, draw) and shared by all items: draw k is
the same function for the whole pool, whatever the chunks, and the first ten of twenty draws are those of ten.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from askwell.core.seeds import Seeds
from askwell.errors import InputError
from askwell.training.modes import evaluating

__all__ = ["MCDropout"]

UNITS = {F.dropout: 0, F.alpha_dropout: 0, F.dropout1d: 1, F.dropout2d: 2, F.dropout3d: 3, F.feature_alpha_dropout: 2}
"""Dropout functions, and how many trailing axes share one decision."""
ALPHA = -1.7580993408473766
"""What a dropped unit becomes under alpha dropout: the saturation of SELU."""
Key = tuple[str, int]


class MCDropout:
    """Samples the outputs of a module under dropout; everything but dropout stays in eval mode.

    module  any module that drops in plain calls of `nn.Dropout`, `F.dropout` and their relatives
    seeds   decides the masks
    rows    a batch of at least two items, for a dry run that finds the part before the first dropout and proves that
            replaying it changes nothing; where it would, every draw runs the whole module

    Gal & Ghahramani 2016, arXiv:1506.02142; masks kept for the whole pool: Kirsch et al. 2019, arXiv:1906.08158.
    Raises `InputError` where no dropout is active. Costs one forward pass, and K of what follows the first dropout.

    >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(.5), nn.Linear(8, 2))
    >>> x = torch.ones(4, 3)
    >>> MCDropout(net, Seeds(0), x)(x, 20).shape
    torch.Size([4, 20, 2])
    """

    def __init__(self, module: nn.Module, seeds: Seeds, rows: Any) -> None:
        self.module, self.masks = module, Masks(seeds)
        _warn_of_hidden(module)
        with evaluating(module):
            naive = [self._draw(rows, draw) for draw in range(2)]
            self._check(naive)
            self.dirty = _dirtied(module, self.masks, rows)
            self.replays = all(torch.equal(*pair) for pair in zip(naive, self._replayed(rows, 2), strict=True))

    def __call__(self, x: Any, draws: int) -> Tensor:
        """(n, K, O) outputs of K draws."""
        with evaluating(self.module):
            outputs = self._replayed(x, draws) if self.replays else (self._draw(x, draw) for draw in range(draws))
            return torch.stack(list(outputs), 1)

    def _draw(self, x: Any, draw: int) -> Tensor:
        with Dropping(self.masks, draw):
            outputs: Tensor = self.module(x)
        return outputs

    def _replayed(self, x: Any, draws: int) -> Iterator[Tensor]:
        """One full pass that records what comes before the first dropout, then draws that read it back."""
        record: dict[str, list[Any]] = defaultdict(list)

        def note(key: Key, output: Any) -> None:
            record[key[0]].append(output.clone() if key in self.dirty else output)

        first = Dropping(self.masks, 0)
        with _watching(self.module, first, note), first:
            yield self.module(x)
        for draw in range(1, draws):
            with _reading(self.module, record), Dropping(self.masks, draw):
                yield self.module(x)

    def _check(self, naive: Sequence[Tensor]) -> None:
        if not self.masks.known:
            raise InputError(
                f"{type(self.module).__name__} has no active dropout, so its draws would be equal: "
                "use a model with dropout, such as mlp(dropout=0.3)"
            )
        if torch.equal(*naive):
            raise InputError(f"the dropout of {type(self.module).__name__} does not change its outputs")


class Masks:
    """Multipliers per (call, draw), made once and shared by all items."""

    def __init__(self, seeds: Seeds) -> None:
        self.seeds = seeds
        self.known: dict[tuple[int, int, torch.Size], Tensor] = {}

    def keep(self, call: int, draw: int, shape: torch.Size, p: float, like: Tensor) -> Tensor:
        """Which units of this shape stay, as 0 and 1."""
        key = (call, draw, shape)
        if key not in self.known:
            rng = self.seeds.torch("dropout", call, draw)
            self.known[key] = (torch.rand(shape, generator=rng) >= p).to(like)
        return self.known[key]


class Dropping(TorchFunctionMode):
    """Inside, every dropout call with p > 0 drops by the masks of one draw, also in eval mode."""

    def __init__(self, masks: Masks, draw: int) -> None:
        super().__init__()
        self.masks, self.draw, self.calls = masks, draw, 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func not in UNITS:
            return func(*args, **(kwargs or {}))
        return self._drop(func, *args, **(kwargs or {}))

    def _drop(self, func: Any, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if p == 0:
            return input
        item = input.shape[1:]
        shape = item[: len(item) - UNITS[func]] + torch.Size([1]) * min(UNITS[func], len(item))
        keep = self.masks.keep(self.calls, self.draw, shape, p, input)
        self.calls += 1
        if func in (F.alpha_dropout, F.feature_alpha_dropout):
            scale = ((1 - p) * (1 + p * ALPHA**2)) ** -0.5
            return (input * keep + ALPHA * (1 - keep)) * scale - scale * p * ALPHA
        return input * keep / (1 - p)


def _warn_of_hidden(module: nn.Module) -> None:
    """Dropout inside fused kernels cannot be reached in eval mode."""
    for name, layer in module.named_modules():
        fused = isinstance(layer, nn.RNNBase) and layer.num_layers > 1
        if (fused or isinstance(layer, nn.MultiheadAttention)) and layer.dropout > 0:
            kind = type(layer).__name__
            warnings.warn(f"the dropout inside {kind} {name!r} stays off: MC dropout cannot reach it", stacklevel=3)


@contextmanager
def _watching(module: nn.Module, mode: Dropping, note: Callable[[Key, Any], None]) -> Iterator[None]:
    """Inside, `note` gets the output of every call of a layer that ends before the first dropout."""
    counts: dict[str, int] = defaultdict(int)

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if mode.calls == 0:
                note((name, counts[name]), output)
                counts[name] += 1

        return hook

    with ExitStack() as hooks:
        for name, layer in module.named_modules():
            if layer is not module:
                hooks.callback(layer.register_forward_hook(hook_of(name)).remove)
        yield


@contextmanager
def _reading(module: nn.Module, record: Mapping[str, list[Any]]) -> Iterator[None]:
    """Inside, recorded calls return what they returned, without computing; later calls compute."""
    with ExitStack() as stubs:
        for name, layer in module.named_modules():
            if record.get(name):
                layer.forward = _Stub(layer.forward, record[name])  # type: ignore[method-assign] # put back below
                stubs.callback(layer.__dict__.pop, "forward")
        yield


class _Stub:
    """Returns recorded outputs in turn, then calls through."""

    def __init__(self, forward: Callable[..., Any], outputs: Sequence[Any]) -> None:
        self.forward, self.outputs, self.turn = forward, outputs, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.turn == len(self.outputs):
            return self.forward(*args, **kwargs)
        output = self.outputs[self.turn]
        self.turn += 1
        return output


def _dirtied(module: nn.Module, masks: Masks, rows: Any) -> set[Key]:
    """Calls before the first dropout whose outputs are changed in place afterwards."""
    seen: dict[Key, tuple[Tensor, int]] = {}

    def note(key: Key, output: Any) -> None:
        if isinstance(output, Tensor):
            seen[key] = (output, output._version)

    first = Dropping(masks, 0)
    with _watching(module, first, note), first:
        module(rows)
    return {key for key, (output, version) in seen.items() if output._version != version}
