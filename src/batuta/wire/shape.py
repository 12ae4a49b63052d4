"""
Shapes: what a JSON object sent to the server must look like, written as tables of fields.

One walk over a table reads an object as Conductor's own reader does: fills defaults, drops what nobody knows, turns `"5"` into 5 where a
number is due, and refuses what cannot be meant, naming the field, what was found and what was expected. The same tables give the
OpenAPI schemas.

Here: the kinds of fields and the walk. Not here: the tables of Conductor's models (metadata.py, requests.py), rules between fields
(core/validate.py).
Source: the conversions that Jackson makes by default, as seen on a running server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from batuta.errors import Invalid

Json = dict[str, Any]


class _Mark:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


OMIT: Final = _Mark("OMIT")  # as a default: leave the field out
NULL: Final = _Mark("NULL")  # as a value read: the same as null
_ABSENT: Final = _Mark("ABSENT")

_WHOLE: Final = re.compile(r"[+-]?\d+")
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})


class Kind(Protocol):
    """What may stand in a field."""

    def read(self, value: Any, at: str) -> Any:
        """The value as stored, NULL when it means null. *at* is its path, for the error. Never called with None at the top of a field."""
        ...

    def schema(self) -> Json:
        """The OpenAPI schema of it."""
        ...


def misfit(at: str, value: Any, expected: str) -> Invalid:
    """The error for a value that cannot be meant."""
    return Invalid(f"{at or 'the body'} is {_found(value)}; expected {expected}")


def _found(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "an object"
        case str():
            return f"the text {value!r}" if len(value) <= 60 else f"the text {value[:57]!r}…"
        case _:
            return f"the number {value}"


class Text:
    """Words; numbers and booleans are taken as their text."""

    def read(self, value: Any, at: str) -> Any:
        match value:
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case int() | float():
                return str(value)
        raise misfit(at, value, "a text")

    def schema(self) -> Json:
        return {"type": "string"}


class Integer:
    """A whole number of so many bits; a text of digits is taken as its number, a fraction is cut off."""

    def __init__(self, bits: int = 32) -> None:
        self.bits = bits
        self.limit = 1 << (bits - 1)

    def read(self, value: Any, at: str) -> Any:
        number = self._number(value)
        if number is NULL or (type(number) is int and -self.limit <= number < self.limit):
            return number
        raise misfit(at, value, f"a whole number of {self.bits} bits" if type(number) is int else "a whole number")

    def _number(self, value: Any) -> Any:
        match value:
            case bool():
                return None
            case int():
                return value
            case float() if abs(value) < 2**64:
                return int(value)
            case str():
                digits = value.strip()
                return int(digits) if len(digits) <= 20 and _WHOLE.fullmatch(digits) else NULL if not digits else None
        return None

    def schema(self) -> Json:
        return {"type": "integer", "format": f"int{self.bits}"}


class Flag:
    """True or false; their words and whole numbers (0 is false) are taken as well."""

    def read(self, value: Any, at: str) -> Any:
        match value:
            case bool():
                return value
            case int():
                return value != 0
            case str():
                word = value.strip()
                if not word:
                    return NULL
                if word in _TRUE or word in _FALSE:
                    return word in _TRUE
        raise misfit(at, value, "true or false")

    def schema(self) -> Json:
        return {"type": "boolean"}


class Choice:
    """One of some words, exactly as written."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, value: Any, at: str) -> Any:
        if isinstance(value, str) and value.strip() in self.words:
            return value.strip()
        raise misfit(at, value, f"one of {', '.join(self.words)}")

    def schema(self) -> Json:
        return {"type": "string", "enum": list(self.words)}


class Anything:
    """Any JSON, kept as it came."""

    def read(self, value: Any, at: str) -> Any:
        return value

    def schema(self) -> Json:
        return {}


class Table:
    """An object of any members, kept as it came, or of members of one kind."""

    def __init__(self, kind: Kind | None = None) -> None:
        self.kind = kind

    def read(self, value: Any, at: str) -> Any:
        if type(value) is not dict:
            raise misfit(at, value, "an object")
        kind = self.kind
        return value if kind is None else {key: kind.read(member, f"{at}.{key}" if at else key) for key, member in value.items()}

    def schema(self) -> Json:
        return {"type": "object", "additionalProperties": True if self.kind is None else self.kind.schema()}


