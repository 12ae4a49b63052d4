"""
Queries: Conductor's search language as a value, for stores to answer.

    expression := term ((AND | OR) term)*          AND binds closer than OR
    term       := '(' expression ')' | field op value
    op         := = | != | > | >= | < | <= | IN (a,b) | NOT IN (a,b) | BETWEEN a AND b | IS null | IS not null | STARTS_WITH "p"

A value may stand in single or double quotes (a backslash keeps one of them in it) or in none; `*` in a value of `=` stands for anything. Instants are
epoch milliseconds or ISO dates. Of a field that is running text (`input`), `=` asks whether the value stands somewhere in it.
Here: reading the language, and judging a record by it (for stores without a language of their own). Not here: which fields there are (store/fields.py),
free text (freetext.py).
Source: conductor-rest-api.md §5 (both grammars there: this one reads what either accepts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

import msgspec

from batuta.errors import Invalid

TERMS_MAX: Final = 200
DEPTH_MAX: Final = 20
PATTERN_CHARS_MAX: Final = 1_000  # of a value with `*`, and of free text
_NAME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*")
_OP: Final = re.compile(r"(!=|>=|<=|=|>|<|NOT\s+IN\b|IN\b|BETWEEN\b|IS\s+NOT\s+NULL\b|IS\s+NULL\b|STARTS_WITH\b)\s*", re.IGNORECASE)
_BARE: Final = re.compile(r"(.*?)(?=\s+(?:AND|OR)(?:\s|$)|\)|$)", re.DOTALL)
QUOTED: Final = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE | re.DOTALL)
_FOLDED: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_JOINT: Final = re.compile(r"\s*\b(AND|OR)\b\s*")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")


class Compare(msgspec.Struct, frozen=True):
    """One field against one or more values. `op` is one of =, !=, >, >=, <, <=, IN, NOT IN, BETWEEN, IS NULL, IS NOT NULL, STARTS_WITH."""

    field: str
    op: str
    values: tuple[str, ...]


class All(msgspec.Struct, frozen=True):
    """Every part holds."""

    parts: tuple[Query, ...]


class Any_(msgspec.Struct, frozen=True):
    """Some part holds."""

    parts: tuple[Query, ...]


class Not(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Query


Query = Compare | All | Any_ | Not


class Sort(msgspec.Struct, frozen=True):
    """One field to sort by."""

    field: str
    descending: bool


def parse(text: str) -> Query | None:
    """
    The query; None for an empty one.

    Raises:
        Invalid: the text is none; in Conductor's words.
    """
    if not text.strip():
        return None
    reader = _Reader(text)
    query = reader.expression(0)
    if reader.rest.strip():
        raise reader.wrong("AND, OR or the end")
    return query


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.terms = text, 0, 0

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def wrong(self, expected: str) -> Invalid:
        """Conductor's words; and where it ceased to make sense, if it did at first."""
        where = f"; at {self.rest.strip()!r} expected {expected}" if self.at else ""
        return Invalid(f"Incorrectly formatted query string: {self.text}{where}")

    def expression(self, depth: int) -> Query:
        if depth > DEPTH_MAX:
            raise self.wrong(f"at most {DEPTH_MAX} parentheses within each other")
        either, together = [], [self.term(depth)]
        while found := _JOINT.match(self.text, self.at):
            self.at = found.end()
            if found[1] == "OR":
                either.append(_all(together))
                together = []
            together.append(self.term(depth))
        either.append(_all(together))
        return either[0] if len(either) == 1 else Any_(tuple(either))

    def term(self, depth: int) -> Query:
        self.count(1)
        if self.rest.lstrip().startswith("("):
            self.at = self.text.index("(", self.at) + 1
            inner = self.expression(depth + 1)
            self.expect(")")
            return inner
        name = _NAME.match(self.text, self.at)
        op = _OP.match(self.text, name.end()) if name else None
        if name is None or op is None:
            raise self.wrong("a condition: FIELD = VALUE, FIELD IN (VALUE, VALUE), FIELD IS NULL ...")
        self.at = op.end()
        word = " ".join(op[1].upper().split())
        values = self.values(word)
        if word == "IN" and (len(values) == 1 or any("*" in value for value in values)):
            return self.any_of(name[1], values)
        return Compare(name[1], word, values)

    def any_of(self, field: str, values: Sequence[str]) -> Query:
        """One of these, each of which may be a pattern. (Conductor takes a list of one for that one, and so its user interface finds parts of names.)"""
        self.count(len(values) - 1)
        alike: list[Query] = [Compare(field, "=", (value,)) for value in values]
        return alike[0] if len(alike) == 1 else Any_(tuple(alike))

    def count(self, terms: int) -> None:
        self.terms += terms
        if self.terms > TERMS_MAX:
            raise self.wrong(f"at most {TERMS_MAX} conditions")

    def expect(self, sign: str) -> None:
        if not self.rest.lstrip().startswith(sign):
            raise self.wrong(sign)
        self.at = self.text.index(sign, self.at) + 1

    def values(self, op: str) -> tuple[str, ...]:
        if op.startswith("IS"):
            return ()
        if op == "BETWEEN":
            low = self.value()
            joint = _JOINT.match(self.text, self.at)
            if joint is None or joint[1] != "AND":
                raise self.wrong("AND and a value")
            self.at = joint.end()
            return low, self.value()
        if op.endswith("IN"):
            self.expect("(")
            inside, closing, after = self.rest.partition(")")
            values = tuple(v.strip().strip("'\"") for v in inside.split(",") if v.strip())
            if not closing or not values:
                raise self.wrong("values, separated by commas, and )")
            self.at = len(self.text) - len(after)
            return values
        return (self.value(),)

    def value(self) -> str:
        rest = self.rest
        if rest[:1] in ("'", '"'):
            quoted = QUOTED.match(rest)
            if quoted is None:
                raise self.wrong(f"another {rest[0]}")
            self.at += quoted.end()
            return unquoted(quoted[0])
        found = _BARE.match(self.text, self.at)
        if found is None or not found[1].strip():
            raise self.wrong("a value")
        self.at = found.end()
        return found[1].strip()


