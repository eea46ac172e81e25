"""Points on a decision boundary that lie near real ones and apart from each other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from askwell.functional.distance import Points
from askwell.functional.neighbours import nearest

__all__ = ["synthesise"]

Logits = Callable[[Tensor], Tensor]
CLOSEST = 1e-6


def synthesise(
    start: Tensor,
    logits: Logits,
    pool: Tensor,
    earlier: Tensor,
    box: tuple[Tensor, Tensor],
    *,
    pull: float = 0.1,
    push: float = 0.01,
    lr: float = 0.05,
    steps: int = 100,
) -> Tensor:
    """Moves points until their two highest logits are equal, without leaving the neighbourhood of real ones.

    Adam minimises (f₁ − f₂)² + pull·d² − push·log e for every point, where f₁ and f₂ are its highest logits, d is its
    distance to the nearest row of the pool and e that to the nearest earlier point or point before it. After every step
    points are put back into the box.

    start    (n, D) points
    logits   from (n, D) points to (n, C), C >= 2, row by row and differentiable
    pool     (N, D) real points; earlier (E, D) points that were asked before, possibly none
    box      (D,) least and (D,) largest values

    Returns (n, D) float32. O(steps·n·(N + E + n)·D) beside the logits, memory for one tile of distances.

    For queries of one's own making, Angluin 1988, "Queries and Concept Learning", doi:10.1007/BF00116828; the loss is
    ours.

    >>> w = torch.tensor([3.0, 4.0])
    >>> line = lambda x: torch.stack([x @ w - 5, torch.zeros(len(x))], 1)
    >>> x, box = torch.tensor([[2.0, 1.0]]), (torch.zeros(2), torch.full((2,), 3.0))
    >>> abs(float(line(synthesise(x, line, x, x[:0], box))[0, 0])) < 0.2
    True
    """
    points = start.detach().float().clone().requires_grad_(True)
    real, known = Points(pool.float()), Points(earlier.float())
    optimiser = torch.optim.Adam([points], lr=lr)
    for _ in range(steps):
        optimiser.zero_grad()
        with torch.enable_grad():
            top = logits(points).topk(2, dim=1).values
            loss = (top[:, 0] - top[:, 1]).square()
            if pull:
                loss = loss + pull * (points - real.rows[nearest(points.detach(), real)]).square().sum(1)
            if push:
                loss = loss - push * _apart(points, known).clamp(min=CLOSEST).log()
        loss.sum().backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        optimiser.step()
        with torch.no_grad():
            points.clamp_(*box)
    return points.detach()


def _apart(points: Tensor, known: Points) -> Tensor:
    """(n,) distance to the nearest known point or point before it; 1 where there is none."""
    still = points.detach()
    others = torch.cat([known.rows, still])
    before = torch.cdist(still, still)
    before.masked_fill_(torch.ones_like(before).triu().bool(), torch.inf)
    gap, row = before.min(1)
    row += len(known)
    if len(known):
        near = nearest(still, known)
        row = torch.where((still - known.rows[near]).norm(dim=1) < gap, near, row)
    distance = (points - others[row]).square().sum(1).clamp(min=CLOSEST**2).sqrt()
    return distance if len(known) else torch.where(gap.isfinite(), distance, 1.0)
