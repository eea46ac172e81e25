"""Weights from labels that are there already, such as those of other users, for rounds that go on from them."""

from __future__ import annotations

from pathlib import Path

import torch

from askwell.core.learner import Job, Progress
from askwell.core.recipe import Recipe
from askwell.core.seeds import Seeds
from askwell.core.spec import digest
from askwell.data import Data
from askwell.engine.assemble import check, task_for
from askwell.errors import InputError

__all__ = ["pretrain"]


def pretrain(
    data: Data,
    recipe: Recipe,
    folder: str | Path = "pretrained",
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Path:
    """Trains the recipe's learner by its scheme on every label of the candidates; returns the file of its weights.

    The file's name is a hash of recipe, data, candidates and seed, so that it is made once. A later run starts from it
    with the policy ("warm", path), or with ("given", path) in every round.

    >>> import tempfile
    >>> from askwell.engine.assemble import assemble
    >>> from askwell.data import load
    >>> data = load("digits", pool_size=100)
    >>> recipe = assemble("margin", form=data.pool.form, model="mlp(width=8)", scheme="supervised(steps=5)")
    >>> pretrain(data, recipe, tempfile.mkdtemp()).suffix
    '.safetensors'
    """
    check(recipe, data, device)
    ids = torch.from_numpy(data.split.candidates[data.known[data.split.candidates]])
    if data.labels is None or not len(ids):
        raise InputError(f"{data.name} has no labels to train on", got=data.name)
    task = task_for(recipe, data.classes)
    named = [recipe.config(), data.digest, ids.tolist(), seed, device, torch.get_num_threads()]
    path = Path(folder) / f"{data.name}-{digest(named)[:12]}.safetensors"
    if path.is_file():
        return path
    learner = recipe.learner.build(data.pool.form, task, recipe.scheme, device)
    none = torch.empty(0, dtype=torch.int64)
    targets = task.encode([task.check(data.labels[position]) for position in ids.tolist()])
    learner.fit(data.pool, Job(ids, targets, none, none, task.encode([])), Seeds(seed).child("pretrain"), progress)
    learner.save(path)
    return path
