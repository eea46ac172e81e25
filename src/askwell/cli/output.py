"""How commands speak."""

from __future__ import annotations

import shutil
import sys

import typer

__all__ = ["say", "table", "width"]


def say(text: str = "") -> None:
    """One or more lines on standard output; characters that it cannot show are replaced."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "replace").decode(encoding))


def table(rows: list[tuple[str, str]], indent: str = "") -> str:
    """Words with their meanings, in two columns.

    >>> print(table([("needs", "probs"), ("cost", "O(N)")]))
    needs  probs
    cost   O(N)
    """
    wide = max((len(word) for word, _ in rows), default=0)
    return "\n".join(f"{indent}{word:<{wide}}  {meaning}".rstrip() for word, meaning in rows)


def width() -> int:
    """Columns of the terminal, 80 where there is none, at most 120."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)
