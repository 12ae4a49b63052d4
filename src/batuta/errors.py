"""
The error family. Raised where a thing is known, answered at the edge.

Each class knows the HTTP status a Conductor client expects and whether the same call may succeed later.
Expected outcomes (nothing to poll, nothing changed) are values, never errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class BatutaError(Exception):
    """Something a caller can be told about; `str(error)` is the sentence it reads."""

    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False


class Invalid(BatutaError):
    """The request itself is wrong; sending it again changes nothing."""

    status = 400


class Violation:
    """One broken rule of a definition or request: where it stands, what is wrong, the value found (None: not shown)."""

    __slots__ = ("invalid_value", "message", "path")

    def __init__(self, path: str, message: str, invalid_value: str | None = None) -> None:
        self.path, self.message, self.invalid_value = path, message, invalid_value

    def __repr__(self) -> str:
        return f"Violation({self.path!r}, {self.message!r}, {self.invalid_value!r})"


class InvalidFields(Invalid):
    """One or more rules broken; Conductor's `validationErrors` body."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("Validation failed, check below errors for detail.")
        self.violations = list(violations)


class Forbidden(BatutaError):
    """The caller may not do this."""

    status = 403


class NotFound(BatutaError):
    """The thing named does not exist."""

    status = 404


class Conflict(BatutaError):
    """The thing exists in a state that forbids the request."""

    status = 409


class ReadOnly(BatutaError):
    """What is asked to be changed belongs to the server's environment and cannot be changed through the API."""

    status = 501


class SecretUnreadable(Conflict):
    """A secret is stored and cannot be read: its key is not here. The sentence names the secret and the cause."""


class TooLarge(BatutaError):
    """A payload beyond its configured maximum."""

    status = 413


class TooMany(BatutaError):
    """As many as there may be: a queue, an allowance, or a rate limit of a workflow is full; there may be room later."""

    status = 429
    retryable = True


class Unsupported(BatutaError):
    """A media type this endpoint does not read."""

    status = 415


class Unavailable(BatutaError):
    """The store did not take it, or the server is stopping; nothing happened and the same call may succeed later."""

    status = 503
    retryable = True


class VersionConflict(BatutaError):
    """Another writer moved this execution first; load it again and decide again. Never leaves the engine."""

    status = 409
    retryable = True
