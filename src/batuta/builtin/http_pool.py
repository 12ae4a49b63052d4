"""
Connections for HTTP calls: who may have one, how many there are, and how long anything on one may take.

Here: kept-alive connections by origin, the limits on them, sockets that know the call's deadline, connecting to exactly the addresses the
resolver gave. Not here: judging addresses (guard.py), what is said on a connection (http.py).

A connection is lent to one thread at a time. The environment's proxy settings are never looked at: behind a proxy the addresses that were
judged would not be the ones that are called.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from batuta.builtin.guard import Endpoint, Resolver
from batuta.builtin.http_request import HttpRequest
from batuta.builtin.http_uri import IoFailed, Origin
from batuta.errors import Unavailable

Clock = Callable[[], float]

# Shorter than the keep-alive time of most servers and proxies in between; one that names a shorter time is believed.
IDLE_S: Final = 30.0
_KEEP_ALIVE_TIMEOUT: Final = re.compile(r"timeout\s*=\s*(\d{1,6})", re.IGNORECASE)


class NoRoom(Unavailable):
    """No connection could be had in time, or the worker is stopping. The fault is ours: the same call may be made later."""


class Limits:
    """What the call under way allows its connection; shared by the connection and its socket, read before every operation."""

    __slots__ = ("clock", "connect_s", "deadline", "is_cut", "read_s")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.connect_s = self.read_s = self.deadline = 0.0
        self.is_cut = False

    def left(self, operation_s: float = 0) -> float:
        """
        Seconds the next operation may take: *operation_s* (0: no limit of its own), but never beyond the deadline.

        Raises:
            TimeoutError: the deadline has passed.
            ConnectionAbortedError: the worker is stopping.
        """
        if self.is_cut:
            raise ConnectionAbortedError("stopping")
        left = self.deadline - self.clock()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(operation_s, left) if operation_s else left


class _Socket(socket.socket):
    """
    A plain socket whose every read and write keeps the limits.

    One time limit set on a socket bounds each operation only: a server that sends a byte now and then could hold its caller for ever.
    """

    limits: Limits

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limits.left(self.limits.read_s))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.limits.left())
        super().sendall(*args, **kwargs)


class _TlsSocket(ssl.SSLSocket):
    """The same over TLS, whose sendall is made of sends."""

    limits: Limits

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limits.left(self.limits.read_s))
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limits.left())
        return super().send(*args, **kwargs)


class Connection:
    """One connection to *origin*, made when first used, and made anew after `close`."""

    def __init__(self, origin: Origin, resolve: Resolver, tls: ssl.SSLContext | None, clock: Clock) -> None:
        self.origin = origin
        self.limits = Limits(clock)
        self.idle_until = 0.0
        self._wire: _Plain | _Secure
        if origin.scheme == "https":
            self._wire = _Secure(origin.host, origin.port, ssl_context=tls)
        else:
            self._wire = _Plain(origin.host, origin.port)
        self._wire.limits, self._wire.resolve, self._wire.origin = self.limits, resolve, origin

    @property
    def is_open(self) -> bool:
        return self._wire.sock is not None

    @property
    def is_usable(self) -> bool:
        """Whether it is open and the other side has neither hung up nor said anything unasked."""
        return self._wire.is_connected

    def ask(self, request: HttpRequest) -> HTTPResponse:
        """
        The head of the answer to *request*; its body is still to be read.

        Raises:
            IoFailed: no address of the host could be connected to.
            Refused: the guard forbids one.
            OSError, http.client.HTTPException: the exchange broke off.
        """
        headers: Any = request.headers  # Values are bytes already; http.client takes them, its types do not say so.
        options: dict[str, Any] = {"preload_content": False, "decode_content": False}
        try:
            self._wire.request(request.method, request.target.path, request.body, headers, **options)
        except BrokenPipeError:
            if self._wire.sock is None:
                raise
            # A server may answer and hang up before it has read all of a body it does not want: the answer is there to be read.
        return self._wire.getresponse()

    def keep(self, keep_alive: str) -> None:
        """The answer was read to its end: stay open for a while, for less where the server's Keep-Alive header says so."""
        match = _KEEP_ALIVE_TIMEOUT.search(keep_alive)
        self.idle_until = self.limits.clock() + min(IDLE_S, int(match[1]) - 1 if match else IDLE_S)

    def cut(self) -> None:
        """End whatever another thread does with it, now."""
        self.limits.is_cut = True
        sock = self._wire.sock
        try:
            if sock is not None:
                sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # It was not connected yet, or no longer: the limits stop it before its next operation.

    def close(self) -> None:
        self._wire.close()


class _Plain(HTTPConnection):
    limits: Limits
    resolve: Resolver
    origin: Origin

    def _new_conn(self) -> socket.socket:
        return _connect(self.limits, self.resolve, self.origin)


