"""How wrong a model is expected to be once the label of an item is known."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.special import xlogy

from askwell.functional.logistic import Logistic
from askwell.functional.steps import counting
from askwell.functional.tiles import tiles

__all__ = ["Risk", "expected_error", "expected_risk"]

Risk = Literal["log", "zero_one"]


def expected_risk(p: Tensor, futures: Tensor, risk: Risk, counts: Tensor) -> Tensor:
    """Σ_y p(y) · Σ_u counts_u · risk of the prediction for u once the label is y, (n,) >= 0; less is better.

    p        (n, K) probabilities of K labels of each item; their sum counts as 1
    futures  (n, K, U, C) predictions for U evaluation items by the model that has learned label k of the item
    risk     "zero_one" 1 − max_c p_c, the chance to be wrong; "log" the entropy in nats
    counts   (U,) or (n, U) >= 0 how often an evaluation item counts for an item; 0 where it is the item itself

    O(n·K·U·C).

    Roy and McCallum 2001, "Toward Optimal Active Learning through Sampling Estimation of Error Reduction",
    doi:10.5555/645530.655646.

    >>> halves, better = torch.full((1, 2, 2, 2), .5), torch.tensor([[1/3, 2/3], [2/3, 1/3]])
    >>> halves[0, :, 0] = better
    >>> expected_risk(torch.tensor([[.5, .5]]), halves, "zero_one", torch.tensor([3., 1.]))
    tensor([1.5000])
    """
    wrong = 1 - futures.amax(3) if risk == "zero_one" else -xlogy(futures, futures).sum(3)
    by_label = (wrong * counts.expand(len(p), -1)[:, None]).sum(2)
    return (p * by_label).sum(1) / p.sum(1)


def expected_error(
    model: Logistic, z: Tensor, evaluation: Tensor, own: Tensor, risk: Risk = "log", labels: int = 2, steps: int = 50
) -> Tensor:
    """Mean risk of the evaluation items expected after each item's label is learned, (n,) float64 >= 0.

    z           (n, D) embeddings of the items, evaluation (U, D)
    own         (n,) int64 where an item stands among the evaluation items, −1 where it does not: it does not count
    labels      the likeliest labels of an item by the model, whose probabilities are scaled to sum to one
    steps       of every refit, from the model's weights

    O(n·labels·(steps·M + U)·C·D), memory for one tile of refits.

    >>> model = Logistic(torch.tensor([[-1.], [1.]]), torch.tensor([0, 1]), classes=2, l2=1.0)
    >>> line = torch.tensor([[-.2], [4.], [4.2]])
    >>> expected_error(model, line, line, torch.arange(3))
    tensor([0.0651, 0.3752, 0.3805], dtype=torch.float64)
    """
    p, classes = model.probs(z).topk(min(labels, model.classes), dim=1)
    out = torch.empty(len(z), dtype=torch.float64, device=z.device)
    places, width, done = torch.arange(len(evaluation), device=z.device), p.shape[1], counting(len(z))
    per_refit = model.classes * (len(evaluation) + sum(model.z.shape))
    for where in tiles(len(z), 2 * width * per_refit, z.device):
        weights = model.refits(z[where].repeat_interleave(width, 0), classes[where].flatten(), steps)
        futures = model.futures(weights, evaluation)
        futures = futures.view(-1, width, *futures.shape[1:])
        others = (places != own[where, None]).double()
        counts = others / others.sum(1, keepdim=True).clamp(min=1)
        out[where] = expected_risk(p[where], futures, risk, counts)
        done(where.stop)
    return out
