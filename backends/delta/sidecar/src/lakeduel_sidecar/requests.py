"""Answers requests, one verb each; `__main__.py` reads them from the command line or from stdin."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .apply import apply
from .errors import SidecarError
from .evolve import evolve
from .listing import plan_rewrite
from .outside_wire import parse_commit_rewrite, parse_plan_rewrite
from .read_out import ReadOut
from .replacing import commit_rewrite
from .swap import named_files, plan_swap
from .table import LakeTable, load, open_table
from .wire import Json, field, parse_apply, parse_evolve, parse_table, parse_tag, parse_write

DELTALITE_PYTHON = (3, 12)
"""deltalite's wheel is cp312-abi3; below, its import fails for want of a symbol."""


class Requests:
    """The tables that a process has open, by URI."""

    def __init__(self) -> None:
        self._tables: dict[str, LakeTable] = {}
        self._read_outs: dict[str, ReadOut] = {}
        self._verbs: dict[str, Callable[[Json], dict[str, Any]]] = {
            "hello": self._hello,
            "stored": self._stored,
            "open": self._open,
            "apply": self._apply,
            "plan_rewrite": self._plan_rewrite,
            "commit_rewrite": self._commit_rewrite,
            "applied_through": self._applied_through,
            "evolve": self._evolve,
            "plan_swap": self._plan_swap,
            "named_files": self._named_files,
            "maintain": self._maintain,
            "describe": self._describe,
            "read_out": self._read_out,
            "close": self._close,
        }

    @property
    def verbs(self) -> tuple[str, ...]:
        return tuple(self._verbs)

    def answer(self, request: Json) -> dict[str, Any]:
        verb = field(request, "verb", str)
        if verb not in self._verbs:
            raise SidecarError("USAGE", f'there is no request "{verb}"', f"Use one of {', '.join(self._verbs)}.")
        return self._verbs[verb](request)

    def _table(self, request: Json) -> LakeTable:
        uri = field(request, "uri", str)
        if uri not in self._tables:
            delta = load(uri)
            if delta is None:
                raise SidecarError("TABLE_NOT_FOUND", f"there is no Delta table at {uri}", uri=uri)
            self._tables[uri] = LakeTable(uri, delta)
        return self._tables[uri]

    def _hello(self, _request: Json) -> dict[str, Any]:
        versions = {
            "python": platform.python_version(),
            "deltalake": version("deltalake"),
            "pyarrow": version("pyarrow"),
        }
        missing = deltalite_missing()
        found = versions if missing is not None else {**versions, "deltalite": version("deltalite")}
        return {"versions": found, "unavailable": {} if missing is None else {"delta/deltalite": missing}}

    def _stored(self, request: Json) -> dict[str, Any]:
        uri = field(request, "uri", str)
        if uri in self._tables:
            self._tables[uri].refresh()
            return {"stored": self._tables[uri].stored()}
        delta = load(uri)
        return {"stored": None if delta is None else LakeTable(uri, delta).stored()}

    def _open(self, request: Json) -> dict[str, Any]:
        table = parse_table(request)
        self._tables[table.uri] = open_table(table, parse_write(field(request, "write", dict)))
        return {"version": str(self._tables[table.uri].delta.version())}

    def _apply(self, request: Json) -> dict[str, Any]:
        parsed = parse_apply(request)
        return apply(self._table(request), parsed)

    def _plan_rewrite(self, request: Json) -> dict[str, Any]:
        return plan_rewrite(self._table(request), parse_plan_rewrite(request))

    def _commit_rewrite(self, request: Json) -> dict[str, Any]:
        return commit_rewrite(self._table(request), parse_commit_rewrite(request))

    def _applied_through(self, request: Json) -> dict[str, Any]:
        table = self._table(request)
        table.refresh()
        return {"batchIndex": table.applied_through(field(request, "runId", str))}

    def _evolve(self, request: Json) -> dict[str, Any]:
        evolve(self._table(request), parse_evolve(request))
        return {}

    def _plan_swap(self, request: Json) -> dict[str, Any]:
        uri, shadow_uri = field(request, "uri", str), field(request, "shadowUri", str)
        return plan_swap(uri, shadow_uri, parse_tag(request))

    def _named_files(self, request: Json) -> dict[str, Any]:
        return {"files": named_files(field(request, "uri", str), field(request, "folder", str))}

    def _maintain(self, request: Json) -> dict[str, Any]:
        table = self._table(request)
        table.refresh()
        write = parse_write(field(request, "write", dict))
        return table.maintain(write, field(request, "vacuumRetentionHours", int))

    def _describe(self, request: Json) -> dict[str, Any]:
        table = self._table(request)
        table.refresh()
        return table.describe()

    def _read_out(self, request: Json) -> dict[str, Any]:
        """The next part of a reading, which its first request begins and its last one ends."""
        key = field(request, "reading", str)
        if key not in self._read_outs:
            uri, folder = field(request, "uri", str), field(request, "folder", str)
            self._read_outs[key] = ReadOut(
                uri, field(request, "version", int), folder, field(request, "maxBytes", int)
            )
        part = self._read_outs[key].next_part()
        if part["file"] is None:
            del self._read_outs[key]
        return part

    def _close(self, request: Json) -> dict[str, Any]:
        self._tables.pop(field(request, "uri", str), None)
        return {}


def deltalite_missing() -> str | None:
    """Why the strategy isn't there, or None. It is found without being imported, which costs memory."""
    if sys.version_info < DELTALITE_PYTHON:
        return f"deltalite needs Python 3.12 or newer, and the sidecar runs on {platform.python_version()}"
    try:
        version("deltalite")
    except PackageNotFoundError:
        return "the package deltalite isn't installed beside the sidecar"
    return None
