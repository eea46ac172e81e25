"""Turns docstrings as this project writes them into Markdown for the site: columns to tables, examples to code."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

HARMLESS = str.maketrans({sign: f"&#{ord(sign)};" for sign in "<>[]|*_"})
COLUMNS = re.compile(r"^(\S(?:.*?\S)?)  +(\S.*)$")


class Docstrings(Extension):
    """Rewrites the docstring of every object that the site shows."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """A docstring as Markdown: paragraphs, tables, code."""
    return "\n\n".join(_block(block.strip("\n")) for block in re.split(r"\n\s*\n", text) if block.strip())


def _block(block: str) -> str:
    """One paragraph: an example, a table with the words before and after it, or words."""
    if block.startswith(">>>"):
        return f"```python\n{block}\n```"
    parts: list[str] = []
    rows: list[tuple[str, str]] = []
    for line in block.split("\n"):
        found = COLUMNS.match(line)
        if found:
            rows.append((found[1], found[2]))
        elif rows and line.startswith(" "):
            rows[-1] = rows[-1][0], f"{rows[-1][1]} {line.strip()}"
        else:
            parts += [_table(rows)] if rows else []
            rows = []
            parts.append(_escaped(line.strip()))
    return _joined([*parts, *([_table(rows)] if rows else [])])


def _joined(parts: list[str]) -> str:
    """Lines as they are, tables with empty lines around them."""
    lines = [f"\n{part}\n" if part.startswith("| |") else part for part in parts]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _table(rows: list[tuple[str, str]]) -> str:
    body = "\n".join(f"| `{name}` | {_escaped(meaning)} |" for name, meaning in rows)
    return f"| | |\n|---|---|\n{body}"


def _escaped(text: str) -> str:
    """Words with the signs of Markdown and HTML made harmless outside of backticks."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else piece.translate(HARMLESS) for piece in pieces)
