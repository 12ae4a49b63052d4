"""
/api/environment and /api/secrets: what definitions may name as `${workflow.env.NAME}` and `${workflow.secrets.NAME}`.

Both are read from the server's own environment and cannot be changed here. As in Conductor, the value of one secret can be asked for; whoever may
call the API may also start a workflow that hands it to a worker.
Source: conductor-rest-api.md §1.8; a running server's answers.
"""

from __future__ import annotations

import re
from typing import Final

from batuta.api.http import TEXT, Response, empty_response, json_response, text_response
from batuta.api.services import Services
from batuta.errors import Invalid, NotFound
from batuta.wire.codec import encode

_KEY: Final = re.compile(r"[a-zA-Z0-9_-]{1,65535}")
_READ_ONLY: Final = Response(501, b"env-backed secrets are read-only", TEXT)  # text, as Conductor's
_SHOWN, _SHOWN_FROM = 4, 16  # letters of each end that a list shows, of a secret at least so long


def variables(services: Services) -> Response:
    """Every variable with its value."""
    return json_response(encode([{"name": name, "value": value} for name, value in sorted(services.engine.tools.variables().items())]))


def variable(services: Services, key: str) -> Response:
    """The value of one, as text; empty when there is none."""
    value = services.engine.tools.environment(key)
    return empty_response() if value is None else text_response(value)


def names(services: Services) -> Response:
    """The names of all secrets."""
    return json_response(encode(sorted(services.secret_names())))


def overview(services: Services) -> Response:
    """The same with what may be shown of each: its ends when it is long, nothing when it is short."""
    return json_response(encode([{"name": name, "partial": _partial(services.secret(name) or "")} for name in sorted(services.secret_names())]))


def _partial(value: str) -> str:
    return f"{value[:_SHOWN]}...{value[-_SHOWN:]}" if len(value) >= _SHOWN_FROM else "..."


def read(services: Services, key: str) -> Response:
    """The value of a secret, as text. (Conductor's refusals here have no body.)"""
    value = services.secret(_checked(key))
    if value is None:
        raise NotFound(f"no secret is named {key!r}; secrets are the server's environment variables that begin with CONDUCTOR_SECRET_")
    return text_response(value)


def exists(services: Services, key: str) -> Response:
    """Whether there is such a secret."""
    return json_response(encode(services.secret(_checked(key)) is not None))


def write(services: Services, key: str, body: bytes) -> Response:
    """Refused: the environment cannot be written."""
    _checked(key)
    if not body:
        raise Invalid("value is required: the body is the secret, as text")
    return _READ_ONLY


def delete(services: Services, key: str) -> Response:
    """Refused: the environment cannot be written."""
    _checked(key)
    return _READ_ONLY


def _checked(key: str) -> str:
    """The key. Raises Invalid when no secret can have this name."""
    if not _KEY.fullmatch(key):
        raise Invalid(f"key is {key!r}; key must match pattern [a-zA-Z0-9_-]+ (alphanumeric, underscore, dash only)")
    return key
