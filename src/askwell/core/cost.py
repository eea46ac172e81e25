"""What a selection costs: the `cost` of a strategy, such as "O(Q·N·(C + D))", read as arithmetic.

A cost is a sum of O(…) with words between them, in the letters of docs/shapes.md and the numbers that are settings of
the strategy, with +, ·, /, powers, min, max and "N log N". After O(…), "per pick" multiplies by Q and "per iteration"
by ten. Further symbols are defined at the end: "O(N·w), w = min(D, width)".
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from typing import NamedTuple

from askwell.core.stage import Prefilter
from askwell.core.strategy import Strategy
from askwell.errors import InputError

__all__ = ["LETTERS", "effort", "operations", "symbols"]

LETTERS = frozenset("NMQCKDOTLV")
PER = {"pick": "Q", "iteration": "10"}
SIGNS = {"·": "*", "−": "-", "²": "**2", "³": "**3"}
DEFINED = re.compile(r"\b(\w+) = ")
FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "log": lambda value: math.log2(max(2.0, value)),
}
OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip


class Read(NamedTuple):
    """Terms that are added, and symbols that the cost defines."""

    terms: tuple[ast.expr, ...]
    defined: Mapping[str, ast.expr]


def operations(cost: str, sizes: Mapping[str, float]) -> float:
    """How many operations a cost stands for, up to a factor; `sizes`: symbol -> number.

    >>> operations("O(N·C), and O(beta·Q²·D) per iteration of k-means", {"N": 1000, "C": 3, "beta": 2, "Q": 5, "D": 4})
    5000.0
    """
    read = _read(cost)
    known = dict(sizes)
    for name, expression in read.defined.items():
        known[name] = _value(expression, known, cost)
    return float(sum(_value(term, known, cost) for term in read.terms))


def symbols(cost: str) -> frozenset[str]:
    """The symbols that have to be known: letters and settings.

    >>> sorted(symbols("O(N·w + N log N), w = min(D, width)"))
    ['D', 'N', 'width']
    """
    read = _read(cost)
    used = {name for tree in (*read.terms, *read.defined.values()) for name in _names(tree)}
    return frozenset(used - set(read.defined) - set(FUNCTIONS))


def effort(strategy: Strategy, sizes: Mapping[str, float]) -> float:
    """`operations` of a strategy and of all that are inside it; `sizes` gives every letter.

    >>> from askwell.strategies import BADGE, Subsample
    >>> sizes = dict.fromkeys(LETTERS, 1) | {"N": 1e6, "Q": 10, "C": 3, "D": 7}
    >>> effort(BADGE(), sizes), effort(Subsample(size=1000) | BADGE(), sizes)
    (100000000.0, 1100000.0)
    """
    known = {**sizes, **_settings(strategy)}
    known["K"] = known.get("draws", known["K"])
    total = operations(strategy.cost, known)
    for place, inner in _inside(strategy):
        within = sizes
        if isinstance(strategy, Prefilter) and place == "strategy":
            left = _value(_parsed(strategy.leaves, strategy.leaves), known, strategy.leaves)
            within = {**sizes, "N": min(sizes["N"], max(sizes["Q"], left))}
        total += effort(inner, within)
    return total


def _settings(strategy: Strategy) -> dict[str, float]:
    """Fields that are numbers."""
    values = {field.name: getattr(strategy, field.name) for field in fields(strategy)}  # type: ignore[arg-type] # a dataclass
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def _inside(strategy: Strategy) -> Iterator[tuple[str, Strategy]]:
    for field in fields(strategy):  # type: ignore[arg-type] # a dataclass
        value = getattr(strategy, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Strategy):
                yield field.name, one


@cache
def _read(cost: str) -> Read:
    terms, end = [], 0
    for start in (found.end() for found in re.finditer(r"\bO\(", cost)):
        end = _closing(cost, start)
        after = re.split(r"\bO\(", cost[end + 1 :])[0]
        factors = [_factor(word, cost) for word in re.findall(r"\bper (\w+)", after)]
        terms.append(_parsed("*".join([f"({cost[start:end]})", *factors]), cost))
    if not terms:
        raise InputError(f"cost {cost!r} names no O(…): write O(N·C)", got=cost)
    pieces = DEFINED.split(cost[end + 1 :])[1:]
    return Read(tuple(terms), {name: _parsed(text, cost) for name, text in zip(pieces[::2], pieces[1::2], strict=True)})


def _factor(word: str, cost: str) -> str:
    if word not in PER:
        raise InputError(f"cost {cost!r} is per {word}: it may be per {' or per '.join(PER)}", got=cost)
    return PER[word]


def _closing(cost: str, start: int) -> int:
    """The place of the bracket that closes the one before `start`."""
    depth = 1
    for place in range(start, len(cost)):
        depth += (cost[place] == "(") - (cost[place] == ")")
        if not depth:
            return place
    raise InputError(f"cost {cost!r} has a bracket that is not closed", got=cost)


def _parsed(text: str, cost: str) -> ast.expr:
    plain = re.sub(r"(\w+) log (\w+)", r"\1*log(\2)", text)
    for sign, meaning in SIGNS.items():
        plain = plain.replace(sign, meaning)
    try:
        return ast.parse(plain.strip(" ,;."), mode="eval").body
    except SyntaxError:
        raise InputError(f"cost {cost!r} cannot be read at {text.strip()!r}: write O(N·C)", got=cost) from None


def _names(tree: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _value(tree: ast.AST, known: Mapping[str, float], cost: str) -> float:
    """The value of an expression in numbers, known names, + - · / powers and the functions."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float):
        return tree.value
    if isinstance(tree, ast.Name) and tree.id in known:
        return known[tree.id]
    if isinstance(tree, ast.BinOp) and type(tree.op) in OPERATIONS:
        left, right = _value(tree.left, known, cost), _value(tree.right, known, cost)
        return float(OPERATIONS[type(tree.op)](left, right))
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in FUNCTIONS:
        return float(FUNCTIONS[tree.func.id](*(_value(given, known, cost) for given in tree.args)))
    raise InputError(f"cost {cost!r} names {ast.unparse(tree)}, which is no letter and no setting", got=cost)
