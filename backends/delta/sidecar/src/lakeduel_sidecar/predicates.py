"""
The SQL of a merge. Only literals about the target let delta-rs skip files and judge conflicts by partition: with
`streamed_exec` it derives nothing from the source, and then reads, and conflicts with, the whole table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from .keys import KeyScan
from .wire import Table


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def column(alias: str, name: str) -> str:
    return f"{alias}.{quoted(name)}"


def literal(value: Any) -> str | None:
    """None for types whose text form isn't exact; then the merge goes without that predicate, and reads more."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, date) and type(value) is date:
        return f"CAST('{value.isoformat()}' AS DATE)"
    if isinstance(value, Decimal):
        scale = -int(value.as_tuple().exponent)
        return f"CAST('{value}' AS DECIMAL(38,{scale}))"
    return None


def any_of(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def in_partitions(name: str, values: Sequence[Any]) -> list[str]:
    literals = [literal(value) for value in values if value is not None]
    known = [text for text in literals if text is not None]
    if len(known) < len(literals):
        return []
    target = column("t", name)
    listed = [f"{target} IN ({', '.join(known)})"] if known else []
    return [any_of([*listed, f"{target} IS NULL"] if None in values else listed)]


def in_range(name: str, bounds: tuple[Any, Any], with_null: bool) -> list[str]:
    least, greatest = literal(bounds[0]), literal(bounds[1])
    if least is None or greatest is None:
        return []
    target = column("t", name)
    between = f"({target} >= {least} AND {target} <= {greatest})"
    return [any_of([between, f"{target} IS NULL"]) if with_null else between]


def equal_keys(name: str, with_null: bool) -> str:
    """NULL equals NULL. Without a NULL in the batch plain equality is the same, and joins by hash."""
    target, source = column("t", name), column("s", name)
    return f"({target} = {source} OR ({target} IS NULL AND {source} IS NULL))" if with_null else f"{target} = {source}"


def merge_predicate(table: Table, scan: KeyScan, partitions: Sequence[Any] | None, with_range: bool) -> str:
    """`partitions` are the ones that the merge covers, or None in a table without a partition column."""
    literals = [] if table.partition_by is None or partitions is None else in_partitions(table.partition_by, partitions)
    ranges = [
        condition
        for name, bounds in (scan.ranges.items() if with_range else ())
        if name != table.partition_by
        for condition in in_range(name, bounds, name in scan.nulls)
    ]
    keys = [equal_keys(name, name in scan.nulls) for name in table.primary_key]
    return " AND ".join([*literals, *ranges, *keys])
