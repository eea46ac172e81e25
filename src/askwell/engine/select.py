"""Bring your own tensors: one choice, no loop, no project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from askwell.core.needs import Need, Over
from askwell.core.strategy import Strategy
from askwell.core.view import View, finite
from askwell.engine.alternatives import with_inner
from askwell.engine.assemble import part
from askwell.engine.choosing import choose
from askwell.engine.numbers import whole
from askwell.engine.progress import Bars
from askwell.errors import BadData, BadShape, InputError, UnmetNeeds

__all__ = ["select"]

Array = ArrayLike | str | Path | Tensor
AXES = {
    "probs": 2, "logits": 2, "mc_probs": 3, "label_probs": 2, "mc_label_probs": 3, "predictions": 2,
    "mc_predictions": 3, "embedding": 2, "labelled_embedding": 2, "labels": 1, "cost": 1,
    "labelled_probs": 2, "target_mc_probs": 3,
}  # fmt: skip
NUMBERS = ("predictions", "mc_predictions")
LABELLED = ("labelled_probs", "labelled_embedding", "labels")
TARGETS = ("target_mc_probs",)
SOURCES: dict[tuple[str, Over], str] = {
    ("probs", "candidates"): "probs",
    ("logits", "candidates"): "logits",
    ("mc_probs", "candidates"): "mc_probs",
    ("label_probs", "candidates"): "label_probs",
    ("mc_label_probs", "candidates"): "mc_label_probs",
    ("predictions", "candidates"): "predictions",
    ("mc_predictions", "candidates"): "mc_predictions",
    ("embedding", "candidates"): "embedding",
    ("features", "candidates"): "embedding",
    ("probs", "labelled"): "labelled_probs",
    ("mc_probs", "targets"): "target_mc_probs",
    ("embedding", "labelled"): "labelled_embedding",
    ("features", "labelled"): "labelled_embedding",
    ("similarity", "candidates"): "embedding",
    ("similarity", "labelled"): "labelled_embedding",
    ("labels", "labelled"): "labels",
    ("cost", "candidates"): "cost",
}


def select(
    strategy: str | Strategy,
    *,
    n: int,
    probs: Array | None = None,
    logits: Array | None = None,
    mc_probs: Array | None = None,
    label_probs: Array | None = None,
    mc_label_probs: Array | None = None,
    predictions: Array | None = None,
    mc_predictions: Array | None = None,
    embedding: Array | None = None,
    labelled_probs: Array | None = None,
    target_mc_probs: Array | None = None,
    labelled_embedding: Array | None = None,
    labels: Array | None = None,
    cost: Array | None = None,
    ids: ArrayLike | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> NDArray[Any]:
    """Chooses n of N items from arrays that any model made; returns their ids in order of preference.

    strategy            a part or its text: "badge", "subsample(size=10000) | margin | power", "module:Class"
    probs (N, C)        class probabilities, rows sum to one; mc_probs (N, K, C) of K draws; logits (N, C)
    label_probs (N, C)  probability of each label by itself, for items with several; mc_label_probs (N, K, C)
    predictions (N, T)  predicted numbers, (N,) for one each; mc_predictions (N, K, T), or (N, K)
    embedding (N, D)    of the candidates; labelled_embedding (M, D), labelled_probs (M, C) and labels (M,), class
                        indices or numbers, of what is labelled
    target_mc_probs     (T, K, C) draws, the same as for the candidates, of the items whose predictions matter; where
                        there are none, candidates stand for them
    cost (N,)           price of each item
    ids (N,)            your own ids, each once; positions 0..N-1 without them

    quiet               nothing is said of how long it will take and how far it is, which a choice of more than a
                        minute does on standard error

    Arrays, tensors, or paths of .npy files, which are memory-mapped and streamed where the strategy scores row by row.
    Raises `UnmetNeeds` naming what the strategy needs and did not get, `BadShape`, `NotFinite`, `PoolExhausted`.

    >>> import numpy as np
    >>> select("margin", probs=np.array([[.9, .1], [.5, .5], [.7, .3]]), n=2).tolist()
    [1, 2]
    """
    given = {
        "probs": probs, "logits": logits, "mc_probs": mc_probs, "label_probs": label_probs,
        "mc_label_probs": mc_label_probs, "predictions": predictions, "mc_predictions": mc_predictions,
        "embedding": embedding, "labelled_embedding": labelled_embedding, "labelled_probs": labelled_probs,
        "labels": labels, "target_mc_probs": target_mc_probs, "cost": cost,
    }  # fmt: skip
    arrays = {name: _tensor(name, value) for name, value in given.items() if value is not None}
    chosen: Strategy = part("strategies", strategy)
    size = _size(arrays, ids)
    named = _ids(ids, size)
    found = _needs(chosen, arrays)
    sets = _sets(size, arrays)
    view = View(
        torch.arange(size),
        chosen.needs,
        lambda needs, over: {need: _rows(need, found[need], over) for need in needs},
        sets=sets,
        num_classes=_classes(arrays),
    )
    with Bars(quiet) as bars:
        batch = choose(chosen, view, whole("n", n), torch.Generator().manual_seed(seed), bars)
    picked: NDArray[Any] = named[batch.ids.numpy()]
    return picked


def _tensor(name: str, value: Array) -> Tensor:
    tensor = value if isinstance(value, Tensor) else torch.from_numpy(_loaded(name, value))
    if name in NUMBERS and tensor.ndim == AXES[name] - 1:
        tensor = tensor[..., None]
    if tensor.ndim != AXES[name]:
        raise BadShape(f"{name} has shape {tuple(tensor.shape)}: {AXES[name]} axes are needed", got=tuple(tensor.shape))
    if name == "labels":
        return _labels(tensor)
    if not tensor.is_floating_point():
        raise BadShape(f"{name} holds {tensor.dtype}: floating-point numbers are needed", got=tensor.dtype)
    return tensor


def _labels(labels: Tensor) -> Tensor:
    """Class indices as int64, numbers as they are."""
    if not labels.is_floating_point():
        return labels.long()
    finite("labels", labels)
    return labels


def _loaded(name: str, value: ArrayLike | str | Path) -> NDArray[Any]:
    if not isinstance(value, str | Path):
        return np.asarray(value)
    if not Path(value).is_file():
        raise BadData(f"{name}: there is no file {value}", got=str(value))
    try:
        return np.asarray(np.load(value, mmap_mode="c", allow_pickle=False))
    except (ValueError, EOFError, OSError):
        raise BadData(f"{name}: {value} is not a .npy file of numbers", got=str(value)) from None


def _size(arrays: Mapping[str, Tensor], ids: ArrayLike | None) -> int:
    sizes = {name: len(array) for name, array in arrays.items() if name not in LABELLED + TARGETS}
    if ids is not None:
        sizes["ids"] = len(np.asarray(ids))
    if not sizes:
        raise InputError("nothing to choose from: give at least one of probs, label_probs, predictions, embedding, ids")
    if len(set(sizes.values())) > 1:
        text = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise BadShape(f"the arrays disagree on the number of items: {text}", got=sizes)
    return next(iter(sizes.values()))


def _ids(ids: ArrayLike | None, size: int) -> NDArray[Any]:
    named = np.arange(size) if ids is None else np.asarray(ids)
    values, counts = np.unique(named, return_counts=True) if ids is not None else (named, None)
    if counts is not None and len(values) < size:
        raise InputError(f"ids are not unique: {values[counts > 1][:5].tolist()} occur more than once")
    return named


def _needs(strategy: Strategy, arrays: Mapping[str, Tensor]) -> dict[Need, Tensor]:
    """The strategy's needs among the arrays; with no labelled or target items given there are none."""
    sources = {need: SOURCES.get((need.name, need.over), "") for need in strategy.needs}
    absent = {"targets"} if any(name in arrays for name in LABELLED) else {"targets", "labelled"}
    missing = {need: name for need, name in sources.items() if name not in arrays and need.over not in absent}
    if missing:
        names = [str(need) for need in missing]
        give = ", ".join(dict.fromkeys(f"{name}=" for name in missing.values() if name))
        hint = f": give {give}" if give else ", which only a run has"
        raise UnmetNeeds(f"strategy {strategy.name!r} needs {', '.join(names)}{hint}", names)
    found = {need: arrays.get(name, _nothing(need, arrays)) for need, name in sources.items()}
    for need, array in found.items():
        if need.name.startswith("mc_") and array.shape[1] != need["draws"]:
            raise BadShape(
                f"{need.name} has {array.shape[1]} draws and strategy {strategy.name!r} reads {need['draws']}: "
                f"write {_drawing(strategy)}(draws={array.shape[1]})",
                got=array.shape[1],
            )
    return found


