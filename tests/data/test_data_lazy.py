from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from askwell.data import cache_size
from askwell.data import lazy as lazy_room
from askwell.data.lazy import LazyRows

N, WIDTH = 40, 5
EVERY = np.arange(N)
TRUTH = np.repeat(EVERY[:, None] + 1, WIDTH, 1).astype(np.uint8)


class Maker:
    """Makes rows in blocks of three, remembers which, and fails at the position `bad`."""

    def __init__(self, bad: int = -1) -> None:
        self.bad, self.made = bad, []

    def __call__(self, positions: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, len(positions), 3):
            block = positions[start : start + 3]
            if self.bad in block:
                raise ValueError(f"row {self.bad}")
            self.made += block.tolist()
            yield TRUTH[block]


def versions(**changed: int) -> np.ndarray:
    made = np.stack([EVERY * 0 + 7, EVERY], 1)
    for place, value in changed.items():
        made[int(place.removeprefix("at")), 0] = value
    return made


def lazy(path: Path, make: Maker, **changed: int) -> LazyRows:
    return LazyRows(path / "x.rows", (N, WIDTH), versions(**changed), make)


def test_rows_are_made_when_they_are_wanted_and_once(tmp_path: Path) -> None:
    make = Maker()
    rows = lazy(tmp_path, make)
    wanted = np.array([9, 2, 9, 3])
    np.testing.assert_array_equal(rows.want(wanted)[wanted], TRUTH[wanted])
    assert (make.made, rows.made, rows.complete) == ([2, 3, 9], 3, False)
    np.testing.assert_array_equal(rows.want(EVERY), TRUTH)
    assert sorted(make.made) == EVERY.tolist()
    assert rows.complete


def test_rows_are_read_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        lazy(tmp_path, Maker()).want(EVERY)[0] = 1


def test_a_later_run_finds_what_was_made(tmp_path: Path) -> None:
    rows = lazy(tmp_path, Maker())
    rows.want(EVERY[:10])
    del rows
    make = Maker()
    later = lazy(tmp_path, make)
    assert later.made == 10
    np.testing.assert_array_equal(later.want(EVERY), TRUTH)
    assert make.made == list(range(10, N))
    assert lazy(tmp_path, Maker()).complete


def test_only_rows_of_another_version_are_made_again(tmp_path: Path) -> None:
    lazy(tmp_path, Maker()).want(EVERY)
    make = Maker()
    np.testing.assert_array_equal(lazy(tmp_path, make, at4=1, at11=1).want(EVERY), TRUTH)
    assert make.made == [4, 11]


def test_what_is_made_while_another_looks_on_is_not_made_again(tmp_path: Path) -> None:
    one, two = Maker(), Maker()
    first, second = lazy(tmp_path, one), lazy(tmp_path, two)
    first.want(EVERY)
    np.testing.assert_array_equal(second.want(EVERY), TRUTH)
    assert two.made == []


def test_a_failure_keeps_the_rows_before_it(tmp_path: Path) -> None:
    rows = lazy(tmp_path, Maker(bad=20))
    with pytest.raises(ValueError, match="row 20"):
        rows.want(EVERY)
    assert rows.made == 18
    np.testing.assert_array_equal(rows.want(EVERY[:18])[:18], TRUTH[:18])
    with pytest.raises(ValueError, match="row 20"):
        rows.want(np.array([20]))


SCRIPT = """
import os, signal, sys, numpy as np
from pathlib import Path
from askwell.data import lazy
def make(positions):
    for position in positions.tolist():
        yield np.full((1, 5), position + 1, np.uint8)
lazy.WRITTEN, lazy.PENDING = 5, int(sys.argv[2])
versions = np.stack([np.full(40, 7), np.arange(40)], 1)
rows = lazy.LazyRows(Path(sys.argv[1], "x.rows"), (40, 5), versions, make)
"""


