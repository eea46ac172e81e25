"""How important labelled items are to a model: the length of each one's gradient, in the last layer or in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import one_hot

from askwell.errors import BadShape, UnmetNeeds
from askwell.functional.likely import Likely, likely
from askwell.functional.tiles import wide

__all__ = ["expected_importance", "importance", "last_layer_importance", "tile_width"]

At = Callable[[Mapping[str, Tensor], Tensor], Tensor]
"""From weights by name and items (n, …) to outputs (n, C) before the softmax."""


def last_layer_importance(p: Tensor, labels: Tensor, z: Tensor, bias: bool = True) -> Tensor:
    """‖p − e_y‖ · ‖(z, 1)‖, (M,) >= 0: the length of the gradient of the loss in the last layer alone.

    p (M, C) class probabilities, labels (M,) int64 and z (M, D) embeddings of the same items; without `bias` the 1 is
    left out. O(M·(C + D)).

    Vodrahalli, Li and Malik 2018, "Are All Training Examples Created Equal?", arXiv 1811.12569.

    >>> p, z = torch.tensor([[.5, .3, .2]]), torch.tensor([[3., 4.]])
    >>> last_layer_importance(p, torch.tensor([0]), z), last_layer_importance(p, torch.tensor([0]), z, bias=False)
    (tensor([3.1432]), tensor([3.0822]))
    """
    if labels.shape != p.shape[:1] or len(z) != len(p):
        got = (tuple(p.shape), tuple(labels.shape), tuple(z.shape))
        raise BadShape(f"expected p (M, C), labels (M,) and z (M, D), got {got[0]}, {got[1]} and {got[2]}", got=got)
    apart, rows = wide(p) - one_hot(labels, p.shape[1]), wide(z)
    lengths: Tensor = apart.norm(dim=1) * (rows.square().sum(1) + float(bias)).sqrt()
    return lengths


def importance(at: At, weights: Mapping[str, Tensor], items: Tensor, labels: Tensor) -> Tensor:
    """‖∂ℓ/∂θ‖₂ of each item's cross-entropy over all weights, (n,) >= 0.

    items (n, …) and labels (n,) int64, in eval mode: nothing that one item's outputs depend on may come from others.
    Gradients of the items one by one, by `torch.func`; squared lengths are added layer by layer. Memory n·|θ|: meant
    for a tile of items, see `tile_width`.

    Vodrahalli, Li and Malik 2018, "Are All Training Examples Created Equal?", arXiv 1811.12569.

    >>> def outputs(weights, items):
    ...     return items @ weights["w"].t()
    >>> importance(outputs, {"w": torch.zeros(2, 2)}, torch.tensor([[3., 4.]]), torch.tensor([0]))
    tensor([3.5355])
    """
    with torch.no_grad():
        p = at(weights, items).double().softmax(1)
    return _lengths(at, weights, items, p - one_hot(labels, p.shape[1]))


def expected_importance(
    at: At, weights: Mapping[str, Tensor], items: Tensor, least: float = 1e-3
) -> tuple[Tensor, Tensor]:
    """Σ_c p_c ‖∂ℓ_c/∂θ‖₂ over all weights (n,) >= 0, and the probability (n,) of the classes left out.

    The importance of items (n, …) whose labels are drawn from the model's probabilities p (n, C); classes with at most
    the probability `least` are left out. As many passes as classes are kept; memory as for `importance`.

    >>> def outputs(weights, items):
    ...     return items @ weights["w"].t()
    >>> expected_importance(outputs, {"w": torch.zeros(2, 2)}, torch.tensor([[3., 4.]]))
    (tensor([3.5355]), tensor([0.]))
    """
    with torch.no_grad():
        p = at(weights, items).double().softmax(1)
    kept: Likely = likely(p, least)
    total = torch.zeros(len(items), device=p.device)
    for place in range(kept.classes.shape[1]):
        apart = p - one_hot(kept.classes[:, place], p.shape[1])
        total += kept.weights[:, place].float() * _lengths(at, weights, items, apart)
    return total, kept.dropped.float()


def tile_width(weights: Mapping[str, Tensor]) -> int:
    """What `tiles` should count for an item: at most 256 items at a time on a CPU, fewer for large networks.

    >>> tile_width({"w": torch.empty(10, 10)}), tile_width({"w": torch.empty(1000, 160)})
    (512, 10000)
    """
    return max(sum(value.numel() for value in weights.values()) // 16, 512)


def _lengths(at: At, weights: Mapping[str, Tensor], items: Tensor, slopes: Tensor) -> Tensor:
    """(n,) lengths of the gradients that these slopes (n, C) of the outputs have in the weights."""

    def pulled(given: dict[str, Tensor], item: Tensor, slope: Tensor) -> Tensor:
        outputs: Tensor = at(given, item[None])[0]
        return (outputs * slope).sum()

    fixed = {name: value.detach() for name, value in weights.items()}
    try:
        with sdpa_kernel(SDPBackend.MATH):
            each = vmap(grad(pulled), (None, 0, 0))(fixed, items, slopes.to(torch.float32))
    except RuntimeError as error:
        if not any(word in str(error).lower() for word in ("vmap", "batching rule")):
            raise
        raise UnmetNeeds(
            "gradients of single items need a network that torch.func.vmap can map over items, and this one it cannot: "
            "take the gradients of the last layer alone, as egl does"
        ) from error
    squared = torch.zeros(len(items), device=items.device)
    for gradient in each.values():
        squared += gradient.flatten(1).square().sum(1)
    return squared.sqrt()