def _drawing(strategy: Strategy) -> str:
    """The name of the part that says how many draws it reads."""
    return next((one.name for one in with_inner(strategy) if "draws" in vars(one)), strategy.name)


def _nothing(need: Need, arrays: Mapping[str, Tensor]) -> Tensor:
    """No rows, as wide as those of the candidates."""
    alike = arrays.get(SOURCES.get((need.name, "candidates"), ""))
    return torch.empty(0, dtype=torch.int64) if alike is None else alike[:0]


def _sets(size: int, arrays: Mapping[str, Tensor]) -> dict[Over, Tensor]:
    """Labelled items get the ids after the candidates'."""
    widths = {name: arrays[name].shape[1] for name in ("embedding", "labelled_embedding") if name in arrays}
    if len(set(widths.values())) > 1:
        raise BadShape(f"embedding and labelled_embedding differ in width: {widths}", got=widths)
    sizes = {name: len(arrays[name]) for name in LABELLED if name in arrays}
    if len(set(sizes.values())) > 1:
        raise BadShape(f"labelled_embedding and labels disagree: {sizes}", got=sizes)
    if "labels" in arrays and "predictions" in arrays and arrays["predictions"].shape[1] != 1:
        shape = tuple(arrays["predictions"].shape)
        raise BadShape(f"predictions have shape {shape} and labels one number per item: (N, 1) is needed", got=shape)
    labelled = size + next(iter(sizes.values()), 0)
    targets = labelled + len(arrays.get(TARGETS[0], ()))
    return {"labelled": torch.arange(size, labelled), "targets": torch.arange(labelled, targets)}


