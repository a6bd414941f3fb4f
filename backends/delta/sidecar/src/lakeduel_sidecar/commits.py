"""
The commit protocol: which batches a table holds.

delta-rs commits a batch with a `txn` action whose appId is the run and whose version is the batch index; batches that
are committed together have one for each of their runs. Readers of the log keep the last one of each run, so it is found
without reading history, and of two writers that commit the same batch at once the second conflicts.

deltalite can't write that action (0.1.15), but puts a key of the caller into `commitInfo` of the same commit. It is
found by reading the history that the log still holds. A log that was cleaned up (`delta.logRetentionDuration`, 30 days)
no longer answers for older commits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deltalake import CommitProperties, DeltaTable, Transaction

from .wire import Tag

APP_PREFIX = "lakeduel:"
METADATA_TAGS = "lakeduel.tags"
"""A JSON object of batch indexes by run."""


def commit_properties(
    tags: Sequence[Tag], max_commit_retries: int, metadata: Mapping[str, Any] | None = None
) -> CommitProperties:
    """Without tags it is a step before the last one of its batches."""
    transactions = [Transaction(APP_PREFIX + run_id, index) for run_id, index in last_of_runs(tags).items()]
    return CommitProperties(
        app_transactions=transactions,
        max_commit_retries=max_commit_retries,
        custom_metadata=None if metadata is None else dict(metadata),
    )


def commit_metadata(tags: Sequence[Tag]) -> dict[str, str]:
    return {METADATA_TAGS: json.dumps(last_of_runs(tags))} if tags else {}


def last_of_runs(tags: Sequence[Tag]) -> dict[str, int]:
    """Batches of one run come in their order."""
    return {tag.run_id: tag.batch_index for tag in tags}


class MetadataTags:
    """The tags in `commitInfo`, read once and then from new commits alone."""

    def __init__(self) -> None:
        self._seen_version = -1
        self._highest: dict[str, int] = {}

    def applied_through(self, table: DeltaTable, run_id: str) -> int | None:
        version = table.version()
        if version < self._seen_version:
            # Another table has taken the place of the one that was read.
            self._seen_version = -1
            self._highest.clear()
        if version > self._seen_version:
            for commit in table.history(version - self._seen_version):
                self._note(commit)
            self._seen_version = version
        return self._highest.get(run_id)

    def _note(self, commit: Mapping[str, Any]) -> None:
        for run_id, batch_index in json.loads(commit.get(METADATA_TAGS, "{}")).items():
            self._highest[run_id] = max(batch_index, self._highest.get(run_id, -1))


def applied_through(table: DeltaTable, tags: MetadataTags, run_id: str) -> int | None:
    found = (table.transaction_version(APP_PREFIX + run_id), tags.applied_through(table, run_id))
    return max((index for index in found if index is not None), default=None)
