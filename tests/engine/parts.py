"""Parts that other people might write, for the end-to-end tests: a box task, a crowd, strategies that make items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from askwell.core.needs import FEATURES, Need
from askwell.core.oracle import Annotation, Question
from askwell.core.strategy import Strategy
from askwell.core.task import Task
from askwell.core.view import Batch, Made, View
from askwell.errors import BadLabel


@dataclass(frozen=True)
class SingleBox(Task):
    """One box per image: [x0, y0, x1, y1] as shares of the sides."""

    form: ClassVar[str] = "box"
    headline: ClassVar[str] = "iou"

    @property
    def outputs(self) -> int:
        return 4

    def check(self, value: Any) -> list[float]:
        box = [float(side) for side in value]
        if len(box) != 4 or not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
            raise BadLabel(f"a box is [x0, y0, x1, y1] with 0 <= x0 < x1 <= 1, got {value}", got=value)
        return box

    def encode(self, values: Sequence[Any]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32).reshape(-1, 4)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.smooth_l1_loss(outputs, targets, reduction="none", beta=0.1).sum(1)

    def predict(self, outputs: Tensor) -> Tensor:
        return outputs.clamp(0, 1)

    def decide(self, predictions: Tensor) -> list[Any]:
        return predictions.tolist()

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        low, high = torch.maximum(outputs[:, :2], targets[:, :2]), torch.minimum(outputs[:, 2:], targets[:, 2:])
        shared = (high - low).clamp(min=0).prod(1)
        areas = [(box[:, 2:] - box[:, :2]).clamp(min=0).prod(1) for box in (outputs, targets)]
        return {"iou": float((shared / (areas[0] + areas[1] - shared).clamp(min=1e-9)).mean())}


@dataclass(frozen=True)
class Pair:
    """Two annotators: the first always right, the second always one class too high."""

    labels: tuple[int, ...]
    classes: int

    @property
    def annotators(self) -> Sequence[str]:
        return ("ann", "bob")

    def answer(
        self, questions: Sequence[Question], annotator: str, rng: Callable[[int], Generator]
    ) -> Iterator[Annotation]:
        for question in questions:
            label = self.labels[question.position] + (annotator == "bob")
            yield Annotation(
                question.id, annotator, value=label % self.classes, cost=2.0 if annotator == "ann" else 0.5
            )

    def config(self) -> dict[str, Any]:
        return {"oracle": "pair"}


@dataclass(frozen=True)
class Nearest:
    """Truth that can also answer for made items: the label of the nearest real one."""

    points: Any
    labels: Any

    @property
    def annotators(self) -> Sequence[str]:
        return ("nearest",)

    def answer(
        self, questions: Sequence[Question], annotator: str, rng: Callable[[int], Generator]
    ) -> Iterator[Annotation]:
        for question in questions:
            row = int(((self.points - np.asarray(question.item)) ** 2).sum(1).argmin())
            yield Annotation(question.id, annotator, value=int(self.labels[row]))

    def config(self) -> dict[str, Any]:
        return {"oracle": "nearest"}


@dataclass(frozen=True)
class Midpoints(Strategy):
    """Makes items half-way between random candidates, and a copy of each first parent."""

    asks = "made"

    @property
    def needs(self) -> tuple[Need, ...]:
        return (FEATURES,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        points = view[FEATURES]
        rows = torch.randint(len(view), (n, 2), generator=rng)
        asked = [Made(points[pair].mean(0).numpy(), how="midpoint") for pair in rows]
        parents = view.ids_of("labelled")[: n // 2].tolist()
        copies = [Made(points[0].numpy(), parent, "copy", "copy") for parent in parents]
        state = {"made": view.state.get("made", 0) + n}
        return Batch(view.ids[:0], made=(*asked, *copies), state=state)
