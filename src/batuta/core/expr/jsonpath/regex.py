"""
The regular expressions of JSONPath filters (`[?(@.name =~ /dev.*/i)]`), matched in bounded time.

A definition's author writes the pattern and a worker's output is matched against it, inside the engine. A backtracking matcher would let
`(a+)+b` stop the whole server, and a cap on lengths does not help: thirty letters are enough. So patterns become a small automaton that
is stepped through the text once; time grows with text times pattern, whatever the pattern says.

Known here: what regular languages have, as Java spells it. Look-around, back references, possessive quantifiers, `\\p{…}` and class
intersections are not: such a path is refused at registration as not valid, rather than matching something else.
Not here: when a filter matches (filter.py).
"""

import string
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

# A pattern of 500 characters may ask for much by counting ({50}{50}); past this it is refused.
STATES_MAX: Final = 1_000
COUNT_MAX: Final = 1_000
NESTING_MAX: Final = 50
# Text length times states that a match may take (about 0.3 s at the very worst); a longer text does not match.
WORK_MAX: Final = 1_000_000

Test = Callable[[str], bool]                  # of one character
Condition = Callable[[str, int], bool]        # of a place in the text
Build = Callable[["_Machine", int], int]      # adds states that end in the given one; returns where to enter


class Unsupported(ValueError):
    """The pattern is malformed, or asks for what this module does not do."""


class Regex:
    """A pattern that says whether it matches the whole of a text."""

    __slots__ = ("_machine", "_start")

    def __init__(self, build: Build) -> None:
        self._machine = _Machine()
        self._start = build(self._machine, _FINAL)

    def fullmatch(self, text: str) -> bool:
        machine = self._machine
        if len(text) * len(machine.tests) > WORK_MAX:
            return False
        tests, following = machine.tests, machine.following
        now = machine.reach([self._start], text, 0)
        for i, char in enumerate(text):
            after = [following[state] for state in now if (test := tests[state]) is not None and test(char)]
            if not after:
                return False
            now = machine.reach(after, text, i + 1)
        return _FINAL in now

    @property
    def states(self) -> int:
        """How much a character of text costs at most."""
        return len(self._machine.tests)

    def search(self, text: str) -> bool:
        """Whether it matches some part of the text, however long that is: a caller's own bound is asked for here."""
        machine, start = self._machine, self._start
        tests, following = machine.tests, machine.following
        now = machine.reach([start], text, 0)
        for i, char in enumerate(text):
            if _FINAL in now:
                return True
            after = [following[state] for state in now if (test := tests[state]) is not None and test(char)]
            now = machine.reach([*after, start], text, i + 1)
        return _FINAL in now


_FINAL: Final = 0


class _Machine:
    """The states: some consume a character, some stand for several others, some hold a condition on the place."""

    __slots__ = ("conditions", "following", "tests", "ways")

    def __init__(self) -> None:
        self.tests: list[Test | None] = [None]
        self.following: list[int] = [_FINAL]
        self.ways: list[tuple[int, ...] | None] = [None]
        self.conditions: list[Condition | None] = [None]

    def add(self, *, test: Test | None = None, following: int = _FINAL, ways: tuple[int, ...] | None = None,
            condition: Condition | None = None) -> int:
        if len(self.tests) >= STATES_MAX:
            raise Unsupported(f"needs more than {STATES_MAX} states")
        self.tests.append(test)
        self.following.append(following)
        self.ways.append(ways)
        self.conditions.append(condition)
        return len(self.tests) - 1

    def reach(self, states: Iterable[int], text: str, at: int) -> set[int]:
        """The consuming (or final) states that these lead to without reading further."""
        seen: set[int] = set()
        ready: set[int] = set()
        ahead = list(states)
        while ahead:
            state = ahead.pop()
            if state in seen:
                continue
            seen.add(state)
            ways = self.ways[state]
            if ways is not None:
                condition = self.conditions[state]
                if condition is None or condition(text, at):
                    ahead.extend(ways)
            else:
                ready.add(state)
        return ready


def _one(test: Test) -> Build:
    return lambda machine, then: machine.add(test=test, following=then)


