"""Dropout masks and Gaussian weights by (seed, call, draw), and a mode that puts them where a pass drops or draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from askwell.core.seeds import Seeds
from askwell.errors import InputError
from askwell.functional.gaussian import gaussian

__all__ = ["Dropping", "Masks", "Spot", "noise", "spot"]

ALPHA = -1.7580993408473766
"""What a unit becomes under alpha dropout: the saturation of SELU (Klambauer et al. 2017, arXiv 1706.02515)."""
GOLDEN, FIRST, SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685
"""SplitMix64's constants (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) as signed numbers."""
KEPT = 1 << 24
"""Numbers of drawn weights that are kept for the next chunk; what goes beyond is drawn again, to the same bits."""


def noise(key: int, ids: Tensor, shape: Sequence[int]) -> Tensor:
    """(n, *shape) float32 numbers in [0, 1): row i depends on the key and ids[i] alone, on any device.

    >>> noise(1, torch.tensor([4, 7]), (3,))[1].equal(noise(1, torch.tensor([7]), (3,))[0])
    True
    """
    rows = _mixed(key + ids * GOLDEN)
    places = torch.arange(1, torch.Size(shape).numel() + 1, device=ids.device) * GOLDEN
    bits = _shifted(_mixed(rows[:, None] + places), 40)
    return bits.to(torch.float32).mul_(2.0**-24).view(len(ids), *shape)


