"""
Payloads by path: where a client finds a task's input or output that is too large to be shown in place.

The server keeps such payloads like any other and shows their path; here a path becomes an address of this server, and the address the payload. Nothing is
taken ahead of its task: a payload comes with the request it belongs to, however large it is within the limit of a request.
Not here: which payloads get a path (store/rows.py). Source: conductor-rest-api.md §1.1, §1.2 (externalstoragelocation).
"""

from __future__ import annotations

import re
from typing import Final

from batuta.api.http import Request, Response, json_response
from batuta.api.services import Services
from batuta.errors import Invalid, NotFound
from batuta.wire.codec import encode
from batuta.wire.mask import masked

_OPERATIONS: Final = ("READ", "WRITE")
_PAYLOADS: Final = ("WORKFLOW_INPUT", "WORKFLOW_OUTPUT", "TASK_INPUT", "TASK_OUTPUT")
_OURS: Final = re.compile(r"task/(input|output)/[0-9A-Za-z-]+\.json")


def location(services: Services, request: Request, *, path: str, operation: str, payload_type: str) -> Response:
    """Where a payload can be read, by the path that its task shows."""
    if operation.upper() not in _OPERATIONS or payload_type.upper() not in _PAYLOADS:
        raise Invalid(f"Invalid input - Operation: {operation}, PayloadType: {payload_type}")
    if operation.upper() == "WRITE":
        raise Invalid("this server takes no payloads ahead of the request they belong to; send the payload itself, and it is stored apart when it is large")
    if not _OURS.fullmatch(path):
        raise NotFound(f"this server keeps no payload under {path!r}; expected task/input/ID.json or task/output/ID.json, as a task shows it")
    return json_response(encode({"path": path, "uri": f"{_root(request)}/api/external/{path}"}))


def _root(request: Request) -> str:
    """This server as the client knows it: the host it asked, and the scheme that a proxy in front says."""
    said = request.header(b"x-forwarded-proto").decode("latin-1").partition(",")[0].strip().lower()
    return f"{said if said in ('http', 'https') else 'http'}://{request.header(b'host').decode('latin-1')}"


async def payload(services: Services, direction: str, file: str) -> Response:
    """A task's input or output, whole."""
    task_id, dot, ending = file.rpartition(".")
    if direction not in ("input", "output") or not dot or ending != "json":
        raise NotFound(f"this server keeps no payload under 'task/{direction}/{file}'; expected task/input/ID.json or task/output/ID.json")
    execution, task = await services.engine.read_task(task_id)
    found = task.input if direction == "input" else execution.output_of(task)
    return json_response(encode(masked(found, execution.definition.masked)))
