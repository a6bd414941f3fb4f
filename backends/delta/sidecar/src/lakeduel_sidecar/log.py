"""The log of a table, where delta-rs gives out only parts of what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow.parquet as pq
from deltalake import DeltaTable

from .storage import filesystem_of
from .wire import Json


@dataclass(frozen=True)
class LogState:
    """What a table's log comes to at a version, in the words of the log."""

    version: int
    protocol: Json
    metadata: Json
    files: list[Json]


def read_state(uri: str, delta: DeltaTable) -> LogState:
    """delta-rs gives out only parts of it, so it is read from a checkpoint, which holds all of it as it was logged."""
    delta.create_checkpoint()
    filesystem, path = filesystem_of(uri)
    checkpoint = f"{path}/_delta_log/{delta.version():020}.checkpoint.parquet"
    actions = pq.read_table(checkpoint, filesystem=filesystem, columns=["protocol", "metaData", "add"])
    logged = {name: actions[name].drop_null().to_pylist(maps_as_pydicts="strict") for name in actions.column_names}
    return LogState(delta.version(), logged["protocol"][0], logged["metaData"][0], logged["add"])


def read_commit(uri: str, version: int) -> list[Json]:
    """The actions of one commit, as they were logged."""
    filesystem, path = filesystem_of(uri)
    with filesystem.open_input_stream(f"{path}/_delta_log/{version:020}.json") as stream:
        return [json.loads(line) for line in stream.read().splitlines() if line.strip()]
