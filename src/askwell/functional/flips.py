"""Predictions that change when an embedding changes a little: by dropout, or by a step towards a class."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, normalize

from askwell.functional.tiles import wide

__all__ = ["dropout_flips", "mixed", "mixing_flips"]

Head = Callable[[Tensor], Tensor]
ROWS = 4096
NEAR = 1e-8


def dropout_flips(z: Tensor, head: Head, rate: float, passes: int, rng: Generator) -> Tensor:
    """How often dropout on its input changes what the head predicts, (N,) int64 in [0, passes].

    z     (N, D); an entry is dropped with probability `rate`, and the others are divided by 1 − rate
    head  from (n, D) to (n, C) logits; ties go to the lowest class

    O(passes·N·D·C) time, memory for some thousand rows.

    >>> rng = torch.Generator().manual_seed(0)
    >>> dropout_flips(torch.tensor([[2., 1.], [2., 0.]]), lambda z: z, 0.75, 200, rng)
    tensor([39,  0])
    """
    flips = torch.zeros(len(z), dtype=torch.int64, device=z.device)
    for where in _chunks(len(z)):
        some = wide(z[where])
        predicted = head(some).argmax(1)
        for _ in range(passes):
            kept = (torch.rand(some.shape, generator=rng, device=rng.device) >= rate).to(some.device)
            flips[where] += head(some * kept / (1 - rate)).argmax(1) != predicted
    return flips


def mixing_flips(z: Tensor, head: Head, anchors: Tensor, epsilon: float) -> Tensor:
    """Whether a small step towards any of the anchors changes what the head predicts, (N,) bool; see `mixed`.

    z (N, D), anchors (A, D), head from (n, D) to (n, C) logits. O(A·N·D·C) time, memory for some thousand rows.

    >>> mixing_flips(torch.tensor([[2., 1.], [2., 1.9]]), lambda z: z, torch.tensor([[0., 3.]]), 0.1)
    tensor([False,  True])
    """
    flips = torch.zeros(len(z), dtype=torch.bool, device=z.device)
    for where in _chunks(len(z)):
        rows = torch.arange(where.start, where.stop, device=z.device)
        some = wide(z[where])
        predicted, gradient = _surprise(some, head)
        for anchor in anchors.to(some):
            flipped = head(mixed(some, anchor, gradient, epsilon)).argmax(1) != predicted
            flips[rows[flipped]] = True
            rows, some, predicted, gradient = (of[~flipped] for of in (rows, some, predicted, gradient))
    return flips


def mixed(z: Tensor, anchor: Tensor, gradient: Tensor, epsilon: float) -> Tensor:
    """z + α ⊙ (z* − z) with the α of norm at most that of a shift by ε‖z* − z‖ that raises the loss most, (n, D).

    In closed form α = ε‖z* − z‖ / ‖g‖ · g ⊘ (z* − z), so that z moves by ε‖z* − z‖ along the gradient g of the loss;
    α is 0 where z* and z agree within 1e-8, and everywhere where g is 0.

    Parvaneh et al. 2022, arXiv 2203.07034, equation 6.

    >>> mixed(torch.tensor([[1., 2.]]), torch.tensor([3., -1.]), torch.tensor([[.3, .4]]), .2 / 2**.5)
    tensor([[1.3059, 2.4079]])
    """
    away = anchor - z
    length = away.norm(dim=1, keepdim=True)
    largest = gradient.abs().amax(dim=1, keepdim=True).clamp_(min=torch.finfo(gradient.dtype).tiny)
    step: Tensor = epsilon * length * normalize(gradient / largest)
    return z + step.masked_fill_(away.abs() < NEAR, 0.0)


def _surprise(z: Tensor, head: Head) -> tuple[Tensor, Tensor]:
    """What the head predicts (n,), and the gradient (n, D) of cross-entropy at it with respect to z."""
    with torch.enable_grad():
        leaf = z.detach().clone().requires_grad_(True)
        logits = head(leaf)
        predicted = logits.argmax(1)
        loss = cross_entropy(logits, predicted, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, leaf)
    return predicted, gradient


def _chunks(n: int) -> Iterator[slice]:
    """Large enough that calling the head costs little beside its work."""
    for start in range(0, n, ROWS):
        yield slice(start, min(n, start + ROWS))
