"""Hand-made pools for strategies: model outputs without a model, addressed by the needs that a strategy declares.

Every value is exact in float16, so the same scene in three precisions holds the same numbers; equal items have equal
outputs under every need; nothing depends on a global generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from askwell.core.needs import (
    ANNOTATORS,
    COST,
    EMBEDDING,
    FEATURES,
    HEAD,
    LABEL_PROBS,
    LABELS,
    LOGITS,
    MC_LABEL_PROBS,
    MC_PREDICTIONS,
    MC_PROBS,
    MEAN_ENTROPY,
    MEAN_PROBS,
    NETWORK,
    PREDICTIONS,
    PROBS,
    VOTE_SHARES,
    VOTES,
    Need,
    Over,
)
from askwell.core.pool import Form
from askwell.core.store import Vote
from askwell.core.view import Sliced, View
from askwell.errors import UnknownName
from askwell.functional.information import mean_entropy

__all__ = ["Extra", "Scene", "Scenes", "exact_label_probs", "exact_probs", "sentences", "view_of"]

STANDARD = (
    PROBS, LOGITS, EMBEDDING, FEATURES, MC_PROBS, LABEL_PROBS, MC_LABEL_PROBS, PREDICTIONS, MC_PREDICTIONS, COST, HEAD,
    MEAN_PROBS, MEAN_ENTROPY, VOTE_SHARES, NETWORK, LABELS, VOTES, ANNOTATORS,
)  # fmt: skip
NAMED = {need.name: need for need in STANDARD}
GRID = 1024

Extra = Callable[["Scene", Need, Tensor], Any]
"""Gives a need of one's own: (scene, need, ids of the need's set) -> rows in the order of the ids, or a function."""


def exact_probs(logits: Tensor) -> Tensor:
    """Softmax (…, C) on a grid of 1/1024: float64 rows that sum to one and are exact in float16.

    >>> exact_probs(torch.tensor([[0.0, 0.0], [1e4, 0.0]]))
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]], dtype=torch.float64)
    """
    cells = (logits.double().softmax(-1) * GRID).floor()
    cells.scatter_add_(-1, cells.argmax(-1, keepdim=True), GRID - cells.sum(-1, keepdim=True))
    return cells / GRID


def exact_label_probs(logits: Tensor) -> Tensor:
    """Sigmoid of each logit on the same grid: float64, exact in float16.

    >>> exact_label_probs(torch.tensor([[0.0, 1e4]]))
    tensor([[0.5000, 1.0000]], dtype=torch.float64)
    """
    return (logits.double().sigmoid() * GRID).round() / GRID


@dataclass(frozen=True)
class Scene:
    """Outputs for P pool items, of which N are candidates and M are labelled; letters as in docs/shapes.md.

    logits (P, C), embedding (P, D) float64; truth (P,) class indices; ids: set -> (n,) positions in the pool.
    `spread` is how far draws such as those of `mc_probs` lie apart; `extra` gives needs of one's own by name.

    For other tasks the logits are those of labels that are each there or not, the first one is the predicted number,
    and the class index is the number that is the label.
    """

    name: str
    logits: Tensor
    embedding: Tensor
    truth: Tensor
    sets: Mapping[Over, Tensor]
    dtype: torch.dtype = torch.float32
    spread: float = 0.5
    extra: Mapping[str, Extra] = field(default_factory=dict)

    @property
    def ids(self) -> Tensor:
        """(N,) positions of the candidates."""
        return self.sets["candidates"]

    @property
    def classes(self) -> int:
        """C."""
        return self.logits.shape[1]

    def value(self, need: Need, ids: Tensor) -> Any:
        """What a view gives for the need over these ids; a fresh tensor every time."""
        if need.name in self.extra:
            return self.extra[need.name](self, need, ids)
        if need.kind == "rows" or need.name == "cost":
            return self.pool_wide(need)[ids]
        return self._table(need, ids)

    def pool_wide(self, need: Need) -> Tensor:
        """(P, …) the need's tensor over all pool items."""
        makers: dict[str, Callable[[], Tensor]] = {
            "probs": lambda: exact_probs(self.logits),
            "logits": lambda: self.logits,
            "embedding": lambda: self.embedding,
            "features": lambda: self.embedding.flip(1),
            "mc_probs": lambda: exact_probs(self._draws(int(need["draws"]))),
            "label_probs": lambda: exact_label_probs(self.logits),
            "mean_probs": lambda: exact_probs(self._draws(int(need["draws"]))).mean(1).half(),
            "mean_entropy": lambda: mean_entropy(exact_probs(self._draws(int(need["draws"])))).half(),
            "vote_shares": lambda: _shares(self._draws(int(need["draws"]))).half(),
            "mc_label_probs": lambda: exact_label_probs(self._draws(int(need["draws"]))),
            "predictions": lambda: self.logits[:, :1],
            "mc_predictions": lambda: self._draws(int(need["draws"]))[..., :1].half(),
            "cost": lambda: 1 + self.embedding[:, 0].abs(),
        }
        if need.name not in makers:
            raise UnknownName("need in this scene: give it in `extra`;", need.name, {*NAMED, *self.extra})
        return makers[need.name]().to(self.dtype)

    def view(
        self,
        needs: Iterable[Need],
        *,
        generous: bool = True,
        sliced: bool = False,
        edit: Callable[[Need, Any], Any] = lambda need, value: value,
        of: type[View] = View,
    ) -> View:
        """The candidates as a strategy sees them.

        generous  every standard need may be read, so that one check alone answers for undeclared reading
        sliced    tensors over candidates come as rows of a pool-wide tensor, as the engine may give them
        edit      changes or records each value on its way
        """
        allowed = tuple(dict.fromkeys((*needs, *(STANDARD if generous else ()))))
        give = self._slice if sliced else self.value

        def fetch(wanted: tuple[Need, ...], sets: Mapping[Over, Tensor]) -> dict[Need, Any]:
            return {need: edit(need, give(need, sets.get(need.over, self.ids[:0]))) for need in wanted}

        return of(
            self.ids,
            allowed,
            fetch,
            sets={over: ids for over, ids in self.sets.items() if over != "candidates"},
            num_classes=self.classes,
        )

    def permuted(self, order: Tensor) -> Scene:
        """The same candidates standing at other ids: the i-th id gets the item of the order[i]-th."""
        place = torch.arange(len(self.logits))
        place[self.ids] = self.ids[order]
        return replace(self, logits=self.logits[place], embedding=self.embedding[place], truth=self.truth[place])

    def at(self, ids: Tensor, size: int) -> Scene:
        """The same items at other positions of a pool of `size`: `ids` (P,) ascending says where each one goes."""
        moved = {over: ids[places] for over, places in self.sets.items()}
        logits, embedding, truth = (_spread(rows, ids, size) for rows in (self.logits, self.embedding, self.truth))
        return replace(self, sets=moved, logits=logits, embedding=embedding, truth=truth)

    def _slice(self, need: Need, ids: Tensor) -> Any:
        if need.kind != "rows" or need.over != "candidates" or need.name in self.extra:
            return self.value(need, ids)
        return Sliced(self.pool_wide(need), ids)

    def _draws(self, draws: int) -> Tensor:
        """(P, K, C) logits: each draw adds its own linear function of the embedding."""
        planes = torch.randn(
            draws,
            self.embedding.shape[1],
            self.classes,
            generator=torch.Generator().manual_seed(11),
            dtype=torch.float64,
        )
        return self.logits[:, None] + self.spread * torch.einsum("pd,kdc->pkc", self.embedding, planes)

    def _table(self, need: Need, ids: Tensor) -> Any:
        if need.name == "labels":
            return self.truth[ids]
        if need.name == "votes":
            return tuple(
                Vote(seq, seq, item, "", "ann", int(self.truth[item]), 1.0, 0.0)
                for seq, item in enumerate(ids.tolist())
            )
        if need.name == "annotators":
            return {"ann": 0, "bob": 1, "cid": 2}
        if need.name == "head":
            plane = torch.linspace(-1, 1, self.embedding.shape[1] * self.classes).half()
            return lambda z: z @ plane.reshape(-1, self.classes).to(z.dtype)
        if need.name == "network":
            return SceneNetwork(self.embedding.float(), self.classes)
        raise UnknownName("need in this scene: give it in `extra`;", need.name, {*NAMED, *self.extra})


