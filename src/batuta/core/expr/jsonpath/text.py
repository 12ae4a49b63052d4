"""
Reading what a JSONPath is written with: brackets, quotes, numbers, and JSON by hand.

Not here: what a path (path.py) or a condition (filter.py) made of these means.
"""

import math
import re
from typing import Any, Final

# Brackets inside brackets, of a condition or of JSON by hand.
NESTING_MAX: Final = 20


class Malformed(ValueError):
    """The path or a part of it cannot be read."""


WORDS: Final = {"true": True, "false": False, "null": None}
_NUMBER: Final = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE]-?\d+)?")


def number(numeral: str) -> int | float:
    if _NUMBER.fullmatch(numeral) is None:
        raise Malformed(f"{numeral!r} is not a number")
    value = int(numeral) if numeral.lstrip("-").isdecimal() else float(numeral)
    if value in (math.inf, -math.inf):
        raise Malformed(f"{numeral!r} is too large a number")
    return value


def closing_quote(text: str, start: int) -> int:
    """Where the quote (or slash) at *start* is closed, escapes skipped."""
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == text[start]:
            return at
        at += 1
    raise Malformed(f"an unclosed {text[start]}")


def closing(text: str, start: int, opening: str, closes: str, *, skips_patterns: bool = False) -> int:
    """Where the bracket at *start* is closed; what stands in quotes, and in slashes if so asked, does not count."""
    quotes = "'\"/" if skips_patterns else "'\""
    opened = 0
    at = start
    while at < len(text):
        char = text[at]
        if char in quotes:
            at = closing_quote(text, at)
        elif char == opening:
            opened += 1
        elif char == closes:
            opened -= 1
            if not opened:
                return at
        at += 1
    raise Malformed(f"an unclosed {opening}")


_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_CONTROLS: Final = {"r": "\r", "f": "\f", "t": "\t", "n": "\n", "b": "\b"}


def unescaped(word: str) -> str:
    """*word* without its backslashes, as JSON and Java mean them."""
    if "\\" not in word:
        return word
    return _ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _CONTROLS.get(m[1], m[1]), word)


def json_literal(text: str) -> Any:
    """The value of JSON written by hand: single quotes will do, and words need none (`['a', b]`)."""
    value, end = _json_at(text, 0, 0)
    if text[end:].strip():
        raise Malformed(f"JSON with more behind it: {text[end:end + 20]!r}")
    return value


_BARE: Final = re.compile(r"[^,\[\]{}:]+")


def _json_at(text: str, at: int, depth: int) -> tuple[Any, int]:
    at = _blank(text, at)
    char = text[at:at + 1]
    if depth > NESTING_MAX:
        raise Malformed(f"JSON more than {NESTING_MAX} deep")
    if char in ("'", '"'):
        end = closing_quote(text, at)
        return unescaped(text[at + 1:end]), end + 1
    if char == "[":
        return _json_members(text, at, depth, "]")
    if char == "{":
        members, at = _json_members(text, at, depth, "}")
        return dict(members), at
    bare = _BARE.match(text, at)
    if bare is None or not (word := bare[0].strip()):
        raise Malformed(f"no JSON value at {text[at:at + 20]!r}")
    if word in WORDS:
        return WORDS[word], bare.end()
    return number(word) if _NUMBER.fullmatch(word) else word, bare.end()


def _json_members(text: str, at: int, depth: int, closes: str) -> tuple[list[Any], int]:
    members: list[Any] = []
    at = _blank(text, at + 1)
    while text[at:at + 1] != closes:
        value, at = _json_at(text, at, depth + 1)
        at = _blank(text, at)
        if closes == "}":
            if text[at:at + 1] != ":" or not isinstance(value, str):
                raise Malformed("a JSON object without a key")
            member, at = _json_at(text, at + 1, depth + 1)
            value = (value, member)
            at = _blank(text, at)
        members.append(value)
        if text[at:at + 1] == ",":
            at = _blank(text, at + 1)
        elif text[at:at + 1] != closes:
            raise Malformed(f"JSON not closed by {closes}")
    return members, at + 1


def _blank(text: str, at: int) -> int:
    while text[at:at + 1].isspace():
        at += 1
    return at
