"""
Writes a table anew in other types, file by file, in one commit: delta-rs can't widen the type of a column in the log
alone. Nor is its writer used, since DataFusion deals the rows out to as many partitions as there are processors, and
holds what the writer hasn't taken yet: up to 4 GB of a table of 1.5 GB.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from posixpath import dirname, join
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, Schema
from deltalake.transaction import AddAction

from .errors import SidecarError
from .footers import read_footer, statistics_of
from .log import read_state
from .staging import batch_rows, conform, open_parquet
from .storage import filesystem_of
from .table import LakeTable
from .wire import Json, WriteSettings

REWRITABLE = frozenset({"timestampNtz"})
"""Reader features with which a file's rows are the table's rows as they are."""


def rewrite(table: LakeTable, schema: pa.Schema, write: WriteSettings) -> None:
    """
    Whoever else commits meanwhile makes this fail: what is written stands for the version that was read, and no other.
    """
    features = set(table.delta.protocol().reader_features or ()) - REWRITABLE
    if features:
        raise SidecarError(
            "SCHEMA_MISMATCH",
            f"the table {table.uri} uses {', '.join(sorted(features))}, so its columns can't be widened here",
            "Refresh the table in full, or stage the columns in the types that are stored.",
            table=table.uri,
        )
    partition_by = table.delta.metadata().partition_columns
    with removed_on_failure(table.uri) as written:
        actions = []
        for file in read_state(table.uri, table.delta).files:
            path = join(dirname(unquote(file["path"])), f"lakeduel-{uuid4()}.parquet")
            written.append(path)
            actions.append(rewrite_file(table, file, path, schema, write))
        table.delta.create_write_transaction(
            list(actions),
            "overwrite",
            Schema.from_arrow(schema),
            partition_by,
            commit_properties=CommitProperties(max_commit_retries=0),
        )


@contextmanager
def removed_on_failure(uri: str) -> Iterator[list[str]]:
    """A failed commit is certain here, since nothing repeats it."""
    written: list[str] = []
    try:
        yield written
    except Exception:
        for path in written:
            filesystem, location = filesystem_of(f"{uri}/{path}")
            if filesystem.get_file_info(location).is_file:
                filesystem.delete_file(location)
        raise


def rewrite_file(table: LakeTable, file: Json, path: str, schema: pa.Schema, write: WriteSettings) -> AddAction:
    uri, values = f"{table.uri}/{path}", file["partitionValues"]
    columns = pa.schema([field for field in schema if field.name not in values])
    listed = [name for name in table.statistics_columns() if name in columns.names]
    filesystem, location = filesystem_of(uri)
    if not uri.startswith("s3://"):
        filesystem.create_dir(dirname(location), recursive=True)
    with pq.ParquetWriter(location, columns, filesystem=filesystem, compression="zstd", write_statistics=listed) as out:
        for group in row_groups(f"{table.uri}/{unquote(file['path'])}", columns, write):
            out.write_table(group, row_group_size=group.num_rows)
    footer, size_bytes = read_footer(uri)
    return AddAction(
        path=path,
        size=size_bytes,
        partition_values={name: widened_text(text, table.schema.field(name), schema) for name, text in values.items()},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps(statistics_of(footer, listed)),
    )


def row_groups(uri: str, schema: pa.Schema, write: WriteSettings) -> Iterator[pa.Table]:
    """The rows of a file in row groups of bounded payload, whatever the file's own were."""
    batches: list[pa.RecordBatch] = []
    payload = rows = 0
    for batch in stored_batches(uri, schema):
        fits = (
            payload + batch.nbytes <= write.row_group_payload_bytes
            and rows + batch.num_rows <= write.max_row_group_rows
        )
        if batches and not fits:
            yield pa.Table.from_batches(batches, schema)
            batches, payload, rows = [], 0, 0
        batches.append(batch)
        payload, rows = payload + batch.nbytes, rows + batch.num_rows
    if batches:
        yield pa.Table.from_batches(batches, schema)


def stored_batches(uri: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    file = open_parquet(uri)
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        rows = batch_rows(group.num_rows, group.total_byte_size)
        for batch in file.iter_batches(rows, row_groups=[index], use_threads=False):
            yield conform(batch, schema, uri)


def widened_text(text: str | None, stored: pa.Field, schema: pa.Schema) -> str | None:
    """A partition's value as the log has it, in the new type: of numbers alone it may be another text."""
    widened = schema.field(stored.name).type
    if text is None or widened == stored.type:
        return text
    value: Any = pa.scalar(text).cast(stored.type).cast(widened).as_py()
    return str(value)
