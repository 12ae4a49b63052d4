"""
Errors as answers: problem details (RFC 9457) with a stable `code`, and the original's `error` beside them for its clients.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from batuta.client import ClientError, Unavailable
from batuta_flows.document.check import Problem
from batuta_flows.errors import FlowError, Malformed, NodeFailed, Refused

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
    if isinstance(error, NodeFailed):
        return answer(STATUSES.get(error.code, 422), error.code, str(error))
    return answer(STATUSES.get(error.code, 400), error.code, str(error))


async def on_client_error(request: Request, error: Exception) -> Response:
    """The orchestrator could not be asked, or refused: never a 404 of ours."""
    assert isinstance(error, ClientError)
    if isinstance(error, Unavailable):
        return answer(503, "orchestrator_unavailable", f"the orchestrator does not answer: {error}")
    return answer(502, "orchestrator_refused", f"the orchestrator refused: {error}")
