"""Tables in Parquet and Arrow files: read batch by batch, and never held whole.

Texts are copied once into a memory-mapped Arrow file in the cache and read from there by position; numbers go straight
into one array, in the cache as well when they are many.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.data.cache import cache_folder, draft, gather, kept
from askwell.data.digest import of_texts
from askwell.data.keyed import finite
from askwell.data.labels import missing
from askwell.data.strings import Strings
from askwell.data.table import ITEMS, Table, as_numbers
from askwell.errors import BadData, BadShape, MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ArrowTable", "ArrowTexts", "in_memory", "read_arrow", "read_parquet"]

log = logging.getLogger("askwell")

ROWS = 1024
IN_MEMORY = 64 << 20
BUFFER = 1 << 20

Batches = Callable[[Sequence[str]], Iterator["pa.RecordBatch"]]
"""The rows of these columns, batch by batch; columns in any order."""


@dataclass(frozen=True)
class ArrowTable(Table):
    """Columns in Arrow form.

    stamp  names the content in the cache; "" for what is in memory already
    """

    schema: pa.Schema
    batches: Batches
    stamp: str

    def texts(self, name: str, cache: Path | None = None) -> Sequence[str]:
        """A column that stays in Arrow form, memory-mapped."""
        self.check(name)
        blocks = partial(self._texts, name)
        return kept_texts(cache, self._named("texts", name), self.count, blocks) if self.stamp else held(blocks())

    def numbers(self, names: Sequence[str], cache: Path | None = None) -> NDArray[np.float32]:
        """Columns (n, D); beyond 64 MiB in a memory map."""
        self.check(*names)
        rows = self._rows(cache, self._named("numbers", *names), len(names), partial(self._numbers, names))
        for place, name in enumerate(names):
            finite(rows[:, place], self.called(name))
        return rows

    def vectors(self, name: str, cache: Path | None = None) -> NDArray[np.float32] | None:
        """A column of lists of equal length; beyond 64 MiB in a memory map."""
        import pyarrow as pa

        kind = self.schema.field(name).type
        lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        if not lists or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
            return None
        width = next((len(row) for batch in self.batches([name]) for row in batch.column(name) if row.is_valid), 0)
        return self._rows(cache, self._named("vectors", name), width, partial(self._vectors, name, width))

    def _rows(
        self, cache: Path | None, name: str, width: int, blocks: Callable[[], Iterator[NDArray[np.float32]]]
    ) -> NDArray[np.float32]:
        """Rows (n, width) from their blocks, in memory or in the cache."""
        if self.count * width * 4 <= IN_MEMORY or not self.stamp:
            return gather(self.count, blocks())
        return kept(cache, name, self.count, blocks)

    def _named(self, what: str, *columns: str) -> str:
        return f"{what}-{of_texts([self.stamp, *columns])[:32]}"

    def _texts(self, name: str) -> Iterator[pa.Array]:
        return (as_texts(batch.column(name)) for batch in self.batches([name]))

    def _numbers(self, names: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        start = 0
        for batch in self.batches(names):
            columns = [_floats(batch.column(name), self.called(name), start) for name in names]
            yield np.stack(columns, 1).astype(np.float32)
            start += batch.num_rows

    def _vectors(self, name: str, width: int) -> Iterator[NDArray[np.float32]]:
        start = 0
        for batch in self.batches([name]):
            rows = batch.column(name)
            lengths = [len(row) if row.is_valid else 0 for row in rows]
            other = next((place for place, length in enumerate(lengths) if length != width), None)
            if other is not None:
                raise BadShape(
                    f"{self.called(name)} holds {lengths[other]} numbers in row {start + other}, and {width} before",
                    got=lengths[other],
                )
            yield np.asarray(rows.flatten(), np.float32).reshape(-1, width)
            start += len(rows)


class ArrowTexts(Strings):
    """A column of texts in Arrow form.

    path  of the memory-mapped file that it lies in; None for one in memory
    """

    def __init__(self, column: pa.ChunkedArray, path: Path | None = None) -> None:
        self.column, self.path = column, path

    def __len__(self) -> int:
        return len(self.column)

    def read(self, positions: Sequence[int]) -> list[str]:
        if isinstance(positions, range) and positions.step == 1:
            found: list[str] = self.column.slice(positions.start, len(positions)).to_pylist()
            return found
        return [self.column[position].as_py() for position in positions]

    def __reduce__(self) -> Any:
        return (ArrowTexts, (self.column,)) if self.path is None else (_mapped, (self.path,))


def read_parquet(path: Path) -> ArrowTable:
    """A Parquet file; only the columns that are asked for are read."""
    _needed()
    from pyarrow import ArrowException, parquet

    def batches(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            yield from file.iter_batches(ROWS, columns=list(names), use_threads=False)

    try:
        with parquet.ParquetFile(path) as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
    except (ArrowException, OSError) as error:
        raise BadData(f"{path} cannot be read as Parquet: {error}", got=path) from error
    return _table(path.name, schema, count, batches, _stamp(path))


def read_arrow(path: Path) -> ArrowTable:
    """An Arrow file, in the form of files (Feather) or of streams, memory-mapped."""
    _needed()
    from pyarrow import ArrowException

    def batches(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        places = [place for place, name in enumerate(schema.names) if name in names]
        for batch in _ipc(path, places)[1]:
            yield from (batch.slice(start, ROWS) for start in range(0, batch.num_rows, ROWS))

    try:
        schema, found = _ipc(path, None)
        count = sum(batch.num_rows for batch in found)
    except (ArrowException, OSError) as error:
        raise BadData(f"{path} cannot be read as Arrow: {error}", got=path) from error
    return _table(path.name, schema, count, batches, _stamp(path))


def in_memory(table: Any, name: str = "the table") -> ArrowTable:
    """A pyarrow Table."""

    def batches(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from table.select(list(names)).to_batches(max_chunksize=ROWS)

    return _table(name, table.schema, table.num_rows, batches, "")


def as_texts(column: pa.Array) -> pa.Array:
    """A column as texts; what is missing becomes an empty one."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = column.cast(pa.large_string())
        return texts.fill_null("") if texts.null_count else texts
    values = ["" if missing(value) else str(value) for value in column.to_pylist()]
    return pa.array(values, pa.large_string())


