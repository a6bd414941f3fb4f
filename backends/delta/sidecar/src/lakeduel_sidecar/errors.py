"""Errors as they cross the pipe, and the one table that maps what the engines raise to them."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
from deltalake.exceptions import CommitFailedError, SchemaMismatchError, TableNotFoundError

KINDS = {
    "S3_UNREACHABLE": "transient",
    "COMMIT_CONFLICT": "conflict",
}
"""What a caller does about a code; all others are terminal. The same table as lakeduel's `platform/errors.ts`."""


class SidecarError(Exception):
    """What happened, with which values, and what to try."""

    def __init__(self, code: str, message: str, remedy: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy
        self.facts = facts

    def to_json(self) -> dict[str, Any]:
        kind = KINDS.get(self.code, "terminal")
        answer = {"code": self.code, "kind": kind, "message": str(self), "facts": self.facts}
        return answer if self.remedy is None else {**answer, "remedy": self.remedy}


TYPE_CODES: tuple[tuple[type[BaseException], str], ...] = (
    # pa.ArrowMemoryError is a MemoryError too.
    (MemoryError, "ENGINE_OUT_OF_MEMORY"),
    (TableNotFoundError, "TABLE_NOT_FOUND"),
    (CommitFailedError, "COMMIT_CONFLICT"),
    (SchemaMismatchError, "SCHEMA_MISMATCH"),
    (pa.ArrowInvalid, "BATCH_INVALID"),
)

# delta-rs and deltalite give most failures one type and tell them apart in the text alone.
TEXT_CODES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"NoSuchBucket"), "S3_BUCKET_MISSING"),
    (re.compile(r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|403 Forbidden"), "S3_CREDENTIALS"),
    (
        re.compile(
            r"error sending request|Connection refused|connect error|dns error|operation timed out|"
            r"curlCode|NETWORK_CONNECTION|"
            # A connection that was cut within an answer, and what a store answers that is away for a while.
            r"connection reset|broken pipe|request or response body error|error reading a body|"
            r"50[0234] (Internal Server Error|Bad Gateway|Service Unavailable|Gateway Timeout)|SlowDown",
            re.IGNORECASE,
        ),
        "S3_UNREACHABLE",
    ),
    (re.compile(r"No space left on device|XMinioStorageFull"), "DISK_FULL"),
    (re.compile(r"Resources exhausted|memory allocation of"), "ENGINE_OUT_OF_MEMORY"),
    # delta-rs reports a lost race that used up its retries as a generic error.
    (
        re.compile(r"Failed to commit transaction|Transaction failed|Metadata changed|Concurrent(Delete|Append)"),
        "COMMIT_CONFLICT",
    ),
)

DELTALITE_CODES = {
    "DeltaLiteCommitConflictError": "COMMIT_CONFLICT",
    "DeltaLiteSchemaMismatchError": "SCHEMA_MISMATCH",
    "DeltaLiteTableNotFoundError": "TABLE_NOT_FOUND",
    "DeltaLiteSourceTooLargeError": "ENGINE_OUT_OF_MEMORY",
}
"""By name, since deltalite can't be imported below Python 3.12."""

TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def classify(error: BaseException) -> SidecarError:
    """The error as it is answered. Text counts before type: a commit may also fail for want of a bucket."""
    if isinstance(error, SidecarError):
        return error
    text = TERMINAL_COLOURS.sub("", str(error)).strip() or type(error).__name__
    code = (
        next((code for pattern, code in TEXT_CODES if pattern.search(text)), None)
        or DELTALITE_CODES.get(type(error).__name__)
        or next((code for kind, code in TYPE_CODES if isinstance(error, kind)), "ENGINE_FAILED")
    )
    return SidecarError(code, text, engineError=type(error).__name__)
