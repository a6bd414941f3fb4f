"""The requests around a merge that another engine does: which files there are, and what replaces them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .wire import Json, Tag, each, field, mapping, optional, parse_tag, text


@dataclass(frozen=True)
class PlanRewrite:
    tags: tuple[Tag, ...]
    """Of the batches that are to be merged, in order."""
    primary_key: tuple[str, ...]
    files_path: str
    """A local path at which the table's files are listed, as Parquet."""


@dataclass(frozen=True)
class ToldColumn:
    """What the writer of a file tells of a column, as DuckDB's text."""

    name: str
    least: str | None
    greatest: str | None
    nulls: int | None


@dataclass(frozen=True)
class WrittenFile:
    path: str
    """Relative to the table, as the object store has it: not encoded."""
    bytes: int
    rows: int
    partition: str | None
    columns: tuple[ToldColumn, ...]


@dataclass(frozen=True)
class ReplacedFile:
    path: str
    """As the log has it: encoded."""
    bytes: int
    partition: str | None


@dataclass(frozen=True)
class CommitRewrite:
    version: int
    """Of the table that was merged with."""
    tags: tuple[Tag, ...]
    partitions: tuple[str | None, ...]
    """Those that the merge read; whoever else changes one of them in the meantime makes the commit fail."""
    written: tuple[WrittenFile, ...]
    replaced: tuple[ReplacedFile, ...]
    max_commit_retries: int


def parse_plan_rewrite(source: Json) -> PlanRewrite:
    return PlanRewrite(
        tags=each(source, "tags", parse_plain_tag),
        primary_key=each(source, "primaryKey", text),
        files_path=field(source, "filesPath", str),
    )


def parse_commit_rewrite(source: Json) -> CommitRewrite:
    return CommitRewrite(
        version=field(source, "version", int),
        tags=each(source, "tags", parse_plain_tag),
        partitions=each(source, "partitions", optional_text),
        written=each(source, "written", parse_written),
        replaced=each(source, "replaced", parse_replaced),
        max_commit_retries=field(source, "maxCommitRetries", int),
    )


def parse_plain_tag(value: Any) -> Tag:
    return parse_tag({"tag": value})


def optional_text(value: Any) -> str | None:
    return None if value is None else text(value)


def parse_written(value: Any) -> WrittenFile:
    source = mapping(value)
    return WrittenFile(
        path=field(source, "path", str),
        bytes=field(source, "bytes", int),
        rows=field(source, "rows", int),
        partition=optional(source, "partition", str),
        columns=each(source, "columns", parse_column),
    )


def parse_column(value: Any) -> ToldColumn:
    source = mapping(value)
    return ToldColumn(
        name=field(source, "name", str),
        least=optional(source, "least", str),
        greatest=optional(source, "greatest", str),
        nulls=optional(source, "nulls", int),
    )


def parse_replaced(value: Any) -> ReplacedFile:
    source = mapping(value)
    return ReplacedFile(field(source, "path", str), field(source, "bytes", int), optional(source, "partition", str))
