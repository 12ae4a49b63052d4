"""
How Java writes a JSON value into text.

Conductor embeds values in strings, and shows them in search summaries, with Java's `String.valueOf`: `{a=1, b=[x, null]}`, `4.0`, `1.0E-7`.
Clients have come to depend on that text, so this module writes it. One oddity has its own function: the list that an indefinite path
makes is embedded as JSON (`["B","C"]`), because the library behind it writes its own list type so.

Not here: what is written where (template.py).
Source: conductor-semantics §3.1; java.lang.Double.toString as of Java 19; json-smart 2.5 for the JSON form.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_CONTAINERS: Final = (dict, list)


def text(value: Any) -> str:
    """`String.valueOf(value)`: words as they are, the rest as Java prints it. Any depth of nesting is safe."""
    if type(value) is str:
        return value
    if isinstance(value, _CONTAINERS):
        return _container(value, _JAVA)
    return _scalar(value)


def json_text(value: Any) -> str:
    """*value* as the JSON text Conductor embeds for the list of an indefinite path: no spaces, `/` escaped, Java's decimals."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, _CONTAINERS):
        return _container(value, _JSON)
    return _scalar(value)


def double_text(number: float) -> str:
    """
    `Double.toString(number)`: the shortest decimal that reads back as the same number, with at least one digit after the point.

    Plain from 1.0E-3 up to 1.0E7, in scientific notation outside. Python's repr finds the same digits, with one exception: where a
    single digit would do, Java takes the closest decimal of two (4.9E-324, not 5E-324).
    """
    if number != number:
        return "NaN"
    size = abs(number)
    if size == float("inf"):
        return "Infinity" if number > 0 else "-Infinity"
    if size == 0 or 1e-3 <= size < 1e7:
        return repr(number)
    digits, exponent = _digits(repr(size))
    if len(digits) == 1:
        mantissa, power = f"{size:.1e}".split("e")
        digits, exponent = mantissa.replace(".", ""), int(power)
    return f"{'-' if number < 0 else ''}{digits[0]}.{digits[1:]}E{exponent}"


def _digits(shortest: str) -> tuple[str, int]:
    """The significant digits of what repr wrote for a positive number, and the power of ten of the first."""
    mantissa, _, power = shortest.partition("e")
    whole, _, fraction = mantissa.partition(".")
    if power:
        return (whole + fraction).rstrip("0"), int(power)
    if whole != "0":
        return (whole + fraction).rstrip("0"), len(whole) - 1
    digits = fraction.lstrip("0")
    return digits, len(digits) - len(fraction) - 1


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return double_text(value)
    return str(value)


class _Style(NamedTuple):
    comma: str
    equals: str
    quotes: bool


_JAVA: Final = _Style(", ", "=", False)
_JSON: Final = _Style(",", ":", True)


def _container(value: dict[str, Any] | list[Any], style: _Style) -> str:
    # Open containers are kept in a list, not on the call stack: inputs may be nested deeper than the interpreter allows.
    comma, equals, quotes = style
    written: list[str] = []
    around: list[tuple[Iterator[Any], bool]] = []
    members, is_map = _opened(value, written)
    lead = ""
    while True:
        for member in members:
            written.append(lead)
            if is_map:
                key, member = member
                written.append(_quoted(key) if quotes else key)
                written.append(equals)
            if type(member) is str:
                written.append(_quoted(member) if quotes else member)
            elif isinstance(member, _CONTAINERS):
                around.append((members, is_map))
                members, is_map = _opened(member, written)
                lead = ""
                break
            else:
                written.append(_scalar(member))
            lead = comma
        else:
            written.append("}" if is_map else "]")
            if not around:
                return "".join(written)
            members, is_map = around.pop()
            lead = comma


def _opened(container: dict[str, Any] | list[Any], written: list[str]) -> tuple[Iterator[Any], bool]:
    if isinstance(container, dict):
        written.append("{")
        return iter(container.items()), True
    written.append("[")
    return iter(container), False


_SPECIAL: Final = re.compile('["\\\\/\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(string: str) -> str:
    return f'"{_SPECIAL.sub(_escape, string)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _ESCAPES.get(char) or f"\\u{ord(char):04X}"
