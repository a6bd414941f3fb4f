"""Adds and widens columns, by the plan of lakeduel's `backends/evolution.ts`."""

from __future__ import annotations

import pyarrow as pa

from .errors import SidecarError
from .files import has_order
from .rewrite import rewrite
from .schema import arrow_field
from .table import LakeTable
from .wire import Evolve


def evolve(table: LakeTable, request: Evolve) -> None:
    """One commit: of the log alone where columns are added, of all files where one is widened."""
    table.refresh()
    if table.stored()["columns"] != request.stored:
        raise SidecarError(
            "COMMIT_CONFLICT",
            f"another writer has changed the columns of the table {table.uri}",
            "Evolve the table again.",
            table=table.uri,
        )
    if request.widened:
        table.forget_statistics([column.name for column in request.widened if not has_order(column.type)])
        rewrite(table, evolved_schema(table, request), request.write)
    else:
        table.add_columns(request.added)
    table.schema_changed()


def evolved_schema(table: LakeTable, request: Evolve) -> pa.Schema:
    widened = {column.name: arrow_field(column) for column in request.widened}
    stored = [widened.get(field.name, field) for field in table.schema]
    return pa.schema([*stored, *(arrow_field(column) for column in request.added)])
