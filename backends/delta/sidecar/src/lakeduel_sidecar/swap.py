"""
Puts a shadow in its target's place by one commit to the target's log. The shadow lies below the target's folder, so
that the commit can name its files where they are.

The commit is composed here and written by the caller, put-if-absent, under the number that follows the version which
was read: nobody can commit in between. delta-rs has a function that does as much in one commit
(`create_table_with_add_actions`), but reads the version that it replaces itself, so a swap that is done twice at once
would remove the files that it adds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
from deltalake import DeltaTable

from .commits import APP_PREFIX, MetadataTags, applied_through
from .errors import SidecarError
from .log import LogState, read_state
from .table import load
from .wire import Json, Tag

KEPT_PROPERTIES = (
    "delta.checkpointInterval",
    "delta.deletedFileRetentionDuration",
    "delta.enableExpiredLogCleanup",
    "delta.logRetentionDuration",
)
"""Properties of the target that say nothing of its columns, so that they outlive these."""


def plan_swap(uri: str, shadow_uri: str, tag: Tag) -> dict[str, Any]:
    """The commit that swaps, and the version that it replaces: -1 where there is no target yet."""
    target = load(uri)
    if target is not None and holds(target, tag):
        return already_applied(target)
    try:
        before = None if target is None else read_state(uri, target)
        actions = swap_actions(before, read_shadow(uri, shadow_uri), shadow_uri.removeprefix(uri)[1:], tag)
    except Exception:
        # Whoever did the same swap meanwhile has cleared the shadow away.
        now = load(uri)
        if now is not None and holds(now, tag):
            return already_applied(now)
        raise
    commit = "".join(json.dumps(action, separators=(",", ":")) + "\n" for action in actions)
    return {"alreadyApplied": False, "version": -1 if before is None else before.version, "commit": commit}


def holds(target: DeltaTable, tag: Tag) -> bool:
    applied = applied_through(target, MetadataTags(), tag.run_id)
    return applied is not None and applied >= tag.batch_index


def already_applied(target: DeltaTable) -> dict[str, Any]:
    return {"alreadyApplied": True, "version": target.version(), "commit": None}


def read_shadow(uri: str, shadow_uri: str) -> LogState:
    shadow = load(shadow_uri)
    if shadow is not None:
        return read_state(shadow_uri, shadow)
    raise SidecarError(
        "TABLE_NOT_FOUND",
        f"there is no Delta table at {shadow_uri} to take the place of {uri}",
        "Fill the shadow again, and swap it then.",
        shadow=shadow_uri,
    )


def swap_actions(target: LogState | None, shadow: LogState, folder: str, tag: Tag) -> Iterator[Json]:
    now_ms = int(time.time() * 1000)
    yield {
        "commitInfo": {
            "timestamp": now_ms,
            "operation": "CREATE OR REPLACE TABLE",
            "operationParameters": {"mode": "Overwrite", "shadow": folder},
            "engineInfo": "lakeduel",
        }
    }
    yield {"protocol": joined_protocol(target, shadow)}
    yield {"metaData": replaced_metadata(target, shadow)}
    yield {"txn": {"appId": APP_PREFIX + tag.run_id, "version": tag.batch_index, "lastUpdated": now_ms}}
    for file in [] if target is None else target.files:
        yield {"remove": removal(file, now_ms)}
    for file in shadow.files:
        yield {"add": {**present(file), "path": f"{folder}/{file['path']}", "dataChange": True}}


def joined_protocol(target: LogState | None, shadow: LogState) -> Json:
    """No feature that the target has is taken from it, since its older versions may need it."""
    protocols = [shadow.protocol] if target is None else [shadow.protocol, target.protocol]
    joined: dict[str, Any] = {
        name: max(protocol[name] for protocol in protocols) for name in ("minReaderVersion", "minWriterVersion")
    }
    for name, version, from_version in (
        ("readerFeatures", "minReaderVersion", 3),
        ("writerFeatures", "minWriterVersion", 7),
    ):
        if joined[version] >= from_version:
            joined[name] = sorted({feature for protocol in protocols for feature in protocol[name] or ()})
    return joined


def replaced_metadata(target: LogState | None, shadow: LogState) -> Json:
    """The shadow's columns and partitioning, in what is still the target."""
    if target is None:
        return {**present(shadow.metadata), "id": str(uuid4())}
    kept = {name: value for name, value in target.metadata["configuration"].items() if name in KEPT_PROPERTIES}
    identity = {name: target.metadata[name] for name in ("id", "name", "description", "createdTime")}
    return present({**shadow.metadata, **identity, "configuration": {**shadow.metadata["configuration"], **kept}})


def removal(file: Json, now_ms: int) -> Json:
    named = {name: file[name] for name in ("path", "partitionValues", "size", "deletionVector")}
    return {**present(named), "deletionTimestamp": now_ms, "dataChange": True, "extendedFileMetadata": True}


def present(action: Json) -> dict[str, Any]:
    return {name: value for name, value in action.items() if value is not None}


def named_files(uri: str, folder: str) -> list[str]:
    """
    The files below a folder of the table that its log names: those of its newest version, and those of earlier ones
    that no vacuum has removed. Their names are relative to the table.
    """
    delta = load(uri)
    if delta is None:
        return []
    live = [unquote(path) for path in pa.table(delta.get_add_actions())["path"].to_pylist()]
    removed = delta.vacuum(0, dry_run=True, enforce_retention_duration=False)
    return [path for path in [*live, *removed] if path.startswith(folder)]
