"""
JSON given on the command line: in place, from a file (`@order.json`), or from standard input (`-`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def json_object_option(*names: str, default: str | None = None, help: str) -> Callable[[F], F]:
    """An option that takes a JSON object; without a default the command gets None when it is not given."""
    return click.option(*names, default=default, callback=_json_object, metavar="JSON|@FILE|-", help=help)


def _json_object(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    text, where = _text(value)
    try:
        read = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{where} is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise click.BadParameter(f'{where} is {_KINDS[type(read)]}; expected a JSON object like {{"id": 7}}')
    return read


def _text(value: str) -> tuple[str, str]:
    """The JSON text meant, and what to call it in an error."""
    if value == "-":
        return sys.stdin.read(), "standard input"
    if not value.startswith("@"):
        return value, f"{value!r}" if len(value) <= 60 else f"'{value[:57]}…'"
    path = Path(value[1:])
    try:
        return path.read_text(encoding="utf-8"), f"file {str(path)!r}"
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"file {str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