class ListOf:
    """A list whose members are of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def read(self, value: Any, at: str) -> Any:
        if type(value) is not list:
            raise misfit(at, value, "a list")
        read = self.kind.read
        return [read(member, f"{at}[{n}]") for n, member in enumerate(value)]

    def schema(self) -> Json:
        return {"type": "array", "items": self.kind.schema()}


class Field(NamedTuple):
    """One named member of a record. `absent` and `null` are what it becomes when not sent or sent as null; a callable makes a fresh one."""

    name: str
    kind: Kind
    absent: Any = OMIT
    null: Any = OMIT


def text(name: str) -> Field:
    """A text, left out unless sent."""
    return Field(name, Text())


def integer(name: str, default: Any = OMIT, *, bits: int = 32) -> Field:
    """A whole number; with a default it is always there and null means 0, without it is left out unless sent."""
    return Field(name, Integer(bits), default, OMIT if default is OMIT else 0)


def flag(name: str, default: Any = OMIT) -> Field:
    """A boolean; with a default it is always there and null means false, without it is left out unless sent."""
    return Field(name, Flag(), default, OMIT if default is OMIT else False)


def choice(name: str, *words: str, default: Any = OMIT) -> Field:
    """One of the words; null is the same as not sent."""
    return Field(name, Choice(*words), default, default)


def listing(name: str, kind: Kind) -> Field:
    """A list, empty unless sent."""
    return Field(name, ListOf(kind), list, list)


def table(name: str, kind: Kind | None = None) -> Field:
    """An object, empty unless sent."""
    return Field(name, Table(kind), dict, dict)


def optional(name: str, kind: Kind) -> Field:
    """Anything of that kind, left out unless sent."""
    return Field(name, kind)


class Record:
    """
    An object with named fields, in the order in which Conductor writes them.

    *refine* may change the object read, given it, the object as sent and the path. *required* is for the schema: reading does not ask
    for these fields, since it is validation that says what is missing. Fields may be set later, by `define`, so that records may contain
    each other.
    """

    def __init__(self, name: str, *fields: Field, refine: Callable[[Json, Json, str], None] | None = None, required: tuple[str, ...] = ()) -> None:
        self.name = name
        self.fields = fields
        self.refine = refine
        self.required = required

    def define(self, *fields: Field) -> None:
        """Set the fields of a record that was declared without."""
        self.fields = fields

    def read(self, value: Any, at: str = "") -> Json:
        """
        A new object with every field in its place.

        Raises:
            Invalid: a field cannot be meant, or the object is nested too deeply.
        """
        if type(value) is not dict:
            raise misfit(at, value, "an object")
        out: Json = {}
        lead = f"{at}." if at else ""
        try:
            for name, kind, absent, null in self.fields:
                sent = value.get(name, _ABSENT)
                read = NULL if sent is None else sent if sent is _ABSENT else kind.read(sent, lead + name)
                if read is NULL or read is _ABSENT:
                    read = null if read is NULL else absent
                    if read is OMIT:
                        continue
                    if callable(read):
                        read = read()
                out[name] = read
        except RecursionError:
            raise Invalid("the body is nested too deeply") from None
        if self.refine is not None:
            self.refine(out, value, at)
        return out

    def schema(self) -> Json:
        return {"$ref": f"#/components/schemas/{self.name}"}

    def component(self) -> Json:
        """The schema itself, for the list of components."""
        properties = {field.name: _described(field) for field in self.fields}
        for name in self.required:
            if (kind := properties[name].get("type")) in ("string", "array"):
                properties[name]["minLength" if kind == "string" else "minItems"] = 1
                properties[name].pop("default", None)
        return {"type": "object", "properties": properties, **({"required": list(self.required)} if self.required else {})}


def _described(field: Field) -> Json:
    schema = field.kind.schema()
    if "$ref" in schema:
        return schema
    default = field.absent() if callable(field.absent) else field.absent
    return schema if default is OMIT else {**schema, "default": default}
