"""
The command line: `serve` reads requests from stdin, a JSON object a line, and answers each with one line on stdout;
any other verb answers one request, given with `--json`. Logs go to stderr. S3 credentials come from the environment.

An answer is `{"id": …, "ok": {…}}` or `{"id": …, "error": {"code", "kind", "message", "facts", "remedy"?}}`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .requests import Requests


def main() -> int:
    arguments = parse_arguments()
    limit_processors(os.environ.get("LAKEDUEL_SIDECAR_PROCESSORS"))
    answers = take_stdout()
    # Only now, since the engines count the processors when they are loaded.
    from .requests import Requests  # noqa: PLC0415

    requests = Requests()
    if arguments.verb == "serve":
        return serve(requests, answers)
    answer = respond(requests, f'{{"verb": "{arguments.verb}"}}', arguments.json)
    answers(answer)
    return 1 if "error" in answer else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lakeduel_sidecar", description=__doc__)
    parser.add_argument(
        "verb",
        help=(
            "serve, hello, stored, open, apply, plan_rewrite, commit_rewrite, applied_through, evolve, plan_swap, "
            "named_files, maintain, describe, read_out"
        ),
    )
    parser.add_argument("--json", default="{}", help="the request, without its verb")
    return parser.parse_args()


def limit_processors(count: str | None) -> None:
    """
    DataFusion's parallelism follows the processors that the process may use, and delta-rs 1.6 has no setting for it
    (delta-io/delta-rs#4615). Which ones is spread by process, so that several sidecars don't share one.
    """
    if count is None or not hasattr(os, "sched_setaffinity"):
        return
    usable = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(usable)
    os.sched_setaffinity(0, {usable[(first + step) % len(usable)] for step in range(min(int(count), len(usable)))})


def take_stdout() -> Callable[[dict[str, Any]], None]:
    """Answers go to stdout alone, and whatever a library prints there goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def write(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    return write


def serve(requests: Requests, answers: Callable[[dict[str, Any]], None]) -> int:
    """Until stdin closes, which also happens when the process at its other end dies."""
    for line in sys.stdin:
        answers(respond(requests, line))
    return 0


def respond(requests: Requests, *documents: str) -> dict[str, Any]:
    """One answer for one request, whatever goes wrong."""
    from .errors import SidecarError, classify  # noqa: PLC0415

    request: dict[str, Any] = {}
    try:
        for document in documents:
            parsed = json.loads(document)
            if not isinstance(parsed, dict):
                raise SidecarError("USAGE", "a request is a JSON object")
            request = {**parsed, **request}
        return {"id": request.get("id"), "ok": requests.answer(request)}
    except json.JSONDecodeError as error:
        return {"id": None, "error": SidecarError("USAGE", f"the request isn't JSON: {error}").to_json()}
    except Exception as error:
        return {"id": request.get("id"), "error": classify(error).to_json()}


if __name__ == "__main__":
    sys.exit(main())
