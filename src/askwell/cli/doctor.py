"""`askwell doctor`: what is installed, and where things are kept."""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from askwell.cli.command import Settings
from askwell.cli.output import Answer, table
from askwell.cli.status import plain

__all__ = ["doctor"]


def doctor(settings: Settings) -> Answer:
    """Show versions, devices, folders, settings and extras."""
    from askwell.engine.folder import versions

    found = {**versions(), **_machine(), **_folders(), "config": str(settings.config or "no askwell.toml here")}
    extras = {extra: {name: _version(name) for name in packages} for extra, packages in _extras().items()}
    shown = table([(name, plain(value)) for name, value in found.items()])
    listed = table([(extra, plain(packages)) for extra, packages in extras.items()], "  ")
    return Answer({**found, "extras": extras}, f"{shown}\n\nextras\n{listed}")


def _machine() -> dict[str, Any]:
    import torch

    names = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    return {
        "threads": f"{torch.get_num_threads()} of {os.cpu_count()} processors",
        "devices": ["cpu", *(f"cuda:{place} ({name})" for place, name in enumerate(names))],
    }


def _extras() -> dict[str, list[str]]:
    """Extra -> its packages, from the metadata of askwell itself."""
    found: dict[str, list[str]] = {}
    for line in requires("askwell") or []:
        parsed = re.match(r"([\w.-]+)[^;]*;.*extra == ['\"]([\w-]+)['\"]", line)
        if parsed and parsed[1] != "askwell":
            found.setdefault(parsed[2], []).append(parsed[1])
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _folders() -> dict[str, str]:
    from askwell.data.cache import cache_folder, cache_size

    data = os.environ.get("ASKWELL_DATA")
    return {
        "data": data if data and os.path.isdir(data) else f"{data} (missing)" if data else "ASKWELL_DATA is not set",
        "cache": f"{cache_folder()} ({cache_size() / 1e6:.1f} MB)",
    }
