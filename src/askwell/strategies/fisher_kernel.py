"""Fisher kernel: candidates that resemble what the model gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy

from askwell.core.needs import HEAD, LABELS, NETWORK, Need
from askwell.core.network import Network
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.functional.cover import k_center
from askwell.functional.fisher_kernel import (
    Alike,
    interleaved,
    likeness,
    matches,
    most_alike,
    pooled,
    standardised,
)
from askwell.functional.pick import filled, top, uniform
from askwell.functional.steps import counting
from askwell.functional.uncertainty import entropy
from askwell.strategies.labels import class_indices

__all__ = ["FisherKernel"]

Pseudo = Literal["predicted", "features", "both"]
BATCH = 128


@dataclass(frozen=True)
class FisherKernel(Strategy):
    """Asks for the candidates that are most like validation items that the model gets wrong: for pools that are biased.

    pseudo   the label by which a candidate's gradient is taken: "predicted" by the model; that of the validation item
             most alike in "features", or in "both" features and gradients
    matches  candidates that are looked up for each validation item

    Reads the network's hidden features at every layer, averaged over the picture or the places of a text, and the
    gradients of the loss with respect to them, with labels (V,) of validation items. Layer by layer both are
    standardised; two items are as alike as the sum of their inner products, the score of a pick. Of more than Q wrong
    validation items, Q far apart are kept. All their best matches come first, the most alike ahead, then all second
    best, and so on; where matches run out, the candidates most like any of them. If no validation item is wrong it
    asks by entropy. O(N·V·D) for D features of all layers together, O(N·D) memory.

    Gudovskiy et al. 2020, "Deep Active Learning for Biased Datasets via Fisher Kernel Self-Supervision",
    arXiv 2003.00393.

    >>> from askwell.testing.scenes import Scenes
    >>> view = Scenes()("plain").view(FisherKernel().needs)
    >>> FisherKernel().select(view, 2, torch.Generator().manual_seed(0))
    Batch(ids=tensor([ 6, 11]), scores=tensor([7.4404, 6.6015]), ...)
    """

    one_class: ClassVar[bool] = True
    cost: ClassVar[str] = "O(N·V·D), D of all layers together"

    pseudo: Pseudo = "predicted"
    matches: int = 32

    def __post_init__(self) -> None:
        if self.pseudo not in get_args(Pseudo):
            raise UnknownName("pseudo-label", self.pseudo, get_args(Pseudo))
        if self.matches < 1:
            raise InputError(f"matches of 'fisher_kernel' are {self.matches}: at least 1 is needed", got=self.matches)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (NETWORK, HEAD, LABELS.at("validation"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        labels, checked = self._labels(view), view.ids_of("validation")
        network = _Layers(view[NETWORK], view[HEAD])
        known = network.described(checked, labels)
        wrong = (known.logits.argmax(1) != labels.to(known.logits.device)).nonzero()[:, 0]
        order = uniform(len(view), rng).argsort().to(view.ids.device)
        pool = network.described(view.ids[order])
        if not len(wrong):
            return _by_entropy(view, order, pool, n, rng)
        if self.pseudo != "predicted":
            pool = network.described(view.ids[order], self._borrowed(network, pool, checked, labels))
        targets = _spread(Alike(known.both[wrong], known.widths), n, rng)
        rows, scores = interleaved(matches(pool.both, targets, self.matches), n)
        if len(rows) < n:
            close = likeness(pool.both, targets)
            rows = filled(rows, n, close, rng)
            scores = torch.cat([scores, close[rows[len(scores) :]]])
        return view.pick(order[rows.to(order.device)], scores)

    def _labels(self, view: View) -> Tensor:
        """(V,) class indices of the validation items, at least one."""
        labels = view[LABELS.at("validation")]
        if not len(labels):
            raise UnmetNeeds(
                "strategy 'fisher_kernel' needs labelled validation items and there are none", ["validation"]
            )
        return class_indices(self.name, labels)

    def _borrowed(self, network: _Layers, pool: _Described, checked: Tensor, labels: Tensor) -> Tensor:
        """(N,) labels of the validation items that are most alike, by the model's own labels on both sides."""
        known = network.described(checked)
        if self.pseudo == "both":
            return labels[most_alike(pool.both, known.both).to(labels.device)]
        return labels[most_alike(pool.features, known.features).to(labels.device)]


class _Described(NamedTuple):
    """Items as descriptors: standardised features (n, S) and gradients (n, S), outputs, and widths of the blocks."""

    features: Tensor
    gradients: Tensor
    logits: Tensor
    widths: tuple[int, ...]

    @property
    def both(self) -> Tensor:
        """(n, 2·S)."""
        return torch.cat([self.features, self.gradients], 1)


class _Layers:
    """A network by its layers: hidden features, and how the loss depends on them."""

    def __init__(self, network: Network, head: Any) -> None:
        self.network, self.head = network, head

    def described(self, ids: Tensor, labels: Tensor | None = None) -> _Described:
        """Descriptors of items (n,), with gradients for these labels (n,), or for the classes that are predicted."""
        parts, done = [], counting(len(ids), "describing")
        for start in range(0, len(ids), BATCH):
            some = slice(start, start + BATCH)
            parts.append(self._batch(ids[some], None if labels is None else labels[some]))
            done(min(some.stop, len(ids)))
        features, gradients, logits = (torch.cat(rows) for rows in zip(*(part[:3] for part in parts), strict=True))
        return _Described(features, gradients, logits, parts[0].widths)

    def _batch(self, ids: Tensor, labels: Tensor | None) -> _Described:
        items = self.network.items(ids)
        with torch.enable_grad():
            inputs = self.network.inputs(items).detach().requires_grad_()
            z, taps = self.network.embed(items, inputs)
            layers = taps if any(tap is z for tap in taps) else (*taps, z)
            logits = self.head(z)
            labels = logits.argmax(1) if labels is None else labels.to(logits.device)
            loss = cross_entropy(logits, labels, reduction="sum")
            slopes = torch.autograd.grad(loss, layers, materialize_grads=True)
        features, gradients = _blocks(layers), _blocks(slopes)
        widths = tuple(block.shape[1] for block in (*features, *gradients))
        return _Described(torch.cat(features, 1), torch.cat(gradients, 1), logits.detach(), widths)


def _blocks(layers: Sequence[Tensor]) -> list[Tensor]:
    return [standardised(pooled(layer.detach().float())) for layer in layers]


def _spread(targets: Alike, n: int, rng: Generator) -> Tensor:
    """(T, S) at most n of the targets, far apart."""
    if len(targets) <= n:
        return targets.rows
    return targets.rows[k_center(targets, n, uniform(len(targets), rng).to(targets.rows.device)).rows]


def _by_entropy(view: View, order: Tensor, pool: _Described, n: int, rng: Generator) -> Batch:
    doubt = entropy(pool.logits.float().softmax(1))
    rows = top(doubt, n, rng)
    return view.pick(order[rows.to(order.device)], doubt[rows])