class _Secure(HTTPSConnection):
    limits: Limits
    resolve: Resolver
    origin: Origin

    def _new_conn(self) -> socket.socket:
        return _connect(self.limits, self.resolve, self.origin)

    def connect(self) -> None:
        super().connect()
        assert isinstance(self.sock, _TlsSocket)  # The class our context makes; see tls_context.
        self.sock.limits = self.limits


def _connect(limits: Limits, resolve: Resolver, origin: Origin) -> socket.socket:
    """A socket to the first address of *origin* that takes the connection. The name is resolved here, once, and nowhere else."""
    try:
        endpoints = resolve(origin.host, origin.port)
    except socket.gaierror as error:
        raise IoFailed(f"{origin.host}: {error.strerror}") from error
    cause = "no address"
    for endpoint in endpoints:
        try:
            return _connect_to(endpoint, limits)
        except TimeoutError:
            cause = "Connect timed out"
        except OSError as error:
            cause = error.strerror or str(error)
    raise IoFailed(f"Connect to {origin.scheme}://{origin} failed: {cause}")


def _connect_to(endpoint: Endpoint, limits: Limits) -> socket.socket:
    sock = _Socket(endpoint.family, socket.SOCK_STREAM)
    sock.limits = limits
    try:
        sock.settimeout(limits.left(limits.connect_s))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(endpoint.sockaddr)
        sock.settimeout(limits.left(limits.connect_s))  # For the TLS handshake, which is one operation.
    except BaseException:
        sock.close()
        raise
    return sock


def tls_context(given: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """*given*, or one that verifies with the system's certificates; from now on it makes sockets that keep the limits, for no other use."""
    context = given or ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return context


class ConnectionPool:
    """
    Lends connections: at most *per_host_max* to one origin and *connections_max* in all, idle ones included.

    Thread-safe. Least recently used ones make room for another origin's.
    """

    def __init__(self, resolve: Resolver, *, per_host_max: int, connections_max: int, tls: ssl.SSLContext | None, clock: Clock = time.monotonic) -> None:
        self._resolve = resolve
        self._per_host_max = per_host_max
        self._connections_max = connections_max
        self._given_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._clock = clock
        self._changed = threading.Condition()
        self._lent: set[Connection] = set()
        self._lent_to: Counter[Origin] = Counter()
        self._idle: list[Connection] = []  # Oldest first.
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def take(self, origin: Origin, wait_s: float) -> Connection:
        """
        A connection to *origin* for the caller alone, to be given back; waits up to *wait_s* for one.

        Raises:
            NoRoom: as many as may be were in use all the time, or the pool is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._has_room(origin), wait_s)
            if self._is_closed:
                raise NoRoom("the HTTP worker is stopping")
            if not self._has_room(origin):
                busy = f"{self._lent_to[origin]} under way there and {len(self._lent)} in all"
                raise NoRoom(f"no place for a call to {origin}: {busy}, and none ended within {wait_s:g} s")
            connection = self._idle_to(origin) or self._new(origin)
            connection.idle_until = 0  # Until it is said to be good for another use.
            self._lent.add(connection)
            self._lent_to[origin] += 1
            return connection

    def give_back(self, connection: Connection) -> None:
        """Take *connection* back: closed, unless it was said to `keep`."""
        with self._changed:
            self._lent.discard(connection)
            self._lent_to[connection.origin] -= 1
            if not self._lent_to[connection.origin]:
                del self._lent_to[connection.origin]  # Hosts come and go; only those in use are remembered.
            if connection.is_open and not self._is_closed and connection.idle_until > self._clock():
                self._idle.append(connection)
            else:
                connection.close()
            self._changed.notify_all()

    def close(self) -> None:
        """Lend no more, drop what is idle, and break off what is under way. Safe to call again."""
        with self._changed:
            self._is_closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            for connection in self._lent:
                connection.cut()
            self._changed.notify_all()

    def _has_room(self, origin: Origin) -> bool:
        return self._lent_to[origin] < self._per_host_max and len(self._lent) < self._connections_max

    def _idle_to(self, origin: Origin) -> Connection | None:
        """The most recently used idle connection to *origin*. Those that are past their time or that the other side ended are dropped."""
        now = self._clock()
        for connection in reversed(self._idle[:]):
            is_good = connection.idle_until > now and (connection.origin != origin or connection.is_usable)
            if not is_good or connection.origin == origin:
                self._idle.remove(connection)
            if not is_good:
                connection.close()
            elif connection.origin == origin:
                return connection
        return None

    def _new(self, origin: Origin) -> Connection:
        while len(self._lent) + len(self._idle) >= self._connections_max:
            self._idle.pop(0).close()
        if origin.scheme == "https" and self._tls is None:
            self._tls = tls_context(self._given_tls)  # Not before it is needed: reading the system's certificates takes 50 ms.
        return Connection(origin, self._resolve, self._tls, self._clock)
