"""
The Flow Builder as processes of their own, which can be killed and started again: `batuta flows`, with its own engine or beside a `batuta server`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Json = Any
LIMIT_S = 180.0  # nothing here takes a tenth of it on a machine of its own; a fault reaches it
LOOK_S = 0.1  # each look costs the backend and the engine a few milliseconds
_KEYS = ("CONDUCTOR_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "FAL_KEY", "FAL_QUEUE_URL", "CONTENT_SERVICE_URL", "PORT", "WORKER_ID")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(holds: Callable[[], Any], what: str) -> Any:
    """The value of *holds* once it is true. Raises AssertionError, which says *what* was awaited, when it does not become so."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := holds()):
        assert time.monotonic() < deadline, f"awaited in vain: {what}"
        time.sleep(LOOK_S)
    return found


class Process:
    """A `batuta` command that answers *probe* when it is ready."""

    def __init__(self, arguments: list[str], probe: str, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command, self._probe, self._directory = [sys.executable, "-m", "batuta", *arguments], probe, directory
        self._environment = {name: value for name, value in os.environ.items() if name not in _KEYS} | dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        self.begin()
        self.answers()

    def answers(self) -> None:
        """Return when it answers."""
        until(self._answers, f"{' '.join(self._command)} answers; it said:\n{self.log()[-2000:]}")

    def begin(self) -> None:
        """Start it, and do not wait."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._directory, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def kill(self) -> None:
        """End it as a power cut would, with whatever it has started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(LIMIT_S)
            self._process = None

    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, f"it has ended: {self.log()[-2000:]}"
        try:
            return ask("GET", self._probe)[0] == 200
        except OSError:
            return False


def engine(port: int, directory: Path) -> Process:
    """A server of the orchestrator."""
    arguments = ["server", "--port", str(port), "--ui-port", "0", "--data", str(directory / "engine")]
    return Process(arguments, f"http://127.0.0.1:{port}/health", directory)


def flow_builder(port: int, directory: Path, environment: Mapping[str, str], *, engine_port: int = 0, data: Path | None = None) -> Process:
    """Backend and workers; with *engine_port*, an engine of their own there."""
    own = ["--engine-port", str(engine_port), "--engine-ui-port", "0"] if engine_port else []
    given = {"FLOWS_LOST_AFTER_S": "2", "POLL_INTERVAL_MS": "500", "FLOWS_FETCH_PRIVATE": "true", **environment}
    return Process(["flows", "--port", str(port), "--data", str(data or directory / "data"), *own], f"http://127.0.0.1:{port}/health", directory, given)


def ask(method: str, url: str, body: Json = None) -> tuple[int, Json]:
    """The status and the body of an answer. Raises OSError when none comes."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, _read(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, _read(error.read())


def _read(content: bytes) -> Json:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


class Site:
    """One backend, as its users see it."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Json:
        """The answer; while the backend or its orchestrator is away, it is asked again."""
        return until(lambda: self._get(path), f"GET {path} is answered")

    def _get(self, path: str) -> Json:
        try:
            status, found = ask("GET", self.url + path)
        except OSError:
            return None
        assert status in (200, 503), (path, status, found)
        return found if status == 200 else None

    def post(self, path: str, body: Json = None) -> Json:
        status, found = ask("POST", self.url + path, body if body is not None else {})
        assert status == 200, (path, status, found)
        return found

    def run(self, nodes: list[Json]) -> str:
        return str(self.post("/workflow/run", {"workflowName": "Test", "nodes": nodes})["workflowId"])

    def status(self, run_id: str) -> Json:
        return self.get(f"/workflow/{run_id}/status")

    def node(self, run_id: str, id: str) -> Json:
        return next(node for node in self.status(run_id)["nodeStatuses"] if node["id"] == id)

    def node_is(self, run_id: str, id: str, status: str) -> None:
        """Return when the node is so."""
        until(lambda: self.node(run_id, id)["status"] == status, f"{id} is {status}")

    def ended(self, run_id: str) -> Json:
        """The status once the run is over."""
        return until(lambda: (found := self.status(run_id))["status"] not in ("running", "pending", "paused") and found, "the run is over")
