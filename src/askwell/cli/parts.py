"""What there is to say about a part: read from its docstring, its fields and its declarations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any

from askwell.core.recipe import Recipe
from askwell.core.registry import SINGULAR, catalogue, find
from askwell.errors import InputError, UnknownName

__all__ = ["KINDS", "Part", "Setting", "named", "parts"]

KINDS = ("strategies", "schemes", "learners", "models", "tasks", "oracles", "recipes")
PAPER = re.compile(r"arXiv|doi\b|https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Setting:
    """One field of a part."""

    name: str
    type: str
    default: str


@dataclass(frozen=True)
class Part:
    """One part, in words. `text` is the docstring after its first line, without examples and paper."""

    kind: str
    name: str
    summary: str
    text: str
    needs: str
    cost: str
    paper: str
    settings: tuple[Setting, ...]
    deviations: tuple[str, ...] = ()


def parts(kind: str) -> list[Part]:
    """All parts of one kind, by name."""
    if kind not in KINDS:
        raise UnknownName("kind", kind, KINDS)
    return [described(kind, name, part) for name, part in sorted(catalogue(kind).items())]


def named(name: str) -> list[Part]:
    """The parts of this name, whatever their kind; `module:Class` names a part of somebody else's."""
    if ":" in name:
        return [described("parts", name, find("parts", name))]
    found = [described(kind, name, part) for kind in KINDS for key, part in catalogue(kind).items() if key == name]
    if not found:
        raise UnknownName("part", name, {key for kind in KINDS for key in catalogue(kind)})
    return found


def described(kind: str, name: str, part: Any) -> Part:
    """One part in words."""
    if kind == "recipes":
        return _recipe(name, part)
    summary, text, paper = _docstring(part)
    cost = getattr(part, "cost", "")
    return Part(
        kind=SINGULAR.get(kind, "part"),
        name=name,
        summary=summary,
        text=text,
        needs=_needs(part),
        cost=cost if isinstance(cost, str) else "",
        paper=paper,
        settings=tuple(map(_setting, fields(part))) if is_dataclass(part) else (),
    )


def _recipe(name: str, make: Callable[[], Recipe]) -> Part:
    recipe = make()
    if not isinstance(recipe, Recipe):
        raise InputError(f"recipe {name!r} does not return a Recipe but {type(recipe).__name__}", got=recipe)
    summary, text, _ = _docstring(make)
    chosen = ("strategy", "initial", "learner", "scheme", "task", "initial_size", "batch", "rounds", "answers")
    return Part(
        kind="recipe",
        name=name,
        summary=summary,
        text=text,
        needs=", ".join(map(str, recipe.strategy.needs)) or "nothing",
        cost=f"{recipe.strategy.cost} to select",
        paper=recipe.source,
        settings=tuple(Setting(key, "", repr(getattr(recipe, key))) for key in chosen),
        deviations=recipe.deviations,
    )


def _docstring(part: Any) -> tuple[str, str, str]:
    """First line, the rest, and the lines that name papers."""
    summary, _, rest = (inspect.getdoc(part) or "").partition("\n")
    blocks = [
        block for block in rest.strip("\n").split("\n\n") if block.strip() and not block.lstrip().startswith(">>>")
    ]
    cited = [block for block in blocks if PAPER.search(block)]
    text = "\n\n".join(block for block in blocks if block not in cited)
    return summary, text.strip("\n"), " ".join(" ".join(cited).split())


def _needs(part: Any) -> str:
    """A strategy's needs, the items that a scheme reads; nothing for other parts."""
    if not hasattr(part, "needs") and not hasattr(part, "reads"):
        return ""
    inner = [field.name for field in fields(part) if field.default is field.default_factory is MISSING]
    made = part(**dict.fromkeys(inner, _needless()))
    if hasattr(part, "reads"):
        return f"{', '.join(sorted(made.reads))} items"
    return ", ".join([*map(str, made.needs), *(f"what its {name} needs" for name in inner)]) or "nothing"


def _needless() -> Any:
    """A strategy without needs, to stand inside another."""
    from askwell.core.strategy import ScoreStrategy

    return type("Needless", (ScoreStrategy,), {"needs": (), "score": None})()


def _setting(field: Field[Any]) -> Setting:
    if field.default is not MISSING:
        default = repr(field.default)
    else:
        default = "required" if field.default_factory is MISSING else repr(field.default_factory())
    kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
    return Setting(field.name, kind, default)
