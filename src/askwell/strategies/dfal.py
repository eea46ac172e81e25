"""DFAL: items that the smallest attack on their input gives another class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Generator, Tensor

from askwell.core.needs import NETWORK, Need
from askwell.core.network import Network
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, Made, View
from askwell.errors import InputError
from askwell.functional.deepfool import Attack, boundary_scores, deepfool
from askwell.functional.pick import top

__all__ = ["DFAL"]

ROWS = 128


@dataclass(frozen=True)
class DFAL(Strategy):
    """Attacks every candidate's input by DeepFool and asks where the least shift changes the predicted class.

    overshoot  how much further than the boundary an item is moved, as a share of the way
    eta        added to the difference of two logits in every step; some public codes take 1e-4
    steps      of one attack, at most; classes: the highest logits that an attack looks at
    clip       keeps pictures in [0, 1] while they are attacked; vectors have no range
    copies     the attacked item joins training with the label of its original, which costs nothing

    Scores (N,) are minus the lengths of the shifts. What no attack flips comes last, 1 below the longest shift, and has
    no copy. Takes vectors and pictures. O(N·steps·classes) backward passes, most items leaving after a few steps;
    memory for 128 of them: `subsample` first where the pool is large.

    Ducoffe & Precioso 2018, "Adversarial Active Learning for Deep Networks", arXiv 1802.09841.

    >>> from askwell.testing import Scenes
    >>> batch = DFAL().select(Scenes()("plain").view([NETWORK]), 2, Generator().manual_seed(0))
    >>> batch.ids.tolist() == [made.parent for made in batch.made], [made.role for made in batch.made]
    (True, ['copy', 'copy'])
    """

    one_class: ClassVar[bool] = True
    forms: ClassVar[frozenset[str]] = frozenset({"vector", "image"})
    cost: ClassVar[str] = "O(N·steps·classes) backward passes"

    overshoot: float = 0.02
    eta: float = 0.0
    steps: int = 50
    classes: int = 10
    clip: bool = False
    copies: bool = True

    def __post_init__(self) -> None:
        if not (self.overshoot >= 0 and self.eta >= 0):
            raise InputError(f"overshoot and eta must not be negative, got {self.overshoot} and {self.eta}")
        if self.steps < 1 or self.classes < 2:
            raise InputError(f"steps must be at least 1 and classes at least 2, got {self.steps} and {self.classes}")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (NETWORK,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        network: Network = view[NETWORK]
        attacks = [attack for _, _, attack in self._attacks(network, view.ids)]
        flipped = torch.cat([attack.flipped for attack in attacks]).to(view.ids.device)
        lengths = torch.cat([attack.lengths for attack in attacks]).to(view.ids.device)
        scores = boundary_scores(lengths, flipped)
        rows = top(scores, n, rng)
        parents = view.ids[rows[flipped[rows]]] if self.copies else view.ids[:0]
        return view.pick(rows, scores[rows], made=tuple(self._copies(network, parents)))

    def _attacks(self, network: Network, ids: Tensor) -> Iterator[tuple[Tensor, Tensor, Attack]]:
        """Ids, items and their attacks, some at a time."""
        attack = partial(
            deepfool, logits=network, overshoot=self.overshoot, eta=self.eta, steps=self.steps, classes=self.classes,
            bounds=(0.0, 1.0) if self.clip and network.form.kind == "image" else None,
        )  # fmt: skip
        for some in torch.split(ids, ROWS):
            items = network.items(some)
            yield some, items, attack(items)

    def _copies(self, network: Network, parents: Tensor) -> Iterator[Made]:
        """The attacked items."""
        for some, items, attack in self._attacks(network, parents):
            moved = (items + (1 + self.overshoot) * attack.shift).cpu().numpy()
            for parent, payload in zip(some.tolist(), moved, strict=True):
                yield Made(payload, parent, "copy", "deepfool")
