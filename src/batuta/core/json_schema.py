"""
JSON Schema in bounded time: whether a value fits a schema, decided by the library `jsonschema` with what could run away taken out of its hands.

A schema is code of the user's: patterns that backtrack for ever, references that double at every step, messages that repeat a payload of megabytes. So
each keyword looked at costs a step, steps are counted, patterns are matched by the automaton of expr/jsonpath/regex.py, and the values are shown short.
The library (40 ms, 9 MB) is imported when the first schema comes. Nothing is ever fetched: a `$ref` leads to a place in the schema itself, or, as
`schema:NAME` or `schema:NAME/VERSION`, to a registered schema, which `bundled` has put among its `$defs`.

Not here: which payload has to fit which schema (contract.py), where schemas are kept (engine/schemas.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urljoin

from batuta.core.expr.jsonpath import regex
from batuta.core.model.task import Json

STEPS_MAX: Final = 500_000  # keywords applied to values; some 3 µs each
PROBLEMS_SHOWN: Final = 3
REGISTERED: Final = "schema:"  # begins a $ref to a registered schema
TEXT_SHOWN: Final = 60
_NESTING_MAX: Final = 100  # of a schema; a value may be nested deeper
_VALUES: Final = frozenset({"const", "default", "enum", "examples"})  # what stands below is a value and no schema


class TooMuch(Exception):
    """The value cannot be checked within the steps there are."""


class _Steps:
    """What is left of them, for one check."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = STEPS_MAX

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooMuch


_steps: ContextVar[_Steps] = ContextVar("_steps")


class Schema:
    """A schema made ready. Reading it may take milliseconds, and the first one ever the import of the library."""

    __slots__ = ("_validator",)

    def __init__(self, data: Json) -> None:
        import jsonschema  # type: ignore[import-untyped]
        from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # all drafts; without a way to retrieve anything else
        from referencing import Resource
        from referencing.jsonschema import DRAFT202012

        kind = _metered(jsonschema.validators.validator_for(data, default=jsonschema.Draft202012Validator))
        parts = ((name, Resource.from_contents(part, DRAFT202012)) for name, part in _bundle(data).items())
        self._validator = kind(data, registry=REGISTRY.with_resources(parts))

    def problems(self, value: Json, masked: frozenset[str] = frozenset()) -> list[str]:
        """
        The first few places where the value does not fit, each with what was found and what was expected; empty when it fits.

        Values of members of these names are not told.
        """
        _steps.set(_Steps())
        found: list[str] = []
        try:
            for error in self._validator.iter_errors(_short(value, masked)):
                found.append(_said(error))
                if len(found) == PROBLEMS_SHOWN:
                    break
        except TooMuch:
            found.append(f"it cannot be checked in {STEPS_MAX} steps; a smaller value or a simpler schema is needed")
        except RecursionError:
            found.append("it or its schema is nested too deeply to be checked")
        except Exception as error:  # a reference that leads nowhere, and whatever else the library finds only now
            found.append(f"its schema cannot be applied: {_cut(str(error), 200)}")
        return found


def schema_problem(data: Any) -> str | None:
    """Why this is no schema that could be enforced, or None. May take milliseconds."""
    import jsonschema

    if not isinstance(data, dict):
        return f"is {_cut(repr(data), TEXT_SHOWN)}; expected a JSON Schema, which is an object"
    if not isinstance(data.get("$schema", ""), str):
        return "is no JSON Schema that can be enforced: $schema is no text"
    try:
        problem = next(_refused(data), None)
        if problem is None:
            kind = jsonschema.validators.validator_for(data, default=jsonschema.Draft202012Validator)
            _steps.set(_Steps())
            worst = jsonschema.exceptions.best_match(_metered(kind)(kind.META_SCHEMA).iter_errors(_short(data)))
            problem = None if worst is None else _said(worst)
    except RecursionError:
        problem = f"it is nested more than {_NESTING_MAX} deep"
    except TooMuch:
        problem = "it is too large"
    return None if problem is None else f"is no JSON Schema that can be enforced: {problem}"


def bundled(data: Json, registered: Callable[[str], Json | None]) -> Json:
    """The schema with every registered schema that it refers to, also indirectly, among its `$defs`; itself when there is none."""
    parts: dict[str, Json] = {}
    ahead = [data]
    while ahead:
        for name in registered_names(ahead.pop()):
            if name not in parts and (part := registered(name)) is not None:
                parts[name] = part
                ahead.append(part)
    return {**data, "$defs": {**data.get("$defs", {}), **parts}} if parts else data


def registered_names(data: Json) -> list[str]:
    """The references to registered schemas in it, without what they point at inside those."""
    refs = (value.partition("#")[0] for key, value in _members(data) if key == "$ref" and isinstance(value, str))
    return list(dict.fromkeys(ref for ref in refs if ref.startswith(REGISTERED)))


def _bundle(data: Json) -> dict[str, Json]:
    defs = data.get("$defs")
    return {name: part for name, part in defs.items() if name.startswith(REGISTERED)} if isinstance(defs, dict) else {}


