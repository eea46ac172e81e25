"""Views over given tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, FEATURES, LABELS, MC_PROBS, PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import View


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def view_of(strategy: Strategy, tensors: Mapping[Need, Tensor], ids: Tensor | None = None, labelled: int = 0) -> View:
    """The view of these tensors; ids 0, 10, 20 … unless given, labelled ids below 0."""
    if ids is None:
        ids = 10 * torch.arange(next(len(tensor) for need, tensor in tensors.items() if need.over == "candidates"))

    def fetch(needs: tuple[Need, ...], sets: Mapping[str, Tensor]) -> dict[Need, Tensor]:
        places = torch.searchsorted(ids, sets["candidates"])
        return {need: tensors[need][places] if need.over == "candidates" else tensors[need] for need in needs}

    return View(ids, strategy.needs, fetch, sets={"labelled": torch.arange(-labelled, 0)})


def tensors_for(
    strategy: Strategy, rows: int, labelled: int = 5, classes: int = 3, seed: int = 0
) -> dict[Need, Tensor]:
    """Random tensors for all needs of a strategy."""
    generator, made = rng(seed), {}
    for need in strategy.needs:
        count = rows if need.over == "candidates" else labelled
        if need.name == MC_PROBS.name:
            logits = 2 * torch.randn(count, int(need["draws"]), classes, generator=generator)
            made[need] = logits.softmax(2)
        elif need.name == PROBS.name:
            made[need] = (2 * torch.randn(count, classes, generator=generator)).softmax(1)
        elif need.name == LABELS.name:
            made[need] = torch.randint(classes, (count,), generator=generator)
        elif need.name in (EMBEDDING.name, FEATURES.name):
            made[need] = torch.randn(count, 6, generator=generator)
    return made
