"""
What the operators of a JSONPath filter hold true: `==`, `<`, `in`, `subsetof`, `size` and the rest.

Numbers and numerals in quotes are equal; nothing else is across kinds. Order holds only between two numbers or two strings. What
Jayway JsonPath answers is answered here, except that `all` and `empty` of a map work.
Not here: how a condition is written (filter.py). `=~` is there too: its right side is no value.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from batuta.core.expr import javatext
from batuta.core.expr.jsonpath.steps import CONTAINERS, Inapplicable

_NUMERAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return left == (javatext.text(right) if _is_number(right) else right)
    if _is_number(left) and isinstance(right, str):
        return _NUMERAL.fullmatch(right) is not None and left == _value_of(right)
    return _same(left, right)


def _value_of(numeral: str) -> int | float:
    # A numeral of thousands of digits is no number Python would read as int; as a decimal it compares well enough.
    return int(numeral) if numeral.lstrip("+-").isdecimal() and len(numeral) < 1000 else float(numeral)


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: true is not 1, and 1 is 1.0."""
    if isinstance(left, dict):
        return isinstance(right, dict) and left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _same_kind(left: Any, right: Any) -> bool:
    return (_is_number(left) and _is_number(right)) or type(left) is type(right) or (
        isinstance(left, CONTAINERS) and isinstance(right, CONTAINERS))


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return holds(left, right)
        return False
    return compare


def _members(value: Any) -> list[Any] | None:
    """The list to look in; None for a map, where nothing is found."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return None
    raise Inapplicable("in, subsetof and the like need a list")


def _in(left: Any, right: Any) -> bool:
    members = _members(right)
    return members is not None and any(_equal(left, member) for member in members)


def _overlap(holds: Callable[[list[Any], list[Any]], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        there, here = _members(right), _members(left)
        return there is not None and here is not None and holds(here, there)
    return compare


def _subset(here: list[Any], there: list[Any]) -> bool:
    return all(any(_equal(one, other) for other in there) for one in here)


def _meet(here: list[Any], there: list[Any]) -> bool:
    return any(_equal(one, other) for one in here for other in there)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    return isinstance(left, list) and any(_equal(right, member) for member in left)


def _size(left: Any, right: Any) -> bool:
    return _is_number(right) and isinstance(left, (str, list)) and len(left) == int(right)


def _empty(left: Any, right: Any) -> bool:
    if not isinstance(left, (str, list, dict)):
        return False
    if not isinstance(right, bool):
        raise Inapplicable("empty is compared with true or false")
    return (not left) is right


def _never(left: Any, right: Any) -> bool:
    raise Inapplicable("type and matches have no right side that can be written")


OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": _equal, "!=": lambda left, right: not _equal(left, right),
    "===": lambda left, right: _same_kind(left, right) and _equal(left, right),
    "!==": lambda left, right: not (_same_kind(left, right) and _equal(left, right)),
    "<": _ordered(lambda left, right: left < right), "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right), ">=": _ordered(lambda left, right: left >= right),
    "in": _in, "nin": lambda left, right: not _in(left, right),
    "subsetof": _overlap(_subset), "anyof": _overlap(_meet), "noneof": _overlap(lambda here, there: not _meet(here, there)),
    "all": lambda left, right: isinstance(left, list) and _overlap(_subset)(right, left),
    "contains": _contains, "size": _size, "empty": _empty, "type": _never, "matches": _never,
}
