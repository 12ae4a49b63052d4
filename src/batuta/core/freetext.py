"""
Free text: what a person types into a search box, as a query.

    order 4711              both, anywhere           "left hand"     as it stands
    pump OR valve           either (AND binds closer)  -test, NOT test  without it
    status:FAILED           a field, where there is one of the name; also field:"a b", field:(a OR b), field:>5, field:[1 TO 5], _exists_:field
    ord*11                  with anything between      *, *:*         everything

Nothing is a mistake here: what cannot be read so is looked for as it stands. A word stands anywhere, also within a longer one.
Source: conductor-rest-api.md §5 (freeText: a substring on its SQL stores, Lucene's query_string on Elasticsearch; this reads as both of their users expect).
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from batuta.core.query import DEPTH_MAX, PATTERN_CHARS_MAX, QUOTED, All, Any_, Compare, Not, Query, unquoted
from batuta.errors import Invalid

TEXT: Final = "*"  # the field that is all the text of a record
WORDS_MAX: Final = 50
_SPACE: Final = re.compile(r"\s*")
_FIELD: Final = re.compile(r"(_exists_|[A-Za-z][A-Za-z0-9]*):(?=\S)")
_RANGE: Final = re.compile(r"[\[{]\s*(\S+)\s+TO\s+(\S+?)\s*[\]}]")
_WORD: Final = re.compile(r"[^\s()]+")
_ESCAPED: Final = re.compile(r'\\([-+!(){}\[\]^"~*?:\\/&|])')
_COMPARED: Final = re.compile(r"(>=|<=|>|<)?(.*)", re.DOTALL)


class _Unreadable(Exception):
    """It has to be taken as it stands."""


def parse_text(text: str, fields: Container[str]) -> Query | None:
    """
    The query that the text means; None when it asks for everything. *fields* are those that may stand before a colon.

    Raises:
        Invalid: the text is too long.
    """
    if len(text) > PATTERN_CHARS_MAX:
        raise Invalid(f"freeText has {len(text):,} characters, expected at most {PATTERN_CHARS_MAX:,}")
    try:
        if text.lstrip().startswith("{"):
            raise _Unreadable  # a piece of JSON
        reader = _Reader(text, fields)
        query = reader.either(None, 0)
        if reader.left:
            raise _Unreadable
        return query
    except _Unreadable:
        return Compare(TEXT, "=", (text.strip(),))


class _Reader:
    def __init__(self, text: str, fields: Container[str]) -> None:
        self.text, self.fields, self.at, self.words = text, fields, 0, 0
        self.space()

    @property
    def left(self) -> bool:
        return self.at < len(self.text)

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def takes(self, sign: str) -> bool:
        """Whether the sign stands here; then it is behind us."""
        if not self.text.startswith(sign, self.at):
            return False
        after = self.at + len(sign)
        if sign.isalpha() and after < len(self.text) and not self.text[after].isspace():
            return False
        self.at = after
        self.space()
        return True

    def either(self, field: str | None, depth: int) -> Query | None:
        """One or more conjunctions with OR between them, up to a closing parenthesis or the end."""
        if depth > DEPTH_MAX:
            raise _Unreadable
        parts = [self.together(field, depth)]
        while self.takes("OR"):
            parts.append(self.together(field, depth))
        if None in parts:
            return None  # everything, or something: everything
        found = [part for part in parts if part is not None]
        return found[0] if len(found) == 1 else Any_(tuple(found))

    def together(self, field: str | None, depth: int) -> Query | None:
        parts: list[Query] = []
        while self.left and self.text[self.at] != ")":
            here = self.at
            if self.takes("OR"):
                self.at = here
                break
            if not self.takes("AND") and (part := self.clause(field, depth)) is not None:
                parts.append(part)
        return None if not parts else parts[0] if len(parts) == 1 else All(tuple(parts))

    def clause(self, field: str | None, depth: int) -> Query | None:
        if self.takes("NOT") or (re.match(r"[-!](?=\S)", self.text[self.at :]) and self.takes(self.text[self.at])):
            part = self.clause(field, depth + 1) if depth <= DEPTH_MAX else None
            if part is None:
                raise _Unreadable
            return Not(part)
        if re.match(r"\+(?=\S)", self.text[self.at :]):
            self.takes("+")
        named = _FIELD.match(self.text, self.at) if field is None else None
        if named is not None and (named[1] == "_exists_" or named[1] in self.fields):
            self.at = named.end()
            field = named[1]
        if self.takes("("):
            inner = self.either(field, depth + 1)
            if not self.takes(")"):
                raise _Unreadable
            return inner
        return self.value(field)

    def value(self, field: str | None) -> Query | None:
        self.words += 1
        if self.words > WORDS_MAX:
            raise _Unreadable
        if self.text.startswith('"', self.at):
            quoted = QUOTED.match(self.text, self.at)
            if quoted is None:
                raise _Unreadable
            self.at = quoted.end()
            self.space()
            return _compare(field, "=", unquoted(quoted[0]))
        if field is not None and (span := _RANGE.match(self.text, self.at)) is not None:
            self.at = span.end()
            self.space()
            parts = [Compare(field, op, (end,)) for op, end in ((">=", span[1]), ("<=", span[2])) if end != "*"]
            return All(tuple(parts)) if parts else None
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise _Unreadable
        self.at = word.end()
        self.space()
        if field == "_exists_":
            return Compare(word[0], "IS NOT NULL", ())
        compared = _COMPARED.match(word[0]) if field is not None else None
        if compared is not None and compared[1]:
            return _compare(field, compared[1], compared[2])
        return _compare(field, "=", _ESCAPED.sub(r"\1", word[0]))


def _compare(field: str | None, op: str, value: str) -> Query | None:
    """The condition; None where it leaves nothing out."""
    if field is None:
        bare = value.strip("*") if value != "*:*" else ""
        return Compare(TEXT, "=", (bare,)) if bare else None
    return Compare(field, op, (value,)) if value != "*" else None
