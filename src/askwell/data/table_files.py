"""Tables in files, by the ending of their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from askwell.data.arrow import read_arrow, read_parquet
from askwell.data.table import Table, check_columns
from askwell.data.text_tables import read_csv, read_jsonl
from askwell.errors import BadData

__all__ = ["ARROW", "ENDINGS", "TEXT", "read_table"]

_tsv = partial(read_csv, delimiter="\t")
TEXT: Mapping[str, Callable[..., Table]] = {
    ".csv": read_csv, ".csv.gz": read_csv, ".tsv": _tsv, ".tsv.gz": _tsv, ".jsonl": read_jsonl, ".jsonl.gz": read_jsonl,
}  # fmt: skip
ARROW: Mapping[str, Callable[[Path], Table]] = {".parquet": read_parquet, ".arrow": read_arrow, ".feather": read_arrow}
ENDINGS = (*TEXT, *ARROW)


def read_table(path: Path, encoding: str = "utf-8") -> Table:
    """Opens a table; raises `BadData` for one that is empty or cannot be read. Only text files have an `encoding`."""
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise BadData(f"{path} is no table: use a file that ends in {', '.join(ENDINGS)}", got=path)
    if not path.is_file():
        raise BadData(f"there is no file {path}", got=path)
    if not path.stat().st_size:
        raise BadData(f"{path} is empty", got=path)
    table = TEXT[ending](path, encoding) if ending in TEXT else ARROW[ending](path)
    if not table.count:
        raise BadData(f"{path} has no rows", got=path)
    check_columns(str(path), table.columns)
    return table
