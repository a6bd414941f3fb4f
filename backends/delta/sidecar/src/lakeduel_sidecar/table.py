"""One Delta table: opening, evolving, describing and maintaining it. `apply.py` writes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import DeltaTable, Schema, WriterProperties
from deltalake.exceptions import DeltaError, TableNotFoundError

from .commits import MetadataTags, applied_through
from .errors import SidecarError
from .files import STATISTICS_COLUMNS, bounded_row_group, has_order, table_properties, writer_properties
from .schema import arrow_field, lake_type_of, stored_schema
from .storage import storage_options
from .streaming_upsert import open_handle
from .wire import Column, Table, Tag, WriteSettings

if TYPE_CHECKING:
    import deltalite

STORED_COMPRESSION = 8
"""Payload bytes in a stored byte, at most, where only an estimate is needed; JSON text has 4 to 8."""


class LakeTable:
    """The handles on one table that a process keeps, so that a request reads only the log's new commits."""

    def __init__(self, uri: str, delta: DeltaTable) -> None:
        self.uri = uri
        self.delta = delta
        self.tags = MetadataTags()
        self._deltalite: deltalite.DeltaLiteTable | None = None

    @property
    def deltalite(self) -> deltalite.DeltaLiteTable:
        self._deltalite = self._deltalite or open_handle(self.uri)
        return self._deltalite

    @property
    def schema(self) -> pa.Schema:
        return stored_schema(self.delta.schema())

    def refresh(self) -> None:
        self.delta.update_incremental()

    def applied_through(self, run_id: str) -> int | None:
        return applied_through(self.delta, self.tags, run_id)

    def free(self, tags: Sequence[Tag]) -> list[bool]:
        """Of each tag whether its batch is still to be applied; of two that are alike the first is."""
        through: dict[str, int] = {}
        free = []
        for tag in tags:
            if tag.run_id not in through:
                applied = self.applied_through(tag.run_id)
                through[tag.run_id] = -1 if applied is None else applied
            free.append(tag.batch_index > through[tag.run_id])
            through[tag.run_id] = max(through[tag.run_id], tag.batch_index)
        return free

    def describe(self) -> dict[str, Any]:
        files = pa.table(self.delta.get_add_actions())
        return {
            "version": str(self.delta.version()),
            **self.stored(),
            "rows": sum(files["num_records"].to_pylist()),
            "dataFiles": files.num_rows,
            "dataBytes": sum(files["size_bytes"].to_pylist()),
        }

    def stored(self) -> dict[str, Any]:
        return {
            "columns": [{"name": f.name, "type": lake_type_of(f.type), "nullable": f.nullable} for f in self.schema],
            "partitionBy": next(iter(self.delta.metadata().partition_columns), None),
        }

    def partition_bytes(self, name: str) -> dict[Any, int]:
        """The payload that is stored in each partition, at most, by its value."""
        files = pa.table(self.delta.get_add_actions(flatten=True))
        sizes = files.select([f"partition.{name}", "size_bytes"]).rename_columns(["value", "bytes"])
        summed = sizes.group_by("value").aggregate([("bytes", "sum")])
        totals = summed["bytes_sum"].to_pylist()
        return {
            value: total * STORED_COMPRESSION for value, total in zip(summed["value"].to_pylist(), totals, strict=True)
        }

    def add_columns(self, columns: Sequence[Column]) -> None:
        fields = Schema.from_arrow(pa.schema([arrow_field(column) for column in columns])).fields
        self.delta.alter.add_columns(fields)

    def statistics_columns(self) -> list[str]:
        """Those whose range and NULLs the log tells of a file; of a table that does not say, those with an order."""
        listed = self.delta.metadata().configuration.get(STATISTICS_COLUMNS)
        names = (
            [f.name for f in self.schema if has_order(lake_type_of(f.type))] if listed is None else listed.split(",")
        )
        return [name for name in names if name in self.schema.names]

    def forget_statistics(self, names: Sequence[str]) -> None:
        """No file that is written from now on has a range of these columns. It is a commit that changes no row."""
        listed = self.delta.metadata().configuration.get(STATISTICS_COLUMNS, "").split(",")
        if any(name in listed for name in names):
            kept = ",".join(name for name in listed if name not in names)
            self.delta.alter.set_table_properties({STATISTICS_COLUMNS: kept})
            self.refresh()

    def schema_changed(self) -> None:
        """The handle of deltalite keeps the schema that it has seen."""
        self._deltalite = None

    def maintain(self, write: WriteSettings, retention_hours: int) -> dict[str, Any]:
        before = self.describe()["dataFiles"]
        properties = compaction_properties(self.describe(), write)
        steps: list[tuple[str, Callable[[], object]]] = [
            (
                "optimize.compact",
                lambda: self.delta.optimize.compact(
                    target_size=write.target_file_bytes, max_concurrent_tasks=1, writer_properties=properties
                ),
            ),
            # The lite mode, which removes only files that the log names: files of a commit in flight stay.
            (
                "vacuum",
                lambda: self.delta.vacuum(retention_hours, dry_run=False, enforce_retention_duration=False),
            ),
            ("checkpoint", self.delta.create_checkpoint),
        ]
        timed = [{"name": name, "durationMs": duration_ms(step)} for name, step in steps]
        return {"filesBefore": before, "filesAfter": self.describe()["dataFiles"], "steps": timed}