def _rows(need: Need, array: Tensor, sets: Mapping[Over, Tensor]) -> Tensor:
    """Rows of the candidates asked for, as a slice where they are contiguous; all rows of other sets."""
    rows, first, name = array, 0, SOURCES[need.name, need.over]
    if need.over == "candidates":
        ids = sets["candidates"]
        first, last = int(ids[0]), int(ids[-1])
        rows = array[first : last + 1] if last - first + 1 == len(ids) else array[ids]
    if len(rows) and need.name in ("probs", "mc_probs"):
        _check_probs(name, rows, first)
    if len(rows) and need.name in ("label_probs", "mc_label_probs"):
        _check_label_probs(name, rows, first)
    return rows


def _check_label_probs(name: str, rows: Tensor, first: int) -> None:
    """Raises unless all are in [0, 1], within the rounding of their type."""
    inside = (rows >= -_slack(rows)) & (rows <= 1 + _slack(rows))
    if bool(inside.all()):
        return
    row = int((~inside).flatten(1).any(1).nonzero()[0])
    raise InputError(
        f"{name} are not probabilities: row {first + row} holds {float(rows[row][~inside[row]][0]):.4f}; "
        "give sigmoid outputs, not logits",
        got=first + row,
    )


def _slack(rows: Tensor) -> float:
    return 1e-2 if rows.dtype in (torch.float16, torch.bfloat16) else 1e-3


def _check_probs(name: str, rows: Tensor, first: int) -> None:
    """Raises unless rows are not negative and sum to one, within the rounding of their type."""
    total = torch.from_numpy(rows.numpy().sum(-1, dtype=np.float32)) if rows.dtype == torch.float16 else rows.sum(-1)
    slack = _slack(rows)
    wrong = ~((total - 1).abs() <= slack)
    if bool(wrong.any()) or float(rows.min()) < -slack:
        row = int((wrong.flatten(1).any(1) if wrong.ndim > 1 else wrong).nonzero()[:1].sum())
        raise InputError(
            f"{name} are not probabilities: row {first + row} sums to {float(total[row].flatten()[0]):.4f} "
            "or holds a negative number; give softmax outputs, not logits",
            got=first + row,
        )


def _classes(arrays: Mapping[str, Tensor]) -> int | None:
    return next((arrays[name].shape[-1] for name in ("probs", "mc_probs", "logits") if name in arrays), None)
