"""How important labelled items are to a fitted learner."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from askwell.core.learner import Learner
from askwell.core.needs import EMBEDDING, NETWORK, PROBS
from askwell.core.network import Network
from askwell.core.pool import Pool
from askwell.core.seeds import Seeds
from askwell.errors import UnknownName, UnmetNeeds
from askwell.functional.importance import importance, last_layer_importance, tile_width
from askwell.functional.tiles import tiles

__all__ = ["Layers", "gradient_importance"]

Layers = Literal["all", "last"]


def gradient_importance(
    learner: Learner, pool: Pool, ids: Tensor, labels: Tensor, layers: Layers = "all", seed: int = 0
) -> Tensor:
    """‖∂ℓ(x, y)/∂θ‖ of labelled items by a fitted model, (M,) >= 0: the more important, the longer.

    ids     (M,) int64, `labels` (M,) int64 class indices
    layers  "all" weights of a network; "last" those of its last layer, for any learner with embeddings
    seed    of draws, for learners that draw

    Raises `UnmetNeeds` for a learner that does not offer what is read. O(M) gradients of the network, each by itself,
    or a forward pass.

    Vodrahalli, Li and Malik 2018, "Are All Training Examples Created Equal?", arXiv 1811.12569.

    >>> from askwell.learners import Net
    >>> from askwell.models import MLP
    >>> from askwell.schemes import Supervised
    >>> from askwell.testing.toys import toy
    >>> problem = toy("vector")
    >>> learner = Net(MLP(width=8, depth=1)).build(problem.pool.form, problem.task, Supervised(steps=5))
    >>> _ = learner.fit(problem.pool, problem.job(), Seeds(1))
    >>> ids = problem.labelled
    >>> gradient_importance(learner, problem.pool, ids, problem.targets(ids)).shape
    torch.Size([36])
    """
    if layers not in get_args(Layers):
        raise UnknownName("layers", layers, get_args(Layers))
    wanted = (NETWORK,) if layers == "all" else (PROBS.at("labelled"), EMBEDDING.at("labelled"))
    missing = [need.name for need in wanted if need.name not in learner.provides]
    if missing:
        raise UnmetNeeds(f"gradient importance needs {', '.join(missing)}, which this learner does not offer", missing)
    found = learner.compute(pool, wanted, {"labelled": ids}, Seeds(seed))
    if layers == "last":
        p, z = (found[need] for need in wanted)
        return last_layer_importance(p, labels, z)
    return _of_all(found[NETWORK], ids, labels)


def _of_all(network: Network, ids: Tensor, labels: Tensor) -> Tensor:
    weights, out = network.weights, torch.empty(len(ids))
    for where in tiles(len(ids), tile_width(weights), ids.device):
        items = network.items(ids[where])
        out[where] = importance(network.at, weights, items, labels[where].to(items.device)).cpu()
    return out
