"""
What an HTTP task sends: its input, read field by field into a request that is ready for the wire.

Here: which fields there are, what each must be, how bodies and headers become bytes, what goes along on a redirect. Not here: addresses
(http_uri.py), sending (http_pool.py), and what the answer becomes (http_answer.py).
Source: conductor-semantics.md §4.14; texts in Java's words were read off a Conductor 3.32.1 server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from batuta.builtin.http_uri import CallFailed, IoFailed, Target, read_template, shown_of
from batuta.core.expr import javatext

Json = dict[str, Any]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
IDEMPOTENT: Final = METHODS - {"POST", "PATCH"}

_TIMEOUT_MS: Final = 3000
# Conductor's client takes these where the field is there and null.
_NULL_CONNECT_MS: Final = 100
_NULL_READ_MS: Final = 150

_JSON_TYPE: Final = "application/json"
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]")
_NAME: Final = re.compile(rf"{_TOKEN.pattern}+")
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_BREAKS: Final = str.maketrans("\r\n\0", "   ")
# How a body is framed follows from the body alone: two opinions on the wire are how requests are smuggled.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
# Headers that hold, or by their name may hold, what only the host first asked should know.
_CREDENTIAL: Final = re.compile(r"auth|cookie|token|secret|session|signature|password|credential|api-?key", re.IGNORECASE)
_JAVA_CLASSES: Final = {
    dict: "java.util.LinkedHashMap",
    list: "java.util.ArrayList",
    bool: "java.lang.Boolean",
    int: "java.lang.Integer",
    float: "java.lang.Double",
}


class HttpRequest(msgspec.Struct, frozen=True):
    """One request. Header names are unique regardless of case. A time of 0 seconds means no limit but the call's own deadline."""

    method: str
    target: Target
    headers: dict[str, bytes]
    body: bytes | None
    connect_s: float
    read_s: float

    def redirected(self, status: int, target: Target) -> HttpRequest:
        """
        The request that follows an answer of *status* to *target*.

        303 asks with GET, and so do 301 and 302 after a POST; else method and body stay. Another scheme, host or port gets no credentials.
        """
        method, body, headers = self.method, self.body, self.headers
        if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
            method, body = "GET", None
            headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
        if target.origin != self.target.origin:
            headers = {name: value for name, value in headers.items() if name.lower() != "host" and not _CREDENTIAL.search(name)}
        return HttpRequest(method, target, headers, body, self.connect_s, self.read_s)


def io_error(method: str, shown: str, cause: object) -> CallFailed:
    """An exchange that broke off, in the words Conductor has for it."""
    return CallFailed(f'java.lang.Exception: I/O error on {method} request for "{shown}": {cause}')


def read_request(task_input: Json) -> HttpRequest:
    """
    The request a task's evaluated input asks for: under `http_request`, or flat in the input.

    Raises:
        CallFailed: something is missing or no call can be made of it; `is_terminal` where Conductor would leave the task hanging.
    """
    given = task_input.get("http_request")
    fields = task_input if given is None else given
    if not isinstance(fields, dict):
        raise _malformed("http_request", fields, "an object with uri and method")
    uri, method = _text(fields, "uri"), _text(fields, "method")
    connect_s = _seconds(fields, "connectionTimeOut", _NULL_CONNECT_MS)
    read_s = _seconds(fields, "readTimeOut", _NULL_READ_MS)
    if uri is None:
        raise CallFailed("Missing HTTP URI.  See documentation for HttpTask for required input parameters", is_bare=True)
    if method is None:
        raise CallFailed("No HTTP method specified", is_bare=True)
    content_type = media_type(_text(fields, "contentType", absent=_JSON_TYPE))
    if "*" in content_type.partition(";")[0]:
        raise CallFailed("java.lang.IllegalArgumentException: Content-Type cannot contain wildcard type '*'")
    headers = _headers(fields.get("headers"), _accept(fields.get("accept")), content_type)
    try:
        target = read_template(uri)
    except IoFailed as error:
        raise io_error(method, shown_of(uri), error) from None
    if method not in METHODS:
        raise CallFailed(f"java.lang.IllegalArgumentException: Invalid HTTP method: {method}")
    return HttpRequest(method, target, headers, _body(fields.get("body"), content_type), connect_s, read_s)


