"""
Faults that tests arm, in the syntax of lakeduel's `pipeline/faults.ts`: `LAKEDUEL_FAULT=POINT:ACTION[=MS][@N]`. The
points of the other processes are none of ours, and pass.
"""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from time import sleep
from typing import Literal

from .errors import SidecarError

Point = Literal["before-apply", "before-commit", "mid-partition-loop"]

SYNTAX = re.compile(r"(?P<point>[a-z-]+):(?P<action>kill|stall|error)(?:=(?P<stall_ms>\d+))?(?:@(?P<after>\d+))?")
STALL_MS = 30_000


@dataclass
class Fault:
    point: str
    action: str
    stall_ms: int
    passes_left: int


def armed_fault(text: str | None) -> Fault | None:
    found = SYNTAX.fullmatch(text or "")
    if found is None:
        return None
    stall_ms, after = int(found["stall_ms"] or STALL_MS), int(found["after"] or 1)
    return Fault(found["point"], found["action"], stall_ms, after)


ARMED = armed_fault(os.environ.get("LAKEDUEL_FAULT"))


def fault_point(point: Point) -> None:
    """Strikes once, when the point is passed for the time that was asked for."""
    if ARMED is None or ARMED.point != point:
        return
    ARMED.passes_left -= 1
    if ARMED.passes_left != 0:
        return
    if ARMED.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if ARMED.action == "stall":
        sleep(ARMED.stall_ms / 1000)
    if ARMED.action == "error":
        raise SidecarError("ENGINE_FAILED", f"The fault {point} was armed.")
