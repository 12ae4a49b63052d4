"""
Expressions: what stands between `${` and `}`, one class for each kind.

`read` tells the kinds apart: nothing at all, a secret, the environment, a constant's name, a path; `Computed` is a path that holds
expressions itself. Every one is a `Template`, so that a string which is one expression needs nothing around it.

Not here: finding expressions in text and in maps and lists (template.py), following paths (jsonpath/).
Source: conductor-semantics §3.1, resolution order.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from batuta.core.expr import javatext, jsonpath
from batuta.core.expr.scope import MISSING, Document, Scope

SECRETS: Final = "workflow.secrets."
ENVIRONMENT: Final = "workflow.env."


class Template:
    """A value of a definition, ready to be evaluated any number of times, from any thread."""

    __slots__ = ()

    is_constant: bool = False
    """Whether it evaluates to the same in every scope. That need not be what was compiled: `$${x}` loses its escape."""

    def evaluate(self, scope: Scope) -> Any:
        """The value with every expression in it put in; see the module for what is shared."""
        raise NotImplementedError

    def text(self, scope: Scope) -> str:
        """The same, as text inside other text."""
        value = self.evaluate(scope)
        return value if type(value) is str else javatext.text(value)

    def parts(self) -> Iterator["Template"]:
        """The templates it is made of."""
        return iter(())

    def references(self) -> frozenset[str]:
        """The top-level names (`workflow`, task references) that its expressions spell out; computed and `$..` ones are not seen."""
        return frozenset().union(*(part.references() for part in self.parts()))


class Constant(Template):
    __slots__ = ("_value",)
    is_constant = True

    def __init__(self, value: Any) -> None:
        self._value = value

    def evaluate(self, scope: Scope) -> Any:
        return self._value


class Keys(Template):
    """
    `${ref.output.x}`: keys and nothing else, which is nearly every expression there is.

    0.16 µs with a scope that answers from a dictionary, 0.06 µs of it asking the scope; 0.45 µs when nothing is there (CPython 3.11).
    """

    __slots__ = ("_keys", "_root")

    def __init__(self, root: str, keys: tuple[str, ...]) -> None:
        self._root = root
        self._keys = keys

    def evaluate(self, scope: Scope) -> Any:
        value = scope.root(self._root)
        try:
            for key in self._keys:
                value = value[key]
        except (KeyError, TypeError):  # not there; not a map
            return None
        return None if value is MISSING else value

    def references(self) -> frozenset[str]:
        return frozenset((self._root,))


class Places(Template):
    """`${ref.output.list[0].x}`: keys and indexes."""

    __slots__ = ("_plain", "_root")

    def __init__(self, root: str, plain: jsonpath.Plain) -> None:
        self._root = root
        self._plain = plain

    def evaluate(self, scope: Scope) -> Any:
        return jsonpath.walk(scope.root(self._root), self._plain)

    def references(self) -> frozenset[str]:
        return frozenset((self._root,))


class Search(Template):
    """Any other path: it needs a document to look through, made of the members it reads."""

    __slots__ = ("_path",)

    def __init__(self, path: jsonpath.Path) -> None:
        self._path = path

    def evaluate(self, scope: Scope) -> Any:
        if isinstance(scope, Document):
            return self._path.find(scope.value)
        roots = self._path.roots
        names = scope.names() if roots is None else roots
        return self._path.find({name: value for name in names if (value := scope.root(name)) is not MISSING})

    def text(self, scope: Scope) -> str:
        return text_of(self._path, self.evaluate(scope))

    def references(self) -> frozenset[str]:
        return self._path.roots or frozenset()


class Name(Template):
    """`${NAME}`: a constant if the scope knows it, else a path."""

    __slots__ = ("_literal", "_name", "_path")

    def __init__(self, name: str, literal: str, path: Template) -> None:
        self._name = name
        self._literal = literal
        self._path = path

    def evaluate(self, scope: Scope) -> Any:
        value = scope.constant(self._name)
        if value is MISSING:
            return self._path.evaluate(scope)
        return self._literal if value is None else value

    def is_without_value(self, scope: Scope) -> bool:
        return scope.constant(self._name) is None

    def references(self) -> frozenset[str]:
        return self._path.references()


class Environment(Template):
    """`${workflow.env.NAME}`, or with a path behind it `${workflow.env.NAME.a.b}` into the JSON that the value is."""

    __slots__ = ("_name", "_path")

    def __init__(self, name: str, path: jsonpath.Path | None) -> None:
        self._name = name
        self._path = path

    def evaluate(self, scope: Scope) -> Any:
        value = scope.environment(self._name)
        return value if self._path is None else into_json(value, self._path)

    def text(self, scope: Scope) -> str:
        return text_of(self._path, self.evaluate(scope))

    def references(self) -> frozenset[str]:
        return frozenset(("workflow",))


class Defaulted(Template):
    """
    `${workflow.input.size:10}`: what the path before the colon leads to, or the default when that is nothing.

    A colon may also be part of a key, as it is for Conductor, which knows no defaults: the path as a whole goes first.
    """

    __slots__ = ("_default", "_path", "_whole")

    def __init__(self, whole: Template, path: Template, default: Any) -> None:
        self._whole, self._path, self._default = whole, path, default

    def evaluate(self, scope: Scope) -> Any:
        for template in (self._whole, self._path):
            if (value := template.evaluate(scope)) is not None:
                return value
        return self._default

    def text(self, scope: Scope) -> str:
        for template in (self._whole, self._path):
            if template.evaluate(scope) is not None:
                return template.text(scope)
        return self._default if type(self._default) is str else javatext.text(self._default)

    def references(self) -> frozenset[str]:
        return self._path.references()


class Computed(Template):
    """`${map.${key}}`: an expression whose path holds expressions. They are put in first, as text; the result is read as a path."""

    __slots__ = ("_inner", "_literal")

    def __init__(self, inner: Template, literal: str) -> None:
        self._inner = inner
        self._literal = literal

    def evaluate(self, scope: Scope) -> Any:
        return self._meant(scope).evaluate(scope)

    def text(self, scope: Scope) -> str:
        return self._meant(scope).text(scope)

    def _meant(self, scope: Scope) -> Template:
        path = self._inner.text(scope)
        template = _read_again(path)
        # What would stay as it is written stays as it is written here, what is inside it too; no input can so choose a secret.
        stays = path.startswith(SECRETS) or (isinstance(template, Name) and template.is_without_value(scope))
        return Constant(self._literal) if stays else template

    def parts(self) -> Iterator[Template]:
        yield self._inner


def read(path: str) -> Template:
    """What a path means once nothing in it is left to be put in."""
    literal = f"${{{path}}}"
    if not path.strip():
        return Constant("")
    if path.startswith(SECRETS):
        return Constant(literal)
    before, default = with_default(path)
    return _read_whole(path, literal) if default is None else Defaulted(_read_whole(path, literal), read(before), _default(default))


def with_default(path: str) -> tuple[str, str | None]:
    """The path before its first colon outside of brackets, and what stands behind it; None where there is no default. A bare name has none."""
    depth, quote = 0, ""
    for at, char in enumerate(path):
        if quote:
            quote = "" if char == quote and path[at - 1] != "\\" else quote
        elif char in "'\"" and depth:
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == ":" and not depth:
            before = path[:at]
            return (before, path[at + 1 :]) if "." in before or "[" in before else (path, None)
    return path, None


def _default(text: str) -> Any:
    """JSON where it is some, else the text."""
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return text


def _read_whole(path: str, literal: str) -> Template:
    if path.startswith(ENVIRONMENT):
        name, dot, behind = path[len(ENVIRONMENT):].partition(".")
        inner = jsonpath.parse(behind) if dot else None
        return Constant(None) if dot and inner is None else Environment(name, inner)
    parsed = jsonpath.parse(path)
    template = Constant(None) if parsed is None else _followed(parsed)
    return template if "." in path or "[" in path else Name(path, literal, template)


def _followed(path: jsonpath.Path) -> Template:
    match path.plain:
        case (str(root), *rest):
            keys = tuple(key for key in rest if isinstance(key, str))
            return Keys(root, keys) if len(keys) == len(rest) else Places(root, tuple(rest))
        case _:
            return Search(path)


# Computed paths come back again and again (`${map.${key}}`); long ones are not kept.
_remembered: Final = lru_cache(maxsize=1_024)(read)


def _read_again(path: str) -> Template:
    return _remembered(path) if len(path) <= 1_000 else read(path)


def into_json(text: Any, path: jsonpath.Path) -> Any:
    """What *path* leads to in the JSON that *text* is; None when it is none."""
    try:
        return path.find(json.loads(text, parse_constant=_refused))
    except (TypeError, ValueError, RecursionError):
        return None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def text_of(path: jsonpath.Path | None, value: Any) -> str:
    # The list of an indefinite path is of a type whose text is JSON; see javatext.
    return javatext.text(value) if path is None or path.definite or value is None else javatext.json_text(value)