def _where(condition: Condition) -> Build:
    return lambda machine, then: machine.add(ways=(then,), condition=condition)


def _sequence(parts: list[Build]) -> Build:
    def build(machine: _Machine, then: int) -> int:
        for part in reversed(parts):
            then = part(machine, then)
        return then
    return build


def _either(options: list[Build]) -> Build:
    return lambda machine, then: machine.add(ways=tuple(option(machine, then) for option in options))


def _repeated(part: Build, least: int, most: int | None) -> Build:
    def build(machine: _Machine, then: int) -> int:
        if most is None:
            entry = machine.add(ways=())
            machine.ways[entry] = (part(machine, entry), then)
        else:
            entry = then
            for _ in range(most - least):
                entry = machine.add(ways=(part(machine, entry), then))
        for _ in range(least):
            entry = part(machine, entry)
        return entry
    return build


_DIGITS: Final = frozenset(string.digits)
_WORD: Final = frozenset(string.ascii_letters + string.digits + "_")
_SPACE: Final = frozenset(" \t\n\x0b\f\r")
_LINE_ENDS: Final = frozenset("\n\r\x85\u2028\u2029")
_SETS: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}


def _at_start(text: str, at: int) -> bool:
    return at == 0


def _at_end(text: str, at: int) -> bool:
    return at == len(text)


def _inside_line_end(text: str, at: int) -> bool:
    return text[at - 1:at + 1] == "\r\n"


def _at_last_line_end(text: str, at: int) -> bool:
    return text[at:] in ("", "\n", "\r\n", "\r", "\x85", "\u2028", "\u2029") and not _inside_line_end(text, at)


def _at_line_start(text: str, at: int) -> bool:
    # Never at the end of the text, not even of an empty one: Java has it so.
    return at < len(text) and (at == 0 or text[at - 1] in _LINE_ENDS) and not _inside_line_end(text, at)


def _at_line_end(text: str, at: int) -> bool:
    return at == len(text) or (text[at] in _LINE_ENDS and not _inside_line_end(text, at))


def _at_word_edge(text: str, at: int) -> bool:
    return (at > 0 and text[at - 1] in _WORD) != (at < len(text) and text[at] in _WORD)


def _inside_word(text: str, at: int) -> bool:
    return not _at_word_edge(text, at)


_PLACES: Final[dict[str, Condition]] = {"A": _at_start, "z": _at_end, "Z": _at_last_line_end, "b": _at_word_edge, "B": _inside_word}


