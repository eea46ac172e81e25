"""`askwell doctor` tells what is there."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_doctor_tells_versions_folders_and_extras(
    askwell: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("ASKWELL_DATA", str(tmp_path))
    (tmp_path / "askwell").mkdir()
    (tmp_path / "askwell" / "features.npy").write_bytes(bytes(2_500_000))
    lines = {line.split("  ")[0].strip(): line for line in askwell("doctor").out.splitlines() if line.strip()}
    assert lines["torch"].endswith(version("torch"))
    assert lines["threads"].endswith("processors")
    assert "cpu" in lines["devices"]
    assert lines["data"].endswith(str(tmp_path))
    assert lines["cache"].endswith(f"{tmp_path / 'askwell'} (2.5 MB)")


def test_doctor_tells_extras_that_are_missing(askwell: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    requires = ["torch>=2.8", 'pandas>=2.2; extra == "tables"', 'no-such-package>=1; extra == "nothing"']
    monkeypatch.setattr("askwell.cli.doctor.requires", lambda name: requires)
    text = askwell("doctor").out
    assert f"  tables   pandas {version('pandas')}\n" in text
    assert "  nothing  no-such-package missing\n" in text


def test_doctor_tells_a_data_folder_that_is_not_there(askwell: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKWELL_DATA", "/no/such/folder")
    assert "/no/such/folder (missing)" in askwell("doctor").out
    monkeypatch.delenv("ASKWELL_DATA")
    assert "ASKWELL_DATA is not set" in askwell("doctor").out
