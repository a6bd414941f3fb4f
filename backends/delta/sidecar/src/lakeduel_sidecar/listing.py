"""Lists the files of a table for an engine that merges them, with what tells it which it needn't read."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import SidecarError
from .keys import is_ordered
from .outside_wire import PlanRewrite
from .rewritable import require_rewritable
from .table import LakeTable

UNENCODED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '\\{^}%`]">[<#|*?')
"""What delta-rs leaves as it is in a path that it writes to the log."""
AMBIGUOUS_PATH = re.compile(r"[*?\[\\]|^[a-z0-9]+:/", re.IGNORECASE)
"""What DuckDB takes for a pattern or a parameter, and paths outside of the table."""


def plan_rewrite(table: LakeTable, request: PlanRewrite) -> dict[str, Any]:
    table.refresh()
    free = table.free(request.tags)
    if any(free):
        require_rewritable(table)
        pq.write_table(list_files(table, request.primary_key), request.files_path)
    return {
        "alreadyAppliedEach": [not is_free for is_free in free],
        "version": table.delta.version(),
        "columns": table.stored()["columns"],
        "statisticsColumns": table.statistics_columns(),
    }


def list_files(table: LakeTable, primary_key: tuple[str, ...]) -> pa.Table:
    """
    A row for each file, whose `index` tells it from the others. Of the key columns that have an order, in the order of
    the key, `least_<n>`, `greatest_<n>` and `nulls_<n>` are what the log tells, or NULL.
    """
    files = pa.table(table.delta.get_add_actions(flatten=True))
    paths = files["path"].to_pylist()
    require_plain_paths(table.uri, paths)
    partition = next(iter(table.delta.metadata().partition_columns), None)
    columns: dict[str, Any] = {
        "index": pa.array(range(files.num_rows), pa.int32()),
        "path": pa.array(paths, pa.string()),
        "uri": pa.array([f"{table.uri}/{unquote(path)}" for path in paths], pa.string()),
        "bytes": files["size_bytes"],
        "rows": column_of(files, "num_records", pa.int64()),
        "partition_value": pa.nulls(files.num_rows, pa.int32())
        if partition is None
        else column_of(files, f"partition.{partition}", table.schema.field(partition).type),
    }
    for index, name in enumerate(primary_key):
        key_type = table.schema.field(name).type
        if name != partition and is_ordered(key_type):
            columns[f"least_{index}"] = column_of(files, f"min.{name}", key_type)
            columns[f"greatest_{index}"] = column_of(files, f"max.{name}", key_type)
            columns[f"nulls_{index}"] = column_of(files, f"null_count.{name}", pa.int64())
    return pa.table(columns)


def column_of(files: pa.Table, name: str, wanted: pa.DataType) -> Any:
    return pc.cast(files[name], wanted) if name in files.column_names else pa.nulls(files.num_rows, wanted)


def require_plain_paths(uri: str, paths: list[str]) -> None:
    """
    A commit encodes the path of a file that it removes in delta-rs's way. Whoever compares that with the path in the
    log, and finds another, goes on reading the file.
    """
    for path in paths:
        decoded = unquote(path)
        if quote(decoded, safe=UNENCODED) != path or AMBIGUOUS_PATH.search(decoded):
            raise SidecarError(
                "SCHEMA_MISMATCH",
                f"the strategy delta/duckdb can't replace the file {path} of the table {uri}",
                "Upsert with another strategy, such as delta/merge, or refresh the table in full.",
                table=uri,
                path=path,
            )
