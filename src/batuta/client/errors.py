"""
The client's error family: what a server refused, and what could not be asked.

Here: one class a caller can act on for each outcome. Not here: how an answer becomes one of them (http.py), and the two
exceptions a worker function raises to fail its task (decorator.py).
"""

from __future__ import annotations

from collections.abc import Sequence


class ClientError(Exception):
    """
    A call to the server did not succeed.

    ``status`` is the HTTP status, or None when no answer came. ``retryable`` says whether the same call may succeed later
    without anybody changing anything. ``problems`` holds the server's ``validationErrors``, each as ``path: message``.

    Source: the error body of Conductor's API, {status, message, retryable, validationErrors}.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        call: str = "",
        retryable: bool = False,
        code: str = "",
        problems: Sequence[str] = (),
    ) -> None:
        self.message = message
        self.status = status
        self.call = call
        self.retryable = retryable
        self.code = code
        self.problems = tuple(problems)
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        parts = [self.call, str(self.status) if self.status else "", self.message, "; ".join(self.problems)]
        return ": ".join(part for part in parts if part)


class BadRequest(ClientError):
    """The server understood the call and found it wrong (400, 413, 422): change it before sending it again."""


class Denied(ClientError):
    """The server does not know the credentials, or they do not suffice (401, 403)."""


class NotFound(ClientError):
    """The named workflow, task or definition does not exist there (404)."""


class Conflict(ClientError):
    """The thing exists already, or its state does not allow this (409)."""


class ServerFault(ClientError):
    """The server failed while answering (5xx); Conductor also answers some mistakes of the caller so."""


class Unavailable(ClientError):
    """No usable answer came: connection refused or lost, time over, too many requests, a gateway without its server."""


_BY_STATUS: dict[int, type[ClientError]] = {
    400: BadRequest,
    401: Denied,
    403: Denied,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    413: BadRequest,
    422: BadRequest,
    425: Unavailable,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_class(status: int) -> type[ClientError]:
    """The class that stands for this HTTP status."""
    return _BY_STATUS.get(status, ServerFault if status >= 500 else ClientError)
