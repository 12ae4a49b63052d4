"""
From a request to a handler's arguments, as its signature says.

A handler is a function whose parameters are, by name: `services`, the rooms; `request`, only if it must look at it; `body`, the bytes of
the body, for the wire to read; one for each `{variable}` of its path; and after a `*` the parameters of its query, with their defaults.
Python's `use_latest_definitions` is `useLatestDefinitions` on the wire. The signature is read once, when the routes are put together;
openapi.py reads it too, so that the description cannot differ from what is done.

Source: Spring's conversions of parameters, as seen on a running server; what it answers with 500 is 400 here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from batuta.api.http import Request, Response
from batuta.api.router import Route
from batuta.api.services import Services
from batuta.errors import Invalid

_TRUE: Final = frozenset({"true", "on", "yes", "1"})
_FALSE: Final = frozenset({"false", "off", "no", "0"})
_WHOLE: Final = re.compile(r"[+-]?\d{1,19}")
_AT_HOME: Final = frozenset({"services", "request", "body"})


class Millis(int):
    """A query parameter that is an instant in epoch milliseconds: 64 bits wide, where a plain number has 32."""


Count = Annotated[int, "0 or more"]
"""A query parameter that is how many, or how far on."""


class Parameter(NamedTuple):
    """One parameter of a path or query. `required`: a request without it is refused. `words`: the only ones it may be, if any."""

    name: str  # as Python writes it
    wire: str  # as the request writes it
    kind: Any
    default: Any
    required: bool
    words: tuple[str, ...] = ()


def parameters_of(route: Route) -> tuple[list[Parameter], list[Parameter]]:
    """
    The parameters in the path and in the query of a route, in the order of the handler's signature.

    Raises:
        TypeError: signature and pattern do not belong together.
    """
    hints = get_type_hints(route.handler, include_extras=True)
    path: list[Parameter] = []
    query: list[Parameter] = []
    for name, found in inspect.signature(route.handler).parameters.items():
        if name in _AT_HOME:
            continue
        kind, words = _kind(hints[name])
        required = found.default is inspect.Parameter.empty
        parameter = Parameter(name, _camel(name), kind, None if required else found.default, required, words)
        (query if found.kind is inspect.Parameter.KEYWORD_ONLY else path).append(parameter)
    if [f"{{{p.wire}}}" for p in path] != [s for s in route.segments if s.startswith("{")]:
        raise TypeError(f"{route.method} {route.pattern}: the handler takes {[p.wire for p in path]}")
    return path, query


def _kind(hint: Any) -> tuple[Any, tuple[str, ...]]:
    """`int | None` is a number, a Literal is a text of few words."""
    if get_origin(hint) is Literal:
        return str, get_args(hint)
    if hint in (list[str], Count) or isinstance(hint, type):
        return hint, ()
    return next(kind for kind in get_args(hint) if kind is not type(None)), ()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Bound:
    """A route and how its handler is called."""

    __slots__ = ("_handler", "_path", "_query", "_with_body", "_with_request", "route", "takes_body", "takes_json")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.takes_body = bool(route.takes) and route.takes != "bytes"  # which the handler takes itself, as they come
        self.takes_json = self.takes_body and not route.takes.startswith("text")
        self._handler = route.handler
        self._path, self._query = parameters_of(route)
        signature = inspect.signature(route.handler).parameters
        self._with_body, self._with_request = "body" in signature, "request" in signature
        if self._with_body != self.takes_body:
            raise TypeError(f"{route.method} {route.pattern}: takes {route.takes!r}, but its handler has {'a' if self._with_body else 'no'} body")

    def call(self, services: Services, request: Request) -> Response | Awaitable[Response]:
        """Call the handler. Raises Invalid for a parameter that is missing or cannot be meant."""
        arguments: dict[str, Any] = {"services": services}
        for parameter, text in zip(self._path, request.values, strict=True):
            arguments[parameter.name] = _converted(parameter, text, "path variable")
        if self._with_body:
            arguments["body"] = request.body
        if self._with_request:
            arguments["request"] = request
        if self._query:
            self._add_query(arguments, request.query() if request.query_string else {})
        return self._handler(**arguments)

    def _add_query(self, arguments: dict[str, Any], given: Mapping[str, list[str]]) -> None:
        for parameter in self._query:
            texts = given.get(parameter.wire)
            if texts is not None:
                arguments[parameter.name] = _listed(texts) if parameter.kind == list[str] else _converted(parameter, texts[0], "query parameter")
            elif parameter.required:
                raise Invalid(f"query parameter {parameter.wire!r} is missing")


def _listed(texts: list[str]) -> list[str]:
    """A repeated parameter, or one with commas; not both, as Spring does."""
    return [text for text in texts[0].split(",") if text] if len(texts) == 1 else texts


def _converted(parameter: Parameter, text: str, what: str) -> Any:
    if parameter.kind is str:
        if parameter.words and text not in parameter.words:
            raise Invalid(f"{what} {parameter.wire!r} is the text {text!r}; expected one of {', '.join(parameter.words)}")
        return text
    convert, expected = _KINDS[parameter.kind]
    if not text.strip() and not parameter.required:
        return parameter.default
    value = convert(text.strip())
    if value is None:
        raise Invalid(f"{what} {parameter.wire!r} is the text {text!r}; expected {expected}")
    return value


def _flag(text: str) -> bool | None:
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) and -(2**31) <= int(text) < 2**31 else None


def _millis(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**63 else None


def _count(text: str) -> int | None:
    found = _whole(text)
    return None if found is None or found < 0 else found


_KINDS: Final[dict[Any, tuple[Callable[[str], Any], str]]] = {
    bool: (_flag, "true or false"),
    int: (_whole, "a whole number"),
    Count: (_count, "a whole number, 0 or more"),
    Millis: (_millis, "a whole number"),
}
