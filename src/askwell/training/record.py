"""What a rehearsal writes down: modules, streams, updates, and the order in which they are used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from torch import nn

from askwell.core.scheme import Draw, Facts, Scheme
from askwell.core.spec import config
from askwell.training.session import Session

__all__ = ["document", "module_facts", "stream_facts", "update_facts"]


def module_facts(module: nn.Module, policy: Any) -> dict[str, Any]:
    """Class, size and initialisation of a module.

    >>> module_facts(nn.Linear(2, 1), "scratch")
    {'class': 'torch.nn.modules.linear:Linear', 'parameters': 3, 'policy': 'scratch'}
    """
    return {
        "class": f"{type(module).__module__}:{type(module).__qualname__}",
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "policy": config(policy),
    }


def stream_facts(draw: str | Draw, n: int, size: int, views: Sequence[str], augment: Sequence[str]) -> dict[str, Any]:
    """Rows, batch size and views of a stream; "train" is spelled out."""
    spelled = [list(augment) if one == "train" else one for one in views]
    return {"draw": draw if isinstance(draw, str) else "own", "n": n, "size": size, "views": spelled}


def update_facts(modules: SimpleNamespace, trained: Sequence[nn.Module], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Which modules an update trains, which it leaves alone, and the optimiser's numbers."""
    names = {
        id(part): f"{name}.{key}".rstrip(".")
        for name, module in vars(modules).items()
        for key, part in module.named_modules()
    }
    trains = [names.get(id(module), type(module).__name__) for module in trained]
    frozen = sorted(vars(modules).keys() - {name.split(".")[0] for name in trains})
    return {"trains": trains, "frozen": frozen, **config(dict(numbers))}


def document(scheme: Scheme, facts: Facts, session: Session) -> str:
    """All of it as JSON; it begins with the scheme's own numbers."""
    parts = {
        "scheme": scheme.config(),
        "facts": asdict(facts),
        "precision": session.precision,
        **session.opened,
        "order": session.events,
    }
    return json.dumps(parts, indent=1, default=_named)


def _named(part: Any) -> str:
    """A function or an object that is no part, such as a stop of one's own: by name."""
    cls = part if hasattr(part, "__qualname__") else type(part)
    return f"{cls.__module__}:{cls.__qualname__}"