class _Parser:
    """Java's regular expression syntax, read by recursive descent."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = set(flags)
        self.nesting = 0

    def parse(self) -> Build:
        if self.pattern.startswith("(?") and (end := self.pattern.find(")")) > 2 and self.pattern[2:end].isalpha():
            self.flags.update(self.pattern[2:end])
            self.at = end + 1
        if not self.flags <= set("imsud"):
            raise Unsupported(f"flags {''.join(sorted(self.flags))!r}")
        build = self.alternatives()
        if self.at < len(self.pattern):
            raise Unsupported("an unopened )")
        return build

    def peek(self) -> str:
        return self.pattern[self.at:self.at + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise Unsupported("the pattern ends too early")
        self.at += 1
        return char

    def alternatives(self) -> Build:
        options = [self.branch()]
        while self.peek() == "|":
            self.at += 1
            options.append(self.branch())
        return _either(options)

    def branch(self) -> Build:
        parts: list[Build] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.quantified(self.atom()))
        return _sequence(parts)

    def quantified(self, part: Build) -> Build:
        bounds = self.quantifier()
        if bounds is None:
            return part
        if self.peek() == "?":  # Lazy or greedy is the same where only a whole match counts.
            self.at += 1
        if self.peek() == "+" or self.quantifier() is not None:
            raise Unsupported("a quantifier after a quantifier")
        return _repeated(part, *bounds)

    def quantifier(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        char = self.peek()
        if char in simple:
            self.at += 1
            return simple[char]
        if char != "{":
            return None
        self.at += 1
        end = self.pattern.find("}", self.at)
        least, comma, most = self.pattern[self.at:end].partition(",")
        if end < 0 or not least.isdecimal() or not (most.isdecimal() or not most) or max(len(least), len(most)) > 4:
            raise Unsupported("a malformed {count}")
        self.at = end + 1
        low, high = int(least), int(most) if most else None if comma else int(least)
        if max(low, high or 0) > COUNT_MAX or (high is not None and high < low):
            raise Unsupported("a {count} out of range")
        return low, high

    def atom(self) -> Build:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return _one(self.char_class())
        if char == ".":
            return _one((lambda c: True) if "s" in self.flags else lambda c: c not in _LINE_ENDS)
        if char == "^":
            return _where(_at_line_start if "m" in self.flags else _at_start)
        if char == "$":
            return _where(_at_line_end if "m" in self.flags else _at_last_line_end)
        if char in "*+?{":
            raise Unsupported(f"{char} with nothing to repeat")
        if char != "\\":
            return _one(self.any_case(char.__eq__))
        if self.peek() in _PLACES:
            return _where(_PLACES[self.take()])
        if self.peek() == "Q":
            return self.quoted()
        meaning = self.escape()
        return _one(self.any_case(meaning.__eq__ if isinstance(meaning, str) else meaning))

    def group(self) -> Build:
        if self.peek() == "?":
            self.at += 1
            if self.take() == "<" and self.peek() not in ("=", "!"):
                self.at = self.pattern.find(">", self.at) + 1
                if not self.at:
                    raise Unsupported("an unclosed group name")
            elif self.pattern[self.at - 1] != ":":
                raise Unsupported("a group that looks around or sets flags")
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise Unsupported(f"more than {NESTING_MAX} groups in one another")
        build = self.alternatives()
        if self.take() != ")":
            raise Unsupported("an unclosed (")
        self.nesting -= 1
        return build

    def quoted(self) -> Build:
        end = self.pattern.find("\\E", self.at)
        literal = self.pattern[self.at + 1:end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.pattern)
        return _sequence([_one(self.any_case(char.__eq__)) for char in literal])

    def escape(self) -> str | Test:
        """What stands after a backslash: the character itself, or the test of a set."""
        char = self.take()
        if char.lower() in _SETS:
            members = _SETS[char.lower()]
            return members.__contains__ if char.islower() else lambda c: c not in members
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in ("x", "u"):
            width = 2 if char == "x" else 4
            code = self.pattern[self.at:self.at + width]
            if len(code) != width or not set(code) <= set(string.hexdigits):
                raise Unsupported(f"\\{char} without {width} hexadecimal digits")
            self.at += width
            return chr(int(code, 16))
        if char.isalnum():
            raise Unsupported(f"\\{char}")
        return char

    def char_class(self) -> Test:
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[tuple[str, str]] = []
        sets: list[Test] = []
        first = True
        while first or self.peek() != "]":
            first = False
            start = self.class_member()
            if not isinstance(start, str):
                sets.append(start)
                continue
            end: str | Test = start
            if self.peek() == "-" and self.pattern[self.at + 1:self.at + 2] not in ("]", ""):
                self.at += 1
                end = self.class_member()
            if not isinstance(end, str) or end < start:
                raise Unsupported("a class with a range out of order")
            ranges.append((start, end))
        self.at += 1
        inside = self.any_case(lambda c: any(low <= c <= high for low, high in ranges) or any(test(c) for test in sets))
        return (lambda c: not inside(c)) if negated else inside

    def class_member(self) -> str | Test:
        char = self.take()
        if char == "[" or (char == "&" and self.peek() == "&"):
            raise Unsupported("a class inside a class")
        return self.escape() if char == "\\" else char

    def any_case(self, test: Test) -> Test:
        if "i" not in self.flags:
            return test
        unicode = "u" in self.flags
        return lambda c: test(c) or ((unicode or c.isascii()) and (test(c.lower()) or test(c.upper())))


@lru_cache(maxsize=256)
def compile(pattern: str, flags: str = "") -> Regex:
    """
    The pattern of `/pattern/flags`.

    Raises:
        Unsupported: it is malformed or not a regular language; the message says which part.
    """
    return Regex(_Parser(pattern, flags).parse())
