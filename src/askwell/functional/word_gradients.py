"""How far the vectors of an item's words are expected to move when its label is revealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import one_hot

from askwell.functional.likely import likely

__all__ = ["WordLengths", "expected_word_lengths"]

CLASSES = 8
"""Classes whose gradients are taken in one pass backwards."""


class WordLengths(NamedTuple):
    """What `expected_word_lengths` found.

    lengths  (n,) >= 0, float32
    dropped  (n,) probability of the classes left out
    """

    lengths: Tensor
    dropped: Tensor


def expected_word_lengths(
    outputs: Callable[[Tensor], Tensor],
    vectors: Tensor,
    tokens: Tensor,
    marks: Tensor,
    least: float = 1e-3,
) -> WordLengths:
    """max_w Σ_c p_c ‖∂ℓ_c/∂E_w‖₂ over the distinct words w of each item; 0 for an item without words.

    outputs  from vectors (n, L, E) to outputs (n, C) before the softmax; ℓ_c is the cross-entropy of class c
    tokens   (n, L) int64: where a word stands twice, the gradients of its places are added before their length is taken
    marks    (m,) int64 tokens that are no words, such as padding
    least    classes with at most this probability are left out of the sum

    One pass forwards, then one backwards for every eight classes that are left: the gradient for class c is the
    vector-Jacobian product with p − e_c, and those of several classes are taken together. O(n·K) passes backwards,
    memory O(8·n·L·E + n·L²): meant for a tile of items.

    Zhang, Lease and Wallace 2017, "Active Discriminative Text Representation Learning", arXiv 1606.04212.

    >>> def sums(vectors):
    ...     return torch.cat([vectors.sum(1), -vectors.sum(1)], 1)
    >>> twice = torch.tensor([[5, 5, 0], [5, 6, 0]])
    >>> expected_word_lengths(sums, torch.zeros(2, 3, 1), twice, torch.tensor([0])).lengths
    tensor([2., 1.])
    """
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        vectors = vectors.detach().requires_grad_()
        logits = outputs(vectors)
        p = logits.detach().double().softmax(1)
        kept = likely(p, least)
        first = (tokens[:, :, None] == tokens[:, None, :]).byte().argmax(2)
        moved = torch.zeros(tokens.shape, dtype=torch.float64, device=tokens.device)
        for start in range(0, kept.classes.shape[1], CLASSES):
            classes, weights = (part[:, start : start + CLASSES] for part in kept[:2])
            apart = (p[:, None] - one_hot(classes, p.shape[1])).transpose(0, 1)
            moved += torch.einsum("knl,nk->nl", _by_word(logits, vectors, apart, first), weights)
    words = ~torch.isin(tokens, marks)
    return WordLengths((moved * words).amax(1).float(), kept.dropped.float())


def _by_word(logits: Tensor, vectors: Tensor, apart: Tensor, first: Tensor) -> Tensor:
    """(k, n, L) lengths of each word's gradient, at the first place where it stands; 0 at all others."""
    (slopes,) = torch.autograd.grad(logits, vectors, apart.to(logits), is_grads_batched=True, retain_graph=True)
    places = first[None, :, :, None].expand_as(slopes)
    lengths: Tensor = torch.zeros_like(slopes).scatter_add_(2, places, slopes).norm(dim=3)
    return lengths.double()
