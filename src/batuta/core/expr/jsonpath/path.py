"""
JSONPath as Conductor reads it: Jayway JsonPath 2.9, nothing it meets raising an error.

`workflow.input.list[?(@.x > 1)].name` is a path; the `$.` before it is implied. `parse` reads one, `Path.find` follows it through a
document. A definite path gives one value, null when it leads nowhere; an indefinite one (`..`, `*`, a filter, a slice, several indexes)
gives a list, possibly empty. A path that cannot be followed to its end (a function of nothing, a filter of a word) gives null.

What Jayway does is done here, with these exceptions, where it is plainly broken: a function may stand before the end of a path
(`.first().name`); `last()` finds the only element; `max()` of negative numbers is one of them; `length(path)` counts; `append()` leaves
the document as it is; what stands behind `..[0]` and `..*` sees the values it should, whatever was read before. In filters `all`, and
`empty` of a map, work; `$` in an existence check is the document; strings in the data are strings even if they look like a path or JSON;
lists and maps can be members of lists; `&&` and `||` need no blanks; brackets may follow brackets; functions may have arguments.
Regular expressions are matched in bounded time (regex.py), and a look-up visits a bounded number of values (steps.py).

Here: how paths are written, and following them. Not here: the steps (steps.py), conditions (filter.py), `${…}` (template.py).
"""

import re
from functools import lru_cache
from typing import Any, Final

from batuta.core.expr.jsonpath import filter as condition
from batuta.core.expr.jsonpath.steps import (
    Absent,
    Argument,
    Broken,
    Each,
    Filter,
    Function,
    Inapplicable,
    Index,
    Key,
    Look,
    Merge,
    Scan,
    Slice,
    Step,
    Wildcard,
)
from batuta.core.expr.jsonpath.text import Malformed, closing, closing_quote, json_literal, unescaped

# Paths inside paths (filters, arguments); nobody writes more than two.
DEPTH_MAX: Final = 4
# Remembered paths: definitions are compiled once, but computed paths (`${a.${b}}`) and events come back again and again.
REMEMBERED: Final = 2_048
# Longer ones are read anew each time, so that what is remembered stays small.
REMEMBERED_LENGTH_MAX: Final = 1_000
INDEX_MAX: Final = 2**31

Plain = tuple[str | int, ...]


class Path:
    """A path that has been read; it can be followed any number of times, from any thread."""

    __slots__ = ("_is_of_document", "_route", "definite", "plain", "roots")

    definite: bool
    """Whether it leads to one value at most."""
    plain: Plain | None
    """The keys and indexes of a path made of nothing else: what the fast ways around here walk."""
    roots: frozenset[str] | None
    """The top-level members of the document that it reads; None when that cannot be told (`$..x`, `$.*`)."""

    def __init__(self, steps: list[Step], *, is_of_document: bool, reads: frozenset[str] | None) -> None:
        sure = True
        route: list[tuple[Step, bool]] = []
        for step in steps:
            route.append((step, sure))
            sure = sure and step.is_definite
        self._route = tuple(route)
        self._is_of_document = is_of_document
        self.definite = sure
        self.plain = _plain(steps)
        self.roots = reads

    def find(self, document: Any) -> Any:
        """What the path leads to in *document*: JSON shared with the document, never to be changed in place."""
        if self.plain is not None:
            return walk(document, self.plain)
        try:
            return self._read(document, Look(document))
        except (Broken, Inapplicable, RecursionError):
            return None

    def read(self, value: Any, look: Look) -> Any:
        """What it leads to from *value*, or from the document if it begins with `$`, as part of another look-up."""
        if not self._is_of_document:
            return walk(value, self.plain) if self.plain is not None else self._read(value, look)
        mine = id(self)
        if mine not in look.remembered:
            look.remembered[mine] = self._read(look.document, look)
        return look.remembered[mine]

    def exists(self, value: Any, look: Look) -> bool:
        """Whether everything it names is there; of a path that may lead to many, whether all it names on the way is."""
        before, look.strict = look.strict, True
        try:
            found = self._follow(look.document if self._is_of_document else value, look)
        except Absent:
            return False
        finally:
            look.strict = before
        return bool(found) or not self.definite

    def count_below(self, value: Any, look: Look) -> int:
        """How many values lie directly below what it leads to from *value*."""
        return len(Wildcard().follow(self._follow(value, look), look, False))

    def _read(self, value: Any, look: Look) -> Any:
        before, look.strict = look.strict, False
        try:
            found = self._follow(value, look)
        finally:
            look.strict = before
        if self.definite:
            return found[-1] if found else None
        return found

    def _follow(self, value: Any, look: Look) -> list[Any]:
        values = [value]
        for step, sure in self._route:
            values = step.follow(values, look, sure)
        return values


