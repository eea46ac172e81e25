"""The fitted network as a function of its inputs, for strategies that follow its gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from askwell.core.pool import Form, Items
from askwell.core.scheme import Outputs, Run
from askwell.errors import UnmetNeeds
from askwell.training.streams import first_batch

__all__ = ["NetworkCopy"]

Logits = Callable[[Run, Outputs], Tensor]


class NetworkCopy(nn.Module):
    """Implements `core.network.Network` for the modules of a fit, in float32 whatever the precision of the fit.

    logits  the scheme's: what the net's outputs are made of
    marks   tokens that are no words
    """

    def __init__(self, run: Run, logits: Logits, items: Items, form: Form, marks: tuple[int, ...] = ()) -> None:
        super().__init__()
        copied = copy(run)
        copied.m = deepcopy(run.m)
        self.net = copied.m.net
        self._run, self._logits, self._served, self._form, self._marks = copied, logits, items, form, marks
        for module in vars(copied.m).values():
            module.eval().requires_grad_(False)
        self._trained = {name for name, value in run.m.net.named_parameters() if value.requires_grad}

    @property
    def form(self) -> Form:
        """What one item looks like."""
        return self._form

    @property
    def marks(self) -> tuple[int, ...]:
        """Tokens that are no words."""
        return self._marks

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """Trained weights by name."""
        return {f"net.{name}": value for name, value in self.net.named_parameters() if name in self._trained}

    def items(self, ids: Tensor) -> Tensor:
        """(n, …) eval items."""
        found = first_batch(self._served, ids)
        if not isinstance(found, Tensor):
            raise UnmetNeeds(f"gradients need items that are one tensor each and these are {type(found).__name__}")
        return found

    def inputs(self, items: Tensor) -> Tensor:
        """The items, or the vectors of their tokens."""
        if items.is_floating_point():
            return items
        seen: list[Tensor] = []

        def note(vectors: Tensor) -> Tensor:
            seen.append(vectors)
            return vectors

        with self._words(note), torch.no_grad():
            self.net.embed(items)
        if not seen:
            raise UnmetNeeds("gradients of tokens need a network that looks up vectors by nn.Embedding")
        return seen[0]

    def forward(self, items: Tensor, inputs: Tensor | None = None) -> Tensor:
        """(n, O) outputs."""
        z, taps = self.embed(items, inputs)
        return self._logits(self._run, Outputs(items, z, taps, self.net.head(z))).float()

    def embed(self, items: Tensor, inputs: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """z (n, D) and taps."""
        if inputs is None or items.is_floating_point():
            found: tuple[Tensor, tuple[Tensor, ...]] = self.net.embed(items if inputs is None else inputs)
            return found
        with self._words(lambda _: inputs):
            found = self.net.embed(items)
        return found

    def at(self, weights: Mapping[str, Tensor], items: Tensor) -> Tensor:
        """(n, O) outputs with these weights."""
        outputs: Tensor = functional_call(self, dict(weights), (items,))
        return outputs

    @contextmanager
    def _words(self, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
        """Inside, the vectors that are looked up first are what `change` makes of them."""
        done: list[bool] = []

        def first(layer: nn.Module, given: Any, vectors: Tensor) -> Tensor:
            if done:
                return vectors
            done.append(True)
            return change(vectors)

        hooks = [layer.register_forward_hook(first) for layer in self.net.modules() if isinstance(layer, nn.Embedding)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
