"""The requests, parsed once at the edge; everything behind takes these types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import SidecarError

T = TypeVar("T")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    name: str
    type: Json
    """A `LakeType` of lakeduel's `backends/schema.ts`: `{"kind": …}`."""
    nullable: bool


@dataclass(frozen=True)
class Table:
    uri: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    partition_by: str | None


@dataclass(frozen=True)
class Part:
    """One staged Parquet file."""

    uri: str
    rows: int
    payload_bytes: int
    """Uncompressed, as Arrow would hold its rows."""


@dataclass(frozen=True)
class Tag:
    """Committed atomically with the data; see `commits.py`."""

    run_id: str
    batch_index: int


@dataclass(frozen=True)
class TaggedBatch:
    tag: Tag
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class WriteSettings:
    """How data files are written, by every strategy that can be told."""

    row_group_payload_bytes: int
    """An output row group holds at most this much payload, so that a reader of wide rows can hold it."""
    max_row_group_rows: int
    """Whatever its payload: what narrow rows are bounded by."""
    bounded_merge_row_groups: bool
    """Whether both bounds hold for what a merge writes; otherwise its row groups are delta-rs's own."""
    target_file_bytes: int | None
    max_commit_retries: int


@dataclass(frozen=True)
class DeltaLiteSettings:
    """Arguments of `DeltaLiteTable.upsert` of the same names, but for the next one."""

    parallel_payload_bytes: int
    """Partitions are merged at once that hold no more payload than this together."""
    max_parallel_partitions: int
    max_parallel_files: int
    max_buffered_bytes: int
    max_fetch_bytes: int
    probe_concurrency: int
    read_batch_size: int
    max_row_group_bytes: int
    target_file_size: int
    commit_max_retries: int


@dataclass(frozen=True)
class Apply:
    table: Table
    strategy: str
    mode: str
    batches: tuple[TaggedBatch, ...]
    """Committed as if they were one batch of all their parts, in order."""
    write: WriteSettings
    register_parts: bool
    """Whether the parts of an append become files of the table as they are, where they can."""
    deltalite: DeltaLiteSettings | None
    step_payload_bytes: int | None
    """An upsert of more payload is committed in steps of about this much; None means one commit whatever the size."""
    step_target_bytes: int | None
    """A merge reads about this much of the table at once, in a commit for each group of partitions; None means all."""

    @property
    def tags(self) -> tuple[Tag, ...]:
        return tuple(batch.tag for batch in self.batches)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for batch in self.batches for part in batch.parts)


@dataclass(frozen=True)
class Evolve:
    stored: list[Any]
    """The columns that the plan was made for, as they are answered."""
    added: tuple[Column, ...]
    widened: tuple[Column, ...]
    """In their new types."""
    write: WriteSettings


def reject(path: str, expected: str, value: Any) -> SidecarError:
    return SidecarError("USAGE", f"the request's {path} must be {expected}, not {type(value).__name__}", field=path)


def field(source: Json, name: str, kind: type[T]) -> T:
    value = source.get(name)
    # bool is an int in Python, and never one that we mean.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise reject(name, f"of type {kind.__name__}", value)
    return value


def optional(source: Json, name: str, kind: type[T]) -> T | None:
    return None if source.get(name) is None else field(source, name, kind)


def each(source: Json, name: str, parse: Callable[[Any], T]) -> tuple[T, ...]:
    return tuple(parse(item) for item in field(source, name, list))


def mapping(value: Any) -> Json:
    if not isinstance(value, dict):
        raise reject("item", "an object", value)
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise reject("item", "a string", value)
    return value


def parse_column(value: Any) -> Column:
    source = mapping(value)
    return Column(field(source, "name", str), field(source, "type", dict), field(source, "nullable", bool))


def parse_table(source: Json) -> Table:
    spec = field(source, "spec", dict)
    return Table(
        uri=field(source, "uri", str),
        columns=each(spec, "columns", parse_column),
        primary_key=each(spec, "primaryKey", text),
        partition_by=optional(spec, "partitionBy", str),
    )


def parse_part(value: Any) -> Part:
    source = mapping(value)
    return Part(field(source, "uri", str), field(source, "rows", int), field(source, "payloadBytes", int))


def parse_write(source: Json) -> WriteSettings:
    return WriteSettings(
        row_group_payload_bytes=field(source, "rowGroupPayloadBytes", int),
        max_row_group_rows=field(source, "maxRowGroupRows", int),
        bounded_merge_row_groups=field(source, "boundedMergeRowGroups", bool),
        target_file_bytes=optional(source, "targetFileBytes", int),
        max_commit_retries=field(source, "maxCommitRetries", int),
    )


def parse_deltalite(source: Json) -> DeltaLiteSettings:
    return DeltaLiteSettings(
        parallel_payload_bytes=field(source, "parallelPayloadBytes", int),
        max_parallel_partitions=field(source, "maxParallelPartitions", int),
        max_parallel_files=field(source, "maxParallelFiles", int),
        max_buffered_bytes=field(source, "maxBufferedBytes", int),
        max_fetch_bytes=field(source, "maxFetchBytes", int),
        probe_concurrency=field(source, "probeConcurrency", int),
        read_batch_size=field(source, "readBatchRows", int),
        max_row_group_bytes=field(source, "maxRowGroupBytes", int),
        target_file_size=field(source, "targetFileBytes", int),
        commit_max_retries=field(source, "maxCommitRetries", int),
    )


def parse_tag(source: Json) -> Tag:
    tag = field(source, "tag", dict)
    return Tag(field(tag, "runId", str), field(tag, "batchIndex", int))


def parse_tagged_batch(value: Any) -> TaggedBatch:
    source = mapping(value)
    return TaggedBatch(parse_tag(source), each(field(source, "batch", dict), "parts", parse_part))


def parse_evolve(source: Json) -> Evolve:
    return Evolve(
        stored=field(source, "stored", list),
        added=each(source, "added", parse_column),
        widened=each(source, "widened", parse_column),
        write=parse_write(field(source, "write", dict)),
    )


def parse_apply(source: Json) -> Apply:
    deltalite = optional(source, "deltalite", dict)
    return Apply(
        table=parse_table(source),
        strategy=field(source, "strategy", str),
        mode=field(source, "mode", str),
        batches=each(source, "batches", parse_tagged_batch),
        write=parse_write(field(source, "write", dict)),
        register_parts=field(source, "registerParts", bool),
        deltalite=None if deltalite is None else parse_deltalite(deltalite),
        step_payload_bytes=optional(source, "stepPayloadBytes", int),
        step_target_bytes=optional(source, "stepTargetBytes", int),
    )