def _members(schema: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every member of every object in the schema, but for those of plain values."""
    if depth > _NESTING_MAX:
        raise RecursionError
    if isinstance(schema, list):
        for part in schema:
            yield from _members(part, depth + 1)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            yield key, value
            if key not in _VALUES:
                yield from _members(value, depth + 1)


def _refused(data: Json) -> Iterator[str]:
    """What the library would take, and we do not: references to elsewhere, patterns that cannot be matched in bounded time."""
    from jsonschema_specifications import REGISTRY

    members = list(_members(data))
    root = str(data.get("$id", ""))
    known = {i for key, i in members if key in ("$id", "id") and isinstance(i, str)}
    known |= {urljoin(root, i) for i in known}
    for key, value in members:
        if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
            base = value.partition("#")[0]
            if base and not base.startswith(REGISTERED) and base not in known and base not in REGISTRY:
                yield f"$ref {_cut(value, 100)!r} leads elsewhere; expected '#/…' or a registered schema ('schema:NAME', 'schema:NAME/VERSION')"
        patterns = [value] if key == "pattern" and isinstance(value, str) else value if key == "patternProperties" and isinstance(value, dict) else ()
        for pattern in patterns:
            try:
                _pattern(pattern)
            except regex.Unsupported as error:
                yield f"pattern {_cut(pattern, 100)!r}: {error}"
    keys = {key for key, _ in members}
    if {"unevaluatedProperties", "patternProperties"} <= keys:
        yield "unevaluatedProperties beside patternProperties is not supported; use additionalProperties"


# -- keywords -----------------------------------------------------------------------------------------------------------------------


@cache
def _metered(kind: Any) -> Any:
    """The library's validator of a draft, counting steps, and with our own matching of patterns."""
    from jsonschema.validators import extend  # type: ignore[import-untyped]

    ours = {
        "pattern": _check_pattern, "patternProperties": _check_pattern_properties, "additionalProperties": _check_additional, "uniqueItems": _check_unique,
    }  # fmt: skip
    metered = extend(kind, {name: _counted(ours.get(name, check)) for name, check in kind.VALIDATORS.items()})
    by_library = metered.evolve

    def evolve(self: Any, **changes: Any) -> Any:
        """A validator for a part of the schema. A part that names its draft would get the library's own one, without a bound."""
        made = by_library(self, **changes)
        if hasattr(made, "is_metered"):
            return made
        kind: Any = type(made)
        return _metered(kind)(made.schema, format_checker=made.format_checker, registry=made._registry, _resolver=made._resolver)

    metered.evolve, metered.is_metered = evolve, True
    return metered


def _counted(check: Any) -> Any:
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        of_rule = len(value) if isinstance(value, list | dict) else 1
        of_value = len(instance) if isinstance(instance, list | dict) else 0
        _steps.get().take(of_rule + of_value)
        return check(validator, value, instance, schema)

    return counted


@lru_cache(maxsize=1_000)
def _pattern(pattern: str) -> regex.Regex:
    return regex.compile(pattern)


def _matches(pattern: str, text: str) -> bool:
    found = _pattern(pattern)
    _steps.get().take(len(text) * found.states // 8)
    return found.search(text)


def _check_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {_cut(pattern, 100)!r}")


def _check_pattern_properties(validator: Any, patterns: Json, instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        for pattern, inner in patterns.items():
            for key, value in instance.items():
                if _matches(pattern, key):
                    yield from validator.descend(value, inner, path=key, schema_path=pattern)


def _check_additional(validator: Any, rule: Any, instance: Any, schema: Json) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not isinstance(instance, dict) or rule is True:
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extra = [key for key in instance if key not in named and not any(_matches(pattern, key) for pattern in patterns)]
    if isinstance(rule, dict):
        for key in extra:
            yield from validator.descend(instance[key], rule, path=key)
    elif extra:
        yield ValidationError(f"has unexpected members: {', '.join(repr(_cut(key, TEXT_SHOWN)) for key in extra[:5])}{' …' if len(extra) > 5 else ''}")


def _check_unique(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if rule is True and isinstance(instance, list) and len({_comparable(member) for member in instance}) < len(instance):
        yield ValidationError(f"{instance!r} has members that are equal")


def _comparable(value: Any) -> Any:
    """Equal and hashed alike for what is the same JSON: 1 and 1.0 are, 1 and true are not."""
    _steps.get().take(1)
    match value:
        case bool():
            return bool, value
        case dict():
            return dict, frozenset((key, _comparable(member)) for key, member in value.items())
        case list():
            return list, tuple(map(_comparable, value))
    return value


# -- words --------------------------------------------------------------------------------------------------------------------------


class _Text(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_cut(str(self), TEXT_SHOWN))


class _HiddenText(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class _HiddenWhole(int):
    __slots__ = ()
    __repr__ = _HiddenText.__repr__


class _HiddenNumber(float):
    __slots__ = ()
    __repr__ = _HiddenText.__repr__


class _Object(dict[str, Any]):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"an object of {len(self)}" if self else "{}"


class _List(list[Any]):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"a list of {len(self)}" if self else "[]"


def _short(value: Any, masked: frozenset[str] = frozenset(), hide: bool = False) -> Any:
    """A copy that shows itself in a few words, or not at all: the library puts whole values into its messages, of every branch it tries."""
    match value:
        case str():
            return _HiddenText(value) if hide else _Text(value)
        case dict():
            return _Object((key, _short(member, masked, hide or key in masked)) for key, member in value.items())
        case list():
            return _List(_short(member, masked, hide) for member in value)
        case bool():
            return value
        case int() if hide:
            return _HiddenWhole(value)
        case float() if hide:
            return _HiddenNumber(value)
    return value


def _said(error: Any) -> str:
    """Where it stands, what was found, what was expected."""
    at = ".".join(str(step) for step in error.absolute_path)
    said = f"found {error.instance!r}, expected type {_kinds(error.validator_value)}" if error.validator == "type" else error.message
    return f"at '{_cut(at, 100)}': {_cut(said, 200)}" if at else _cut(said, 200)


def _kinds(kinds: Any) -> str:
    return " or ".join(map(str, kinds)) if isinstance(kinds, list) else str(kinds)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
