"""How stories say what they expect: of answers, of refusals, of versions that lack something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conductor.client.http.rest import ApiException


class NotHere(Exception):
    """The story needs what this version of the SDK does not have; its text says what."""


def refused(status: int, words: str, call: Callable[[], Any]) -> ApiException:
    """The exception the SDK makes of the refusal, which must have this status and these words."""
    try:
        answer = call()
    except ApiException as error:
        assert error.status == status and words in str(error.message if hasattr(error, "message") else error.body), (error.status, error.body)
        return error
    raise AssertionError(f"expected a refusal with {status}, got {answer!r}")


def field(model: Any, name: str) -> Any:
    """A field of what the SDK gives: some versions make models of some answers, others leave them as they came."""
    first, *rest = name.split("_")
    return model[first + "".join(word.capitalize() for word in rest)] if isinstance(model, dict) else getattr(model, name)


def equal(found: Any, expected: Any) -> None:
    assert found == expected, f"found {found!r}, expected {expected!r}"
