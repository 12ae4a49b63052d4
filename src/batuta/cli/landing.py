"""
The page on the UI port: recent executions, and one execution with its tasks. Only to look at; the console proper is not here yet.

Here: a GET-only HTTP/1.1 server small enough to read, the two pages (pages/), and what they show, read straight from the engine. Not here: the API.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from batuta.errors import NotFound

if TYPE_CHECKING:
    from batuta.app import Server

HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_S_MAX: Final = 10.0
CONNECTIONS_MAX: Final = 100
RECENT_MS: Final = 24 * 3600 * 1000
RECENT_MAX: Final = 100


class Answer(NamedTuple):
    """What goes back."""

    status: str
    kind: str
    body: bytes
    policy: str = "default-src 'none'"


class Landing:
    """Serves the page until stopped."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listening: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> None:
        """Answering when this returns. Raises OSError when the address cannot be had."""
        self._listening = await asyncio.start_server(self._connected, host, port, limit=HEAD_BYTES_MAX)

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._listening is not None
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Nobody is listened to any more."""
        if self._listening is not None:
            self._listening.close()
            for one in list(self._open):
                one.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= CONNECTIONS_MAX:
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and good-bye."""
        try:
            async with asyncio.timeout(HEAD_S_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
                answer = await self._answer(method, target.partition("?")[0])
                writer.write(_head(answer) + (b"" if method == "HEAD" else answer.body))
                await writer.drain()
        except (TimeoutError, OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            pass  # a client that is slow, gone, or speaks something else
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, method: str, path: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return _text("405 Method Not Allowed", "This page is only to look at; the API is on another port.\n")
        match [unquote(part) for part in path.strip("/").split("/")]:
            case [""]:
                return _page("executions.html")
            case ["execution", _] | ["execution", _, _]:
                return _page("execution.html")
            case ["data", "executions"]:
                return await self._recent()
            case ["data", "execution", execution_id]:
                return await self._execution(execution_id)
            case _:
                return _text("404 Not Found", f"There is nothing at {path}.\n")

    async def _execution(self, execution_id: str) -> Answer:
        """The execution as `GET /api/workflow/{id}` shows it."""
        from batuta.wire.codec import encode
        from batuta.wire.execution import workflow_view

        try:
            x = await self._server.engine.read(execution_id)
        except NotFound as error:
            return Answer("404 Not Found", "application/json", json.dumps({"message": str(error)}).encode())
        return Answer("200 OK", "application/json", encode(workflow_view(x, self._server.clock.now())))

    async def _recent(self) -> Answer:
        """What began within a day, newest first, and where the API is."""
        now = self._server.clock.now()
        found = await self._server.engine.find(created_from=now - RECENT_MS, limit=10_000)
        executions = [
            {"id": f.execution_id, "name": f.head.name, "version": f.head.definition_version, "status": f.head.status,
             "correlation": f.head.correlation_id, "began": f.head.created_at, "ended": f.head.ended_at}
            for f in reversed(found[-RECENT_MAX:])
        ]  # fmt: skip
        shown = {"now": now, "port": self._server.port, "count": len(found), "executions": executions}
        return Answer("200 OK", "application/json", json.dumps(shown).encode())


def _head(answer: Answer) -> bytes:
    return (
        f"HTTP/1.1 {answer.status}\r\ncontent-type: {answer.kind}\r\ncontent-length: {len(answer.body)}\r\nconnection: close\r\n"
        f"cache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-security-policy: {answer.policy}\r\n\r\n"
    ).encode()


def _text(status: str, text: str) -> Answer:
    return Answer(status, "text/plain;charset=utf-8", text.encode())


@functools.cache
def _page(name: str) -> Answer:
    """A page, which may run its own script and ask this port, and nothing else."""
    pages = resources.files("batuta.cli").joinpath("pages")
    style, shared = pages.joinpath("style.css").read_bytes(), pages.joinpath("shared.js").read_bytes()
    html = pages.joinpath(name).read_bytes().replace(b"/*style.css*/", style).replace(b"/*shared.js*/", shared)
    script = html.partition(b"<script>")[2].partition(b"</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    policy = f"default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    return Answer("200 OK", "text/html;charset=utf-8", html, policy)
