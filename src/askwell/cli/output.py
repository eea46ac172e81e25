"""How commands speak."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import Any

import typer

__all__ = ["TIED", "Answer", "as_json", "columns", "counted", "grid", "say", "speak", "table", "width"]

WHOLE: Mapping[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
"""Paths and hashes stay in one piece."""
TIED = "\u00a0"
"""A space at which no line is broken."""


@dataclass(frozen=True)
class Answer:
    """What a command found out.

    data    for programs: what --json prints
    text    for people
    result  what --quiet leaves of the text: the path or the ids that were asked for, nothing where there are none
    """

    data: Mapping[str, Any]
    text: str
    result: str = ""


def speak(answer: Answer, json: bool, quiet: bool) -> None:
    """Prints an answer, the one thing that a command writes to standard output."""
    text = as_json(answer.data, indent=1) if json else answer.result if quiet else answer.text
    if text:
        say(text)


def as_json(data: Any, indent: int | None = None) -> str:
    """One JSON document; what is no finite number is null, and what JSON does not know is its text.

    >>> as_json({"accuracy": float("nan"), "rounds": (1, 2)})
    '{"accuracy": null, "rounds": [1, 2]}'
    """
    return json.dumps(_finite(data), indent=indent, ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say(text: str = "") -> None:
    """One or more lines on standard output; characters that it cannot show are replaced."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "replace").decode(encoding))


def table(rows: Sequence[tuple[str, str]], indent: str = "") -> str:
    """Words with their meanings, in two columns; what is wider than the terminal goes on below, unless it is one word.

    >>> print(table([("needs", "probs"), ("cost", "O(N)")]))
    needs  probs
    cost   O(N)
    """
    wide = max((len(word) for word, _ in rows), default=0)
    return "\n".join(_entry(f"{indent}{word:<{wide}}  ", meaning) for word, meaning in rows)


def _entry(head: str, text: str) -> str:
    lines = wrap(text, width(), initial_indent=head, subsequent_indent=" " * len(head), **WHOLE)
    return "\n".join(lines).replace(TIED, " ") or head.rstrip()


def counted(count: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "item"), counted(2, "item")
    ('1 item', '2 items')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int, most: int = 40) -> str:
    """Rows under their headings, each cell on one line and at most `most` characters wide.

    >>> print(columns([{"id": "a", "text": "one\\ntwo"}, {"id": "b", "text": "a long story"}], ["id", "text"], 40, 8))
    id  text
    a   one two
    b   a long …
    """
    cells = [list(names), *([_cell(row.get(name), most) for name in names] for row in rows)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(f"{cell:<{size}}" for cell, size in zip(line, wide, strict=True)).rstrip() for line in cells)
    return "\n".join(_cut(line, width) for line in lines)


def grid(rows: Sequence[Sequence[str]], width: int, indent: str = "  ") -> str:
    """Rows of texts in columns; what is too wide goes on below, the widest columns first.

    >>> print(grid([("name", "needs"), ("cal", "probs, embedding")], 18))
      name  needs
      cal   probs,
            embedding
    """
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    least = [max(len(word) for cell in column for word in cell.split() or [""]) for column in zip(*rows, strict=True)]
    while len(indent) + sum(wide) + 2 * (len(wide) - 1) > width and wide != least:
        widest = max(range(len(wide)), key=lambda place: (wide[place] > least[place], wide[place]))
        wide[widest] -= 1
    return "\n".join(line for row in rows for line in _row(row, wide, indent))


def _row(row: Sequence[str], wide: Sequence[int], indent: str) -> list[str]:
    cells = [wrap(cell, size, **WHOLE) or [""] for cell, size in zip(row, wide, strict=True)]
    lines = zip_longest(*cells, fillvalue="")
    return [
        (indent + "  ".join(f"{cell:<{size}}" for cell, size in zip(line, wide, strict=True))).rstrip()
        for line in lines
    ]


def _cell(value: Any, most: int) -> str:
    text = "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
    return _cut(" ".join(text.split()), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def width() -> int:
    """Columns of the terminal, 80 where there is none, at most 120."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)
