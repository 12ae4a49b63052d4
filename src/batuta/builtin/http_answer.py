"""
What an HTTP answer becomes: bytes read within a limit, decoded, and made the value an output holds.

Here: content encodings, charsets, JSON as Conductor reads it, the text of an error answer. Not here: who is asked, and how (http.py).
Source: conductor-semantics.md §4.14; Jackson's readTree, and texts and edges read off a Conductor 3.32.1 server.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from http import HTTPStatus
from typing import Any, Final

import msgspec
from urllib3.response import HTTPResponse

from batuta.builtin.http_request import charset_of, is_json
from batuta.builtin.http_uri import IoFailed
from batuta.errors import BatutaError

# What stands in an error's text; the reason of a task holds 500 characters of it, its output all.
ERROR_BODY_BYTES_MAX: Final = 65536
# Deeper JSON stays text, so that no later reader of the output runs out of stack.
JSON_DEPTH_MAX: Final = 256
_PIECE_BYTES: Final = 65536


class Answer(msgspec.Struct, frozen=True):
    """One answer. `phrase` is the server's own; `headers` maps a name to all its values; the body of a redirect is not kept."""

    status: int
    phrase: str
    headers: dict[str, list[str]]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.header("content-type")

    @property
    def location(self) -> str:
        """Where this answer redirects to; empty when it does not."""
        return self.header("location") if self.status in (301, 302, 303, 307, 308) else ""

    def header(self, name: str) -> str:
        """The first value of the header *name*, given in lower case; empty when it is not there."""
        return next((values[0] for given, values in self.headers.items() if given.lower() == name), "")

    def as_output(self) -> dict[str, Any]:
        """The `response` of a task's output. Only a 2xx answer shows its body."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = self.phrase
        body = body_value(self.body, self.content_type) if 200 <= self.status < 300 else None
        return {"headers": self.headers, "reasonPhrase": phrase, "body": body, "statusCode": self.status}


class BodyTooLarge(BatutaError):
    """The body is larger than may be read of it."""


class BodyBroken(BatutaError):
    """The body ended before its end; says how far it came."""


def read_headers(response: HTTPResponse) -> dict[str, list[str]]:
    """All headers with all their values; a body that was decoded here no longer has the length and encoding it was sent with."""
    headers: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    hidden = {"content-encoding", "content-length", "content-md5"} if _inflater(response) else set()
    for name, value in response.headers.items():
        if name.lower() not in hidden:
            headers.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return headers


def read_body(response: HTTPResponse, limit: int, *, is_cut: bool = False) -> bytes:
    """
    The body, decoded; it and what it was sent as are each at most *limit* bytes. *is_cut*: of a larger one the beginning.

    Raises:
        BodyTooLarge: it is larger; nothing beyond the limit was read or inflated.
        BodyBroken: its compressed form ends too early.
        IoFailed: it is not in the encoding it claims.
        urllib3.exceptions.HTTPError: it broke off.
    """
    if not is_cut and (response.length_remaining or 0) > limit:
        raise _too_large(limit)
    inflater = _inflater(response)
    pieces: list[bytes] = []
    sent = room = limit
    while piece := response.read(_PIECE_BYTES, decode_content=False):
        sent -= len(piece)
        body = inflater.feed(piece, room) if inflater else piece
        room -= len(body)
        pieces.append(body)
        if sent < 0 or room < 0:
            if is_cut:
                return b"".join(pieces)[:limit]
            raise _too_large(limit)
    if inflater:
        inflater.finish()
    return b"".join(pieces)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the answer is larger than the {limit} bytes this server takes of one")


def error_text(method: str, shown: str, answer: Answer) -> str:
    """What output and reason say of a 4xx or 5xx answer: status, method, address without its query, and the body on one line."""
    text = _decoded(answer.body, charset_of(answer.content_type) or "utf-8")
    body = f'"{_CONTROLS.sub("?", _LINE_ENDS.sub("<EOL>", text))}"' if answer.body else "[no body]"
    return f'java.lang.Exception: {answer.status} {answer.phrase} on {method} request for "{shown}": {body}'


def body_value(body: bytes, content_type: str) -> Any:
    """
    The value of a body: what its JSON says, else its text; None for an empty one.

    As Conductor has it, whatever the content type: objects and lists are themselves, a number is a decimal, any other scalar its text, and what
    follows a first whole value is not looked at. Without a named charset, JSON is UTF-8; other text is too if it can be, else Latin-1.
    """
    if not body:
        return None
    text = _text_of(body, content_type)
    start = text.lstrip(" \t\r\n")
    if not start:
        return ""
    try:
        value, end = _JSON.raw_decode(start)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, (dict, list)):
        return text if _is_deep(value) else _storable(value) if _SURROGATE.search(start) else value
    if start[0] == '"':
        return _paired(value)
    following = start[end : end + 1]
    if start[0] in "tfn":
        return text if following.isidentifier() or following.isdigit() else start[:end]
    return text if following.strip(" \t\r\n") else _decimal(value)


def _decimal(number: int | float | str) -> float | str:
    """The decimal of a number; the text of one too large for any, which is what Java makes of it."""
    if isinstance(number, str):
        return number
    try:
        return float(number)
    except OverflowError:
        return _INFINITE[number > 0]


_INFINITE: Final = ("-Infinity", "Infinity")
_LINE_ENDS: Final = re.compile("[\n\r]")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _finite(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else _INFINITE[number > 0]


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


_JSON: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)


def _is_deep(value: Any) -> bool:
    layer = [value]
    for _ in range(JSON_DEPTH_MAX):
        layer = [inner for outer in layer for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, (dict, list))]
        if not layer:
            return False
    return True


def _storable(value: Any) -> Any:
    """*value* with U+FFFD for every half of a pair that stands alone: JSON can write one, UTF-8, and so the store, cannot."""
    if isinstance(value, str):
        return _paired(value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_paired(name): _storable(one) for name, one in value.items()}
    return value


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _text_of(body: bytes, content_type: str) -> str:
    charset = charset_of(content_type)
    if charset or is_json(content_type):
        return _decoded(body, charset or "utf-8")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _decoded(body: bytes, charset: str) -> str:
    try:
        return _paired(body.decode(charset, "replace"))
    except (LookupError, ValueError):  # A charset nobody knows, or one of Python's that are not for text.
        return body.decode("utf-8", "replace")


class _Inflater:
    """Undoes gzip or deflate piece by piece, never making more than it is given room for."""

    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding != "deflate"
        self._stream: Any = None

    def feed(self, piece: bytes, room: int) -> bytes:
        """The next bytes; one more than *room* if there are more."""
        made: list[bytes] = []
        try:
            while piece:
                if self._stream is None:
                    self._stream = zlib.decompressobj(31 if self._is_gzip else 15 if _has_zlib_header(piece) else -15)
                elif self._stream.eof:
                    if not (self._is_gzip and piece.startswith(b"\x1f\x8b")):
                        break  # Padding after the end.
                    self._stream = zlib.decompressobj(31)
                body = self._stream.decompress(piece, room + 1)
                made.append(body)
                room -= len(body)
                if room < 0:
                    break
                piece = self._stream.unused_data if self._stream.eof else b""
        except zlib.error as error:
            raise IoFailed("Not in GZIP format" if self._is_gzip else f"not in deflate format: {error}") from error
        return b"".join(made)

    def finish(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise BodyBroken("its compressed form ends too early")


def _inflater(response: HTTPResponse) -> _Inflater | None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    return _Inflater(encoding) if encoding in ("gzip", "x-gzip", "deflate") else None


def _has_zlib_header(piece: bytes) -> bool:
    return len(piece) >= 2 and piece[0] & 0x0F == 8 and (piece[0] << 8 | piece[1]) % 31 == 0
