"""The only place where gradients change weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from askwell.errors import AskwellError, BadShape, Diverged, InputError, UnknownName
from askwell.training.schedule import factor

if TYPE_CHECKING:
    from askwell.training.run import FitRun

__all__ = ["OPTIMISERS", "FitUpdate"]

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "adadelta": torch.optim.Adadelta,
}
FUSED = ("adam", "adamw", "sgd")


class FitUpdate:
    """An optimiser over some modules of a run, with its own random stream.

    A call computes the loss itself, so that dropout and noise inside it come from that stream. Gradients flow through
    the other modules and never into them; buffers of theirs that a forward pass moves are put back.
    """

    def __init__(
        self,
        run: FitRun,
        name: str,
        modules: Sequence[nn.Module],
        *,
        lr: float,
        kind: str,
        schedule: tuple[Any, ...],
        clip: float,
        args: Mapping[str, Any],
    ) -> None:
        if kind not in OPTIMISERS:
            raise UnknownName("optimiser", kind, OPTIMISERS)
        self.run, self.name, self.modules = run, name, tuple(modules)
        self.parameters = _trainable(self.modules)
        if not self.parameters:
            raise InputError(f"update {name!r} has nothing to train: its modules have no trainable parameters")
        fused = {"fused": True} if kind in FUSED else {}
        self.optimiser = OPTIMISERS[kind](self.parameters, lr=lr, **fused, **args)
        self.lr, self.schedule, self.clip, self.steps = lr, schedule, clip, 0
        self._losses: list[Tensor] = []
        self._outside: tuple[int, list[Tensor]] = (-1, [])

    def __call__(self, loss: Callable[..., Tensor], *args: Any) -> None:
        """One step down the gradient of `loss(*args)`, a scalar."""
        with self.run.moving("update", self.name, self._check_parameters):
            outside = self._buffers()
            before = [buffer.clone() for buffer in outside]
            with self.run.session.autocast():
                value = loss(*args)
            self._backward(value)
            with torch.no_grad():
                for buffer, old in zip(outside, before, strict=True):
                    buffer.copy_(old)
        self._losses.append(value.detach())

    def settle(self) -> float | None:
        """Mean loss since the last call; the first that is not a number raises `Diverged` with its step.

        Losses are read together, once per epoch, so that an accelerator never waits within one.
        """
        if not self._losses:
            return None
        losses = torch.stack(self._losses).float().cpu()
        self._losses.clear()
        bad = (~torch.isfinite(losses)).nonzero()
        if len(bad):
            first = int(bad[0])
            raise Diverged(self.name, self.steps - len(losses) + first, float(losses[first]))
        return float(losses.mean())

    def state(self) -> dict[str, Any]:
        """Moments, steps and losses not yet settled."""
        return {"optimiser": self.optimiser.state_dict(), "steps": self.steps, "losses": self._losses}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts the update where `state` found it."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps, self._losses = state["steps"], state["losses"]

    def _backward(self, value: Tensor) -> None:
        if value.ndim:
            raise BadShape(f"the loss of update {self.name!r} has shape {tuple(value.shape)}: return a scalar")
        if not value.requires_grad:
            raise InputError(f"the loss of update {self.name!r} does not depend on the modules that it trains")
        value.backward(inputs=self.parameters)  # type: ignore[no-untyped-call] # torch leaves it untyped
        if self.clip:
            nn.utils.clip_grad_norm_(self.parameters, self.clip)
        if self.schedule != ("constant",):
            rate = self.lr * factor(self.schedule, self.steps)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.steps += 1

    def _buffers(self) -> list[Tensor]:
        """Buffers of the modules that it does not train, looked up again whenever the run's modules change."""
        if self._outside[0] != self.run.changes:
            own = {id(buffer) for module in self.modules for buffer in module.buffers()}
            known = [buffer for module in self.run.all_modules() for buffer in module.buffers()]
            self._outside = self.run.changes, [buffer for buffer in known if id(buffer) not in own]
        return self._outside[1]

    def _check_parameters(self) -> None:
        now = {id(parameter) for parameter in _trainable(self.modules)}
        if now != {id(parameter) for parameter in self.parameters}:
            raise AskwellError(
                f"update {self.name!r} still trains parameters that its modules no longer have: "
                "open a new update after replacing a layer"
            )


def _trainable(modules: Sequence[nn.Module]) -> list[nn.Parameter]:
    found = dict.fromkeys(parameter for module in modules for parameter in module.parameters())
    return [parameter for parameter in found if parameter.requires_grad]