def _plain(steps: list[Step]) -> Plain | None:
    plain: list[str | int] = []
    for step in steps:
        match step:
            case Key(name=name):
                plain.append(name)
            case Index(indexes=(index,)):
                plain.append(index)
            case _:
                return None
    return tuple(plain)


def walk(value: Any, plain: Plain) -> Any:
    """What keys and indexes lead to; None when a key or index is not there, or what it is asked of is no map or list."""
    try:
        for part in plain:
            if type(part) is int and not isinstance(value, list):
                return None
            value = value[part]
    except (KeyError, IndexError, TypeError):
        return None
    return value


class Given:
    """JSON given to a function as an argument."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self, look: Look) -> Any:
        return self._value

    def count_below(self, value: Any, look: Look) -> int:
        raise Broken("length() of JSON given as an argument")


class Followed:
    """A path given to a function as an argument: followed from the document's root."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def value(self, look: Look) -> Any:
        return self._path.read(look.document, look)

    def count_below(self, value: Any, look: Look) -> int:
        return self._path.count_below(value, look)


def parse(text: str) -> Path | None:
    """The path that *text* says; None when it is not one. A leading `$.` is implied, a leading blank is a mistake."""
    return _remembered(text) if len(text) <= REMEMBERED_LENGTH_MAX else _parsed(text)


def _parsed(text: str) -> Path | None:
    try:
        return _Parser(text, depth=0).parse()
    except ValueError:  # Malformed, and what int() and float() refuse
        return None


_remembered = lru_cache(maxsize=REMEMBERED)(_parsed)