class SceneNetwork:
    """`core.network.Network` of a scene: two layers over its embeddings, which are its items."""

    def __init__(self, rows: Tensor, classes: int) -> None:
        rng, width = torch.Generator().manual_seed(12), rows.shape[1]
        self._rows, self.form = rows, Form("vector", (width,))
        self.marks: tuple[int, ...] = ()
        self.weights = {
            "stage": torch.randn(width, width, generator=rng), "head": torch.randn(width, classes, generator=rng)
        }  # fmt: skip

    def items(self, ids: Tensor) -> Tensor:
        """(n, D) the items."""
        return self._rows[ids]

    def inputs(self, items: Tensor) -> Tensor:
        """The items themselves."""
        return items

    def __call__(self, items: Tensor, inputs: Tensor | None = None) -> Tensor:
        """(n, C) outputs."""
        return self.embed(items, inputs)[0] @ self.weights["head"]

    def embed(self, items: Tensor, inputs: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """z (n, D), which is also the one tap."""
        z = ((items if inputs is None else inputs) @ self.weights["stage"]).tanh()
        return z, (z,)

    def at(self, weights: Mapping[str, Tensor], items: Tensor) -> Tensor:
        """(n, C) outputs with these weights."""
        outputs: Tensor = (items @ weights["stage"]).tanh() @ weights["head"]
        return outputs


class SceneSentences(SceneNetwork):
    """`core.network.Network` of a scene whose items are sentences: a word for each number of the embedding, and an end.

    Words are what the numbers are when rounded, so that some sentences are short and some repeat a word.
    """

    WORDS = 12

    def __init__(self, rows: Tensor, classes: int) -> None:
        super().__init__(rows, classes)
        width, rng = rows.shape[1], torch.Generator().manual_seed(13)
        words = (2 * rows).round().long().clamp(-self.WORDS // 2, self.WORDS // 2 - 1) % self.WORDS
        self._rows = torch.nn.functional.pad(words, (0, 1))
        self.form, self.marks = Form("tokens", (width + 1,), self.WORDS), (0,)
        self.weights = {"words": torch.randn(self.WORDS, width, generator=rng), **self.weights}

    def inputs(self, items: Tensor) -> Tensor:
        """(n, L, E) the vectors of the words."""
        return self.weights["words"][items]

    def embed(self, items: Tensor, inputs: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """z (n, E), the mean over the words, and as taps their vectors and z."""
        vectors = self.inputs(items) if inputs is None else inputs
        z = (vectors @ self.weights["stage"]).tanh().mean(1)
        return z, (vectors, z)

    def at(self, weights: Mapping[str, Tensor], items: Tensor) -> Tensor:
        """(n, C) outputs with these weights."""
        outputs: Tensor = (weights["words"][items] @ weights["stage"]).tanh().mean(1) @ weights["head"]
        return outputs


def sentences(scene: Scene, need: Need, ids: Tensor) -> SceneSentences:
    """An `Extra` for the need network, for strategies that read words.

    >>> Scenes({"network": sentences})("plain").view([NETWORK])[NETWORK].items(torch.tensor([0]))
    tensor([[11,  4,  0,  1,  1,  0,  0]])
    """
    return SceneSentences(scene.embedding.float(), scene.classes)


def _shares(draws: Tensor) -> Tensor:
    """(P, C) shares of the largest of each draw's logits."""
    return torch.nn.functional.one_hot(draws.argmax(2), draws.shape[2]).double().mean(1)


def _spread(rows: Tensor, ids: Tensor, size: int) -> Tensor:
    out = rows.new_zeros(size, *rows.shape[1:])
    out[ids] = rows
    return out


@dataclass(frozen=True)
class Scenes:
    """Makes scenes by name. `extra` gives needs that only one's own strategies read.

    >>> Scenes()("uniform").view([PROBS])[PROBS][0]
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    extra: Mapping[str, Extra] = field(default_factory=lambda: MappingProxyType({}))

    def __call__(
        self, name: str = "plain", n: int = 26, classes: int = 4, width: int = 6, dtype: torch.dtype = torch.float32
    ) -> Scene:
        """A pool of n candidates, 8 labelled, 4 validation and 4 target items."""
        if name not in KINDS:
            raise UnknownName("scene", name, KINDS)
        return replace(KINDS[name](n, classes, width), name=name, dtype=dtype, extra=self.extra)


def _plain(n: int, classes: int, width: int) -> Scene:
    size, rng = n + 16, torch.Generator().manual_seed(20)
    logits = (2 * torch.randn(size, classes, generator=rng)).half().double()
    embedding = torch.randn(size, width, generator=rng).half().double()
    candidates, labelled, validation, targets = torch.arange(size).tensor_split((n, n + 8, n + 12))
    sets: dict[Over, Tensor] = {
        "candidates": candidates, "labelled": labelled, "validation": validation, "targets": targets,
    }  # fmt: skip
    return Scene("plain", logits, embedding, torch.arange(size) % classes, sets)


def _identical(n: int, classes: int, width: int) -> Scene:
    scene = _plain(n, classes, width)
    return replace(
        scene, logits=scene.logits[:1].expand_as(scene.logits), embedding=scene.embedding[:1].expand_as(scene.embedding)
    )


def _one_hot(n: int, classes: int, width: int) -> Scene:
    scene = _plain(n, classes, width)
    sure = torch.nn.functional.one_hot(torch.arange(len(scene.logits)) % classes, classes)
    return replace(scene, logits=sure.double() * 20000)


def _uniform(n: int, classes: int, width: int) -> Scene:
    scene = _plain(n, classes, width)
    return replace(scene, logits=torch.zeros_like(scene.logits), spread=0.0)


def _one_class(n: int, classes: int, width: int) -> Scene:
    scene = _plain(n, classes, width)
    return replace(scene, truth=torch.zeros_like(scene.truth))


def _no_labels(n: int, classes: int, width: int) -> Scene:
    scene = _plain(n, classes, width)
    return replace(scene, sets={**scene.sets, "labelled": scene.ids[:0]})


def _gaps(n: int, classes: int, width: int) -> Scene:
    scene = _plain(n, classes, width)
    ids = 5 + 3 * torch.arange(len(scene.logits)) + torch.arange(len(scene.logits)) // 2
    return scene.at(ids, int(ids[-1]) + 9)


def _thousand_classes(n: int, classes: int, width: int) -> Scene:
    return _plain(n, 1000, width)


KINDS: dict[str, Callable[[int, int, int], Scene]] = {
    "plain": _plain,
    "identical": _identical,
    "one_hot": _one_hot,
    "uniform": _uniform,
    "one_class": _one_class,
    "gaps": _gaps,
    "thousand_classes": _thousand_classes,
    "no_labels": _no_labels,
}


def view_of(ids: Tensor | None = None, labelled: Tensor | None = None, **tensors: Any) -> View:
    """A view of one's own numbers: `probs`, `mc_probs`, `embedding`, …; `labelled_embedding` is over labelled items.

    >>> view = view_of(probs=torch.tensor([[0.9, 0.1], [0.5, 0.5]]), ids=torch.tensor([3, 8]))
    >>> view.pick(view[PROBS].max(1).values.argsort()).ids
    tensor([8, 3])
    """
    values = {_need(name, value): value for name, value in tensors.items()}
    if ids is None:
        ids = torch.arange(_count(values, "candidates"))
    if labelled is None:
        labelled = torch.arange(_count(values, "labelled")) + (int(ids[-1]) + 1 if len(ids) else 0)
    classes = next((value.shape[-1] for need, value in values.items() if need.name.endswith("probs")), None)
    places = {"candidates": ids, "labelled": labelled}

    def fetch(wanted: tuple[Need, ...], sets: Mapping[Over, Tensor]) -> dict[Need, Any]:
        return {need: _rows(values[need], places.get(need.over), sets.get(need.over)) for need in wanted}

    return View(ids, tuple(values), fetch, sets={"labelled": labelled}, num_classes=classes)


def _rows(value: Any, ids: Tensor | None, wanted: Tensor | None) -> Any:
    """The rows of `wanted`, where the value is a tensor over `ids`."""
    if not isinstance(value, Tensor) or ids is None or wanted is None:
        return value
    return value[torch.searchsorted(ids, wanted)]


def _need(name: str, value: Any) -> Need:
    bare = name.removeprefix("labelled_")
    if bare not in NAMED:
        raise UnknownName("tensor", name, [*NAMED, *(f"labelled_{key}" for key in NAMED)])
    need = NAMED[bare](draws=value.shape[1]) if bare.startswith("mc_") else NAMED[bare]
    return need if bare == name else need.at("labelled")


def _count(values: Mapping[Need, Any], over: str) -> int:
    return next((len(value) for need, value in values.items() if need.over == over), 0)
