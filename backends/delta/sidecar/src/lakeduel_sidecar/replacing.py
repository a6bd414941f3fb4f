"""
Commits what another engine has merged: files that are removed, and files that were written in their place.

delta-rs's own check of conflicts is no help here. It takes a commit of files for a blind append: of two upserts that
insert the same new key both would be committed, and so would one that has not seen the rows of an append or a merge
(tried on deltalake 1.6.6). So nothing is left to it: without retries it commits under the number that follows the
version which it has loaded, or fails. Every commit between the version that was merged with and that one is judged
here first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from .commits import APP_PREFIX, commit_properties
from .errors import SidecarError
from .faults import fault_point
from .listing import UNENCODED
from .log import read_commit
from .outside_wire import CommitRewrite
from .table import LakeTable
from .told_statistics import told_statistics
from .wire import Json

if TYPE_CHECKING:
    from deltalake.transaction import RemoveAction

CANONICAL_KINDS = ("string", "bool", "date32[day]", "int8", "int16", "int32", "int64")
"""Types whose values have one text in the log, whoever writes it."""


def commit_rewrite(table: LakeTable, request: CommitRewrite) -> dict[str, Any]:
    fault_point("before-commit")
    started = time.perf_counter()
    version, attempts = commit_after_others(table, request)
    return {"version": str(version), "attempts": attempts, "commitMs": (time.perf_counter() - started) * 1000}


def commit_after_others(table: LakeTable, request: CommitRewrite) -> tuple[int, int]:
    """The version, and how often it was tried."""
    judged = request.version
    for attempt in range(1, request.max_commit_retries + 3):
        table.refresh()
        for version in range(judged + 1, table.delta.version() + 1):
            actions = read_commit(table.uri, version)
            if is_ours(actions, request):
                # The answer to the commit was lost on its way, and the store refused its repetition.
                return version, attempt - 1
            require_no_conflict(table, request, version, actions)
        judged = table.delta.version()
        if not all(table.free(request.tags)):
            raise conflict(table, "it has committed the same batch")
        if attempt <= request.max_commit_retries + 1 and committed(table, request):
            return judged + 1, attempt
    raise conflict(table, f"{request.max_commit_retries + 1} commits were lost to others")


def committed(table: LakeTable, request: CommitRewrite) -> bool:
    """False where somebody else has taken the number that follows the version which is loaded."""
    try:
        commit(table, request)
    except CommitFailedError:
        return False
    return True


def is_ours(actions: Iterable[Json], request: CommitRewrite) -> bool:
    written = {quote(file.path, safe=UNENCODED) for file in request.written}
    return any("add" in action and action["add"]["path"] in written for action in actions)


def require_no_conflict(table: LakeTable, request: CommitRewrite, version: int, actions: Iterable[Json]) -> None:
    runs = {APP_PREFIX + tag.run_id for tag in request.tags}
    for action in actions:
        if "metaData" in action or "protocol" in action:
            raise conflict(table, f"version {version} has changed what the table is")
        if action.get("txn", {}).get("appId") in runs:
            raise conflict(table, f"version {version} has a batch of the same run")
        file = action.get("add") or action.get("remove")
        if file is not None and touches(table, request, file):
            raise conflict(table, f"version {version} has changed what was merged with")


def touches(table: LakeTable, request: CommitRewrite, file: Json) -> bool:
    """Whether the merge might have read the file: one in a partition of the batch, or any where that isn't certain."""
    partition = next(iter(table.delta.metadata().partition_columns), None)
    values = file.get("partitionValues")
    if partition is None or values is None or partition not in values:
        return True
    if str(table.schema.field(partition).type) not in CANONICAL_KINDS:
        return True
    return (values[partition] or None) in request.partitions


def conflict(table: LakeTable, reason: str) -> SidecarError:
    return SidecarError(
        "COMMIT_CONFLICT",
        f"another writer of the table {table.uri} was first: {reason}",
        "Apply the batch again after a short, jittered wait.",
        table=table.uri,
    )


def commit(table: LakeTable, request: CommitRewrite) -> None:
    partition = next(iter(table.delta.metadata().partition_columns), None)
    now_ms = int(time.time() * 1000)
    table.delta.create_write_transaction(
        [*added(table, request, partition, now_ms), *removed(request, partition, now_ms)],
        "append",
        table.delta.schema(),
        partition,
        commit_properties=commit_properties(
            # Other engines are not to take it for an append that has read nothing.
            request.tags,
            0,
            {"isBlindAppend": False, "readVersion": request.version},
        ),
    )


def added(table: LakeTable, request: CommitRewrite, partition: str | None, now_ms: int) -> list[AddAction]:
    listed, schema = table.statistics_columns(), table.schema
    return [
        AddAction(
            path=file.path,
            size=file.bytes,
            partition_values=partition_values(partition, file.partition),
            modification_time=now_ms,
            data_change=True,
            stats=json.dumps(told_statistics(file, schema, listed)),
        )
        for file in request.written
    ]


def removed(request: CommitRewrite, partition: str | None, now_ms: int) -> list[RemoveAction]:
    # Not above: deltalake up to 1.6.3 has none, and all other requests work without it.
    from deltalake.transaction import RemoveAction  # noqa: PLC0415

    return [
        RemoveAction(unquote(file.path), True, now_ms, file.bytes, partition_values(partition, file.partition))
        for file in request.replaced
    ]


def partition_values(partition: str | None, value: str | None) -> dict[str, str | None]:
    return {} if partition is None else {partition: value}
