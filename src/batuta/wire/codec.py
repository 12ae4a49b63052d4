"""
JSON text to values and back; a body that is no JSON is refused naming the place.

Here: the two ends, bytes and plain values. Not here: what an object must look like (shape.py), Conductor's models (metadata.py,
requests.py, execution.py).
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from batuta.errors import Invalid

_decode = msgspec.json.Decoder().decode
encode: Final = msgspec.json.Encoder().encode
"""The JSON text of a value, in UTF-8 without spaces. Structs, dicts, lists and msgspec.Raw fragments may be mixed."""


def decode(body: bytes) -> Any:
    """
    The value that the text means. Numbers keep their kind: 1 stays whole, 1.0 stays a float, a long one keeps all digits.

    Raises:
        Invalid: the body is empty, is no JSON (the message gives line and column), or is nested too deeply.
    """
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(_reason(body, str(error))) from None


def _reason(body: bytes, error: str) -> str:
    """What is wrong and where. The standard library's reader tells the place more exactly than the fast one."""
    if not body.strip():
        return "the request has no body; expected JSON"
    try:
        value = json.loads(body.decode(), parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as odd:
        return f"the body is no JSON: it is not UTF-8 at {_place(body, odd.start)}"
    except UnicodeEncodeError as half:
        return f"the body is no JSON: \\u{ord(half.object[half.start]):04x} is half of a pair of surrogates and no character"
    except json.JSONDecodeError as found:
        return f"the body is no JSON: {found.msg[:1].lower()}{found.msg[1:]} at line {found.lineno}, column {found.colno}"
    except RecursionError:
        return "the body is nested too deeply"
    except ValueError as constant:
        return f"the body is no JSON: {constant}"
    return f"the body is no JSON: {error[:1].lower()}{error[1:]}"  # what only the fast reader refuses: a number out of range


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _place(body: bytes, at: int) -> str:
    """Where byte number *at* stands, as an editor counts: lines and columns from 1."""
    before = body[:at]
    line_begin = before.rfind(b"\n") + 1
    return f"line {before.count(10) + 1}, column {len(before[line_begin:].decode(errors='replace')) + 1}"
