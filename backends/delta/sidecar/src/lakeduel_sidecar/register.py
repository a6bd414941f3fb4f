"""
Takes the parts of an append as they are: copied into the table's folder, by the object store itself, and named by one
commit, with the statistics that their footers have.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from .commits import commit_properties
from .footers import Footer, is_sound, read_footer, statistics_of
from .outcome import Outcome
from .storage import filesystem_of
from .table import LakeTable
from .wire import Apply

PARALLEL_REQUESTS = 8
PLAIN_WRITER_VERSION = 2
"""From the next one on a table may have constraints, generated columns or other names in its files."""
PLAIN_FEATURES = frozenset({"appendOnly", "invariants", "timestampNtz"})


def register(table: LakeTable, request: Apply) -> Outcome | None:
    """None where a part isn't what the table's own file would be, so that its rows have to be read."""
    uris = [part.uri for part in request.parts if part.rows > 0]
    if not request.register_parts or not uris or not takes_any_file(table):
        return None
    footers = read_footers(uris)
    if footers is None:
        return None
    bound, key = request.write.row_group_payload_bytes, request.table.primary_key
    if not all(is_sound(footer, table.schema, key, bound) for footer, _ in footers):
        return None
    names = [f"lakeduel-{uuid4()}.parquet" for _ in uris]
    copy(uris, [f"{table.uri}/{name}" for name in names])
    commit(table, request, [add_action(table, name, *footer) for name, footer in zip(names, footers, strict=True)])
    rows = sum(footer.rows for footer, _ in footers)
    return Outcome(commits=1, inserted=rows, updated=0, engine={"filesRegistered": len(names)})


def takes_any_file(table: LakeTable) -> bool:
    """Whether the table asks of a file no more than its columns."""
    protocol = table.delta.protocol()
    features = set(protocol.writer_features or ())
    is_plain = protocol.min_writer_version <= PLAIN_WRITER_VERSION or features <= PLAIN_FEATURES
    return is_plain and not table.delta.metadata().partition_columns


def read_footers(uris: Sequence[str]) -> list[tuple[Footer, int]] | None:
    """None where one can't be read, which whoever reads its rows explains."""
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        try:
            return list(pool.map(read_footer, uris))
        except (OSError, ValueError):
            return None


def copy(sources: Sequence[str], targets: Sequence[str]) -> None:
    def copy_one(source: str, target: str) -> None:
        filesystem, path = filesystem_of(source)
        filesystem.copy_file(path, filesystem_of(target)[1])

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        list(pool.map(copy_one, sources, targets))


def add_action(table: LakeTable, name: str, footer: Footer, size_bytes: int) -> AddAction:
    return AddAction(
        path=name,
        size=size_bytes,
        partition_values={},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps(statistics_of(footer, table.statistics_columns())),
    )


def commit(table: LakeTable, request: Apply, actions: list[AddAction]) -> None:
    try:
        table.delta.create_write_transaction(
            list(actions),
            "append",
            table.delta.schema(),
            commit_properties=commit_properties(request.tags, request.write.max_commit_retries),
        )
    except CommitFailedError:
        # Only then is it certain that no version names the copies.
        for action in actions:
            filesystem, path = filesystem_of(f"{table.uri}/{action.path}")
            filesystem.delete_file(path)
        raise
