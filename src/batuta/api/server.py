"""
Sockets: the application served by uvicorn inside the caller's event loop, from a bound port to the last answer.

Not here: which loop that is (the command line runs uvloop where there is one), signals, the life of the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from batuta.api.application import Application, Trust
from batuta.api.browsers import Browsers
from batuta.api.http import BODY_BYTES_MAX
from batuta.api.services import Services
from batuta.api.site import Site
from batuta.errors import Unavailable

log = logging.getLogger("batuta.api")

KEEP_ALIVE_S: Final = 75  # longer than the idle time of the usual clients and proxies, so that it is they who close
BACKLOG: Final = 2048
STOP_S: Final = 10  # for requests under way when the server stops; waiting polls are released at once
DATE_S: Final = 1.0  # how often the Date header is renewed


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which belong to the process, and without its ten looks a second at whether to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        while not self.stopping.is_set():
            await self.on_tick(0)  # 0: always the one that renews the Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), DATE_S)


class _Corked(asyncio.Transport):
    """
    A transport that sends what is written within one turn of the event loop in one piece.

    uvicorn writes an answer's head and its body separately: two system calls, and a client that wakes up twice. In one piece a server of
    small answers serves a fifth more requests (GET /health with wrk, 8 connections: 12,900 to 15,700 a second).
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes | bytearray | memoryview] = []
        self.get_extra_info = transport.get_extra_info  # type: ignore[method-assign]
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self.pause_reading = transport.pause_reading  # type: ignore[method-assign]
        self.resume_reading = transport.resume_reading  # type: ignore[method-assign]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._transport.is_closing():
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a corked transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Corked(transport, self.loop))


class Edge:
    """The HTTP door of one server. Start it once, stop it once."""

    def __init__(
        self, services: Services, *, trust: Trust | None = None, body_bytes_max: int = BODY_BYTES_MAX, browsers: Browsers | None = None,
        site: Site | None = None,
    ) -> None:  # fmt: skip
        self._application = Application(services, trust=trust, body_bytes_max=body_bytes_max, site=site or Site(), browsers=browsers)
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, *, also: socket.socket | None = None) -> int:
        """
        Accept requests; the port that is bound, which is *port* unless that is 0. *also*: a second door to the same rooms (see `listening`).

        Raises:
            Unavailable: the address cannot be bound; the message says what to do.
        """
        sock = listening(host, port)
        config = uvicorn.Config(
            self._application,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="warning",  # its start-up lines say nothing that ours do not
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_S,
            backlog=BACKLOG,
        )
        self._server = _Server(config)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(sockets=[sock] if also is None else [sock, also]))
        while not self._server.started:  # set within the next turns of the loop
            if self._serving.done():
                self._serving.result()
                raise Unavailable(f"the server on {host}:{port} stopped while it was starting")
            await asyncio.sleep(0)
        bound: int = sock.getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Nobody is accepted any more, what was under way is answered, waiting polls are answered with nothing."""
        if self._server is None or self._serving is None:
            return
        self._server.stopping.set()
        self._application.release()
        await self._serving
        self._server = self._serving = None


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises Unavailable with what to do about it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise Unavailable(f"cannot listen on {host!r}: {error.strerror}; give an address of this machine, such as 127.0.0.1 or 0.0.0.0") from None
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
        return sock
    except OSError as error:
        sock.close()
        raise Unavailable(f"cannot listen on {host}:{port}: {_advice(error, host, port)}") from None


def _advice(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"another program does; see which with `ss -ltnp 'sport = :{port}'` and stop it, or choose another port"
        case errno.EACCES:
            return f"ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); choose one above, such as {port + 8000 if port < 1024 else 8080}"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; 0.0.0.0 is all of them, 127.0.0.1 only itself"
        case _:
            return str(error.strerror)
