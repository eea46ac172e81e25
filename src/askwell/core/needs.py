"""What a strategy may ask for. A strategy gets tensors, not models; a `Need` names one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

__all__ = [
    "ANNOTATORS",
    "COST",
    "DECODER",
    "EMBEDDING",
    "FEATURES",
    "HEAD",
    "LABELS",
    "LABEL_PROBS",
    "LATENT",
    "LATENT_SCORE",
    "LOGITS",
    "LOGIT_MOMENTS",
    "MC_LABEL_PROBS",
    "MC_PREDICTIONS",
    "MC_PROBS",
    "MEAN_ENTROPY",
    "MEAN_PROBS",
    "NETWORK",
    "PREDICTIONS",
    "PROBS",
    "SIMILARITY",
    "VOTES",
    "VOTE_SHARES",
    "WORDS",
    "Need",
    "Over",
]

Over = Literal["candidates", "labelled", "validation", "targets", "model"]
Kind = Literal["rows", "call", "table"]
Param = int | float | str


@dataclass(frozen=True)
class Need:
    """One tensor, function or table that a strategy reads from its view.

    kind     "rows": a tensor whose first axis follows the ids of the set `over`; "call": a function of
             the fitted model; "table": read from the label store, no model.
    over     the set of items that it is wanted for.
    params   sorted pairs; `MC_PROBS(draws=50)` is another need than `MC_PROBS`.

    >>> str(MC_PROBS(draws=50).at("labelled"))
    'mc_probs(draws=50)@labelled'
    """

    name: str
    over: Over = "candidates"
    kind: Kind = "rows"
    params: tuple[tuple[str, Param], ...] = ()

    def __call__(self, **params: Param) -> Need:
        """The same need with these parameters."""
        return replace(self, params=tuple(sorted({**dict(self.params), **params}.items())))

    def at(self, over: Over) -> Need:
        """The same need over another set of items."""
        return replace(self, over=over)

    def __getitem__(self, key: str) -> Param:
        return dict(self.params)[key]

    def __str__(self) -> str:
        inner = ", ".join(f"{key}={value}" for key, value in self.params)
        where = "" if self.over == "candidates" else f"@{self.over}"
        return self.name + (f"({inner})" if inner else "") + where


PROBS = Need("probs")
"""(N, C) class probabilities; rows sum to one."""
LOGITS = Need("logits")
"""(N, C) outputs before the softmax."""
LOGIT_MOMENTS = Need("logit_moments")
"""(N, C, 2) mean and variance of each logit, by a network with Gaussian weights; from a scheme that trains one."""
EMBEDDING = Need("embedding")
"""(N, D) input of the last linear layer, by the current model."""
FEATURES = Need("features")
"""(N, D) fixed vectors that no label has touched: self-supervised, pixels, tf-idf."""
MC_PROBS = Need("mc_probs", params=(("draws", 20),))
"""(N, K, C) probabilities of K draws or members; draw k is the same function for every item.

A committee with K members gives those: `draws` may not exceed them.
"""
MEAN_PROBS = Need("mean_probs", params=(("draws", 20),))
"""(N, C) mean of the probabilities of K draws or members, of which none is kept: as `MC_PROBS` without its size."""
MEAN_ENTROPY = Need("mean_entropy", params=(("draws", 20),))
"""(N,) mean of the entropies of K draws or members, in nats, as `MEAN_PROBS`."""
VOTE_SHARES = Need("vote_shares", params=(("draws", 20),))
"""(N, C) share of K draws or members whose most probable class it is, as `MEAN_PROBS`."""
LABEL_PROBS = Need("label_probs")
"""(N, C) probability of each label by itself, where an item may have several; rows need not sum to one."""
MC_LABEL_PROBS = Need("mc_label_probs", params=(("draws", 20),))
"""(N, K, C) probabilities of each label by itself, of K draws or members; as `MC_PROBS`."""
PREDICTIONS = Need("predictions")
"""(N, T) predicted numbers, in the units of the labels."""
MC_PREDICTIONS = Need("mc_predictions", params=(("draws", 20),))
"""(N, K, T) predicted numbers of K draws or members; as `MC_PROBS`."""
LABELS = Need("labels", over="labelled", kind="table")
"""Resolved labels as `Task.encode` has them: (M,) class indices, (M, C) of 0 and 1, or (M,) numbers."""
VOTES = Need("votes", over="labelled", kind="table")
"""All single answers behind the labels: a sequence of `core.store.Vote`, values as `Task.encode` has them."""
ANNOTATORS = Need("annotators", over="model", kind="table")
"""All who may be asked: name -> the number by which `Batch.annotators` names him."""
COST = Need("cost", kind="table")
"""(N,) price of labelling each candidate."""
WORDS = Need("words", kind="table")
"""(N, L) int64 numbers of the words of texts, 0 for padding; a word has the same number in every pool."""
LATENT_SCORE = Need("latent_score")
"""(N,) how little an item looks like a labelled one to a latent adversary; from the scheme that trains one."""
SIMILARITY = Need("similarity")
"""(N, D) vectors whose cosines say how alike items are; from a scheme that learns it from pairs of labels."""
LATENT = Need("latent")
"""(N, D) means of the Gaussians that a variational auto-encoder has for items; from a scheme that trains one."""
DECODER = Need("decoder", over="model", kind="call")
"""Function from latents (n, D) to items (n, …) of such an auto-encoder; a copy, gradients allowed."""
HEAD = Need("head", over="model", kind="call")
"""Function from embeddings (n, D) to logits (n, C); a copy, gradients allowed."""
NETWORK = Need("network", over="model", kind="call")
"""The fitted network as a function of its inputs, `core.network.Network`: a copy, gradients allowed."""
