"""`askwell doctor`: what is installed, and where things are kept."""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, requires, version

from askwell.cli.output import say, table

__all__ = ["doctor"]


def doctor() -> None:
    """Show versions, devices, folders and extras."""
    from askwell.engine.folder import versions

    say(table([*versions().items(), *_machine(), *_folders()]))
    say()
    say("extras")
    say(table([(extra, _installed(packages)) for extra, packages in _extras().items()], "  "))


def _machine() -> list[tuple[str, str]]:
    import torch

    names = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    return [
        ("threads", f"{torch.get_num_threads()} of {os.cpu_count()} processors"),
        ("devices", ", ".join(["cpu", *(f"cuda:{place} ({name})" for place, name in enumerate(names))])),
    ]


def _extras() -> dict[str, list[str]]:
    """Extra -> its packages, from the metadata of askwell itself."""
    found: dict[str, list[str]] = {}
    for line in requires("askwell") or []:
        parsed = re.match(r"([\w.-]+)[^;]*;.*extra == ['\"]([\w-]+)['\"]", line)
        if parsed and parsed[1] != "askwell":
            found.setdefault(parsed[2], []).append(parsed[1])
    return found


def _installed(packages: list[str]) -> str:
    return ", ".join(f"{package} {_version(package)}" for package in packages)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _folders() -> list[tuple[str, str]]:
    from askwell.data.cache import cache_folder, cache_size

    data = os.environ.get("ASKWELL_DATA")
    return [
        ("data", data if data and os.path.isdir(data) else f"{data} (missing)" if data else "ASKWELL_DATA is not set"),
        ("cache", f"{cache_folder()} ({cache_size() / 1e6:.1f} MB)"),
    ]
