"""
From what a function returns to JSON that a server takes.

Here: output and text in a form every server accepts. Not here: which status a task gets (running.py), arguments (arguments.py).
"""

from __future__ import annotations

from typing import Any

import msgspec

_SHOWN_CHARS = 120


class Mismatch(ValueError):
    """The input does not fit the function's signature, or its return value is not JSON; trying again would not help."""


def output_of(value: Any) -> dict[str, Any]:
    """
    The task output a return value stands for: a mapping, Struct or dataclass by its fields, None as ``{}``, anything else
    as ``{"result": value}``.

    Raises:
        Mismatch: it holds something JSON has no form for.
    """
    if value is None:
        return {}
    try:
        plain = msgspec.to_builtins(value, str_keys=True)
        msgspec.json.encode(plain)  # text that is not valid Unicode shows only here
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise Mismatch(f"the return value is not JSON: {error}; found {shown(value)}") from None
    return plain if isinstance(plain, dict) else {"result": plain}


def printable(text: str) -> str:
    """*text* with ``?`` for what is not Unicode, such as undecodable bytes of a program's output: JSON has no form for it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def shown(value: Any) -> str:
    """*value* as errors show it: shortened."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
