"""
Give back the digits that JavaScript rounds away.

A JavaScript number holds integers exactly up to 2**53. On a Conductor server a larger one that a script merely hands on stays exact, since
`$` is made of Java's values; here it would come out as its nearest double. So a result that is the double of exactly one large integer of
the data is taken to be that integer. A script that calculates with such numbers, or writes them into a text, gets the rounded ones.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

_LARGEST_SAFE: Final = 2**53
_MANY_DIGITS: Final = re.compile(rb"\d{16}")


def may_hold_large_integers(data: bytes) -> bool:
    """Whether JSON text could contain an integer beyond 2**53: a look at its digits, 1 ns a byte."""
    return _MANY_DIGITS.search(data) is not None


def restored(value: Any, data: Any) -> Any:
    """*value*, which is changed in place, with large integers of *data* in place of their doubles."""
    exact = _by_double(data)
    if not exact:
        return value
    root = [value]
    for container, key, number in _numbers(root):
        double = _double(number)
        original = exact.get(double)
        if original is not None and number == double:  # a BigInt that is no double is exact already
            container[key] = original
    return root[0]


def _by_double(data: Any) -> dict[float, int | None]:
    """Each large integer of *data* by the double nearest to it; None where several share one."""
    found: dict[float, int | None] = {}
    for _, _, number in _numbers([data]):
        if isinstance(number, int) and abs(number) > _LARGEST_SAFE:
            double = _double(number)
            if double == double:
                found[double] = number if found.get(double, number) == number else None
    return found


def _numbers(root: list[Any]) -> Iterator[tuple[Any, Any, int | float]]:
    """Every number within *root* with its container and key. A list of open containers, not recursion: data may be nested deep."""
    open_containers: list[Any] = [root]
    while open_containers:
        container = open_containers.pop()
        for key, member in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(member, dict | list):
                open_containers.append(member)
            elif isinstance(member, int | float) and not isinstance(member, bool):
                yield container, key, member


def _double(number: int | float) -> float:
    """The nearest double; not-a-number, which equals nothing, where there is none."""
    try:
        return float(number)
    except OverflowError:
        return float("nan")
