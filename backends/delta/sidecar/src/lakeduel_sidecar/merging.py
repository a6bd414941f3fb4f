"""Upserts, inserts and deletes by key through delta-rs's own MERGE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, WriterProperties
from deltalake.table import TableMerger

from .commits import commit_properties
from .faults import fault_point
from .files import bounded_row_group, writer_properties
from .keys import KeyScan
from .outcome import Outcome
from .predicates import merge_predicate
from .staging import RowGroup, StagedRows
from .wire import Apply, Tag, WriteSettings


def merge_properties(rows: StagedRows, write: WriteSettings) -> WriterProperties:
    """The rows that a merge copies are taken to be as wide as those that it brings."""
    bounded = write.bounded_merge_row_groups
    return writer_properties(bounded_row_group(rows.rows, rows.payload_bytes, write) if bounded else None)


@dataclass(frozen=True)
class Upsert:
    """An upsert of some or all row groups of a batch, which is one commit."""

    request: Apply
    rows: StagedRows
    groups: Sequence[RowGroup]
    scan: KeyScan
    tags: Sequence[Tag]
    """None of them for a step before the last one of its batches."""

    def source(self) -> pa.RecordBatchReader:
        return self.rows.reader(self.groups, self.scan.kept)


def merge(delta: DeltaTable, upsert: Upsert) -> Outcome:
    """One merge of all partitions: a literal partition list and the key range, the source as a stream."""
    table = upsert.request.table
    values = None if table.partition_by is None else upsert.scan.distinct[table.partition_by]
    predicate = merge_predicate(table, upsert.scan, values, with_range=True)
    return merge_once(delta, upsert, upsert.source(), predicate)


def merge_loop(delta: DeltaTable, upsert: Upsert) -> Outcome:
    """
    A merge and a commit for each partition, one after another. Only the last one carries the tags, so what was stopped
    half way is applied again from its start.
    """
    table = upsert.request.table
    source = upsert.source().read_all()
    if table.partition_by is None:
        return merge_once(delta, upsert, source, merge_predicate(table, upsert.scan, None, with_range=False))
    outcome = Outcome()
    values = upsert.scan.distinct[table.partition_by]
    for index, value in enumerate(values):
        if index > 0:
            fault_point("mid-partition-loop")
        predicate = merge_predicate(table, upsert.scan, [value], with_range=False)
        tagged = upsert if value == values[-1] else replace(upsert, tags=())
        outcome = outcome.plus(merge_once(delta, tagged, of_partition(source, table.partition_by, value), predicate))
    return outcome


def merge_once(delta: DeltaTable, upsert: Upsert, source: pa.RecordBatchReader | pa.Table, predicate: str) -> Outcome:
    write = upsert.request.write
    merger = delta.merge(
        source,
        predicate,
        source_alias="s",
        target_alias="t",
        writer_properties=merge_properties(upsert.rows, write),
        commit_properties=commit_properties(upsert.tags, write.max_commit_retries),
    )
    figures: dict[str, Any] = with_actions(merger, upsert.request.mode).execute()
    return Outcome(
        commits=1,
        inserted=figures["num_target_rows_inserted"],
        updated=figures["num_target_rows_updated"],
        engine={
            "rowsCopied": figures["num_target_rows_copied"],
            "rowsDeleted": figures["num_target_rows_deleted"],
            "filesAdded": figures["num_target_files_added"],
            "filesRemoved": figures["num_target_files_removed"],
            "scanMs": figures["scan_time_ms"],
            "rewriteMs": figures["rewrite_time_ms"],
        },
    )


def with_actions(merger: TableMerger, mode: str) -> TableMerger:
    if mode == "delete":
        return merger.when_matched_delete()
    if mode == "insert":
        return merger.when_not_matched_insert_all()
    return merger.when_matched_update_all().when_not_matched_insert_all()


def of_partition(source: pa.Table, name: str, value: Any) -> pa.Table:
    column = source[name]
    mask = pc.is_null(column) if value is None else pc.equal(column, pa.scalar(value, column.type))
    return source.filter(mask)
