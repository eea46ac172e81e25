"""Membership query synthesis: items of the learner's own making, on the boundary between two classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Generator, Tensor

from askwell.core.needs import DECODER, LATENT, NETWORK, Need
from askwell.core.network import Network
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, Made, View
from askwell.errors import InputError, UnknownName
from askwell.functional.distance import Points
from askwell.functional.neighbours import distinct_nearest, nearest
from askwell.functional.pick import some
from askwell.functional.synthesis import synthesise

__all__ = ["MembershipSynthesis"]

Space = Literal["inputs", "latent"]


class Ground(NamedTuple):
    """Where points are moved: of candidates (N, D), of labelled items (M, D), the least and the largest (D,) values.

    items  from points (n, D) to items (n, …)
    """

    pool: Tensor
    earlier: Tensor
    box: tuple[Tensor, Tensor]
    items: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class MembershipSynthesis(Strategy):
    """Makes items that the network cannot decide about, and asks for them or for the real ones next to them.

    space  "inputs": candidates are moved; "latent": draws of a variational auto-encoder's prior, whose decoder makes
           items of them, so that they look more like real ones. A scheme offers it, such as `with_vae`
    snap   each made item is replaced by the nearest candidate that is still free: people are often confused by made
           ones. False: made items are asked; each names the candidate nearest to it as its parent
    pull   weight of the squared distance to the nearest candidate; push: of the logarithm of the distance to the
           nearest labelled item or item made before it
    lr     of Adam; steps: of all items together

    Pictures stay in [0, 1], vectors and latents in the range of the candidates', number by number. Takes vectors and
    pictures, (N, D) numbers in all. O(steps·Q·(N + M + Q)·D) and as many passes of the network over Q items.

    Angluin 1988, "Queries and Concept Learning", doi:10.1007/BF00116828; what people make of made items: Baum & Lang
    1992, "Query Learning Can Work Poorly when a Human Oracle is Used". Gradients of the gap of two logits are ours.

    >>> from askwell.testing import Scenes
    >>> view = Scenes()("plain").view([NETWORK])
    >>> MembershipSynthesis(snap=False).select(view, 3, Generator().manual_seed(0)).made[0].role
    'ask'
    """

    one_class: ClassVar[bool] = True
    forms: ClassVar[frozenset[str]] = frozenset({"vector", "image"})
    cost: ClassVar[str] = "O(steps·Q·(N + M + Q)·D)"

    space: Space = "inputs"
    snap: bool = True
    pull: float = 0.1
    push: float = 0.01
    lr: float = 0.05
    steps: int = 100

    def __post_init__(self) -> None:
        if self.space not in get_args(Space):
            raise UnknownName("space", self.space, get_args(Space))
        if not (self.pull >= 0 and self.push >= 0):
            raise InputError(f"pull and push must not be negative, got {self.pull} and {self.push}")
        if self.steps < 1 or not self.lr > 0:
            raise InputError(f"steps must be at least 1 and lr above 0, got {self.steps} and {self.lr}")
        object.__setattr__(self, "asks", "unlabelled" if self.snap else "made")

    @property
    def needs(self) -> tuple[Need, ...]:
        return (NETWORK,) if self.space == "inputs" else (NETWORK, LATENT, LATENT.at("labelled"), DECODER)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        network: Network = view[NETWORK]
        ground = self._inputs(view, network) if self.space == "inputs" else self._latents(view, network)
        points = synthesise(
            self._start(ground, n, rng), lambda rows: network(ground.items(rows)), ground.pool, ground.earlier,
            ground.box, pull=self.pull, push=self.push, lr=self.lr, steps=self.steps,
        )  # fmt: skip
        if self.snap:
            return view.pick(distinct_nearest(points, Points(ground.pool), rng))
        parents = view.ids[nearest(points, Points(ground.pool)).to(view.ids.device)]
        return Batch(view.ids[:0], made=tuple(self._made(ground.items(points), parents)))

    def _start(self, ground: Ground, n: int, rng: Generator) -> Tensor:
        """(n, D) distinct candidates at random, or draws of the prior."""
        if self.space == "inputs":
            return ground.pool[some(len(ground.pool), n, rng).to(ground.pool.device)]
        drawn = torch.randn(n, ground.pool.shape[1], generator=rng, device=rng.device)
        return drawn.to(ground.pool).clamp(*ground.box)

    def _inputs(self, view: View, network: Network) -> Ground:
        pool, earlier = (network.items(ids).flatten(1) for ids in (view.ids, view.ids_of("labelled")))
        pictures = network.form.kind == "image"
        box = (torch.zeros_like(pool[0]), torch.ones_like(pool[0])) if pictures else pool.aminmax(dim=0)
        return Ground(pool, earlier, (box[0], box[1]), lambda points: points.view(-1, *network.form.shape))

    def _latents(self, view: View, network: Network) -> Ground:
        device, decode = network.items(view.ids[:1]).device, view[DECODER]
        pool, earlier = (view[need].float().to(device) for need in (LATENT, LATENT.at("labelled")))
        least, largest = pool.aminmax(dim=0)

        def items(points: Tensor) -> Tensor:
            made: Tensor = decode(points)
            return made.clamp(0, 1) if network.form.kind == "image" else made

        return Ground(pool, earlier, (least, largest), items)

    def _made(self, items: Tensor, parents: Tensor) -> Iterator[Made]:
        """Items to ask for, with the candidates nearest to them."""
        for payload, parent in zip(items.detach().cpu().numpy(), parents.tolist(), strict=True):
            yield Made(payload, parent, "ask", f"synthesised in {self.space}")
