"""What the keys of a batch tell: duplicates, NULLs, partitions, and the range that a merge has to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .errors import SidecarError
from .staging import StagedRows
from .wire import Table


@dataclass(frozen=True)
class KeyScan:
    columns: pa.Table
    """The key and partition columns of all rows."""
    kept: pa.Array | None
    """The row numbers of the last row of each key, or None where no key occurs twice."""
    distinct: dict[str, list[Any]]
    """The values of the partition column, None included."""
    ranges: dict[str, tuple[Any, Any]]
    """The least and the greatest value of each key column whose type has an order that literals can express."""
    nulls: frozenset[str]
    """The key and partition columns in which the batch holds NULL."""

    def of_partitions(self, name: str, values: list[Any]) -> KeyScan:
        """The same of the rows in these partitions; the ranges and NULLs of all rows hold for them, too."""
        column = self.columns[name]
        within = pc.is_in(column, value_set=pa.array(values, column.type))
        numbers = pa.array(range(len(column)), pa.int64()).filter(within.combine_chunks())
        kept = numbers if self.kept is None else numbers.filter(pc.is_in(numbers, value_set=self.kept))
        return replace(self, kept=kept, distinct={name: values})


def scan_keys(rows: StagedRows, table: Table) -> KeyScan:
    if not table.primary_key:
        raise SidecarError("BATCH_INVALID", "an upsert needs a primary key, and the table has none", table=table.uri)
    partition = [] if table.partition_by is None else [table.partition_by]
    names = list(dict.fromkeys([*table.primary_key, *partition]))
    columns = rows.columns(names)
    return KeyScan(
        columns=columns,
        kept=last_rows(columns.select(list(table.primary_key))),
        distinct={name: columns[name].unique().to_pylist() for name in partition},
        ranges={name: value_range(columns[name]) for name in table.primary_key if has_range(columns[name])},
        nulls=frozenset(name for name in names if columns[name].null_count > 0),
    )


def last_rows(keys: pa.Table) -> pa.Array | None:
    names = [f"key{index}" for index in range(keys.num_columns)]
    numbered = keys.rename_columns(names).append_column("row", pa.array(range(keys.num_rows), pa.int64()))
    last = numbered.group_by(names).aggregate([("row", "max")])["row_max"]
    return None if len(last) == keys.num_rows else last.combine_chunks()


def has_range(column: pa.ChunkedArray) -> bool:
    return is_ordered(column.type) and column.null_count < len(column)


def is_ordered(key_type: pa.DataType) -> bool:
    """Whether the least and the greatest value that the log tells of a file are exact bounds."""
    types = pa.types
    return bool(types.is_integer(key_type) or types.is_string(key_type) or types.is_date(key_type))


def value_range(column: pa.ChunkedArray) -> tuple[Any, Any]:
    found = pc.min_max(column)
    return found["min"].as_py(), found["max"].as_py()