def _all(parts: list[Query]) -> Query:
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def unquoted(text: str) -> str:
    """What stands between the quotes."""
    return re.sub(r"\\(['\"\\])", r"\1", text[1:-1])


def parse_sort(text: str) -> list[Sort]:
    """`field:ASC|other:DESC` as a list; an entry without a direction ascends. Raises Invalid for another direction."""
    out = []
    for entry in re.split(r"[|,]", text):
        field, _, direction = entry.strip().partition(":")
        if direction.strip().upper() not in ("", "ASC", "DESC"):
            raise Invalid(f"sort by {field!r}: found the direction {direction!r}, expected ASC or DESC")
        if field:
            out.append(Sort(field, direction.strip().upper() == "DESC"))
    return out


def instant(text: str, field: str) -> int:
    """Epoch milliseconds of a number or an ISO date. Raises Invalid naming the field."""
    if (number := whole(text)) is not None:
        return number
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Invalid(f"query field {field!r}: found {text!r}, expected epoch milliseconds or an ISO date") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def whole(text: str) -> int | None:
    """The whole number that the text is, if it is one of 64 bits."""
    return int(text) if _WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**63 else None


def like(pattern: str) -> str:
    """The LIKE pattern (escape character backslash) of a value with `*`. Raises Invalid for one that cannot be one."""
    if "\0" in pattern:
        raise Invalid("a pattern cannot have a NUL character in it")
    if len(pattern) > PATTERN_CHARS_MAX:
        raise Invalid(f"a pattern of {len(pattern):,} characters is too long to be searched for; expected at most {PATTERN_CHARS_MAX:,}")
    return re.sub(r"([%_\\])", r"\\\1", pattern).replace("*", "%")


def holds(query: Query | None, get: Callable[[str], Any], numbers: frozenset[str], texts: frozenset[str] = frozenset()) -> bool:
    """
    Whether a record meets the query. *get* gives its fields; *numbers* and *texts* say which are numbers or instants and which are running text.
    """
    match query:
        case None:
            return True
        case All(parts):
            return all(holds(part, get, numbers, texts) for part in parts)
        case Any_(parts):
            return any(holds(part, get, numbers, texts) for part in parts)
        case Not(part):
            return not holds(part, get, numbers, texts)
    have = get(query.field)
    if query.field in texts and query.op in ("=", "!="):
        return _matches(f"*{query.values[0]}*", str(have)) == (query.op == "=")
    return _compared(have, query, numbers)


def _matches(pattern: str, text: str) -> bool:
    """Whether the text is what the pattern with `*` says, whatever the case of ASCII letters: LIKE, as SQLite understands it."""
    like(pattern)
    first, *middle = pattern.translate(_FOLDED).split("*")
    text = text.translate(_FOLDED)
    if not middle:
        return text == first
    last, at = middle.pop(), len(first)
    if not text.startswith(first):
        return False
    for piece in middle:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return text.endswith(last) and len(text) - len(last) >= at


def _compared(have: Any, query: Compare, numbers: frozenset[str]) -> bool:
    if query.op.startswith("IS"):
        return (have in (None, "")) == (query.op == "IS NULL")
    numeric = query.field in numbers or isinstance(have, int)
    convert: Callable[[str], Any] = (lambda v: instant(v, query.field)) if numeric else str
    have = (have or 0) if numeric else ("" if have is None else str(have))
    match query.op:
        case "=" if not numeric and "*" in query.values[0]:
            return _matches(query.values[0], have)
        case "STARTS_WITH":
            return str(have).startswith(query.values[0])
        case "IN":
            return have in [convert(v) for v in query.values]
        case "NOT IN":
            return have not in [convert(v) for v in query.values]
        case "BETWEEN":
            return bool(convert(query.values[0]) <= have <= convert(query.values[1]))
    value = convert(query.values[0])
    return bool({"=": have == value, "!=": have != value, ">": have > value, ">=": have >= value, "<": have < value, "<=": have <= value}[query.op])
