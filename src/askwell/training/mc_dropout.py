"""K draws of any module, by dropout or by Gaussian weights: what comes before the first of either is computed once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from askwell.core.seeds import Seeds
from askwell.errors import InputError, UnmetNeeds
from askwell.training.masks import Dropping, Masks, spot
from askwell.training.modes import evaluating
from askwell.training.replay import Prefix, copied, leaves, tracing

__all__ = ["MCDropout", "reachable"]


class MCDropout:
    """A pass without dropout and K draws with it; everything but dropout stays in eval mode.

    Catches every dropout call with p > 0, of a layer or a function, and every weight of `functional.gaussian`. Masks
    and weights depend on (seed, call, draw), so draw k is the same function for every item, set and chunk, and ten
    draws are the first ten of twenty.

    forward     a batch to outputs: tensors, items first, in tuples or lists
    modules     all that `forward` runs
    batch       ids (n,) int64 to a batch; ids: items for a dry run, which finds the part before the first dropout and
                proves that replaying what it returned changes nothing. Where it would, every draw runs all of `forward`
    consistent  False: a mask for each item, by its id, still whatever the chunks; weights are the same for all items

    Raises `UnmetNeeds` where neither can be reached, `InputError` where a draw depends on an item's neighbours.
    Dropout inside `nn.LSTM` and `nn.MultiheadAttention` cannot be reached; a warning names it.
    Costs one pass and K of what follows the first of either.

    Gal and Ghahramani 2016, arXiv 1506.02142; one mask for all items: Kirsch et al. 2019, arXiv 1906.08158.

    >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    >>> x, ids = torch.ones(4, 3), torch.arange(4)
    >>> mc = MCDropout(net, [net], Seeds(0), x.__getitem__, ids)
    >>> outputs, draws = mc(x, ids, 20, lambda outputs: outputs)
    >>> outputs.shape, draws.shape, mc.replays
    (torch.Size([4, 2]), torch.Size([4, 20, 2]), True)
    """

    def __init__(
        self,
        forward: Callable[[Any], Any],
        modules: Sequence[nn.Module],
        seeds: Seeds,
        batch: Callable[[Tensor], Any],
        ids: Tensor,
        consistent: bool = True,
    ) -> None:
        self.forward, self.modules = forward, tuple(modules)
        self.differ, self.drawn = False, 0
        _warn_of_hidden(self.modules)
        few = ids.repeat(3)[:3] if len(ids) < 3 else ids[:3]
        with evaluating(*self.modules):
            two, three = (self._shapes(batch(few[:n])) for n in (2, 3))
            if not two:
                raise UnmetNeeds("mc_probs needs dropout and no dropout of this model is active", ["mc_probs"])
            self.masks = Masks(seeds, [spot(*pair) for pair in zip(two, three, strict=True)], consistent)
            self._check_items(batch, few[:2])
            self._plan(batch(few[:2]), few[:2])

    def __call__(self, x: Any, ids: Tensor, draws: int, each: Callable[[Any], Tensor]) -> tuple[Any, Tensor]:
        """Outputs without dropout, and `each(outputs)` (n, …) of K draws as (n, K, …)."""
        with evaluating(*self.modules):
            tape: list[Any] = []
            outputs = self._still(x, tape)
            rows = [each(self._draw(x, ids, draw, tape)) for draw in range(draws)]
        self.drawn = max(self.drawn, draws)
        self.differ = self.differ or any(not torch.equal(rows[0], other) for other in rows[1:])
        return outputs, torch.stack(rows, 1)

    def check(self) -> None:
        """Raises `InputError` if all draws so far were equal: they would say nothing about disagreement."""
        if self.drawn > 1 and not self.differ:
            raise InputError(
                f"all {self.drawn} draws are equal: no dropout or Gaussian weight of this model reaches its outputs"
            )

    def _still(self, x: Any, tape: list[Any]) -> Any:
        with self.prefix.record(tape), Dropping():
            return self.forward(self._fresh(x))

    def _draw(self, x: Any, ids: Tensor, draw: int, tape: Sequence[Any]) -> Any:
        with self.prefix.replay(tape), Dropping(self.masks, draw, ids):
            return self.forward(self._fresh(x))

    def _naive(self, x: Any, ids: Tensor, draw: int) -> Any:
        with Dropping(self.masks, draw, ids):
            return self.forward(self._fresh(x))

    def _fresh(self, x: Any) -> Any:
        return copied(x) if self.changes_inputs else x

    def _shapes(self, x: Any) -> list[torch.Size]:
        """Shapes of what the dropout calls get; notes whether a pass changes its inputs in place."""
        before = [one._version for one in leaves(x)]
        mode = Dropping()
        with mode:
            self.forward(x)
        self.changes_inputs = before != [one._version for one in leaves(x)]
        return mode.calls

    def _check_items(self, batch: Callable[[Tensor], Any], ids: Tensor) -> None:
        """Two items in either order must come out the same."""
        one, other = (leaves(self._naive(batch(some), some, 0)) for some in (ids, ids.flip(0)))
        for left, right in zip(one, other, strict=True):
            if left.shape[:1] == (2,) and not torch.allclose(left, right.flip(0), rtol=1e-3, atol=1e-4, equal_nan=True):
                raise InputError(
                    "draws of this model depend on an item's neighbours: keep items on an axis of their own where it "
                    "drops, and let no layer mix them"
                )

    def _plan(self, x: Any, ids: Tensor) -> None:
        """Finds what to replay, and keeps it if two draws come out bit by bit as without."""
        self.prefix = Prefix()
        naive = [self._naive(x, ids, draw) for draw in range(2)]
        try:
            self.prefix = self._found(x, ids)
            tape: list[Any] = []
            self._still(x, tape)
            again = [self._draw(x, ids, draw, tape) for draw in range(2)]
            self.replays = all(_same(*pair) for pair in zip(naive, again, strict=True))
        except Exception:  # a module that a stand-in breaks, in whatever way, is run as it is
            self.replays = False
        if not self.replays:
            self.prefix = Prefix()

    def _found(self, x: Any, ids: Tensor) -> Prefix:
        """The calls that end before the first dropout, and which of their tensors later code reads or changes."""
        mode = Dropping(self.masks, 0, ids)
        with tracing(self.modules, lambda: not mode.calls) as calls, mode:
            self.forward(self._fresh(x))
        prefix = Prefix(tuple(call.layer for call in calls), tuple(call.uses() for call in calls))
        tape: list[Any] = []
        given: list[Any] = []
        with prefix.record(tape), Dropping():
            self.forward(self._fresh(x))
        watching = Dropping(self.masks, 1, ids)
        watching.watch = True
        with prefix.replay(tape, given), watching:
            outputs = self.forward(self._fresh(x))
        return prefix.reading(given, watching.seen | {id(one) for one in leaves(outputs)})


def reachable(forward: Callable[[Any], Any], modules: Sequence[nn.Module], x: Any) -> int:
    """How many dropout calls with p > 0 a pass over this batch makes.

    >>> net = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.0))
    >>> reachable(net, [net], torch.ones(2, 3))
    1
    """
    mode = Dropping()
    with evaluating(*modules), mode:
        forward(x)
    return len(mode.calls)


def _same(one: Any, other: Any) -> bool:
    left, right = leaves(one), leaves(other)
    return len(left) == len(right) and all(map(torch.equal, left, right))


def _warn_of_hidden(modules: Sequence[nn.Module]) -> None:
    for name, layer in ((name, layer) for module in modules for name, layer in module.named_modules()):
        several = isinstance(layer, nn.RNNBase) and layer.num_layers > 1
        if (several or isinstance(layer, nn.MultiheadAttention)) and layer.dropout > 0:
            warnings.warn(
                f"the dropout inside {type(layer).__name__} {name!r} stays off in draws, since it runs within one "
                "kernel: put nn.Dropout after it",
                stacklevel=3,
            )
