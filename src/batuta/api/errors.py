"""
The error family as Conductor's answers; anything else is a fault of ours, logged under an id and told by that id alone.

Source: conductor-rest-api.md §2.
"""

from __future__ import annotations

import logging
import secrets
import socket
from typing import Final

from batuta.api.http import JSON, TEXT, Request, Response
from batuta.api.router import WrongMethod
from batuta.errors import BatutaError, InvalidFields, ReadOnly, TooLarge, Violation
from batuta.wire.codec import encode
from batuta.wire.shape import Json

log = logging.getLogger("batuta.api")
INSTANCE: Final = socket.gethostname()


def answer(error: BatutaError) -> Response:
    """What a client reads of this error."""
    if isinstance(error, ReadOnly):
        return Response(error.status, str(error).encode(), TEXT)  # Conductor's is text
    body: Json = {"status": error.status, "message": str(error), "instance": INSTANCE, "retryable": error.retryable}
    if isinstance(error, InvalidFields):
        del body["instance"]  # Conductor leaves it out of this one
        body["validationErrors"] = [_violation(violation) for violation in error.violations]
    response = Response(error.status, encode(body), JSON)
    if isinstance(error, WrongMethod):
        response.headers += ((b"allow", ", ".join(error.allowed).encode()),)
    if isinstance(error, TooLarge):
        response.headers += ((b"connection", b"close"),)  # the rest of the body is not read
    return response


def _violation(violation: Violation) -> Json:
    shown: Json = {"path": violation.path, "message": violation.message}
    if violation.invalid_value is not None:
        shown["invalidValue"] = violation.invalid_value
    return shown


def unexpected(error: Exception, request: Request) -> Response:
    """The answer to a fault of ours: an id to look for in the log, and nothing of what went wrong."""
    fault = secrets.token_hex(4)
    log.error("fault %s: %s %s failed: %r", fault, request.method, request.path, error, exc_info=error)
    message = f"internal error {fault}; the server's log has it under this id"
    return Response(500, encode({"status": 500, "message": message, "instance": INSTANCE, "retryable": False}), JSON)