def duration_ms(step: Callable[[], object]) -> float:
    started = perf_counter()
    step()
    return (perf_counter() - started) * 1000


def compaction_properties(described: dict[str, Any], write: WriteSettings) -> WriterProperties:
    payload = described["dataBytes"] * STORED_COMPRESSION
    return writer_properties(bounded_row_group(described["rows"], payload, write))


def open_table(table: Table, write: WriteSettings) -> LakeTable:
    """Opens what is stored and compares it with `table`, or creates it."""
    delta = load(table.uri) or create(table, write)
    opened = LakeTable(table.uri, delta)
    check_columns(table.uri, opened.schema, table.columns)
    partition = next(iter(delta.metadata().partition_columns), None)
    if partition != table.partition_by:
        found, wanted = partition or "nothing", table.partition_by or "nothing"
        raise SidecarError(
            "SCHEMA_MISMATCH",
            f"the table {table.uri} is partitioned by {found}, not by {wanted}",
            table=table.uri,
        )
    return opened


def load(uri: str) -> DeltaTable | None:
    try:
        return DeltaTable(uri, storage_options=storage_options(uri))
    except TableNotFoundError:
        return None


def create(table: Table, write: WriteSettings) -> DeltaTable:
    try:
        return DeltaTable.create(
            table.uri,
            pa.schema([arrow_field(column) for column in table.columns]),
            partition_by=table.partition_by,
            configuration=table_properties(table.columns, write),
            storage_options=storage_options(table.uri),
        )
    except DeltaError:
        # Another process may have created it meanwhile.
        existing = load(table.uri)
        if existing is None:
            raise
        return existing


def check_columns(uri: str, stored: pa.Schema, wanted: Sequence[Column]) -> None:
    """The stored table may have more columns, all of them nullable, but none of another type."""
    fields = [arrow_field(column) for column in wanted]
    problems = [
        f"{f.name} is {'missing' if f.name not in stored.names else describe_field(stored.field(f.name))}"
        f", not {describe_field(f)}"
        for f in fields
        if f.name not in stored.names or not same(stored.field(f.name), f)
    ]
    if problems:
        raise SidecarError(
            "SCHEMA_MISMATCH",
            f"the stored table {uri} contradicts what was asked for: {'; '.join(problems)}",
            "Ask for the columns as they are stored, or use another table name.",
            table=uri,
        )


def same(stored: pa.Field, wanted: pa.Field) -> bool:
    return lake_type_of(stored.type) == lake_type_of(wanted.type) and stored.nullable == wanted.nullable


def describe_field(field: pa.Field) -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"
