"""Upserts through deltalite, which hashes the keys of the source and streams the target by row group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .commits import commit_metadata
from .errors import SidecarError
from .outcome import Outcome
from .storage import storage_options
from .wire import Apply, DeltaLiteSettings, Tag

if TYPE_CHECKING:
    import deltalite


def open_handle(uri: str) -> deltalite.DeltaLiteTable:
    # Imported here, since it costs 8 MiB of every process and can't be imported below Python 3.12.
    import deltalite  # noqa: PLC0415

    return deltalite.DeltaLiteTable.open(uri, storage_options(uri) or None)


LEAST_PARALLEL_PARTITIONS = 2
"""Partitions that are merged at once whatever they hold: deltalite streams them, so one of many gigabytes takes no more."""


def parallel_partitions(settings: DeltaLiteSettings, partition_bytes: Sequence[int]) -> int:
    """As many as the largest ones fit. A small partition is held whole, and merging it is waiting for the object store."""
    fitting = settings.parallel_payload_bytes // max(1, *partition_bytes, 1)
    return min(settings.max_parallel_partitions, max(LEAST_PARALLEL_PARTITIONS, fitting))


def streaming_upsert(
    handle: deltalite.DeltaLiteTable,
    request: Apply,
    source: pa.RecordBatchReader,
    tags: Sequence[Tag],
    partition_bytes: Sequence[int],
) -> Outcome:
    """
    :param partition_bytes: the payload that each partition of the source holds already
    """
    settings = request.deltalite
    if settings is None:
        raise SidecarError("USAGE", "the strategy delta/deltalite needs its settings in the request")
    stats: Any = handle.upsert(
        source,
        list(request.table.primary_key),
        request.table.partition_by,
        commit_metadata=commit_metadata(tags) or None,
        max_parallel_partitions=parallel_partitions(settings, partition_bytes),
        max_parallel_files=settings.max_parallel_files,
        max_buffered_bytes=settings.max_buffered_bytes,
        max_fetch_bytes=settings.max_fetch_bytes,
        probe_concurrency=settings.probe_concurrency,
        read_batch_size=settings.read_batch_size,
        max_row_group_bytes=settings.max_row_group_bytes,
        target_file_size=settings.target_file_size,
        commit_max_retries=settings.commit_max_retries,
        # The steps before bound the source; deltalite's own limit of 2 GiB would only contradict them.
        max_source_bytes=0,
    )
    return Outcome(
        commits=1,
        inserted=stats.rows_inserted,
        updated=stats.rows_updated,
        engine={
            "rowsCopied": stats.rows_copied,
            "filesAdded": stats.files_added,
            "filesRemoved": stats.files_removed,
            "filesProbed": stats.files_probed,
            "ingestMs": stats.ingest_ms,
            "planMs": stats.plan_ms,
            "rewriteMs": stats.rewrite_ms,
            "commitMs": stats.commit_ms,
        },
    )
