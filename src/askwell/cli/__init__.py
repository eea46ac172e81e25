"""The command line: one file per command; parse, call, print."""

from __future__ import annotations

from askwell.cli.main import main

__all__ = ["main"]