def run(tmp_path: Path, then: str, pending: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT + then, str(tmp_path), str(pending)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.parametrize(("pending", "kept"), [(1, 30), (50, 30), (1 << 20, 0)])
def test_a_kill_keeps_what_was_recorded(tmp_path: Path, pending: int, kept: int) -> None:
    done = run(tmp_path, "rows.want(np.arange(30)); os.kill(os.getpid(), signal.SIGKILL)", pending)
    assert done.returncode == -9
    make = Maker()
    rows = lazy(tmp_path, make)
    assert rows.made == kept
    np.testing.assert_array_equal(rows.want(EVERY), TRUTH)


def test_the_end_of_a_process_records_all(tmp_path: Path) -> None:
    assert run(tmp_path, "rows.want(np.arange(30))", 1 << 20).returncode == 0
    assert lazy(tmp_path, Maker()).made == 30


def test_two_processes_do_the_same_work_at_once(tmp_path: Path) -> None:
    then = "assert (rows.want(np.arange(40))[:, 0] == np.arange(1, 41)).all(); print(rows.complete)"
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: run(tmp_path, then, 10), range(2)))
    assert [one.stdout for one in done] == ["True\n", "True\n"]
    np.testing.assert_array_equal(lazy(tmp_path, Maker(bad=0)).want(EVERY), TRUTH)


def test_threads_make_a_row_once(tmp_path: Path) -> None:
    make = Maker()
    rows = lazy(tmp_path, make)
    orders = [np.random.default_rng(seed).permutation(N)[:25] for seed in range(16)]
    with ThreadPoolExecutor(8) as many:
        for order, got in zip(orders, many.map(rows.want, orders), strict=True):
            np.testing.assert_array_equal(got[order], TRUTH[order])
    assert sorted(make.made) == sorted(set(np.concatenate(orders).tolist()))


@pytest.mark.parametrize("damage", [b"", b"short"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    lazy(tmp_path, Maker()).want(EVERY)
    (tmp_path / "x.rows").write_bytes(damage)
    np.testing.assert_array_equal(lazy(tmp_path, Maker()).want(EVERY), TRUTH)


def test_holes_take_no_room(tmp_path: Path) -> None:
    LazyRows(tmp_path / "x.rows", (1000, 1 << 20), np.ones((1000, 2), np.int64), Maker())
    assert (tmp_path / "x.rows").stat().st_size > 1000 << 20
    assert cache_size(tmp_path) < 1 << 20


def test_a_disk_that_fills_up_costs_only_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make = Maker()
    rows = lazy(tmp_path, make)
    held = rows.want(EVERY[:10])

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    np.testing.assert_array_equal(rows.want(EVERY[8:20])[8:20], TRUTH[8:20])
    np.testing.assert_array_equal(held[:10], TRUTH[:10])
    np.testing.assert_array_equal(rows.want(EVERY), TRUTH)
    assert rows.complete
    assert caplog.messages == [f"cannot keep {tmp_path}/x.rows (No space left on device): it is held in memory"]
    del rows
    assert "cannot record rows in the cache (No space left on device): they will be made again" in caplog.text


def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    then = "print(int(rows.want(np.arange(40))[:, 0].sum()), rows.complete)"
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    command = [sys.executable, "-c", limit + SCRIPT + then, str(tmp_path), "10"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "820 True\n"
    assert not list(tmp_path.iterdir())


def test_a_pool_that_may_only_be_read_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lazy(tmp_path, Maker()).want(EVERY[:30])

    def opened(path: Path, mode: str, **more: int) -> object:
        if "+" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return open(path, mode, **more)

    monkeypatch.setattr(lazy_room, "open", opened, raising=False)
    make = Maker()
    rows = lazy(tmp_path, make)
    np.testing.assert_array_equal(rows.want(EVERY[:30])[:30], TRUTH[:30])
    assert make.made == []
    np.testing.assert_array_equal(rows.want(EVERY), TRUTH)
    assert caplog.messages == [f"cannot keep {tmp_path}/x.rows (Bad file descriptor): it is held in memory"]


def test_without_a_folder_rows_are_held_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING, "askwell"):
        rows = LazyRows(tmp_path / "file" / "x.rows", (N, WIDTH), versions(), Maker())
    np.testing.assert_array_equal(rows.want(EVERY), TRUTH)
    assert len(caplog.messages) == 1


def test_a_map_that_does_not_show_what_is_written_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "pwrite", lambda file, body, at: len(body))
    np.testing.assert_array_equal(lazy(tmp_path, Maker()).want(EVERY), TRUTH)
    assert "(its file system does not show in a map what is written to a file): it is held in memory" in caplog.text


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, body, at: real(file, body[:3], at))
    np.testing.assert_array_equal(lazy(tmp_path, Maker()).want(EVERY), TRUTH)
    monkeypatch.undo()
    assert lazy(tmp_path, Maker()).complete
