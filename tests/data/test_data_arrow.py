from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import reachable, same, tensors

from askwell.core.pool import Form
from askwell.data import ArrayPool, TablePool, TextPool, load
from askwell.data.arrow import ArrowTexts, read_arrow, read_parquet
from askwell.errors import BadData, BadShape, InputError, NotFinite

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

N = 2500
TEXTS = [f"leaf number {place % 7} on tree {place}" for place in range(N)]
TABLE = pa.table(
    {
        "text": TEXTS,
        "a": np.arange(N, dtype=np.int32),
        "b": [None if place == 7 else place / 2 for place in range(N)],
        "written": [str(place) for place in range(N)],
        "kind": pa.array([("ash", "elm", None)[place % 3] for place in range(N)]).dictionary_encode(),
        "vector": pa.array([[place, 0.5] for place in range(N)], pa.list_(pa.float32())),
    }
)


def written(path: Path, table: Any = TABLE) -> Path:
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=1100)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, chunksize=2000)
    else:
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table)
    return path


ENDINGS = ("parquet", "feather", "arrow")


@pytest.mark.parametrize("ending", ENDINGS)
def test_texts_stay_in_a_file(tmp_path: Path, cache: Path, ending: str) -> None:
    data = load(written(tmp_path / f"t.{ending}"), label="kind")
    assert isinstance(data.pool, TextPool)
    texts = data.pool.texts
    assert isinstance(texts, ArrowTexts)
    assert texts.path is not None
    assert texts.path.parent == cache
    assert list(texts) == TEXTS
    assert (texts[-1], texts[1020:1030], texts[::1000]) == (TEXTS[-1], TEXTS[1020:1030], TEXTS[::1000])
    with pytest.raises(IndexError):
        texts[N]
    assert data.classes == ("ash", "elm")
    assert data.labels is not None
    assert data.labels[:4].tolist() == [0, 1, -1, 0]
    assert not any(same(found, data.labels) for found in reachable(data.pool))
    assert load(data.source, **data.options).digest == data.digest


def test_a_pool_of_a_file_is_that_of_a_list(tmp_path: Path) -> None:
    labels = np.arange(N) % 2
    one, other = load(written(tmp_path / "t.parquet"), labels=labels), load(TEXTS, labels=labels)
    assert isinstance(one.pool, TextPool)
    assert isinstance(other.pool, TextPool)
    assert one.pool.vocabulary.ids == other.pool.vocabulary.ids
    assert one.digest == other.digest
    assert tensors(one.pool, size=999).equal(tensors(other.pool, size=999))
    np.testing.assert_array_equal(one.pool.features(), other.pool.features())


def test_texts_are_copied_once_and_again_when_the_file_changes(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path / "t.parquet")
    load(path, classes=["a", "b"], text="text")
    (kept,) = cache.glob("texts-*.arrow")
    before = kept.stat().st_mtime_ns
    load(path, classes=["a", "b"], text="text")
    assert kept.stat().st_mtime_ns == before
    written(path, TABLE.slice(0, 20))
    assert load(path, classes=["a", "b"], text="text").pool.item(19) == TEXTS[19]
    kept.write_bytes(b"damaged")
    written(path)
    assert load(path, classes=["a", "b"], text="text").pool.item(N - 1) == TEXTS[-1]


def test_without_room_texts_are_held_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING, "askwell"):
        pool = load(written(tmp_path / "t.arrow"), classes=["a", "b"], cache=blocked).pool
    assert pool.item(1234) == TEXTS[1234]
    assert caplog.messages[0].endswith(" (File exists): it is held in memory")


def test_texts_move_to_another_process_by_their_path(tmp_path: Path) -> None:
    pool = load(written(tmp_path / "t.arrow"), classes=["a", "b"]).pool
    assert isinstance(pool, TextPool)
    body = pickle.dumps(pool.texts)
    assert len(body) < 1000
    assert pickle.loads(body)[N - 1] == TEXTS[-1]
    held = pickle.loads(pickle.dumps(load(TABLE.slice(0, 9), classes=["a", "b"]).pool.texts))  # type: ignore[attr-defined]
    assert held[8] == TEXTS[8]


@pytest.mark.parametrize("values", [["x", None, "z"], [1, None, 3], pa.array(["x", None, "z"]).dictionary_encode()])
def test_what_is_missing_is_an_empty_text(tmp_path: Path, values: Any) -> None:
    pool = load(written(tmp_path / "t.parquet", pa.table({"body": values})), text="body", classes=["a", "b"]).pool
    assert pool.item(1) == ""
    assert pool.item(2) in ("z", "3")


@pytest.mark.parametrize("ending", ENDINGS)
def test_numbers_by_column(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path / f"t.{ending}", TABLE.drop_columns(["text"]))
    data = load(path, columns=["written", "a"], label="kind", test_size=0)
    assert isinstance(data.pool, TablePool)
    assert data.pool.item(1234) == {"written": 1234.0, "a": 1234.0}
    with pytest.raises(NotFinite, match=rf"^column 'b' of t\.{ending}: NaN or infinity in 1 of 2500 rows, the first "):
        load(path, columns=["b"], label="kind")
    with pytest.raises(BadData) as caught:
        load(path, columns=["kind"], labels=np.arange(N) % 2)
    assert str(caught.value) == (
        f"column 'kind' of t.{ending} holds 'ash' in row 0, which is no number: name the columns to use with columns=, "
        "ids with key=, or a text with text="
    )