def media_type(text: str | None) -> str:
    """
    *text* as a media type: type and subtype in lower case, no space before the parameters.

    Raises:
        CallFailed: it is none.
    """
    kind, _, parameters = ("" if text is None else text).partition(";")
    kind = kind.strip()
    wrong = _media_fault("*/*" if kind == "*" else kind)
    if wrong:
        raise CallFailed(f'org.springframework.http.InvalidMediaTypeException: Invalid mime type "{javatext.text(text)}": {wrong}')
    parameters = parameters.strip()
    return ("*/*" if kind == "*" else kind.lower()) + (";" + parameters if parameters else "")


def charset_of(content_type: str) -> str | None:
    """The charset a Content-Type names."""
    match = _CHARSET.search(content_type)
    return match[1] if match else None


def is_json(content_type: str) -> bool:
    """Whether a Content-Type says JSON: application/json, or application/….+json."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == _JSON_TYPE or (kind.startswith("application/") and kind.endswith("+json"))


def _media_fault(kind: str) -> str:
    if not kind:
        return "'mimeType' must not be empty"
    main, slash, sub = kind.partition("/")
    if not slash:
        return "does not contain '/'"
    if not sub:
        return "does not contain subtype after '/'"
    if main == "*" and sub != "*":
        return "wildcard type is legal only in '*/*' (all mime types)"
    for token in (main, sub):
        for char in token:
            if not _TOKEN.fullmatch(char):
                return f"Invalid token character '{char}' in token \"{token}\""
    return "" if main else "'type' must not be empty"


def _accept(value: Any) -> str:
    if isinstance(value, str):
        return media_type(value)
    if isinstance(value, list):
        return ", ".join(media_type(javatext.text(one)) for one in value if one is not None) or _JSON_TYPE
    return _JSON_TYPE


def _headers(given: Any, accept: str, content_type: str) -> dict[str, bytes]:
    """What is sent along: the task's own headers over ours, null ones left out, all others as their text."""
    if given is not None and not isinstance(given, dict):
        raise _malformed("headers", given, "an object of names and values")
    ours = {"Accept": accept, "Content-Type": content_type, "Accept-Encoding": "gzip, deflate", "User-Agent": "batuta"}
    named = {name.lower(): (name, value) for name, value in ours.items()}
    for name, value in (given or {}).items():
        if not _NAME.fullmatch(name):
            raise CallFailed(f"the header name {name!r} is not one; expected letters, digits and !#$%&'*+.^_`|~-", is_terminal=True)
        if value is not None and name.lower() not in _FRAMING:
            named[name.lower()] = (name, javatext.text(value))
    return {name: value.translate(_BREAKS).strip().encode("latin-1", "replace") for name, value in named.values()}


def _body(value: Any, content_type: str) -> bytes | None:
    """
    A text as it is, anything else as JSON; null and the empty text are no body.

    A text is written in the charset the content type names, else in UTF-8 (Conductor: in Latin-1 where the type is not JSON, which loses letters).
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        charset = charset_of(content_type) or "utf-8"
        try:
            return value.encode(charset, "replace")
        except (LookupError, ValueError):
            wrong = f"Invalid mime type \"{content_type}\": unsupported charset '{charset}'"
            raise CallFailed(f"org.springframework.http.InvalidMediaTypeException: {wrong}") from None
    if not is_json(content_type):
        wrong = f'No HttpMessageConverter for {_JAVA_CLASSES[type(value)]} and content type "{content_type}"'
        raise CallFailed(f"java.lang.Exception: {wrong} (give the body as text, or a JSON contentType)")
    return msgspec.json.encode(value)


def _text(fields: Mapping[str, Any], name: str, *, absent: str | None = None) -> str | None:
    value = fields.get(name, absent)
    if isinstance(value, (dict, list)):
        raise _malformed(name, value, "a text")
    return None if value is None else javatext.text(value)


def _seconds(fields: Mapping[str, Any], name: str, null_ms: int) -> float:
    value = fields.get(name, _TIMEOUT_MS)
    if value is None:
        return null_ms / 1000
    try:
        ms = int(value) if not isinstance(value, bool) else None
    except (ValueError, TypeError, OverflowError):
        ms = None
    if ms is None:
        raise _malformed(name, value, "a number of milliseconds")
    if ms < 0:
        raise CallFailed(f"java.lang.IllegalArgumentException: duration must not be negative: {ms}")
    return min(ms, 2**31) / 1000


def _malformed(name: str, found: Any, expected: str) -> CallFailed:
    return CallFailed(f"{name} is {javatext.text(found)[:200]!r}; expected {expected}", is_terminal=True)
