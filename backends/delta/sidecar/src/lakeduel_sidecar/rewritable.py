"""Whether an engine that knows Parquet, but not Delta Lake, may write anew what a table holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import SidecarError
from .table import LakeTable
from .wire import Json

HARMLESS_FEATURES = frozenset({"appendOnly", "invariants", "timestampNtz"})
JUDGED_FEATURES = frozenset(
    {"checkConstraints", "changeDataFeed", "generatedColumns", "columnMapping", "identityColumns"}
)
"""Which ask something of a writer only where a property or a column uses them."""
KNOWN_WRITER_VERSION = 6
"""Up to it a version stands for the features above; from the next one on they are listed."""
COMPUTED_COLUMN = ("delta.invariants", "delta.generationExpression", "delta.identity.")


def require_rewritable(table: LakeTable) -> None:
    """A merge that leaves out what a table asks for would be wrong without anybody's notice, so it is refused."""
    reasons = list(demands(table))
    if reasons:
        raise SidecarError(
            "SCHEMA_MISMATCH",
            f"the strategy delta/duckdb can't upsert into the table {table.uri}, since it {', and '.join(reasons)}",
            "Upsert with another strategy, such as delta/merge, or refresh the table in full.",
            table=table.uri,
            demands=reasons,
        )


def demands(table: LakeTable) -> Iterator[str]:
    protocol, metadata = table.delta.protocol(), table.delta.metadata()
    used = {*(protocol.reader_features or ()), *(protocol.writer_features or ())}
    unknown = sorted(used - HARMLESS_FEATURES - JUDGED_FEATURES)
    if unknown:
        yield f"uses {', '.join(unknown)}"
    if not used and protocol.min_writer_version > KNOWN_WRITER_VERSION:
        yield f"asks for writer version {protocol.min_writer_version}"
    yield from demands_of_properties(metadata.configuration)
    yield from demands_of_columns(json.loads(table.delta.schema().to_json())["fields"])
    if len(metadata.partition_columns) > 1:
        yield f"is partitioned by {len(metadata.partition_columns)} columns"


def demands_of_properties(configuration: Mapping[str, str | None]) -> Iterator[str]:
    if configuration.get("delta.appendOnly") == "true":
        yield "is append-only"
    if configuration.get("delta.enableChangeDataFeed") == "true":
        yield "has a change data feed"
    if configuration.get("delta.columnMapping.mode") not in (None, "none"):
        yield "maps its columns"
    constraints = [name for name in configuration if name.startswith("delta.constraints.")]
    if constraints:
        yield f"has the {'constraint' if len(constraints) == 1 else 'constraints'} {', '.join(constraints)}"


def demands_of_columns(fields: list[Json]) -> Iterator[str]:
    for field in fields:
        computed = [name for name in field["metadata"] if name.startswith(COMPUTED_COLUMN)]
        if computed:
            yield f"has {', '.join(computed)} on {field['name']}"
        yield from demands_of_columns(nested_fields(field["type"]))


def nested_fields(lake_type: Any) -> list[Json]:
    if not isinstance(lake_type, dict):
        return []
    if lake_type["type"] == "struct":
        return list(lake_type["fields"])
    inner = [lake_type[name] for name in ("elementType", "keyType", "valueType") if name in lake_type]
    return [field for element in inner for field in nested_fields(element)]