def test_many_numbers_lie_in_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "t.parquet")
    small = load(path, columns=["a", "written"], classes=["x", "y"])
    monkeypatch.setattr("askwell.data.arrow.IN_MEMORY", 1000)
    large = load(path, columns=["a", "written"], classes=["x", "y"])
    assert isinstance(large.pool, TablePool)
    assert isinstance(large.pool.array, np.memmap)
    assert not isinstance(small.pool.array, np.memmap)  # type: ignore[attr-defined]
    assert large.digest == small.digest
    assert tensors(large.pool, size=999).equal(tensors(small.pool, size=999))
    assert len(list(cache.glob("numbers-*.npy"))) == 1


def test_many_words_lie_in_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tensors(load(TEXTS, classes=["x", "y"]).pool, size=999)
    monkeypatch.setattr("askwell.data.texts.IN_MEMORY", 1000)
    pool = load(TEXTS, classes=["x", "y"]).pool
    assert tensors(pool, size=999).equal(small)
    assert isinstance(pool.tokens, np.memmap)  # type: ignore[attr-defined]
    assert len(list(cache.glob("words-*.npy"))) == 1


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_column_of_vectors(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / f"t.{ending}")
    for limit in (1 << 20, 100):
        monkeypatch.setattr("askwell.data.arrow.IN_MEMORY", limit)
        pool = load(path, columns=["vector"], label="kind").pool
        assert type(pool) is ArrayPool
        assert pool.form == Form("vector", (2,))
        assert pool.item(2222).tolist() == [2222.0, 0.5]
    ragged = pa.table({"v": [[1.0, 2.0]] * 1100 + [[1.0]]})
    with pytest.raises(BadShape) as caught:
        load(written(tmp_path / f"r.{ending}", ragged), columns=["v"], classes=["a", "b"])
    assert str(caught.value) == f"column 'v' of r.{ending} holds 1 numbers in row 1100, and 2 before"


def test_a_table_in_memory() -> None:
    data = load(TABLE, text="text", label="kind")
    assert data.source == ""
    assert data.pool.item(2000) == TEXTS[2000]
    assert load(TABLE, columns=["a"], label="kind").pool.item(3) == {"a": 3.0}


@pytest.mark.parametrize(("ending", "kind"), [("parquet", "Parquet"), ("arrow", "Arrow"), ("feather", "Arrow")])
def test_damaged_files(tmp_path: Path, ending: str, kind: str) -> None:
    path = tmp_path / f"t.{ending}"
    path.write_bytes(b"no table at all")
    with pytest.raises(BadData) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path} cannot be read as {kind}: ")
    path.write_bytes(b"")
    with pytest.raises(BadData, match=rf"t\.{ending} is empty$"):
        load(path)


def test_arrow_says_its_encoding_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(written(tmp_path / "t.parquet"), encoding="latin-1")
    assert str(caught.value) == (
        f"option 'encoding' does not apply to the file {tmp_path / 't.parquet'}, which takes text, label, key, "
        "columns, length"
    )


def test_only_the_columns_that_are_asked_for_are_read(tmp_path: Path) -> None:
    for read, ending in ((read_parquet, "parquet"), (read_arrow, "arrow"), (read_arrow, "feather")):
        table = read(written(tmp_path / f"t.{ending}"))
        batches = list(table.batches(["written", "a"]))
        assert sorted(batches[0].schema.names) == ["a", "written"]
        assert sum(batch.num_rows for batch in batches) == table.count == N


PEAK = """
import sys, threading
import numpy as np, pyarrow as pa, pyarrow.parquet, torch
from askwell.data import load

def held():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon"))

def watch():
    while not done.wait(0.002):
        peaks.append(held())

path, cache = sys.argv[1:]
load(["some words", "other words"], classes=["a", "b"]).pool.items("eval")
peaks, done = [held()], threading.Event()
thread = threading.Thread(target=watch)
thread.start()
data = load(path, cache=cache)
data.digest
for _ in data.pool.items("eval").batches(torch.arange(len(data)), 1024):
    pass
done.set()
thread.join()
print(len(data), data.pool.form.shape[0], max(peaks) - peaks[0])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_large_file_of_texts_is_never_held_whole(tmp_path: Path) -> None:
    words = np.array([f"{place:x}" * 10 for place in range(5000, 9000)])
    rng = np.random.default_rng(0)
    schema, path = pa.schema([("text", pa.string()), ("label", pa.int64())]), tmp_path / "large.parquet"
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(15):
            texts = [" ".join(row) for row in rng.choice(words, (2000, 80))]
            writer.write_table(pa.table({"text": texts, "label": np.arange(2000) % 2}, schema))
    assert path.stat().st_size > 90e6
    command = [sys.executable, "-c", PEAK, str(path), str(tmp_path / "cache")]
    home = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=home)
    count, length, grown = map(int, done.stdout.split())
    assert (count, length) == (30_000, 64)
    assert grown < path.stat().st_size / 2
