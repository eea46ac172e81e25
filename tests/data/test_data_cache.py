from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from data_files import photos

from askwell.data import cache_folder, cache_size
from askwell.data.cache import draft, gather, kept

ROWS = np.arange(12.0).reshape(6, 2)


def blocks() -> Iterator[np.ndarray]:
    yield ROWS[:4]
    yield ROWS[4:]


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder(tmp_path) == tmp_path
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "askwell"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "askwell"


def test_rows_are_made_once(tmp_path: Path) -> None:
    first = kept(tmp_path, "rows", 6, blocks)
    assert isinstance(first, np.memmap)
    np.testing.assert_array_equal(first, ROWS)
    np.testing.assert_array_equal(kept(tmp_path, "rows", 6, lambda: pytest.fail("made again")), ROWS)
    assert cache_size(tmp_path) == (tmp_path / "rows.npy").stat().st_size > ROWS.nbytes


@pytest.mark.parametrize("damage", [b"", b"no array", None])
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    kept(tmp_path, "rows", 6, blocks)
    path = tmp_path / "rows.npy"
    path.write_bytes(path.read_bytes()[:-8] if damage is None else damage)
    np.testing.assert_array_equal(kept(tmp_path, "rows", 6, blocks), ROWS)


def test_other_rows_of_the_same_name_are_not_taken(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS[:5])
    np.testing.assert_array_equal(kept(tmp_path, "rows", 6, blocks), ROWS)


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def fails() -> Iterator[np.ndarray]:
        yield ROWS[:4]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kept(tmp_path, "rows", 6, fails)
    assert not list(tmp_path.iterdir())


def test_a_kill_leaves_the_old_file_or_none(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from askwell.data.cache import kept\n"
        "def rows():\n"
        "    yield np.zeros((4, 2))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "kept(Path(sys.argv[1]), 'rows', 6, rows)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -9
    assert not (tmp_path / "rows.npy").exists()
    np.testing.assert_array_equal(kept(tmp_path, "rows", 6, blocks), ROWS)


def test_without_room_rows_are_held_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING, "askwell"):
        np.testing.assert_array_equal(kept(blocked, "rows", 6, blocks), ROWS)
    assert caplog.messages == [f"cannot keep {blocked}/rows.npy (File exists): it is held in memory"]


def test_a_full_disk_is_no_failure(tmp_path: Path) -> None:
    script = (
        "import resource, sys, numpy as np, signal\n"
        "from pathlib import Path\n"
        "from askwell.data.cache import kept\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "rows = kept(Path(sys.argv[1]), 'rows', 9, lambda: iter([np.ones((9, 99))]))\n"
        "print(int(rows.sum()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "891"
    assert not list(tmp_path.iterdir())


def test_a_draft_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    with draft(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert len(list(path.parent.iterdir())) == 1


def test_gather() -> None:
    np.testing.assert_array_equal(gather(6, blocks()), ROWS)


def test_reading_data_loads_no_torch(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=ROWS, y=np.arange(6) % 2)
    (tmp_path / "t.csv").write_text("text,label\na,x\nb,y\n")
    (tmp_path / "n.csv").write_text("size,label\n1,x\n2,y\n")
    photos(tmp_path / "photos", "a/0.png", "b/1.png")
    script = (
        "import sys\n"
        "from askwell.data import load, Grown\n"
        "for source in ['digits', *sys.argv[1:]]:\n"
        "    data = load(source, test_size=0)\n"
        "    pool = Grown(data.pool, ['x'])\n"
        "    len(pool), pool.keys([0, 1]), pool.positions(pool.keys([1])), pool.item(0), pool.digest\n"
        "    assert 'torch' not in sys.modules, source\n"
    )
    names = ["x.npz", "t.csv", "n.csv", "photos"]
    command = [sys.executable, "-c", script, *(str(tmp_path / name) for name in names)]
    subprocess.run(command, check=True, env={**os.environ})
