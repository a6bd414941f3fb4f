"""
Reads a version of a Delta table out to Parquet, a bounded part at a time, for whoever holds its rows against those of
another reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder

from .storage import storage_options


class ReadOut:
    """The rows as delta-rs gives them: deletion vectors applied, columns by their logical names."""

    def __init__(self, uri: str, version: int, folder: str, max_bytes: int) -> None:
        table = DeltaTable(uri, version=version, storage_options=storage_options(uri))
        reader = QueryBuilder().register("delta", table).execute("SELECT * FROM delta")
        stream = pa.RecordBatchReader.from_stream(reader)
        self._schema = pa.schema([field.with_type(storable(field.type)) for field in stream.schema])
        self._batches: Iterator[pa.RecordBatch] = iter(stream)
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._parts = 0

    def next_part(self) -> dict[str, Any]:
        """A file with the next rows; its caller removes it. None behind the last."""
        batches, size = [], 0
        for batch in self._batches:
            batches.append(batch)
            size += batch.nbytes
            if size >= self._max_bytes:
                break
        if not batches:
            return {"file": None, "rows": 0}
        rows = pa.Table.from_batches(batches).cast(self._schema)
        path = self._folder / f"delta-rs-{self._parts}.parquet"
        self._parts += 1
        pq.write_table(rows, path, compression="zstd", compression_level=1)
        return {"file": str(path), "rows": rows.num_rows}


def storable(type_: pa.DataType) -> pa.DataType:
    """The type without views and dictionaries, which differ from file to file and mean the same values."""
    if pa.types.is_dictionary(type_):
        return storable(type_.value_type)
    if pa.types.is_string_view(type_):
        return pa.large_string()
    if pa.types.is_binary_view(type_):
        return pa.large_binary()
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(storable(field.type)) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(storable(type_.key_type), type_.item_field.with_type(storable(type_.item_type)))
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return pa.large_list(type_.value_field.with_type(storable(type_.value_type)))
    return type_