def _mixed(bits: Tensor) -> Tensor:
    bits = (bits ^ _shifted(bits, 30)) * FIRST
    bits = (bits ^ _shifted(bits, 27)) * SECOND
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, by: int) -> Tensor:
    """Unsigned shift to the right."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


class Spot(NamedTuple):
    """Where the items are in a tensor: along `axis`, with `each` rows per item; axis None: nowhere."""

    axis: int | None
    each: int = 1


def spot(two: Sequence[int], three: Sequence[int]) -> Spot:
    """Finds the items' axis from the shapes of one tensor with two items and with three.

    >>> spot((5, 2, 8), (5, 3, 8)), spot((10, 8), (15, 8)), spot((8,), (8,))
    (Spot(axis=1, each=1), Spot(axis=0, each=5), Spot(axis=None, each=1))
    """
    moved = [axis for axis, sizes in enumerate(zip(two, three, strict=True)) if sizes[0] != sizes[1]]
    if not moved:
        return Spot(None)
    axis, each = moved[0], two[moved[0]] // 2
    if len(moved) > 1 or three[axis] != 3 * each:
        raise InputError(
            f"dropout on a tensor of shape {tuple(two)} for two items and {tuple(three)} for three: "
            "one axis must count the items"
        )
    return Spot(axis, each)


class Affine(NamedTuple):
    """What a dropout call does: x · scale + shift."""

    scale: Tensor
    shift: Tensor | None


class Masks:
    """Masks and weights of all draws. `spots` says for each call of a pass that draws where its items are.

    consistent  one mask for all items, so that a draw is one function; else one per item, by its id. Weights are
                always the same for all items
    """

    def __init__(self, seeds: Seeds, spots: Sequence[Spot], consistent: bool) -> None:
        self.seeds, self.spots, self.consistent = seeds, tuple(spots), consistent
        self._known: dict[tuple[int, int, torch.Size], Tensor] = {}
        self._noise: dict[tuple[int, int], Tensor] = {}
        self._held = 0

    def normal(self, call: int, draw: int, like: Tensor) -> Tensor:
        """Noise of N(0, 1) in the shape and on the device of these weights."""
        if (call, draw) in self._noise:
            return self._noise[call, draw].to(like)
        noise = torch.randn(like.shape, generator=self.seeds.torch("weights", call, draw))
        if self._held + noise.numel() <= KEPT:
            self._noise[call, draw] = noise
            self._held += noise.numel()
        return noise.to(like)

    def kept(self, call: int, draw: int, ids: Tensor, shape: torch.Size, p: float) -> Tensor:
        """Which units stay: booleans that broadcast to `shape`."""
        axis, each = self.spots[call]
        if axis is None or shape[axis] != each * len(ids):
            return self._drawn(call, draw, ids[:1] * 0, shape, p)[0]
        item = torch.Size((*shape[:axis], each, *shape[axis + 1 :]))
        kept = self._drawn(call, draw, ids[:1] * 0 if self.consistent else ids, item, p).movedim(0, axis)
        if self.consistent and each > 1:
            kept = kept.expand(*shape[:axis], len(ids), *item[axis:])
        return kept.flatten(axis, axis + 1)

    def _drawn(self, call: int, draw: int, rows: Tensor, shape: torch.Size, p: float) -> Tensor:
        """(n, *shape); masks that all items share are made once."""
        if not self.consistent:
            return noise(self.seeds("dropout", call, draw), rows, shape) >= p
        key = (call, draw, shape)
        if key not in self._known:
            self._known[key] = noise(self.seeds("dropout", call, draw), rows, shape) >= p
        return self._known[key]


class Dropping(TorchFunctionMode):
    """Inside, dropout calls with p > 0 drop by the masks of one draw, in eval mode too, and Gaussian weights are drawn.

    Draw None: nothing drops, and weights are their means.

    calls  shapes of what was dropped or drawn so far; seen: ids of all tensors that torch functions were given
    """

    def __init__(self, masks: Masks | None = None, draw: int | None = None, ids: Tensor | None = None) -> None:
        super().__init__()
        self.masks, self.draw, self.ids = masks, draw, ids
        self.calls: list[torch.Size] = []
        self.seen: set[int] = set()
        self.watch = False

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.watch:
            self.seen.update(id(one) for one in _flat((*args, *kwargs.values())))
        if func is gaussian:
            return self._weights(*args)
        return self._dropped(func, *args, **kwargs) if func in CALLS else func(*args, **kwargs)

    def _weights(self, mean: Tensor, scale: Tensor) -> Tensor:
        call = len(self.calls)
        self.calls.append(mean.shape)
        if self.draw is None or self.masks is None:
            return mean
        return mean + scale * self.masks.normal(call, self.draw, mean)

    def _dropped(
        self,
        func: Any,
        input: Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
        train: bool = True,
    ) -> Tensor:
        if p == 0:
            return input
        call, (shares, affine, inside) = len(self.calls), CALLS[func]
        self.calls.append(input.shape)
        if self.draw is None or self.masks is None or self.ids is None:
            return input
        shape = torch.Size((*input.shape[:2], *[1] * (input.ndim - 2))) if shares else input.shape
        kept = self.masks.kept(call, self.draw, self.ids.to(input.device), shape, p)
        scale, shift = affine(kept.to(input.dtype), p)
        dropped = input * scale if shift is None else input * scale + shift
        return input.copy_(dropped) if inplace or inside else dropped


def _scaled(kept: Tensor, p: float) -> Affine:
    return Affine(kept / (1 - p) if p < 1 else kept, None)


def _saturated(kept: Tensor, p: float) -> Affine:
    """Mean and variance of SELU's outputs stay as they were."""
    scale = ((1 - p) * (1 + p * ALPHA**2)) ** -0.5 if p < 1 else 0.0
    return Affine(kept * scale, ALPHA * scale * (1 - kept - p))


def _flat(values: Sequence[Any]) -> list[Any]:
    """The values, and what lists and tuples among them hold."""
    found: list[Any] = []
    for value in values:
        found += _flat(value) if isinstance(value, list | tuple) else [value]
    return found


CALLS: dict[Any, tuple[bool, Callable[[Tensor, float], Affine], bool]] = {
    F.dropout: (False, _scaled, False),
    F.dropout1d: (True, _scaled, False),
    F.dropout2d: (True, _scaled, False),
    F.dropout3d: (True, _scaled, False),
    F.alpha_dropout: (False, _saturated, False),
    F.feature_alpha_dropout: (True, _saturated, False),
    torch.dropout: (False, _scaled, False),
    torch.dropout_: (False, _scaled, True),
    torch.feature_dropout: (True, _scaled, False),
    torch.feature_dropout_: (True, _scaled, True),
    torch.alpha_dropout: (False, _saturated, False),
    torch.alpha_dropout_: (False, _saturated, True),
}
"""Dropout functions: whether a channel goes as a whole, what a mask does, whether it works in place."""