class _Parser:
    """
    Jayway's grammar: a root, then steps.

    One of its habits is kept where it costs nothing: a single character left over after a step is dropped (`a[0]x` is `a[0]`).
    """

    def __init__(self, text: str, *, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise Malformed(f"paths more than {DEPTH_MAX} deep in one another")
        self.depth = depth
        self.text = (text if text[:1] in ("$", "@") else f"$.{text}").rstrip(" ")
        self.at = 1
        self.reads: set[str] = set()
        self.reads_all = False

    def parse(self) -> Path:
        text = self.text
        if text.endswith("."):
            raise Malformed("the path ends with a dot")
        steps: list[Step] = []
        last = len(text) - 1
        if last > 0 and text[1] not in ".[":
            raise Malformed(f"{text[1]!r} after the root")
        while self.at < last:
            steps.append(self.step())
        return self.finished(_inverted(steps))

    def finished(self, steps: list[Step]) -> Path:
        is_of_document = self.text[0] == "$"
        if self.depth == 0 or is_of_document:
            match steps[:1]:
                case [Key(name=name)]:
                    self.reads.add(name)
                case [Merge(names=names) | Each(names=names)]:
                    self.reads.update(names)
                case _:
                    self.reads_all = True
        # The root of the outermost path is the document either way; only inner ones tell @ from $.
        reads = None if self.reads_all else frozenset(self.reads)
        return Path(steps, is_of_document=is_of_document and self.depth > 0, reads=reads)

    def inner(self, text: str) -> Path:
        path = _Parser(text, depth=self.depth + 1).parse()
        if path.roots is None:
            self.reads_all = True
        else:
            self.reads |= path.roots
        return path

    def step(self) -> Step:
        if self.text.startswith("..", self.at):
            self.at += 2
            return Scan(self.after_dot())
        if self.text[self.at] == ".":
            self.at += 1
            return self.after_dot()
        return self.bare_step()

    def after_dot(self) -> Step:
        if self.text[self.at:self.at + 1] in (".", ""):
            raise Malformed("a dot too many")
        return self.bare_step()

    def bare_step(self) -> Step:
        char = self.text[self.at]
        if char == "[":
            return self.bracket()
        if char == "*":
            self.at += 1
            return Wildcard()
        name = _NAME.match(self.text, self.at)
        assert name is not None  # It may match nothing.
        self.at = name.end()
        stop = self.text[self.at:self.at + 1]
        if stop == " ":
            raise Malformed("a blank in a name; quote it: ['two words']")
        if stop == "(":
            return self.function(name[0])
        if not name[0]:
            raise Malformed(f"no step at {self.text[self.at:self.at + 20]!r}")
        return Key(name[0])

    def function(self, name: str) -> Function:
        end = closing(self.text, self.at, "(", ")")
        given = self.text[self.at + 1:end]
        self.at = end + 1
        return Function(name, tuple(self.arguments(given)))

    def arguments(self, given: str) -> list[Argument]:
        arguments: list[Argument] = []
        for one in _split(given):
            if one[:1] in ("$", "@"):
                arguments.append(Followed(self.inner(one)))
            elif one[:1] in ("{", "[", '"', "-") or one[:1].isdecimal():
                arguments.append(Given(json_literal(one)))
            # Anything else is passed over, as Jayway does: 'single quotes', true.
        return arguments

    def bracket(self) -> Step:
        inside = self.text[self.at + 1:].lstrip(" ")[:1]
        if inside in ("'", '"'):
            return self.names(inside)
        if inside == "?":
            return self.filter()
        end = self.text.find("]", self.at)
        if end < 0:
            raise Malformed("an unclosed [")
        content = self.text[self.at + 1:end].strip(" ")
        self.at = end + 1
        if content == "*":
            return Wildcard()
        return _range(content) if ":" in content else _index(content)

    def names(self, quote: str) -> Step:
        at = self.text.index(quote, self.at)
        names: list[str] = []
        while True:
            end = closing_quote(self.text, at)
            names.append(unescaped(self.text[at + 1:end]))
            behind = _BEHIND_NAME.match(self.text, end + 1)
            if behind is None:
                raise Malformed("a quoted name that neither ] nor a comma follows")
            self.at = behind.end()
            if behind[0].endswith("]"):
                break
            at = behind.end()
            if self.text[at:at + 1] != quote:
                raise Malformed("a comma that no name follows")
        if len(names) == 1:
            return Key(names[0])
        return Merge(tuple(names)) if self.at >= len(self.text) - 1 else Each(tuple(names))

    def filter(self) -> Filter:
        opened = _FILTER.match(self.text, self.at)
        if opened is None:
            raise Malformed("a filter without its (")
        end = closing(self.text, opened.end() - 1, "(", ")", skips_patterns=True)
        closed = _CLOSED.match(self.text, end + 1)
        if closed is None:
            raise Malformed("a filter without its ]")
        self.at = closed.end()
        return Filter(condition.compile(self.text[opened.end() - 1:end + 1], self.inner))


_NAME: Final = re.compile(r"[^ .\[(]*")
_BEHIND_NAME: Final = re.compile(r" *(?:\]|, *)")
_FILTER: Final = re.compile(r"\[ *\? *\(")
_CLOSED: Final = re.compile(r" *\]")
_SLICE: Final = re.compile(r"(-?\d*):(-?\d*)(?::[-\d:]*)?", re.ASCII)
_INDEXES: Final = re.compile(r"-?\d+(?: *, *-?\d+)*", re.ASCII)


def _range(content: str) -> Slice:
    found = _SLICE.fullmatch(content)
    if found is None or not (found[1] or found[2]):
        raise Malformed(f"[{content}] is no slice")
    return Slice(_place(found[1]) if found[1] else None, _place(found[2]) if found[2] else None)


def _index(content: str) -> Index:
    if _INDEXES.fullmatch(content) is None:
        raise Malformed(f"[{content}] is no index")
    return Index(tuple(_place(part) for part in content.split(",")))


def _place(digits: str) -> int:
    place = int(digits)
    if not -INDEX_MAX <= place < INDEX_MAX:
        raise Malformed(f"{digits} is too large an index")
    return place


def _split(given: str) -> list[str]:
    """The arguments between a function's parentheses."""
    arguments: list[str] = []
    opened = start = at = 0
    while at < len(given):
        char = given[at]
        if char == '"':
            at = closing_quote(given, at)
        elif char in "([{":
            opened += 1
        elif char in ")]}":
            opened -= 1
        elif char == "," and opened == 0:
            arguments.append(given[start:at])
            start = at + 1
        at += 1
    return [one for argument in (*arguments, given[start:]) if (one := argument.strip())]


def _inverted(steps: list[Step]) -> list[Step]:
    """`$..price.max()` with the function in front, over all that the scan finds, as Jayway has it; other paths as they are."""
    if not steps or not isinstance(steps[0], Scan) or not isinstance(steps[-1], Function):
        return steps
    at = next(i for i, step in enumerate(steps) if isinstance(step, Function))
    found = Path(steps[:at], is_of_document=False, reads=None)
    return [Function(steps[at].name, (Followed(found),)), *steps[at + 1:]]  # type: ignore[attr-defined]
