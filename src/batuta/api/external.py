"""
Payloads by path: where a client puts a payload ahead of its request, and where it finds one that is too large to be shown in place.

The request that follows names the path it was given; what an execution has it keeps like any other payload and shows by a path once it is large. A path becomes
an address of this server, and the address the payload.
Not here: which payloads get a path (store/rows.py), how uploaded ones are kept (engine/payloads.py), addresses (addresses.py).
Source: conductor-rest-api.md §1.1, §1.2 (externalstoragelocation); the Java client's PayloadStorage.
"""

from __future__ import annotations

import re
from typing import Final

from batuta.api.http import Request, Response, empty_response, json_response
from batuta.api.services import Services
from batuta.engine.payloads import Payloads
from batuta.errors import Invalid, NotFound
from batuta.wire.codec import encode
from batuta.wire.mask import masked

_OPERATIONS: Final = ("READ", "WRITE")
_PAYLOADS: Final = ("WORKFLOW_INPUT", "WORKFLOW_OUTPUT", "TASK_INPUT", "TASK_OUTPUT")
_OURS: Final = re.compile(r"(?:task|workflow)/(?:input|output)/[0-9A-Za-z-]+\.json")
_EXPECTED: Final = "expected task/input/ID.json or another path that this server gave"


def location(services: Services, request: Request, *, path: str = "", operation: str, payload_type: str) -> Response:
    """Where a payload is read by the path that is shown for it; or a fresh path, and where to put a payload for it."""
    if operation.upper() not in _OPERATIONS or payload_type.upper() not in _PAYLOADS:
        raise Invalid(f"Invalid input - Operation: {operation}, PayloadType: {payload_type}")
    payloads, writes = services.engine.payloads, operation.upper() == "WRITE"
    if writes:
        path = _uploads(payloads).fresh_path()
    elif not _OURS.fullmatch(path) and not (payloads is not None and payloads.has(path)):
        raise NotFound(f"this server keeps no payload under {path!r}; {_EXPECTED}")
    uri, _ = services.addresses.made(request, "upload" if writes else "download", f"/api/external/{path}", services.now())
    return json_response(encode({"path": path, "uri": uri}))


async def put(services: Services, request: Request, upload: str, body: bytes) -> Response:
    """Keep a payload for the request that will name its path; for a day."""
    services.addresses.require_good(request, services.now())
    await _uploads(services.engine.payloads).keep(f"upload/{upload}", body)
    return empty_response()


async def uploaded(services: Services, request: Request, upload: str) -> Response:
    """A payload as it was put."""
    services.addresses.require_good(request, services.now())
    return json_response(encode(await _uploads(services.engine.payloads).read(f"upload/{upload}")))


async def of_task(services: Services, request: Request, direction: str, file: str) -> Response:
    """A task's input or output, whole."""
    return await _payload(services, request, f"task/{direction}/{file}")


async def of_workflow(services: Services, request: Request, direction: str, file: str) -> Response:
    """An execution's input or output, whole."""
    return await _payload(services, request, f"workflow/{direction}/{file}")


async def _payload(services: Services, request: Request, path: str) -> Response:
    services.addresses.require_good(request, services.now())
    found, definition = await services.engine.payload_at(path)
    return json_response(encode(found if definition is None else masked(found, definition.masked)))


def _uploads(payloads: Payloads | None) -> Payloads:
    if payloads is None:
        raise Invalid("this server takes no payloads ahead of the request they belong to; send the payload itself")
    return payloads
