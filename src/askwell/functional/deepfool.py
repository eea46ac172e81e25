"""How far an input is from the nearest decision boundary: step by step towards it, until the class changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from askwell.errors import BadShape, InputError
from askwell.functional.tiles import wide

__all__ = ["Attack", "boundary_scores", "deepfool"]

Logits = Callable[[Tensor], Tensor]
Bounds = tuple[float, float]
FLAT = 1e-12
SLACK = 1e-6


class Attack(NamedTuple):
    """What moved the inputs: `shift` (n, …) without overshoot, and whether the class changed, `flipped` (n,) bool."""

    shift: Tensor
    flipped: Tensor

    @property
    def lengths(self) -> Tensor:
        """(n,) Euclidean lengths of the shifts."""
        lengths: Tensor = self.shift.flatten(1).norm(dim=1)
        return lengths


def deepfool(
    x: Tensor,
    logits: Logits,
    *,
    overshoot: float = 0.02,
    eta: float = 0.0,
    steps: int = 50,
    classes: int = 10,
    bounds: Bounds | None = None,
) -> Attack:
    """The smallest shift found that changes the predicted class of each input; exact where the logits are linear.

    x          (n, …) inputs; half precision is computed in float32
    logits     from (m, …) inputs to (m, C), row by row and differentiable
    overshoot  inputs are looked at (1 + overshoot) times as far as they have been shifted
    eta        added to the difference of two logits in every step
    steps      at most; an input that no step flips, or whose logits have no slope, stays unflipped
    classes    the highest logits of x, its own class among them, towards which it may move
    bounds     least and largest value that an input may take; values that have reached one go no further

    An input leaves the batch when its class has changed. O(steps·classes) backward passes over those that are left,
    memory for one of them.

    Moosavi-Dezfooli, Fawzi & Frossard 2016, "DeepFool", arXiv 1511.04599.

    >>> weights = torch.tensor([[1., 0.], [0., 1.], [-1., -1.]])
    >>> found = deepfool(torch.tensor([[1., .8]]), lambda x: x @ weights.t())
    >>> found.shift, found.flipped
    (tensor([[-0.1000,  0.1000]]), tensor([True]))
    """
    _check(x, overshoot, eta, steps, classes)
    start = wide(x.detach())
    with torch.no_grad():
        ranked = logits(start).argsort(dim=1, descending=True, stable=True)[:, :classes]
    shift, flipped = torch.zeros_like(start), torch.zeros(len(x), dtype=torch.bool, device=x.device)
    rows = torch.arange(len(x), device=x.device)
    for _ in range(steps):
        if not len(rows):
            break
        step, moves = _step(start[rows] + (1 + overshoot) * shift[rows], ranked[rows], logits, eta, bounds)
        rows, step = rows[moves], step[moves]
        shift[rows] = _within(start[rows], shift[rows] + step, overshoot, bounds)
        with torch.no_grad():
            flips = logits(start[rows] + (1 + overshoot) * shift[rows]).argmax(1) != ranked[rows, 0]
        flipped[rows] = flips
        rows = rows[~flips]
    return Attack(shift, flipped)


def boundary_scores(lengths: Tensor, flipped: Tensor) -> Tensor:
    """Minus the lengths (N,); what was not flipped comes after all others, 1 below the longest.

    >>> boundary_scores(torch.tensor([.5, 3., 2.]), torch.tensor([True, False, True]))
    tensor([-0.5000, -4.0000, -2.0000])
    """
    if not len(lengths):
        return -lengths
    longest = lengths.max()
    last = torch.minimum(-longest - 1, torch.nextafter(-longest, longest.new_tensor(-torch.inf)))
    return torch.where(flipped, -lengths, last)


def _step(x: Tensor, ranked: Tensor, logits: Logits, eta: float, bounds: Bounds | None) -> tuple[Tensor, Tensor]:
    """The step (n, …) to the nearest boundary of the linearised logits, and whether there is one (n,)."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(True)
        values = logits(leaf).gather(1, ranked)
    own = _slope(values[:, 0], leaf)
    nearest, step = x.new_full((len(x),), torch.inf), torch.zeros_like(x)
    for place in range(1, ranked.shape[1]):
        normal = _free(_slope(values[:, place], leaf) - own, x, bounds)
        length = normal.flatten(1).norm(dim=1)
        gap = (values[:, place] - values[:, 0]).detach().abs()
        distance = torch.where(length < FLAT, torch.inf, gap / length)
        closer = distance < nearest
        nearest = torch.where(closer, distance, nearest)
        scale = ((gap + eta) / length / length)[closer]
        step[closer] = normal[closer] * scale.view(-1, *[1] * (x.ndim - 1))
    return step, nearest.isfinite()


def _slope(values: Tensor, leaf: Tensor) -> Tensor:
    """Gradient of each row's value by its own input, (n, …)."""
    (slope,) = torch.autograd.grad(values.sum(), leaf, retain_graph=True)
    return slope


def _free(direction: Tensor, x: Tensor, bounds: Bounds | None) -> Tensor:
    """The direction without what would lead values out of bounds that they have reached."""
    if bounds is None:
        return direction
    slack = SLACK * (bounds[1] - bounds[0])
    blocked = ((x <= bounds[0] + slack) & (direction < 0)) | ((x >= bounds[1] - slack) & (direction > 0))
    return direction.masked_fill(blocked, 0.0)


def _within(start: Tensor, shift: Tensor, overshoot: float, bounds: Bounds | None) -> Tensor:
    """The shift, cut where what it leads to is out of bounds."""
    if bounds is None:
        return shift
    return ((start + (1 + overshoot) * shift).clamp(*bounds) - start) / (1 + overshoot)


def _check(x: Tensor, overshoot: float, eta: float, steps: int, classes: int) -> None:
    if x.ndim < 2 or not x.is_floating_point():
        got = f"shape {tuple(x.shape)} and type {x.dtype}"
        raise BadShape(f"expected floating-point inputs (n, …), got {got}", got=tuple(x.shape))
    if not (overshoot >= 0 and eta >= 0):
        raise InputError(f"overshoot and eta must not be negative, got {overshoot} and {eta}")
    if steps < 1 or classes < 2:
        raise InputError(f"steps must be at least 1 and classes at least 2, got {steps} and {classes}")
