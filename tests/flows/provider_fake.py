"""
The providers, on this machine: OpenAI's API and fal's queue as they speak on the wire, with faults on demand and a log of every request.

What it answers with are real small media, so that whatever comes behind works on something real.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from studio import film, picture, sound

Json = Any


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json


@dataclass
class Answer:
    """What is answered. *then*: done before the answer is sent; *drops*: the connection is closed instead."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)
    drops: bool = False
    then: Callable[[], None] | None = None


class Hold:
    """Requests that are kept waiting for their answers until `go` is set."""

    def __init__(self, beginning: str) -> None:
        self.beginning, self.arrived, self.go = beginning, threading.Semaphore(0), threading.Event()

    def waits(self, asked: Asked) -> None:
        if not self.go.is_set() and f"{asked.method} {asked.path}".startswith(self.beginning):
            self.arrived.release()
            self.go.wait(300)

    def reached(self, times: int = 1) -> None:
        """Return when so many requests are held. Raises AssertionError when they do not come."""
        for i in range(times):
            assert self.arrived.acquire(timeout=180), f"{self.beginning!r} was asked for {i} times, expected {times}"


class Providers:
    """The server, its log, and what it is to do wrong: `faults` by the beginning of a path (with its method), each once, in order."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Answer]] = {}
        self.looks = 2  # how often a job of fal is asked for before it is done
        self.jobs: dict[str, int] = {}
        self.cancelled: list[str] = []
        self.said = "Once upon a time. There was a fox. It was clever."
        self._holds: list[Hold] = []
        self._lock = threading.Lock()
        self.url = ""

    def hold(self, beginning: str) -> Hold:
        """Requests that begin so (with their method) are held until told otherwise; they count as asked from then on."""
        self._holds.append(found := Hold(beginning))
        return found

    def let_go(self) -> None:
        """Nothing is held any more."""
        for one in self._holds:
            one.go.set()

    def submitted(self) -> list[Asked]:
        """The requests that cost money."""
        return [one for one in self.asked if one.method == "POST"]

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
        for one in list(self._holds):
            one.waits(asked)
        with self._lock:
            for beginning, faults in self.faults.items():
                if f"{asked.method} {asked.path}".startswith(beginning) and faults:
                    return faults.pop(0)
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        path = asked.path
        if path.startswith("/v1/"):
            return self._openai(path.removeprefix("/v1"))
        if path.startswith("/media/"):
            found = {"png": picture, "mp4": film}.get(path.rpartition(".")[2], sound)
            return Answer(200, found(1), {"Content-Type": "image/png"})
        if path.startswith("/service/"):
            return Answer(200, {"type": "x", "output": {"imageUrl": f"{self.url}/media/swapped.png"}})
        return self._fal(asked)

    def _openai(self, path: str) -> Answer:
        headers = {"x-request-id": "req-1"}
        match path:
            case "/chat/completions":
                message = {"role": "assistant", "content": self.said}
                choice = {"index": 0, "finish_reason": "stop", "message": message}
                usage = {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
                return Answer(200, {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-6-luna", "choices": [choice], "usage": usage}, headers)
            case "/images/generations" | "/images/edits":
                return Answer(200, {"created": 1, "data": [{"b64_json": base64.b64encode(picture(2)).decode()}]}, headers)
            case "/audio/speech":
                return Answer(200, sound(3), {**headers, "Content-Type": "audio/wav"})
        return Answer(404, {"error": {"message": "no such path", "code": "not_found"}})

    def _fal(self, asked: Asked) -> Answer:
        parts = asked.path.strip("/").split("/")
        if asked.method == "POST":
            id = f"job-{len(self.jobs) + 1}"
            self.jobs[id] = 0
            root = f"{self.url}/{parts[0]}/{parts[1]}/requests/{id}"
            urls = {"response_url": root, "status_url": f"{root}/status", "cancel_url": f"{root}/cancel"}
            return Answer(200, {"request_id": id, "queue_position": 2, "status": "IN_QUEUE", **urls})
        id = parts[3]
        if asked.method == "PUT":
            self.cancelled.append(id)
            return Answer(202, {"status": "CANCELLATION_REQUESTED"})
        if parts[-1] == "status":
            self.jobs[id] += 1
            if self.jobs[id] >= self.looks:
                return Answer(200, {"status": "COMPLETED", "logs": None, "metrics": {"inference_time": 1.0}})
            return Answer(202, {"status": "IN_QUEUE", "queue_position": 2})
        media = {"images": [{"url": f"{self.url}/media/a.png"}], "audio_file": {"url": f"{self.url}/media/a.wav"}, "audio": {"url": f"{self.url}/media/a.wav"}}
        media["video"] = {"url": f"{self.url}/media/a.mp4"}
        return Answer(200, media)


@contextmanager
def providers(known: Providers | None = None) -> Iterator[Providers]:
    """The server, for as long as the block lasts."""
    known = known or Providers()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = raw
            answer = known.answer(Asked(self.command, self.path.partition("?")[0], {k.lower(): v for k, v in self.headers.items()}, body))
            if answer.then is not None:
                answer.then()
            if answer.drops:
                self.close_connection = True
                return
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # whoever asked is gone: killed, mostly
                self.wfile.write(content)

        do_POST = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)  # how soon it ends
    thread.start()
    try:
        yield known
    finally:
        known.let_go()
        server.shutdown()
        server.server_close()
        thread.join(5)
