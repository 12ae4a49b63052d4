"""
Errors as answers: problem details (RFC 9457) with a stable `code`, and the original's `error` beside them for its clients.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any, Final

import msgspec
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from batuta.client import ClientError, Unavailable
from batuta_flows.document.check import Problem
from batuta_flows.errors import FlowError, Malformed, NodeFailed, Refused, is_of_storage

log = logging.getLogger("batuta.flows")
STATUSES: Final = {
    "unknown_run": 404, "unknown_flow": 404, "unknown_asset": 404, "nothing_to_show": 404, "no_flow": 404, "not_now": 409, "conflict": 409, "too_large": 413,
    "malformed": 400,
}  # fmt: skip


def answer(status: int, code: str, message: str, **more: Any) -> Response:
    """A problem as JSON. `error` is what the original's clients read."""
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": message, "error": message, **more}
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")


async def on_flow_error(request: Request, error: Exception) -> Response:
    """Whatever of ours went wrong."""
    assert isinstance(error, FlowError)
    if isinstance(error, Refused):
        found = [msgspec.to_builtins(problem) for problem in error.problems if isinstance(problem, Problem)]
        return answer(422, error.code, str(error), problems=found)
    if isinstance(error, Malformed):
        return answer(400, error.code, error.message if error.place == "nodes" else str(error), place=error.place)
    return answer(STATUSES.get(error.code, 422 if isinstance(error, NodeFailed) else 400), error.code, str(error))


async def on_client_error(request: Request, error: Exception) -> Response:
    """The orchestrator could not be asked, or refused: never a 404 of ours."""
    assert isinstance(error, ClientError)
    if isinstance(error, Unavailable):
        return answer(503, "orchestrator_unavailable", f"the orchestrator does not answer: {error}")
    return answer(502, "orchestrator_refused", f"the orchestrator refused: {error}")


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses: a path that is none, a method that a path does not have, a form that cannot be read."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed", 400: "malformed"}.get(error.status_code, "refused")
    told = f"{request.method} {request.url.path}: {error.detail}" if error.status_code != 400 else f"the body cannot be read: {error.detail}"
    found = answer(error.status_code, code, told)
    found.headers.update(error.headers or {})
    return found


async def on_form_error(request: Request, error: Exception) -> Response:
    """A form that is none, which the framework lets through as it is."""
    return answer(400, "malformed", f"the form cannot be read: {error}")


async def on_too_deep(request: Request, error: Exception) -> Response:
    """JSON inside JSON inside JSON."""
    return answer(400, "malformed", "the body is nested too deeply")


async def on_storage_error(request: Request, error: Exception) -> Response:
    """A disk that is full, or takes nothing."""
    if not is_of_storage(error):
        raise error
    log.error("%s %s: %s", request.method, request.url.path, error)
    return answer(507, "storage", f"the data directory (FLOWS_DATA) cannot be used: {error}")


async def on_fault(request: Request, error: Exception) -> Response:
    """What nobody has foreseen."""
    return answer(500, "internal_error", "something went wrong here; the log of the backend says what")


HANDLERS: Final = {
    FlowError: on_flow_error, ClientError: on_client_error, HTTPException: on_http_error, FormParserError: on_form_error, RecursionError: on_too_deep,
    OSError: on_storage_error, sqlite3.Error: on_storage_error, Exception: on_fault,
}  # fmt: skip
