"""kill -9 while a webhook is being told: whatever was acknowledged is told of, in its order, and what comes twice comes under the same id."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from serving import free_port, launch

CRASHES = 3
CHANGES = ["started", "completed", "finalized"]


class Receiver(ThreadingHTTPServer):
    """Refuses every third message once; `taken` are ids and bodies in the order of taking."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.refused: set[str] = set()
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        id = self.headers["webhook-id"]
        with self.server.lock:
            takes = id in self.server.refused or zlib.crc32(id.encode()) % 3 > 0
            (self.server.taken.append((id, body)) if takes else self.server.refused.add(id))
        self.send_response(200 if takes else 503)
        self.end_headers()

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    there = Receiver()
    threading.Thread(target=there.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield there
    there.shutdown()
    there.server_close()


def post(url: str, body: Any) -> str | None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def test_what_was_acknowledged_is_told_after_every_crash(tmp_path: Path, receiver: Receiver) -> None:
    settings = {"BATUTA_WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_port}", "BATUTA_WEBHOOK_WORKFLOWS": ",".join(CHANGES)}
    port, started = free_port(), list[str]()
    served = launch(tmp_path, port, environment=settings)
    flow = {"name": "flow", "version": 1, "workflowStatusListenerEnabled": True, "tasks": [{"name": "n", "taskReferenceName": "n", "type": "NOOP"}]}
    post(served.url + "/metadata/workflow", flow)
    for crash in range(CRASHES + 1):
        threads = [threading.Thread(target=_start, args=(served.url, started, 15)) for _ in range(3)]
        for thread in threads:
            thread.start()
        if crash < CRASHES:
            _until(lambda crash=crash: len(started) >= 25 * (crash + 1))  # type: ignore[misc]
            served.kill()
        for thread in threads:
            thread.join()
        if crash < CRASHES:
            served = launch(tmp_path, port, environment=settings)
    try:
        _until(lambda: {body["workflowId"] for _, body in receiver.taken if body["eventType"] == "finalized"} >= set(started))
        _until(lambda: served.get("/admin/stats").get("outbox") == 0)
    finally:
        served.kill()
    for id in started:
        told = list(dict.fromkeys((message, body["eventType"]) for message, body in receiver.taken if body["workflowId"] == id))
        assert [change for _, change in told] == CHANGES, told
    assert len(started) > 100


def _start(url: str, started: list[str], count: int) -> None:
    for _ in range(count):
        if (id := post(url + "/workflow/flow", {})) is None:
            return
        started.append(id)


def _until(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come to pass within 30 s"
        threading.Event().wait(0.02)
