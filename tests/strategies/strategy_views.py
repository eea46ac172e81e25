"""Views over given tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor

from askwell.core.needs import (
    LABEL_PROBS,
    LABELS,
    MC_LABEL_PROBS,
    MC_PREDICTIONS,
    MC_PROBS,
    PREDICTIONS,
    PROBS,
    Need,
)
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
        count = {"candidates": rows, "labelled": labelled}.get(need.over, 0)
        draws = int(dict(need.params).get("draws", 0))
        if need.name == LABELS.name:
            made[need] = torch.randint(classes, (count,), generator=generator)
            continue
        shape = {
            PROBS.name: (classes,), LABEL_PROBS.name: (classes,), MC_PROBS.name: (draws, classes),
            MC_LABEL_PROBS.name: (draws, classes), PREDICTIONS.name: (1,), MC_PREDICTIONS.name: (draws, 1),
        }.get(need.name, (6,))  # fmt: skip
        made[need] = AS.get(need.name, torch.Tensor.clone)(torch.randn(count, *shape, generator=generator))
    return made


def softmax(rows: Tensor) -> Tensor:
    return (2 * rows).softmax(-1)


AS: dict[str, Callable[[Tensor], Tensor]] = {
    PROBS.name: softmax,
    MC_PROBS.name: softmax,
    LABEL_PROBS.name: torch.sigmoid,
    MC_LABEL_PROBS.name: torch.sigmoid,
}
