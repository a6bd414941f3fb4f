"""How the Parquet files of a table are written, where delta-rs can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deltalake import WriterProperties

from .wire import Column, Json, WriteSettings

STATISTICS_BYTES = 64
"""
delta-rs 1.6 otherwise writes whole values as the minimum and maximum: three rows of 5 MB made a footer of 20 MB, and 48
of them a commit of 146 MB, which each later reader of the log parses and holds.
"""

STATISTICS_COLUMNS = "delta.dataSkippingStatsColumns"
UNORDERED_KINDS = frozenset({"json", "binary", "list", "struct", "float32", "float64"})
"""Floats, because delta-rs leaves NaN out of their range, and readers then skip the file that holds it."""
EXACT_DIGITS = 15
"""delta-rs writes a decimal's range as floats, which moves a longer one: readers then skip the file that holds it."""
SIMPLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def writer_properties(row_group_rows: int | None) -> WriterProperties:
    """None leaves delta-rs's own row groups of 1,048,576 rows."""
    return WriterProperties(
        compression="ZSTD", max_row_group_size=row_group_rows, statistics_truncate_length=STATISTICS_BYTES
    )


def bounded_row_group(rows: int, payload_bytes: int, write: WriteSettings) -> int:
    """The rows of an output row group, bounded by payload and by number."""
    bytes_per_row = max(1, payload_bytes // max(1, rows))
    return max(1, min(write.max_row_group_rows, write.row_group_payload_bytes // bytes_per_row))


def table_properties(columns: tuple[Column, ...], write: WriteSettings) -> dict[str, str]:
    """A merge takes the size of its files from the table alone, and deltalite which columns have statistics."""
    size = {} if write.target_file_bytes is None else {"delta.targetFileSize": str(write.target_file_bytes)}
    return {**size, STATISTICS_COLUMNS: ",".join(ordered_columns(columns))}


def ordered_columns(columns: Sequence[Column]) -> list[str]:
    """Those whose range a predicate may ask for: never JSON text, whose minimum is long and tells nothing."""
    return [c.name for c in columns if has_order(c.type) and SIMPLE_NAME.fullmatch(c.name)]


def has_order(lake_type: Json) -> bool:
    return lake_type["kind"] not in UNORDERED_KINDS and lake_type.get("precision", 0) <= EXACT_DIGITS
