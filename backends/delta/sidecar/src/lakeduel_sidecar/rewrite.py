"""Writes a table anew in other types, in one commit: delta-rs can't widen the type of a column in the log alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, WriterProperties, write_deltalake

from .errors import SidecarError
from .staging import batch_rows, conform, open_parquet
from .table import LakeTable

REWRITABLE = frozenset({"timestampNtz"})
"""Reader features with which a file's rows are the table's rows as they are."""


def rewrite(table: LakeTable, schema: pa.Schema, properties: WriterProperties, target_file_bytes: int | None) -> None:
    """
    Streams the stored rows, one bounded record batch at a time. Whoever else commits meanwhile makes this fail: what is
    written stands for the version that was read, and no other.
    """
    features = set(table.delta.protocol().reader_features or ()) - REWRITABLE
    if features:
        raise SidecarError(
            "SCHEMA_MISMATCH",
            f"the table {table.uri} uses {', '.join(sorted(features))}, so its columns can't be widened here",
            "Refresh the table in full, or stage the columns in the types that are stored.",
            table=table.uri,
        )
    write_deltalake(
        table.delta,
        pa.RecordBatchReader.from_batches(schema, stored_batches(table, schema)),
        mode="overwrite",
        schema_mode="overwrite",
        partition_by=table.delta.metadata().partition_columns or None,
        target_file_size=target_file_bytes,
        writer_properties=properties,
        commit_properties=CommitProperties(max_commit_retries=0),
    )


def stored_batches(table: LakeTable, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    stored = table.schema
    for file in pa.table(table.delta.get_add_actions()).to_pylist():
        partition = {
            name: pa.scalar(value, stored.field(name).type) for name, value in (file.get("partition") or {}).items()
        }
        uri = f"{table.uri}/{unquote(file['path'])}"
        for batch in file_batches(uri):
            yield conform(with_constants(batch, partition), schema, uri)


def file_batches(uri: str) -> Iterator[pa.RecordBatch]:
    file = open_parquet(uri)
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        rows = batch_rows(group.num_rows, group.total_byte_size)
        yield from file.iter_batches(rows, row_groups=[index], use_threads=False)


def with_constants(batch: pa.RecordBatch, values: dict[str, Any]) -> pa.RecordBatch:
    """A data file doesn't hold the partition columns."""
    for name, value in values.items():
        batch = batch.append_column(name, pa.repeat(value, batch.num_rows))
    return batch
