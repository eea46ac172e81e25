"""Telling labelled items from unlabelled ones after a fit, by vectors that stand still."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["discriminate", "unlabelled_logits"]

ROWS = 4096


def discriminate(
    net: nn.Module,
    labelled: Tensor,
    unlabelled: Tensor,
    rng: Generator,
    *,
    lr: float = 1e-4,
    epochs: int = 1000,
    batch: int = 128,
    enough: float = 0.98,
) -> None:
    """Trains a network to tell two sets of vectors apart, each weighing half, however many they are.

    net                   from (n, D) to (n,) logits, positive for "labelled", such as `models.discriminator`
    labelled, unlabelled  (M, D) and (U, D), at least one of each; they are trained on in float32
    rng                   gives the order of every epoch
    lr                    of Adam, on cross-entropy, `batch` rows at a time
    epochs                at most; training ends with the first one that was right about more than `enough` of all rows,
                          as they came: near 1 all that is labelled looks alike and only copies of it look labelled

    O(epochs·(M + U)) passes of the network; afterwards it is in eval mode and takes no gradients.

    Gissin & Shalev-Shwartz 2019, "Discriminative Active Learning", arXiv 1907.06347.

    >>> rng = Generator().manual_seed(0)
    >>> near, far = torch.randn(40, 2, generator=rng), 9 + torch.randn(40, 2, generator=rng)
    >>> net = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    >>> discriminate(net, near, far, rng, lr=1e-2)
    >>> bool((net(near) > 0).float().mean() > 0.9), bool((net(far) < 0).float().mean() > 0.9)
    (True, True)
    """
    rows = torch.cat([labelled, unlabelled]).float()
    sides = torch.arange(len(rows), device=rows.device) < len(labelled)
    weights = torch.where(sides, len(rows) / (2 * len(labelled)), len(rows) / (2 * len(unlabelled)))
    optimiser = torch.optim.Adam(net.parameters(), lr=lr, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(rows), generator=rng, device=rng.device).to(rows.device)
        parts = torch.split(order, batch)
        right = torch.stack([_step(net, optimiser, rows[some], sides[some], weights[some]) for some in parts])
        if float(right.sum()) > enough * len(rows):
            break
    net.eval().requires_grad_(False)


def unlabelled_logits(net: nn.Module, rows: Tensor) -> Tensor:
    """(N,) logits of "unlabelled" for vectors (N, D), some thousand at a time."""
    with torch.no_grad():
        return -torch.cat([net(some.float()) for some in torch.split(rows, ROWS)])


def _step(net: nn.Module, optimiser: torch.optim.Optimizer, rows: Tensor, sides: Tensor, weights: Tensor) -> Tensor:
    """One step down the gradient; how many of these rows were told right before it."""
    optimiser.zero_grad(set_to_none=True)
    with torch.enable_grad():
        logits: Tensor = net(rows)
        loss = binary_cross_entropy_with_logits(logits, sides.float(), weights)
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    optimiser.step()
    return (logits.detach() > 0).eq(sides).sum()
