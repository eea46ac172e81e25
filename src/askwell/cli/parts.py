"""What there is to say about a part: read from its docstring, its fields and its declarations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from askwell.core.recipe import Recipe
from askwell.core.registry import SINGULAR, catalogue, find
from askwell.errors import InputError, UnknownName

__all__ = ["KINDS", "Part", "Setting", "named", "parts"]

KINDS = ("strategies", "managers", "schemes", "learners", "models", "tasks", "oracles", "recipes")
UNTRAINED = "untrained"
"""What stands for the path of a policy, see `strategies.policies`."""
PAPER = re.compile(r"arXiv|doi\b|https?://", re.IGNORECASE)
NUMBER = re.compile(r"\[(\d+(?:, ?\d+)*)\]")
"""Numbers of systems in the list of references of the survey."""


@dataclass(frozen=True)
class Setting:
    """One field of a part."""

    name: str
    type: str
    default: str


@dataclass(frozen=True)
class Part:
    """One part, in words. `text` is the docstring after its first line, without examples and paper.

    survey  numbers of the system among the survey's references, such as "[142]"; of a strategy those of its recipes
    role    of a strategy in a composition: score, set, prefilter or selector
    """

    kind: str
    name: str
    summary: str
    text: str
    needs: str
    cost: str
    paper: str
    settings: tuple[Setting, ...]
    deviations: tuple[str, ...] = ()
    survey: str = ""
    role: str = ""


def parts(kind: str) -> list[Part]:
    """All parts of one kind, by name."""
    if kind not in KINDS:
        raise UnknownName("kind", kind, KINDS)
    return [described(kind, name, part) for name, part in sorted(catalogue(kind).items())]


def named(name: str) -> list[Part]:
    """The parts of this name, whatever their kind; `module:Class` names a part of somebody else's.

    Parts of a strategy that are joined by `|` are one composition.
    """
    if "|" in name:
        return [_composition(name)]
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
        survey=_surveyed().get(name, "") if kind == "strategies" else "",
        role=_role(part) if kind == "strategies" else "",
    )


def _role(part: Any) -> str:
    """What a strategy is in a composition; nothing for one that cannot be imported."""
    from askwell.core.stage import Prefilter, Selector
    from askwell.core.strategy import ScoreStrategy

    if not isinstance(part, type):
        return ""
    found = (issubclass(part, kind) for kind in (ScoreStrategy, Prefilter, Selector))
    return next((role for role, fits in zip(("score", "prefilter", "selector"), found, strict=True) if fits), "set")


@cache
def _surveyed() -> dict[str, str]:
    """Strategy -> numbers of its systems in the survey: those of the recipe of its name, else of all that use it."""
    from askwell.core.stage import Stage, stages

    found: dict[str, dict[str, str]] = {}
    for name, make in catalogue("recipes").items():
        for stage in stages(make().strategy):
            if not isinstance(stage, Stage):
                found.setdefault(stage.name, {})[name] = _numbers(make)
    return {name: by.get(name) or " ".join(dict.fromkeys(filter(None, by.values()))) for name, by in found.items()}


def _numbers(make: Callable[[], Recipe]) -> str:
    """Numbers in the first line of a recipe's module."""
    line = (getattr(inspect.getmodule(make), "__doc__", None) or "").partition("\n")[0]
    return " ".join(f"[{found}]" for found in NUMBER.findall(line))


def _composition(text: str) -> Part:
    """Strategies that are joined, in words."""
    from askwell.core.spec import parse
    from askwell.core.stage import stages

    made = parse("strategies", text)
    lines = [f"{stage.name}: {_docstring(type(stage))[0]}" for stage in stages(made)]
    return Part(
        kind="composition",
        name=repr(made),
        summary="",
        text="\n".join(lines),
        needs=", ".join(map(str, made.needs)) or "nothing",
        cost=_cost(made),
        paper="",
        settings=(),
    )


def _cost(strategy: Any) -> str:
    """What a strategy costs, stage by stage where it is composed."""
    from askwell.core.stage import stages

    found = stages(strategy)
    return ", ".join(f"{one.cost} for {one.name}" for one in found) if len(found) > 1 else strategy.cost


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
        cost=f"{_cost(recipe.strategy)} to select",
        paper=recipe.source,
        settings=tuple(Setting(key, "", repr(getattr(recipe, key))) for key in chosen),
        deviations=recipe.deviations,
        survey=_numbers(make),
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
    inner = [field for field in fields(part) if _is_place(part, field)]
    texts = [field.name for field in fields(part) if field.default is MISSING and field.type == "str"]
    made = part(**{field.name: _stand_in(field) for field in inner}, **dict.fromkeys(texts, UNTRAINED))
    if hasattr(part, "reads"):
        return f"{', '.join(sorted(made.reads))} items"
    return ", ".join([*map(str, made.needs), *(_of_inner(field.name) for field in inner)]) or "nothing"


def _is_place(part: Any, field: Field[Any]) -> bool:
    """Whether another strategy goes there."""
    from askwell.core.stage import Stage

    required = field.default is field.default_factory is MISSING and field.type != "str"
    return required or (issubclass(part, Stage) and field.name == "strategy")


def _of_inner(name: str) -> str:
    return f"what its {name} need{'' if name.endswith('s') else 's'}"


def _stand_in(field: Field[Any]) -> Any:
    """A strategy without needs, to stand inside another; two where it holds several."""
    from askwell.core.strategy import ScoreStrategy

    made = type("Needless", (ScoreStrategy,), {"needs": (), "score": None})()
    return (made, made) if str(field.type).startswith("tuple") else made


def _setting(field: Field[Any]) -> Setting:
    if field.default is not MISSING:
        default = repr(field.default)
    else:
        default = "required" if field.default_factory is MISSING else repr(field.default_factory())
    kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
    return Setting(field.name, kind, default)
