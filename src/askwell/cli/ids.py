"""Users' own ids from a text file."""

from __future__ import annotations

from pathlib import Path

from askwell.errors import BadData

__all__ = ["read_ids"]


def read_ids(path: Path) -> list[str]:
    """One id a line, in UTF-8, empty lines left out; raises `BadData` for a file that cannot be read."""
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line]
    except OSError as error:
        raise BadData(f"ids: cannot read {path}: {error.strerror}", got=str(path)) from None
    except ValueError:
        raise BadData(f"ids: {path} is not UTF-8 text", got=str(path)) from None
