"""
Requests and answers: what HTTP says, before anything is known of the API.

Here: the body and how much of it is read, headers, the query as text, whether the client is still there. Not here: the way from a
request to its answer (application.py), what a parameter means (binding.py), what an error looks like (errors.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_plus

from batuta.errors import TooLarge, Unsupported

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

BODY_BYTES_MAX: Final = 16 * 1024 * 1024
JSON: Final = (b"content-type", b"application/json")
TEXT: Final = (b"content-type", b"text/plain;charset=UTF-8")


class Response:
    """An answer: status, headers and the whole body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", *headers: Header) -> None:
        self.status, self.body, self.headers = status, body, headers

    def start(self) -> MutableMapping[str, Any]:
        """The ASGI message that begins it. An answer without a body has no content type; 204 has no length either."""
        if self.status == 204:
            return {"type": "http.response.start", "status": 204, "headers": self.headers}
        length = (b"content-length", str(len(self.body)).encode())
        return {"type": "http.response.start", "status": self.status, "headers": (*self.headers, length)}


class Streamed(Response):
    """An answer whose body comes in pieces, so that it is never in memory as a whole; *length* is its size, None when its end is not known."""

    __slots__ = ("length", "pieces")

    def __init__(self, status: int, pieces: AsyncIterator[bytes], length: int | None, *headers: Header) -> None:
        super().__init__(status, b"", *headers)
        self.pieces, self.length = pieces, length

    def start(self) -> MutableMapping[str, Any]:
        length = () if self.length is None else ((b"content-length", str(self.length).encode()),)
        return {"type": "http.response.start", "status": self.status, "headers": (*self.headers, *length)}

    async def send(self, send: Send, *, with_body: bool) -> None:
        """Head and body; each piece is made when the one before it has gone out."""
        await send(self.start())
        if with_body:
            async for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.close()
        await send({"type": "http.response.body", "body": b""})

    async def close(self) -> None:
        """What the pieces come from is closed, also when nobody wanted them."""
        if (close := getattr(self.pieces, "aclose", None)) is not None:
            await close()


def json_response(body: bytes, status: int = 200) -> Response:
    """JSON text that is already encoded."""
    return Response(status, body, JSON)


def text_response(text: str, status: int = 200) -> Response:
    """Plain text: ids, counts, the version. Conductor does not quote them, whatever the client accepts."""
    return Response(status, text.encode(), TEXT)


def empty_response() -> Response:
    """200 without a body, as Conductor's void operations answer."""
    return Response(200)


def no_content() -> Response:
    """204: nothing there, or done by an operation that answers so."""
    return Response(204)


class Disconnected(Exception):
    """The client left before its request was complete; there is nobody to answer."""


class Request:
    """One request as a handler may look at it."""

    __slots__ = ("_gone", "_receive", "_watchers", "body", "headers", "method", "path", "pattern", "query_string", "values")

    def __init__(self, scope: Scope, receive: Receive, watchers: set[asyncio.Task[None]]) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1")
        self.query_string: bytes = scope["query_string"]
        self.headers: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))  # by lower-case name; of several of one name the first
        self.pattern = ""  # of the route, once it is found
        self.values: Sequence[str] = ()
        self.body = b""
        self._receive = receive
        self._watchers = watchers
        self._gone: asyncio.Task[None] | None = None

    def header(self, name: bytes) -> bytes:
        """The first header of this lower-case name; empty when there is none."""
        return self.headers.get(name, b"")

    def query(self) -> Mapping[str, list[str]]:
        """The parameters of the query, each with its values in order."""
        return parse_query(self.query_string)

    def client_gone(self) -> asyncio.Future[None]:
        """Done as soon as the client has left or the server is stopping. Ask only when waiting: watching costs a task."""
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_task(self._watch())
            self._watchers.add(self._gone)
            self._gone.add_done_callback(self._watchers.discard)
        return self._gone

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def finish(self) -> None:
        """The request is answered; nobody watches any more."""
        if self._gone is not None:
            self._gone.cancel()

    async def read_body(self, bytes_max: int) -> None:
        """
        Have the whole body in memory.

        Raises:
            TooLarge: it is larger than *bytes_max*, by its own word or as counted while it came.
            Disconnected: the client left.
        """
        declared = self.header(b"content-length")
        if declared.isdigit() and int(declared) > bytes_max:
            raise TooLarge(f"the body has {int(declared)} bytes; at most {bytes_max} are read")
        message = await self._receive()
        chunks: list[bytes] = [message.get("body", b"")]
        size = len(chunks[0])
        while message.get("more_body") or message["type"] == "http.disconnect":
            if message["type"] == "http.disconnect":
                raise Disconnected
            if size > bytes_max:
                break
            message = await self._receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        if size > bytes_max:
            raise TooLarge(f"the body has more than {bytes_max} bytes; no more are read")
        self.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def chunks(self, bytes_max: int) -> AsyncIterator[bytes]:
        """
        The body as it comes, for who does not want it in memory. Larger ones than *bytes_max* are refused by their own word; who reads counts besides.

        Raises:
            TooLarge: it says that it is larger.
            Disconnected: the client left.
        """
        declared = self.header(b"content-length")
        if declared.isdigit() and int(declared) > bytes_max:
            raise TooLarge(f"the body has more than {bytes_max} bytes; no more are kept of a file")
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            if chunk := message.get("body", b""):
                yield chunk
            if not message.get("more_body"):
                return

    def require_json(self) -> None:
        """Raise Unsupported when the body says that it is something else. A body that says nothing is taken at its word."""
        kind = self.header(b"content-type")
        if not kind or kind.startswith(b"application/json"):
            return
        media = kind.partition(b";")[0].strip().lower()
        if media != b"application/json" and not (media.startswith(b"application/") and media.endswith(b"+json")):
            raise Unsupported(f"Content-Type '{kind.decode('latin-1')}' is not supported; expected application/json")


def parse_query(raw: bytes) -> dict[str, list[str]]:
    """The parameters of a query string, each with its values in order; `a` alone is the same as `a=`."""
    found: dict[str, list[str]] = {}
    for part in raw.decode("utf-8", "replace").split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in part or "+" in part:
                name, value = unquote_plus(name), unquote_plus(value)
            found.setdefault(name, []).append(value)
    return found
