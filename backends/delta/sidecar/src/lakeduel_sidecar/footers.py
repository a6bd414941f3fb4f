"""What the footers of staged parts vouch for: that a part is what the table's own file would be, and its statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .storage import filesystem_of

ENCODING_OVERHEAD = 1.5
"""What Parquet's pages add to the payload of their rows, at most: lengths and levels."""
TEXT_CHARACTERS = 64
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class ColumnChunk:
    """The values of a column that isn't nested in one row group."""

    values: int
    nulls: int | None
    """None where the footer doesn't tell."""
    range: tuple[Any, Any] | None


class Footer:
    def __init__(self, file: pq.ParquetFile) -> None:
        self.schema: pa.Schema = file.schema_arrow
        self.metadata = file.metadata
        self.by_duckdb = str(file.metadata.created_by).startswith("DuckDB")
        self._leaves = {file.schema.column(index).path: index for index in range(len(file.schema))}

    @property
    def rows(self) -> int:
        return int(self.metadata.num_rows)

    @property
    def row_group_bytes(self) -> int:
        """Of the largest row group that has more than one row."""
        groups = [self.metadata.row_group(index) for index in range(self.metadata.num_row_groups)]
        sizes = [
            sum(group.column(leaf).total_uncompressed_size for leaf in range(group.num_columns))
            for group in groups
            if group.num_rows > 1
        ]
        return max(sizes, default=0)

    def chunks(self, name: str) -> list[ColumnChunk]:
        return [chunk_of(column) for column in self._columns(name)]

    def _columns(self, name: str) -> Iterator[Any]:
        for index in range(self.metadata.num_row_groups):
            yield self.metadata.row_group(index).column(self._leaves[name])


def read_footer(uri: str) -> tuple[Footer, int]:
    """With the size of the file in bytes."""
    filesystem, path = filesystem_of(uri)
    with filesystem.open_input_file(path) as source:
        return Footer(pq.ParquetFile(source)), source.size()


def chunk_of(column: Any) -> ColumnChunk:
    statistics = column.statistics
    if statistics is None:
        return ColumnChunk(column.num_values, None, None)
    nulls = statistics.null_count if statistics.has_null_count else None
    try:
        bounds = (statistics.min, statistics.max) if statistics.has_min_max else None
    except (ValueError, OverflowError):
        # A text that was cut within a character, or a time that Python has no value for.
        bounds = None
    return ColumnChunk(column.num_values, nulls, bounds)


def is_sound(footer: Footer, schema: pa.Schema, primary_key: Sequence[str], row_group_bytes: int) -> bool:
    """Whether a part with this footer may be a file of the table as it is."""
    return (
        sorted(footer.schema.names) == sorted(schema.names)
        and footer.row_group_bytes <= row_group_bytes * ENCODING_OVERHEAD
        and all(is_sound_column(footer, field, field.name in primary_key) for field in schema)
    )


def is_sound_column(footer: Footer, field: pa.Field, is_key: bool) -> bool:
    types = pa.types
    if not equivalent(footer.schema.field(field.name).type, field.type):
        return False
    if types.is_nested(field.type):
        # The footer tells of its leaves alone.
        return bool(field.nullable)
    chunks = footer.chunks(field.name)
    if not field.nullable and any(chunk.nulls != 0 for chunk in chunks):
        return False
    if types.is_floating(field.type):
        # Other writers leave NaN out of a range, and DuckDB skips the row group that holds it.
        return footer.by_duckdb or all(chunk.range is None for chunk in chunks)
    ranged = types.is_integer(field.type) or types.is_temporal(field.type) or types.is_decimal(field.type)
    has_range = all(chunk.range is not None or chunk.nulls == chunk.values for chunk in chunks)
    return has_range or not (ranged or is_key)


def equivalent(staged: pa.DataType, stored: pa.DataType) -> bool:
    """Whether Parquet holds both alike: an offset's width is Arrow's own affair."""
    types = pa.types
    if types.is_list(stored):
        is_list = types.is_list(staged) or types.is_large_list(staged)
        return is_list and equivalent(staged.value_type, stored.value_type)
    if types.is_struct(stored):
        return (
            types.is_struct(staged)
            and [field.name for field in staged] == [field.name for field in stored]
            and all(equivalent(staged.field(field.name).type, field.type) for field in stored)
        )
    if types.is_string(stored):
        return bool(types.is_string(staged) or types.is_large_string(staged) or types.is_string_view(staged))
    if types.is_binary(stored):
        return bool(types.is_binary(staged) or types.is_large_binary(staged) or types.is_binary_view(staged))
    return bool(staged == stored)


def statistics_of(footer: Footer, columns: Sequence[str]) -> dict[str, Any]:
    """As Delta's log has them, of the columns that the table keeps statistics of."""
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for name in columns:
        chunks = footer.chunks(name)
        counts = [chunk.nulls for chunk in chunks if chunk.nulls is not None]
        if len(counts) == len(chunks):
            nulls[name] = sum(counts)
        bounds = [chunk.range for chunk in chunks if chunk.nulls != chunk.values]
        known = [bound for bound in bounds if bound is not None]
        if known and len(known) == len(bounds):
            put(least, name, min(low for low, _ in known), lower_bound)
            put(greatest, name, max(high for _, high in known), upper_bound)
    return {"numRecords": footer.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}


def put(bounds: dict[str, Any], name: str, value: Any, bound: Callable[[Any], Any]) -> None:
    found = bound(value)
    if found is not None:
        bounds[name] = found


def lower_bound(value: Any) -> Any:
    """What begins a text is no greater than it, and a time is told in milliseconds."""
    return value[:TEXT_CHARACTERS] if isinstance(value, str) else logged(value)


def upper_bound(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= TEXT_CHARACTERS else None
    if isinstance(value, datetime) and value.microsecond % 1000 > 0:
        return logged(value + MILLISECOND) if value.year < datetime.max.year else None
    return logged(value)


def logged(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return text if value.tzinfo is None else f"{text}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, bool | int) else None
