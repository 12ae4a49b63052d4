"""
The condition of a JSONPath filter: `[?(@.price > 10 && (@.kind in ['a', 'b'] || !@.sale))]`.

Here: how a condition is written and when it holds, as Jayway JsonPath has it. `@` is the value asked about, `$` the whole document. A
path alone asks whether it leads anywhere, not whether what it leads to is true. A path that leads nowhere compares as null.
Not here: the steps around a filter (steps.py), what the operators hold true (compare.py), how regular expressions match (regex.py).
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from batuta.core.expr import javatext
from batuta.core.expr.jsonpath import regex
from batuta.core.expr.jsonpath.compare import OPERATORS
from batuta.core.expr.jsonpath.steps import CONTAINERS, Accepts, Look
from batuta.core.expr.jsonpath.text import NESTING_MAX, WORDS, Malformed, closing, closing_quote, json_literal, number, unescaped


class InnerPath(Protocol):
    """A path inside a condition."""

    def read(self, value: Any, look: Look) -> Any: ...
    def exists(self, value: Any, look: Look) -> bool: ...


class Reference(NamedTuple):
    path: InnerPath
    is_wanted: bool  # False when a ! stands before it


class Literal(NamedTuple):
    value: Any


Operand = Reference | Literal | regex.Regex


class _Reader:
    """A cursor over a condition. Only spaces are blank, as for Jayway; running off the end is Malformed."""

    def __init__(self, text: str, parse: Callable[[str], InnerPath]) -> None:
        self.text = text
        self.at = 0
        self.parse = parse
        self.nesting = 0

    def blanks(self) -> str:
        """The next character that is not blank, the cursor on it."""
        while self.text[self.at:self.at + 1] == " ":
            self.at += 1
        return self.text[self.at:self.at + 1]

    def skip(self, word: str) -> bool:
        self.blanks()
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def any_of(self) -> Accepts:
        options = [self.all_of()]
        while self.skip("||"):
            options.append(self.all_of())
        return options[0] if len(options) == 1 else lambda value, look: any(option(value, look) for option in options)

    def all_of(self) -> Accepts:
        parts = [self.one()]
        while self.skip("&&"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda value, look: all(part(value, look) for part in parts)

    def one(self) -> Accepts:
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise Malformed(f"a condition with more than {NESTING_MAX} parts in one another")
        try:
            char = self.blanks()
            if char == "!" and self.text[self.at + 1:].lstrip(" ")[:1] not in ("@", "$"):
                self.at += 1
                denied = self.one()
                return lambda value, look: not denied(value, look)
            if char == "(":
                self.at += 1
                inner = self.any_of()
                if not self.skip(")"):
                    raise Malformed("an unclosed ( in a condition")
                return inner
            return self.comparison()
        finally:
            self.nesting -= 1

    def comparison(self) -> Accepts:
        left = self.operand()
        after = self.at
        operator = self.operator()
        if operator is not None:
            return _comparison(left, operator, self.operand())
        self.at = after
        if not isinstance(left, Reference):
            raise Malformed("a condition that compares nothing")
        path, is_wanted = left
        return lambda value, look: path.exists(value, look) is is_wanted

    def operator(self) -> str | None:
        self.blanks()
        found = _OPERATOR.match(self.text, self.at)
        if found is None or found[0].lower() not in _KNOWN:
            return None
        self.at = found.end()
        return found[0].lower()

    def operand(self) -> Operand:
        char = self.blanks()
        if char == "!":
            self.at += 1
            if self.blanks() not in ("@", "$"):
                raise Malformed("a ! before what is not a path")
            return Reference(self.path(), False)
        if char in ("@", "$"):
            return Reference(self.path(), True)
        if char in ("'", '"'):
            end = closing_quote(self.text, self.at)
            word = unescaped(self.text[self.at + 1:end])
            self.at = end + 1
            return Literal(word)
        if char == "/":
            return self.pattern()
        if char in ("[", "{"):
            end = closing(self.text, self.at, char, "]" if char == "[" else "}")
            document = json_literal(self.text[self.at:end + 1])
            self.at = end + 1
            return Literal(document)
        return self.scalar()

    def path(self) -> InnerPath:
        start = self.at
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "[":
                self.at = closing(self.text, self.at, "[", "]")
            elif char == "(":
                self.at = closing(self.text, self.at, "(", ")")
            elif char in " )<>=~!" or self.text.startswith(("&&", "||"), self.at):
                break
            self.at += 1
        return self.parse(self.text[start:self.at])

    def pattern(self) -> regex.Regex:
        end = closing_quote(self.text, self.at)
        flags = _FLAGS.match(self.text, end + 1)
        assert flags is not None  # It may match nothing.
        try:
            pattern = regex.compile(self.text[self.at + 1:end], flags[0])
        except regex.Unsupported as error:
            raise Malformed(f"a regular expression with {error}") from error
        self.at = flags.end()
        return pattern

    def scalar(self) -> Literal:
        found = _SCALAR.match(self.text, self.at)
        if found is None:
            raise Malformed(f"no value at {self.text[self.at:self.at + 20]!r}")
        self.at = found.end()
        return Literal(WORDS[found[0]] if found[0] in WORDS else number(found[0]))


_OPERATOR: Final = re.compile(r"[<>=~!]+|[^<>=~! ][^ ]*")
_KNOWN: Final = OPERATORS.keys() | {"=~"}
_FLAGS: Final = re.compile(r"[dixmsuU]*")
_SCALAR: Final = re.compile(r"true|false|null|[-0-9.eE]+")


def compile(text: str, parse: Callable[[str], InnerPath]) -> Accepts:
    """
    What says whether a value meets the condition *text* (with its parentheses), paths in it read by *parse*.

    Raises:
        Malformed: it cannot be read.
    """
    reader = _Reader(text, parse)
    accepts = reader.any_of()
    if reader.blanks():
        raise Malformed(f"the condition should end before {text[reader.at:reader.at + 20]!r}")
    return accepts


_NOTHING: Final = object()  # a regular expression where a value is due: equal to nothing


def _comparison(left: Operand, operator: str, right: Operand) -> Accepts:
    if operator == "=~":
        return _match(left, right)
    of_left, of_right, holds = _reading(left), _reading(right), OPERATORS[operator]
    return lambda value, look: holds(of_left(value, look), of_right(value, look))


def _reading(operand: Operand) -> Callable[[Any, Look], Any]:
    if isinstance(operand, Reference):
        return operand.path.read
    constant = operand.value if isinstance(operand, Literal) else _NOTHING
    return lambda value, look: constant


def _match(left: Operand, right: Operand) -> Accepts:
    if isinstance(left, regex.Regex):
        left, right = right, left
    if isinstance(left, regex.Regex) or not isinstance(right, regex.Regex):
        return lambda value, look: False
    subject, pattern = _reading(left), right

    def matches(value: Any, look: Look) -> bool:
        found = subject(value, look)
        texts = [_subject(one) for one in (found if isinstance(found, list) else [found])]
        look.spend(sum(map(len, texts)))
        return any(pattern.fullmatch(text) for text in texts)
    return matches


def _subject(value: Any) -> str:
    return "" if value is None or isinstance(value, CONTAINERS) else javatext.text(value)
