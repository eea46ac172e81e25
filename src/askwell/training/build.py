"""Where a fit's weights start: scratch, the last round, a file, an earlier phase, or shrunk and perturbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from askwell.errors import InputError, UnknownName
from askwell.training.tensors import held, transfer

__all__ = ["POLICIES", "Policy", "Sources", "initialise", "policy_kind"]

Policy = str | tuple[Any, ...]


@dataclass(frozen=True)
class Sources:
    """What a policy may copy from: tensors of the last round as `module.key`, and modules kept earlier in this fit."""

    previous: Mapping[str, Tensor]
    saved: Mapping[str, Mapping[str, nn.Module]]


def policy_kind(policy: Policy) -> str:
    """The policy's first word; an unknown one raises `UnknownName`.

    >>> policy_kind(("shrink_perturb", 0.4, 0.1))
    'shrink_perturb'
    """
    kind = policy if isinstance(policy, str) else str(policy[0])
    if kind not in POLICIES:
        raise UnknownName("policy", kind, POLICIES)
    return kind


def initialise(module: nn.Module, name: str, policy: Policy, sources: Sources) -> list[str]:
    """Sets the weights of a freshly built module by the policy; returns keys that stayed fresh where it copies.

    "scratch"                 as built
    "warm"                    the last round's tensors; in the first round as built
    ("warm", path)            the last round's tensors; in the first round those of a file, as "given"
    ("given", path)           a safetensors file, with keys `module.key`, or bare keys for the net
    ("saved", name)           what `run.keep(name)` copied
    ("shrink_perturb", s, n)  s·last + n·fresh over parameters, buffers fresh; in the first round as built
                              (Ash & Adams 2020, "On Warm-Starting Neural Network Training", arXiv 1910.08475)
    """
    numbers = () if isinstance(policy, str) else policy[1:]
    return POLICIES[policy_kind(policy)](module, name, sources, *numbers)


def _scratch(module: nn.Module, name: str, sources: Sources) -> list[str]:
    return []


def _warm(module: nn.Module, name: str, sources: Sources, path: str = "") -> list[str]:
    last = _of(name, sources.previous)
    if last:
        return transfer(module, last)
    return _given(module, name, sources, path) if path else []


def _given(module: nn.Module, name: str, sources: Sources, path: str) -> list[str]:
    values = _read(path)
    own = _of(name, values) or (values if name == "net" else {})
    left = transfer(module, own)
    if name == "net" and len(left) == len(held(module)):
        raise InputError(
            f"weights {path!r} hold nothing that fits the net: they have {_some(values)}; "
            f"the net wants {_some(held(module))}",
            got=path,
        )
    return left


def _saved(module: nn.Module, name: str, sources: Sources, key: str) -> list[str]:
    if key not in sources.saved:
        raise UnknownName("saved modules", key, sources.saved)
    kept = sources.saved[key]
    return transfer(module, held(kept[name])) if name in kept else []


def _shrink_perturb(module: nn.Module, name: str, sources: Sources, shrink: float, noise: float) -> list[str]:
    last = _of(name, sources.previous)
    left = []
    with torch.no_grad():
        for key, value in module.named_parameters():
            if key in last and last[key].shape == value.shape:
                value.mul_(noise).add_(last[key].to(value.device), alpha=shrink)
            elif last:
                left.append(key)
    return left


def _of(name: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def _read(path: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not Path(path).is_file():
        raise InputError(f"weights {path!r} are not there: give the path of a safetensors file", got=path)
    try:
        return load_file(path)
    except SafetensorError as error:
        raise InputError(f"weights {path!r} are not a safetensors file: {error}", got=path) from None


def _some(values: Mapping[str, Any]) -> str:
    return ", ".join(sorted(values)[:3]) + (", …" if len(values) > 3 else "")


POLICIES: dict[str, Callable[..., list[str]]] = {
    "scratch": _scratch,
    "warm": _warm,
    "given": _given,
    "saved": _saved,
    "shrink_perturb": _shrink_perturb,
}
