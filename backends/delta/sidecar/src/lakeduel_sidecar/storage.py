"""Credentials and endpoints, which come from the environment alone, so that no request holds a secret."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from pyarrow import fs

PASSED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
)


def storage_options(uri: str) -> dict[str, str]:
    """
    For delta-rs and deltalite. `etag` is put-if-absent, on which every commit relies: with it disabled, delta-rs
    would need a lock table, whose support it removed (delta-io/delta-rs#4464).
    """
    if not uri.startswith("s3://"):
        return {}
    given = {name: os.environ[name] for name in PASSED if os.environ.get(name)}
    return {**given, "aws_conditional_put": "etag"}


def filesystem_of(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system that a staged part is read from, and its path there."""
    if not uri.startswith("s3://"):
        return fs.LocalFileSystem(), uri
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    s3 = fs.S3FileSystem(
        access_key=os.environ.get("AWS_ACCESS_KEY_ID"),
        secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),
        session_token=os.environ.get("AWS_SESSION_TOKEN"),
        region=os.environ.get("AWS_REGION"),
        scheme=endpoint.scheme or "https",
        endpoint_override=endpoint.netloc or None,
        force_virtual_addressing=os.environ.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST") == "true",
    )
    return s3, uri.removeprefix("s3://")
