"""
The steps of a JSONPath: each turns the values reached so far into the values reached next.

`$.list[?(@.x > 1)].name` is three steps: a key, a filter, a key. Values keep document order throughout, and a definite path is simply
one that can never hold more than one value. What Jayway JsonPath 2.9 gives is given here (docs of its corners stand at each step),
apart from what is plainly broken there: see path.py for the list.

Not here: how a path is written (path.py) and what a filter compares (filter.py).
"""

import math
from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any, Final, Protocol

from batuta.core.expr import javatext

# How many values one look-up may visit, filters included: about a third of a second's work. A path that needs more gives null, as a
# broken one does; chains like `..*..*..*` over a deep document would otherwise never end. (Measured: a filter over 20,000 rows 9 ms.)
VISITS_MAX: Final = 1_000_000
CONTAINERS: Final = (dict, list)


class Broken(Exception):
    """The path cannot be followed here at all: the whole look-up gives null."""


class Inapplicable(Exception):
    """A step does not fit the value it met; inside a filter that means no match, elsewhere it is Broken."""


class Absent(Exception):
    """Something the path names is not there; raised only while an existence check looks."""


class Look:
    """One look-up under way: the document, whether something absent is an error, and how many visits are left."""

    __slots__ = ("document", "remembered", "strict", "visits_left")

    def __init__(self, document: Any) -> None:
        self.document = document
        self.strict = False
        self.visits_left = VISITS_MAX
        self.remembered: dict[int, Any] = {}

    def spend(self, visits: int) -> None:
        self.visits_left -= visits
        if self.visits_left < 0:
            raise Broken(f"visits more than {VISITS_MAX} values")


class Step:
    """One step of a path."""

    __slots__ = ()
    is_definite: bool = False

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        """The values one step on. *sure* says that nothing before this step was indefinite."""
        raise NotImplementedError

    def follow_scan(self, nodes: list[Any], look: Look) -> list[Any]:
        """The same right after `..`, for every map and list of the subtree in document order."""
        return self.follow(nodes, look, False)


class Key(Step):
    """`.name`: the member of a map; nothing for anything else."""

    __slots__ = ("name",)
    is_definite = True

    def __init__(self, name: str) -> None:
        self.name = name

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        if look.strict:
            _require(values, (self.name,), sure)
        return self.follow_scan(values, look)

    def follow_scan(self, nodes: list[Any], look: Look) -> list[Any]:
        name = self.name
        return [node[name] for node in nodes if isinstance(node, dict) and name in node]


class Merge(Step):
    """`['a','b']` at the end of a path: one map of those members that are there."""

    __slots__ = ("names",)
    is_definite = True

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        if look.strict:
            _require(values, self.names, sure)
        return [{name: value[name] for name in self.names if name in value} for value in values if isinstance(value, dict)]

    def follow_scan(self, nodes: list[Any], look: Look) -> list[Any]:
        whole = [node for node in nodes if isinstance(node, dict) and all(name in node for name in self.names)]
        return self.follow(whole, look, False)


class Each(Step):
    """`['a','b']` with more path behind it: each of those members."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        if look.strict:
            _require(values, self.names, sure)
        return [value[name] for value in values if isinstance(value, dict) for name in self.names if name in value]


def _require(values: list[Any], names: tuple[str, ...], sure: bool) -> None:
    for value in values:
        if isinstance(value, dict):
            if not all(name in value for name in names):
                raise Absent
        elif sure:
            raise Absent


class Index(Step):
    """`[2]`, `[-1]`, `[0,2]`: elements of a list, counted from the end when negative; nothing past either end."""

    __slots__ = ("indexes", "is_definite")

    def __init__(self, indexes: tuple[int, ...]) -> None:
        self.indexes = indexes
        self.is_definite = len(indexes) == 1

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        return [value[i] for value in _lists(values, look, sure) for i in self.indexes if -len(value) <= i < len(value)]


class Slice(Step):
    """
    `[1:3]`, `[-2:]`, `[:-1]`: a run of elements.

    With both ends given, the start is counted from the end element by element and the end not at all, as Jayway does:
    `[-2:-1]` is the last but one, `[1:-1]` nothing, `[-1:2]` the last and then the first two.
    """

    __slots__ = ("start", "stop")

    def __init__(self, start: int | None, stop: int | None) -> None:
        self.start = start
        self.stop = stop

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        found: list[Any] = []
        for value in _lists(values, look, sure):
            if self.start is None or self.stop is None:
                found += value[self.start:self.stop]
            else:
                look.spend(stop - self.start if (stop := min(len(value), self.stop)) > self.start else 0)
                found += [value[i] for i in range(self.start, stop) if i >= -len(value)]
        return found


def _lists(values: list[Any], look: Look, sure: bool) -> list[list[Any]]:
    if look.strict and sure and not all(isinstance(value, list) for value in values):
        raise Absent
    return [value for value in values if isinstance(value, list)]


class Wildcard(Step):
    """`.*`, `[*]`: every member of a map, every element of a list."""

    __slots__ = ()

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                found += value.values()
            elif isinstance(value, list):
                found += value
        look.spend(len(found))
        return found


class Scan(Step):
    """`..` and the step behind it: that step from every map and list of the subtree, outermost first."""

    __slots__ = ("behind",)

    def __init__(self, behind: Step) -> None:
        self.behind = behind

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        nodes: list[Any] = []
        ahead = values[::-1]
        while ahead:
            node = ahead.pop()
            if isinstance(node, dict):
                inner: Iterable[Any] = node.values()
            elif isinstance(node, list):
                inner = node
            else:
                continue
            nodes.append(node)
            below = [value for value in inner if isinstance(value, CONTAINERS)]
            look.spend(len(node))
            ahead += below[::-1]
        return self.behind.follow_scan(nodes, look)


Accepts = Callable[[Any, Look], bool]


class Filter(Step):
    """`[?(…)]`: the elements of a list, or the map itself, for which the condition holds."""

    __slots__ = ("_condition",)

    def __init__(self, condition: Accepts) -> None:
        self._condition = condition

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, list):
                look.spend(len(value))
                found += [element for element in value if self.accepts(element, look)]
            elif isinstance(value, dict):
                if self.accepts(value, look):
                    found.append(value)
            elif sure:
                raise Inapplicable("a filter of neither a map nor a list")
        return found

    def follow_scan(self, nodes: list[Any], look: Look) -> list[Any]:
        # A map answers for itself when the scan reaches it, so a list is opened only if it is accepted as a whole.
        return self.follow([node for node in nodes if isinstance(node, dict) or self.accepts(node, look)], look, False)

    def accepts(self, value: Any, look: Look) -> bool:
        try:
            return self._condition(value, look)
        except Inapplicable:
            return False


class Argument(Protocol):
    """An argument of a function: JSON as written, or a path followed from the document's root."""

    def value(self, look: Look) -> Any: ...

    def count_below(self, value: Any, look: Look) -> int:
        """How many values lie directly below what the path leads to from *value*; Broken for JSON."""
        ...


