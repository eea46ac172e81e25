"""Draws put together: labelled items beside pseudo-labelled ones, repeated, hard and soft labels alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from askwell.core.scheme import Draw
from askwell.errors import InputError

__all__ = ["joined", "repeated"]


def repeated(draw: Draw, times: int) -> Draw:
    """The same rows so often in every pass, one copy behind the other.

    >>> repeated(Draw(torch.tensor([4, 7])), 2).ids.tolist()
    [4, 7, 4, 7]
    """
    if times < 1:
        raise InputError(f"rows cannot be repeated {times} times: give at least 1", got=times)
    return Draw(*(None if part is None else torch.cat([part] * times) for part in _parts(draw)))  # type: ignore[arg-type] # ids are there


def joined(one: Draw, other: Draw) -> Draw:
    """The rows of both draws, in order; one stream over them mixes them, two streams keep their shares of each step.

    Where one has soft labels (n, C), classes (n,) of the other become one-hot; where one has weights, rows of the other
    weigh 1, and likewise sampling weights. Raises `InputError` where one draw has labels and the other has none.

    >>> both = joined(Draw(torch.tensor([4]), torch.tensor([1])), Draw(torch.tensor([7]), torch.tensor([[.2, .8]])))
    >>> both.y.tolist()
    [[0.0, 1.0], [0.20000000298023224, 0.800000011920929]]
    """
    return Draw(
        torch.cat([one.ids, other.ids]),
        _labels(one, other),
        _weights(one, one.w, other, other.w),
        _weights(one, one.p, other, other.p),
    )


def _parts(draw: Draw) -> tuple[Tensor | None, ...]:
    return draw.ids, draw.y, draw.w, draw.p


def _labels(one: Draw, other: Draw) -> Tensor | None:
    if one.y is None or other.y is None:
        if one.y is not other.y:
            raise InputError("draws with and without labels cannot be joined: open a stream for each")
        return None
    if one.y.ndim == other.y.ndim:
        return torch.cat([one.y, other.y])
    soft = one.y if one.y.ndim == 2 else other.y
    return torch.cat([_soft(y, soft) for y in (one.y, other.y)])


def _soft(y: Tensor, like: Tensor) -> Tensor:
    return y if y.ndim == 2 else F.one_hot(y, like.shape[1]).to(like)


def _weights(one: Draw, w: Tensor | None, other: Draw, v: Tensor | None) -> Tensor | None:
    if w is None and v is None:
        return None
    like = w if w is not None else v
    assert like is not None
    filled = [like.new_ones(len(draw.ids)) if part is None else part for draw, part in ((one, w), (other, v))]
    return torch.cat(filled)
