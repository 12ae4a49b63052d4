"""
JSON text to values and back; a body that is no JSON is refused naming the place.

Here: the two ends, bytes and plain values. Not here: what an object must look like (shape.py), Conductor's models (metadata.py,
requests.py, execution.py).
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from batuta.errors import Invalid

_decode = msgspec.json.Decoder().decode
encode: Final = msgspec.json.Encoder().encode
"""The JSON text of a value, in UTF-8 without spaces. Structs, dicts, lists and msgspec.Raw fragments may be mixed."""

_BYTE: Final = re.compile(r"\s*\(byte (\d+)\)$")


def decode(body: bytes) -> Any:
    """
    The value that the text means. Numbers keep their kind: 1 stays whole, 1.0 stays a float, a long one keeps all digits.

    Raises:
        Invalid: the body is empty, is no JSON (the message gives line and column), or is nested too deeply.
    """
    try:
        return _decode(body)
    except UnicodeDecodeError:
        raise Invalid(f"the body is no JSON: it is not UTF-8 at {_place(body, _first_odd_byte(body))}") from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise Invalid(_reason(body, str(error))) from None


def _reason(body: bytes, error: str) -> str:
    if not body.strip():
        return "the request has no body; expected JSON"
    found = _BYTE.search(error)
    if found:
        return f"the body is no JSON: {error[: found.start()].removeprefix('JSON is malformed: ')} at {_place(body, int(found[1]))}"
    if "truncated" in error:
        return f"the body is no JSON: it ends too early, at {_place(body, len(body))}"
    return f"the body is no JSON: {error[:1].lower()}{error[1:]}"


def _first_odd_byte(body: bytes) -> int:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(body)


def _place(body: bytes, at: int) -> str:
    """Where byte number *at* stands, as an editor counts: lines and columns from 1."""
    before = body[:at]
    line_begin = before.rfind(b"\n") + 1
    return f"line {before.count(10) + 1}, column {len(before[line_begin:].decode(errors='replace')) + 1}"
