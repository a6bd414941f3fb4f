"""
The rows of a batch, read from its staged parts.

An upsert reads twice: first the key and partition columns alone, from which follow what is kept of each duplicate key
and the literals of the merge predicate; then the rows, one bounded record batch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import SidecarError
from .schema import widens
from .storage import filesystem_of
from .wire import Part

READ_BATCH_BYTES = 4 * 2**20
READ_BATCH_ROWS = 8_192
WHOLE_FILE_BYTES = 16 * 2**20
"""A smaller part is fetched with one GET instead of one a column chunk, which is what latency asks for."""


@dataclass(frozen=True)
class RowGroup:
    """The unit that a reader must hold, and that a batch is divided into steps by."""

    part: Part
    index: int
    first_row: int
    rows: int
    payload_bytes: int


class StagedRows:
    """The rows of the parts, in their order, in the types of the table."""

    def __init__(self, parts: Sequence[Part], schema: pa.Schema) -> None:
        self.schema = schema
        self.groups: list[RowGroup] = []
        self._failure: SidecarError | None = None
        self._open_part: tuple[str, pq.ParquetFile] | None = None
        for part in parts:
            self._add(part)

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @property
    def payload_bytes(self) -> int:
        return sum(group.payload_bytes for group in self.groups)

    def _add(self, part: Part) -> None:
        metadata = self._file(part).metadata
        self._check(part, self._file(part).schema_arrow)
        bytes_per_row = part.payload_bytes / max(1, part.rows)
        for index in range(metadata.num_row_groups):
            rows = metadata.row_group(index).num_rows
            self.groups.append(RowGroup(part, index, self.rows, rows, int(rows * bytes_per_row)))

    def _file(self, part: Part) -> pq.ParquetFile:
        """Only the part that is being read is open, since an open one holds its footer and its fetched bytes."""
        if self._open_part is None or self._open_part[0] != part.uri:
            self._open_part = (part.uri, open_part(part.uri))
        return self._open_part[1]

    def _check(self, part: Part, staged: pa.Schema) -> None:
        unknown = [name for name in staged.names if name not in self.schema.names]
        missing = [f.name for f in self.schema if f.name not in staged.names and not f.nullable]
        narrower = [
            f"{f.name} is {staged.field(f.name).type}, the table's is {f.type}"
            for f in self.schema
            if f.name in staged.names and not widens(staged.field(f.name).type, f.type)
        ]
        problems = (
            [f"the table has no column {name}" for name in unknown]
            + [f"{name} is missing and can't be null" for name in missing]
            + narrower
        )
        if problems:
            raise SidecarError(
                "SCHEMA_MISMATCH",
                f"the staged part {part.uri} doesn't fit the table: {'; '.join(problems)}",
                "Evolve the table first, or stage the rows in the table's types.",
                part=part.uri,
            )

    def columns(self, names: Sequence[str]) -> pa.Table:
        """The named columns of all rows at once, so only narrow ones should be asked for."""
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.Table.from_batches((batch for group in self.groups for batch in self._batches(group, schema)), schema)

    def reader(self, groups: Sequence[RowGroup], kept: pa.Array | None) -> pa.RecordBatchReader:
        """The rows of some row groups as a stream; of all of them where `kept` is None, else of those row numbers."""

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                for group in groups:
                    if kept is None or holds_any(group, kept):
                        yield from self._kept_batches(group, kept)
            except SidecarError as error:
                # It reaches the engine as text alone; `failures` gives it back.
                self._failure = error
                raise

        return pa.RecordBatchReader.from_batches(self.schema, batches())

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Raises what went wrong in a stream as it was, instead of what the engine that read it made of it."""
        try:
            yield
        except Exception as error:
            if self._failure is not None:
                raise self._failure from error
            raise

    def _kept_batches(self, group: RowGroup, kept: pa.Array | None) -> Iterator[pa.RecordBatch]:
        row = group.first_row
        for batch in self._batches(group, self.schema):
            numbers = pa.array(range(row, row + batch.num_rows), pa.int64()) if kept is not None else None
            row += batch.num_rows
            wanted = batch if numbers is None else batch.filter(pc.is_in(numbers, value_set=kept))
            if wanted.num_rows > 0:
                yield wanted

    def _batches(self, group: RowGroup, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        file = self._file(group.part)
        staged = [name for name in schema.names if name in file.schema_arrow.names]
        rows = batch_rows(group.rows, group.payload_bytes)
        for batch in file.iter_batches(rows, row_groups=[group.index], columns=staged, use_threads=False):
            yield conform(batch, schema, group.part.uri)


def holds_any(group: RowGroup, kept: pa.Array) -> bool:
    """Whether the row group has to be read at all."""
    within = pc.and_(pc.greater_equal(kept, group.first_row), pc.less(kept, group.first_row + group.rows))
    return bool(pc.any(within).as_py())


def batch_rows(rows: int, payload_bytes: int) -> int:
    """How many rows of so many a record batch may hold."""
    bytes_per_row = max(1, payload_bytes // max(1, rows))
    return max(1, min(READ_BATCH_ROWS, READ_BATCH_BYTES // bytes_per_row))


def open_parquet(uri: str) -> pq.ParquetFile:
    filesystem, path = filesystem_of(uri)
    source = filesystem.open_input_file(path)
    if source.size() <= WHOLE_FILE_BYTES:
        source = pa.BufferReader(source.read_buffer())
    return pq.ParquetFile(source, pre_buffer=False)


def open_part(uri: str) -> pq.ParquetFile:
    try:
        return open_parquet(uri)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise SidecarError(
            "BATCH_INVALID",
            f"the staged part {uri} can't be read: {error}",
            "Stage the batch again.",
            part=uri,
        ) from error


def conform(batch: pa.RecordBatch, schema: pa.Schema, uri: str) -> pa.RecordBatch:
    """The batch of a file in the columns and types of the schema, a missing nullable column filled with nulls."""
    arrays = [
        cast_column(batch.column(field.name), field, uri)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def cast_column(column: pa.Array, field: pa.Field, uri: str) -> pa.Array:
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if column.null_count > 0 and not field.nullable:
        raise SidecarError(
            "BATCH_INVALID",
            f"the column {field.name} of the staged part {uri} holds NULL, and the table's column can't",
            column=field.name,
            part=uri,
        )
    return column if column.type == field.type else column.cast(field.type)
