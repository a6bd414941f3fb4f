"""Applies staged batches in one commit: append, replace, or an upsert by one of the strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from deltalake import write_deltalake

from .commits import commit_properties
from .errors import SidecarError
from .faults import fault_point
from .files import bounded_row_group, writer_properties
from .keys import KeyScan, scan_keys
from .merging import Upsert, merge, merge_loop
from .outcome import Outcome
from .register import register
from .staging import RowGroup, StagedRows
from .streaming_upsert import streaming_upsert
from .table import LakeTable
from .wire import Apply

KEYED_MODES = frozenset({"upsert", "insert", "delete"})
"""Those that find stored rows by their primary key."""


def apply(table: LakeTable, request: Apply) -> dict[str, Any]:
    table.refresh()
    free = table.free(request.tags)
    unapplied = tuple(batch for batch, is_free in zip(request.batches, free, strict=True) if is_free)
    outcome = write(table, replace(request, batches=unapplied)) if unapplied else Outcome()
    table.refresh()
    return {
        "alreadyApplied": not unapplied,
        "alreadyAppliedEach": [not is_free for is_free in free],
        "rowsRead": sum(part.rows for part in request.parts),
        "rowsInserted": outcome.inserted,
        "rowsUpdated": outcome.updated,
        "commits": outcome.commits,
        "version": str(table.delta.version()),
        "engine": dict(outcome.engine),
    }


def write(table: LakeTable, request: Apply) -> Outcome:
    fault_point("before-apply")
    registered = register(table, request) if request.mode == "append" else None
    if registered is not None:
        return registered
    # Of batches that replace the table, the last leaves nothing of the others.
    written = request.batches[-1].parts if request.mode == "replace" else request.parts
    rows = StagedRows(written, table.schema)
    with rows.failures():
        return write_read(table, request, rows)


def write_read(table: LakeTable, request: Apply, rows: StagedRows) -> Outcome:
    if request.mode == "append":
        return write_rows(table, request, rows, "append")
    if request.mode == "replace":
        return write_rows(table, request, rows, "overwrite")
    if request.mode in KEYED_MODES:
        # Nothing to merge, but the tags are to be committed.
        return write_rows(table, request, rows, "append") if rows.rows == 0 else upsert_rows(table, request, rows)
    raise SidecarError("USAGE", f'there is no mode "{request.mode}"', mode=request.mode)


def write_rows(table: LakeTable, request: Apply, rows: StagedRows, mode: Literal["append", "overwrite"]) -> Outcome:
    settings = request.write
    write_deltalake(
        table.delta,
        rows.reader(rows.groups, None),
        mode=mode,
        target_file_size=settings.target_file_bytes,
        writer_properties=writer_properties(bounded_row_group(rows.rows, rows.payload_bytes, settings)),
        commit_properties=commit_properties(request.tags, settings.max_commit_retries),
    )
    return Outcome(commits=1, inserted=rows.rows, updated=0)


def upsert_rows(table: LakeTable, request: Apply, rows: StagedRows) -> Outcome:
    scan = scan_keys(rows, request.table)
    if request.strategy == "merge-loop":
        return merge_loop(table.delta, Upsert(request, rows, rows.groups, scan, request.tags))
    steps = [
        (groups, part)
        for groups in steps_of(rows.groups, request.step_payload_bytes)
        for part in scans_of(table, request, scan)
    ]
    outcome = Outcome()
    for index, (groups, part) in enumerate(steps):
        if index > 0:
            fault_point("mid-partition-loop")
        tags = request.tags if index == len(steps) - 1 else ()
        outcome = outcome.plus(upsert_step(table, Upsert(request, rows, groups, part, tags)))
    return outcome


def scans_of(table: LakeTable, request: Apply, scan: KeyScan) -> list[KeyScan]:
    """The scan by groups of partitions that hold about as much as a merge may read at once."""
    name, limit = request.table.partition_by, request.step_target_bytes
    if name is None or limit is None:
        return [scan]
    stored = table.partition_bytes(name)
    groups: list[list[Any]] = []
    filled = 0
    for value in scan.distinct[name]:
        filled += stored.get(value, 0)
        if not groups or filled > limit:
            groups.append([])
            filled = stored.get(value, 0)
        groups[-1].append(value)
    return [scan.of_partitions(name, values) for values in groups]


def upsert_step(table: LakeTable, step: Upsert) -> Outcome:
    strategy = step.request.strategy
    if strategy in ("merge", "merge-tuned") or step.request.mode != "upsert":
        return merge(table.delta, step)
    if strategy != "deltalite":
        raise SidecarError("USAGE", f'there is no strategy "{strategy}"', strategy=strategy)
    if step.scan.nulls:
        # deltalite never matches a key that holds NULL, and refuses a NULL partition.
        return merge(table.delta, step).plus(Outcome(engine={"mergeFallbacks": 1}))
    return streaming_upsert(table.deltalite, step.request, step.source(), step.tags, partition_bytes(table, step))


def partition_bytes(table: LakeTable, step: Upsert) -> list[int]:
    """The payload that each partition of a step holds already, at most."""
    name = step.request.table.partition_by
    if name is None:
        return []
    stored = table.partition_bytes(name)
    return [stored.get(value, 0) for value in step.scan.distinct[name]]


def steps_of(groups: Sequence[RowGroup], step_payload_bytes: int | None) -> list[list[RowGroup]]:
    """Consecutive row groups that together hold about as much as a step may; a larger one is a step of its own."""
    steps: list[list[RowGroup]] = []
    filled = 0
    for group in groups:
        fits = step_payload_bytes is None or filled + group.payload_bytes <= step_payload_bytes
        if steps and fits:
            steps[-1].append(group)
            filled += group.payload_bytes
        else:
            steps.append([group])
            filled = group.payload_bytes
    return steps
