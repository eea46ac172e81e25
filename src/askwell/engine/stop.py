"""When to stop: rules over the finished rounds, joined by & and |.

labels(500) | (plateau() & rounds(5))
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from askwell.core.registry import snake
from askwell.core.task import MINIMISED
from askwell.engine.report import Report
from askwell.errors import InputError, UnknownName

__all__ = ["Cost", "Labels", "Plateau", "Rounds", "Stabilised", "StopRule", "Target", "parse_stop"]


class StopRule(ABC):
    """A rule sees the reports of all finished rounds and gives a reason to stop, or None."""

    @abstractmethod
    def __call__(self, reports: Sequence[Report]) -> str | None: ...

    def __or__(self, other: StopRule) -> StopRule:
        return Either(self, other)

    def __and__(self, other: StopRule) -> StopRule:
        return Both(self, other)


@dataclass(frozen=True)
class Either(StopRule):
    """Stops as soon as one of two rules does."""

    one: StopRule
    other: StopRule

    def __call__(self, reports: Sequence[Report]) -> str | None:
        return self.one(reports) or self.other(reports)


@dataclass(frozen=True)
class Both(StopRule):
    """Stops when both rules do."""

    one: StopRule
    other: StopRule

    def __call__(self, reports: Sequence[Report]) -> str | None:
        one, other = self.one(reports), self.other(reports)
        return f"{one} and {other}" if one and other else None


@dataclass(frozen=True)
class Labels(StopRule):
    """Stops once `n` items are labelled."""

    n: int

    def __post_init__(self) -> None:
        _at_least("labels", self.n, 1)

    def __call__(self, reports: Sequence[Report]) -> str | None:
        return f"{reports[-1].labels} labels" if reports and reports[-1].labels >= self.n else None


@dataclass(frozen=True)
class Cost(StopRule):
    """Stops once answers have cost `most`."""

    most: float

    def __post_init__(self) -> None:
        _at_least("cost", self.most, 0)

    def __call__(self, reports: Sequence[Report]) -> str | None:
        return f"a cost of {reports[-1].cost:g}" if reports and reports[-1].cost >= self.most else None


@dataclass(frozen=True)
class Rounds(StopRule):
    """Stops after `n` rounds beyond the initial one."""

    n: int

    def __post_init__(self) -> None:
        _at_least("rounds", self.n, 0)

    def __call__(self, reports: Sequence[Report]) -> str | None:
        return f"{reports[-1].round} rounds" if reports and reports[-1].round >= self.n else None


@dataclass(frozen=True)
class Target(StopRule):
    """Stops once a metric reaches `value`, from above where less is better; the headline metric unless named."""

    value: float
    metric: str = ""

    def __call__(self, reports: Sequence[Report]) -> str | None:
        if not reports:
            return None
        name, reached = _named(reports[-1], self.metric)
        there = reached <= self.value if name in MINIMISED else reached >= self.value
        return f"{name} of {reached:.4f}" if there else None


@dataclass(frozen=True)
class Plateau(StopRule):
    """Stops when the best metric grew less than `growth` in the last `rounds` rounds.

    A metric of which less is better has the units of its labels: `growth` is then a share of its best value before, and
    the rule stops when it fell by less than that.
    """

    rounds: int = 3
    growth: float = 0.005
    metric: str = ""

    def __post_init__(self) -> None:
        _at_least("plateau", self.rounds, 1)

    def __call__(self, reports: Sequence[Report]) -> str | None:
        if len(reports) <= self.rounds:
            return None
        name, _ = _named(reports[-1], self.metric)
        values = [_named(report, name)[1] for report in reports]
        before = values[: -self.rounds]
        if name in MINIMISED:
            fell = (min(before) - min(values)) / (abs(min(before)) or 1.0)
            return f"a plateau: {name} fell by {fell:.2%} in {self.rounds} rounds" if fell < self.growth else None
        grown = max(values) - max(before)
        return f"a plateau: {grown:.4f} in {self.rounds} rounds" if grown < self.growth else None


@dataclass(frozen=True)
class Stabilised(StopRule):
    """Stops when successive models agree on a fixed unlabelled set: Cohen's kappa >= `kappa` for `rounds` rounds.

    Bloodgood & Vijay-Shanker 2009, arXiv:1409.5165.
    """

    rounds: int = 3
    kappa: float = 0.99

    def __post_init__(self) -> None:
        _at_least("stabilised", self.rounds, 1)

    def __call__(self, reports: Sequence[Report]) -> str | None:
        last = [report.agreement for report in reports[-self.rounds :]]
        steady = len(last) == self.rounds and all(value is not None and value >= self.kappa for value in last)
        return f"stable predictions (kappa >= {self.kappa:g} for {self.rounds} rounds)" if steady else None


def _at_least(rule: str, value: Any, least: float) -> None:
    if isinstance(value, str) or not value >= least:
        raise InputError(f"stop rule {rule!r} needs a number of at least {least}, got {value!r}", got=value)


RULES: dict[str, type[StopRule]] = {
    snake(rule.__name__): rule for rule in (Cost, Labels, Plateau, Rounds, Stabilised, Target)
}


def parse_stop(text: str) -> StopRule:
    """A rule from text: names with values, joined by & and |.

    >>> parse_stop("labels(500) | plateau(rounds=4)")
    Either(one=Labels(n=500), other=Plateau(rounds=4, growth=0.005, metric=''))
    """
    try:
        return _rule(ast.parse(text, mode="eval").body, text)
    except SyntaxError:
        raise _unreadable(text) from None


def _rule(node: ast.expr, text: str) -> StopRule:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd):
        one, other = _rule(node.left, text), _rule(node.right, text)
        return one | other if isinstance(node.op, ast.BitOr) else one & other
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _made(node.func.id, node)
    raise _unreadable(text)


def _unreadable(text: str) -> InputError:
    return InputError(f"cannot read the stop rule {text!r}: write name(value), joined by & and |", got=text)


def _made(name: str, call: ast.Call) -> StopRule:
    if name not in RULES:
        raise UnknownName("stop rule", name, RULES)
    known = [field.name for field in fields(RULES[name])]  # type: ignore[arg-type]  # every rule is a dataclass
    if len(call.args) > len(known):
        raise InputError(f"stop rule {name!r} takes {', '.join(known)}, got {ast.unparse(call)}", got=ast.unparse(call))
    named = {word.arg or "": _literal(word.value) for word in call.keywords}
    values = dict(zip(known, map(_literal, call.args), strict=False)) | named
    for key in values:
        if key not in known:
            raise UnknownName(f"setting of stop rule {name!r}:", key, known)
    try:
        return RULES[name](**values)
    except TypeError:
        raise InputError(f"stop rule {name!r} needs {', '.join(known)}", got=ast.unparse(call)) from None


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise InputError(f"cannot read the value {ast.unparse(node)!r} in a stop rule", got=ast.unparse(node)) from None


def _named(report: Report, metric: str) -> tuple[str, float]:
    name = metric or report.headline
    if name not in report.metrics:
        raise UnknownName("metric", name, report.metrics)
    return name, report.metrics[name]