def held(blocks: Iterable[pa.Array]) -> ArrowTexts:
    """Texts in memory, in Arrow form."""
    import pyarrow as pa

    return ArrowTexts(pa.chunked_array(list(blocks), pa.large_string()))


def kept_texts(folder: Path | None, name: str, n: int, blocks: Callable[[], Iterator[pa.Array]]) -> ArrowTexts:
    """The n texts of this name from the cache, memory-mapped; written from `blocks` when they are not there."""
    path = cache_folder(folder) / f"{name}.arrow"
    found = _found(path, n)
    if found is not None:
        return found
    try:
        _write(path, blocks())
        return _mapped(path)
    except OSError as error:
        log.warning("cannot keep %s (%s): it is held in memory", path, error.strerror or error)
        return held(blocks())


def _write(path: Path, blocks: Iterator[pa.Array]) -> None:
    import pyarrow as pa

    schema = pa.schema([("text", pa.large_string())])
    with draft(path) as file, pa.ipc.new_file(file, schema) as writer:
        for block in blocks:
            writer.write_batch(pa.record_batch([block], schema=schema))


def _found(path: Path, n: int) -> ArrowTexts | None:
    """The cached texts; None when the file is not there or is damaged, for it can be made again."""
    from pyarrow import ArrowException

    try:
        found = _mapped(path)
    except (ArrowException, OSError):
        return None
    return found if len(found) == n else None


def _mapped(path: Path) -> ArrowTexts:
    import pyarrow as pa

    return ArrowTexts(pa.ipc.open_file(pa.memory_map(str(path))).read_all().column(0), path)


def _ipc(path: Path, fields: list[int] | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches of an Arrow file of either form; of these fields only, or of all."""
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions(included_fields=fields or [])
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)), options=options)
        return reader.schema, (reader.get_batch(place) for place in range(reader.num_record_batches))
    except pa.ArrowInvalid:
        stream = pa.ipc.open_stream(pa.memory_map(str(path)), options=options)
        return stream.schema, iter(stream)


def _table(name: str, schema: pa.Schema, count: int, batches: Batches, stamp: str) -> ArrowTable:
    def get(column: str) -> list[Any]:
        return [value for batch in batches([column]) for value in batch.column(column).to_pylist()]

    return ArrowTable(name, list(schema.names), count, get, schema, batches, stamp)


def _floats(column: pa.Array, what: str, start: int) -> NDArray[np.float64]:
    """Numbers, or texts of numbers; NaN where one is missing."""
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    return as_numbers(column.to_pylist(), what, ITEMS, range(start, start + len(column)))


def _stamp(path: Path) -> str:
    """Tells this content of the file from another: its place, its size and its time of change."""
    found = os.stat(path)
    return of_texts([str(path.resolve()), str(found.st_size), str(found.st_mtime_ns)])


def _needed() -> None:
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    del pa
