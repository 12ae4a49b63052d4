"""
A real web server on 127.0.0.1 for HTTP tasks to call.

It answers as the stub of the recorded runs does (/echo, /status/N, /slow?ms=N, /text, /list, /empty, /badjson), and on any path a test gives it a
function for. Nothing here sleeps: what is slow waits on an event that the end of the test sets.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from batuta.builtin.guard import AddressGuard
from batuta.builtin.http import HttpWorker

PATIENCE_S = 20.0


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    asked: Asked

    def log_message(self, *words: Any) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        with self.server.stub.lock:
            self.server.stub.connections += 1

    def handle_any(self) -> None:
        stub = self.server.stub
        self.asked = Asked(self.command, self.path, list(self.headers.items()), self.rfile.read(int(self.headers.get("content-length") or 0)))
        with stub.lock:
            stub.asked.append(self.asked)
        url = urlsplit(self.path)
        stub.routes.get(url.path, Handler.as_recorded)(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = handle_any

    def send(self, status: int, body: bytes = b"", *headers: tuple[str, str], kind: str | None = "application/json", phrase: str | None = None) -> None:
        self.send_response(status, phrase)
        for name, value in ((("content-type", kind),) if kind else ()) + headers + (("content-length", str(len(body))),):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_raw(self, *pieces: bytes) -> None:
        """Whole bytes of an answer, status line and all; the connection ends after them."""
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
        self.close_connection = True

    def as_recorded(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        match url.path.strip("/").split("/"):
            case ["status", code]:
                self.send(int(code), json.dumps({"asked": int(code)}).encode())
            case ["slow"]:
                self.server.stub.ended.wait(int(query["ms"]) / 1000)
                self.send(200, json.dumps({"slept": int(query["ms"])}).encode())
            case ["text"]:
                self.send(200, b"plain words", kind="text/plain")
            case ["list"]:
                self.send(200, b'[1, {"a": 2}, "three"]')
            case ["empty"]:
                self.send(204, kind=None)
            case ["badjson"]:
                self.send(200, b"{not json")
            case _:
                self.send(200, json.dumps(self.echo(url.path, query)).encode())

    def echo(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        try:
            body = json.loads(self.asked.body) if self.asked.body else None
        except ValueError:
            body = self.asked.body.decode()
        kept = {name.lower(): value for name, value in self.asked.headers if name.lower().startswith("x-") or name.lower() in ("content-type", "accept")}
        return {"method": self.command, "path": path, "query": query, "headers": kept, "body": body}


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    stub: Stub

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.stub.hung_up.release()

    def handle_error(self, request: Any, address: Any) -> None:
        """A caller that hung up: part of the play."""


@dataclass
class Stub:
    """
    The server as a test sees it. `routes` maps a path to what answers it; `hung_up` is released each time a connection was ended from this side;
    `ended` is set when the test is over.
    """

    port: int = 0
    host: str = "127.0.0.1"
    routes: dict[str, Callable[[Handler], None]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    hung_up: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def request(self, path: str, method: str = "GET", **fields: Any) -> dict[str, Any]:
        """A task's input that asks this server for *path*."""
        return {"http_request": {"uri": self.url + path, "method": method, **fields}}

    def gives(self, path: str, status: int, body: bytes = b"", *headers: tuple[str, str], **options: Any) -> str:
        self.routes[path] = lambda handler: handler.send(status, body, *headers, **options)
        return path


@pytest.fixture
def serve() -> Iterator[Callable[..., Stub]]:
    """Starts a stub on an address of its own; all of them end with the test."""
    running: list[tuple[Stub, Server, threading.Thread]] = []

    def start(host: str = "127.0.0.1", wrap: Callable[[Any], Any] = lambda sock: sock) -> Stub:
        server = Server((host, 0), Handler)
        server.socket = wrap(server.socket)
        stub = server.stub = Stub(port=server.server_address[1], host=host)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((stub, server, thread))
        return stub

    yield start
    for stub, server, thread in running:
        stub.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)


@pytest.fixture
def stub(serve: Callable[..., Stub]) -> Stub:
    return serve()


@pytest.fixture
def make() -> Iterator[Callable[..., HttpWorker]]:
    """Makes workers; all are closed with the test."""
    made: list[HttpWorker] = []

    def worker(guard: AddressGuard | None = None, **options: Any) -> HttpWorker:
        made.append(HttpWorker(guard=guard, **options))
        return made[-1]

    yield worker
    for one in made:
        one.close()


@pytest.fixture
def worker(make: Callable[..., HttpWorker]) -> HttpWorker:
    return make()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


class Clock:
    """Tells the time a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
