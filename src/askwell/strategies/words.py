"""Lengths of word gradients over a view, for the strategies that read them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from askwell.core.needs import NETWORK
from askwell.core.network import Network
from askwell.core.view import View
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.likely import warn_dropped
from askwell.functional.steps import counting
from askwell.functional.tiles import tiles
from askwell.functional.word_gradients import CLASSES, expected_word_lengths

__all__ = ["check_least", "word_lengths"]


def word_lengths(name: str, view: View, least: float) -> Tensor:
    """(N,) expected lengths of the longest word gradient; warns where `least` left out much of the probability.

    name  of the strategy, for what is said where the items are no tokens
    """
    network: Network = view[NETWORK]
    if network.form.kind != "tokens":
        raise UnmetNeeds(
            f"strategy {name!r} follows the gradients of words and items of kind {network.form.kind!r} have none: "
            "take egl",
            [str(NETWORK)],
        )
    lengths = torch.empty(len(view), device=view.ids.device)
    dropped, done = torch.empty_like(lengths), counting(len(view))
    for where in tiles(len(view), CLASSES * _numbers(network, view.ids[:1]), view.ids.device):
        tokens = network.items(view.ids[where])
        marks = torch.tensor(network.marks, dtype=tokens.dtype, device=tokens.device)
        outputs = partial(network, tokens)
        found = expected_word_lengths(outputs, network.inputs(tokens), tokens, marks, least)
        lengths[where], dropped[where] = found
        done(where.stop)
    warn_dropped(dropped, least)
    return lengths


def check_least(name: str, least: float) -> None:
    """Raises unless a probability."""
    if not 0 <= least < 1:
        raise InputError(f"least of {name!r} is {least}: it must be at least 0 and below 1", got=least)


def _numbers(network: Network, ids: Tensor) -> int:
    """Numbers in the vectors of one item."""
    return network.inputs(network.items(ids)).numel()
