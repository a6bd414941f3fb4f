"""The statistics of a file as Delta's log has them, from what DuckDB tells of the file when it has written it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa

from .footers import lower_bound, put, upper_bound
from .outside_wire import WrittenFile


def told_statistics(file: WrittenFile, schema: pa.Schema, listed: Sequence[str]) -> dict[str, Any]:
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for column in file.columns:
        if column.name not in listed:
            continue
        if column.nulls is not None:
            nulls[column.name] = column.nulls
        low, high = (value_of(text, schema.field(column.name).type) for text in (column.least, column.greatest))
        if low is not None and high is not None:
            put(least, column.name, low, lower_bound)
            put(greatest, column.name, high, upper_bound)
    return {"numRecords": file.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}


def value_of(text: str | None, column_type: pa.DataType) -> Any:
    """None of a type that has no range in the log, and of a value that Python has none for."""
    parse = next((parse for is_kind, parse in PARSERS if is_kind(column_type)), None)
    if text is None or parse is None:
        return None
    try:
        return parse(text)
    except (ValueError, ArithmeticError):
        return None


def time_of(text: str) -> datetime:
    """DuckDB's session is in UTC, and says so in its own short way."""
    universal = text.removesuffix("+00")
    parsed = datetime.fromisoformat(universal)
    return parsed if universal == text else parsed.replace(tzinfo=timezone.utc)


PARSERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[str], Any]], ...] = (
    (pa.types.is_string, str),
    (pa.types.is_boolean, {"0": False, "1": True}.get),
    (pa.types.is_integer, int),
    (pa.types.is_decimal, Decimal),
    (pa.types.is_date, date.fromisoformat),
    (pa.types.is_timestamp, time_of),
)