class Function(Step):
    """`.length()`, `.sum()`, `.concat("x", $.y)`: what the function makes of each value."""

    __slots__ = ("arguments", "name")
    is_definite = True

    def __init__(self, name: str, arguments: tuple[Argument, ...] = ()) -> None:
        self.name = name
        self.arguments = arguments

    def follow(self, values: list[Any], look: Look, sure: bool) -> list[Any]:
        function = FUNCTIONS.get(self.name)
        if function is None:
            if values:
                raise Inapplicable(f"no function {self.name!r}")
            return []
        return [function(value, self.arguments, look) for value in values]

    def follow_scan(self, nodes: list[Any], look: Look) -> list[Any]:
        return []


def _length(value: Any, arguments: tuple[Argument, ...], look: Look) -> int | None:
    """How many members; null for what is neither map nor list, a word too. Of a path given as argument, what lies below it."""
    if arguments:
        return arguments[0].count_below(value, look)
    return len(value) if isinstance(value, CONTAINERS) else None


def _keys(value: Any, arguments: tuple[Argument, ...], look: Look) -> list[str] | None:
    return list(value) if isinstance(value, dict) else None


def _append(value: Any, arguments: tuple[Argument, ...], look: Look) -> Any:
    return [*value, *(argument.value(look) for argument in arguments)] if isinstance(value, list) else value


def _concat(value: Any, arguments: tuple[Argument, ...], look: Look) -> str:
    """The words of a list one after another, then the arguments as text."""
    words = [element for element in value if isinstance(element, str)] if isinstance(value, list) else []
    for argument in arguments:
        given = argument.value(look)
        words += [javatext.text(one) for one in (given if isinstance(given, list) else [given]) if one is not None]
    return "".join(words)


def _element(place: int | None) -> "Apply":
    def element(value: Any, arguments: tuple[Argument, ...], look: Look) -> Any:
        if not isinstance(value, list):
            raise Broken("an element of what is not a list")
        at = place
        if at is None:
            given = _numbers([argument.value(look) for argument in arguments])
            if not given:
                raise Broken("index() needs a number")
            at = int(given[0])
        if not -len(value) <= at < len(value):
            raise Broken(f"no element {at} in a list of {len(value)}")
        return value[at]
    return element


def _aggregate(of: Callable[[list[float]], float]) -> "Apply":
    """Over the numbers of a list and of the arguments, everything else left out; always a decimal; broken when there is no number."""
    def aggregate(value: Any, arguments: tuple[Argument, ...], look: Look) -> float:
        numbers = _numbers([value] if isinstance(value, list) else [])
        numbers += _numbers([argument.value(look) for argument in arguments])
        if not numbers:
            raise Broken("no numbers to aggregate")
        try:
            result = of([float(number) for number in numbers])
        except OverflowError as error:
            raise Broken("a number too large for a decimal") from error
        if not math.isfinite(result):
            raise Broken("a result too large for a decimal")
        return result
    return aggregate


def _numbers(given: list[Any]) -> list[int | float]:
    flat = [one for value in given for one in (value if isinstance(value, list) else [value])]
    return [one for one in flat if isinstance(one, (int, float)) and not isinstance(one, bool)]


def _sum(numbers: list[float]) -> float:
    return reduce(add, numbers, 0.0)  # Not the built-in, which adds more exactly than Java does from Python 3.12 on.


def _deviation(numbers: list[float]) -> float:
    count, total, squares = len(numbers), _sum(numbers), _sum([number * number for number in numbers])
    # Rounding may leave a hair below nothing.
    return math.sqrt(max(0.0, squares / count - total * total / count / count))


Apply = Callable[[Any, tuple[Argument, ...], Look], Any]

FUNCTIONS: Final[dict[str, Apply]] = {
    "length": _length, "size": _length, "keys": _keys, "append": _append, "concat": _concat,
    "first": _element(0), "last": _element(-1), "index": _element(None),
    "min": _aggregate(min), "max": _aggregate(max), "sum": _aggregate(_sum), "stddev": _aggregate(_deviation),
    "avg": _aggregate(lambda numbers: _sum(numbers) / len(numbers)),
}
