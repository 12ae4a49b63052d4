"""A real server in a process of its own, for tests that talk to it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_S = 20.0


@dataclass
class Served:
    """A running server: its API root, its process, and how to end it abruptly."""

    url: str
    port: int
    data: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.loads(answer.read() or b"null")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def launch(data: Path, port: int, *options: str, environment: dict[str, str] | None = None) -> Served:
    """Start a server on this data directory and wait until it answers."""
    command = [sys.executable, "-m", "batuta", "server", "--port", str(port), "--ui-port", "0", "--data", str(data), *options]
    log = (data / "server.log").open("ab")
    process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    served = Served(f"http://127.0.0.1:{port}/api", port, data, process)
    lock, end = data / "batuta.db.lock", time.monotonic() + READY_S
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
            if not lock.exists() or lock.read_text().strip() == str(process.pid):  # else it is somebody else's who answers there
                return served
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError(f"the server did not come up: {(data / 'server.log').read_text()[-3000:]}")
        time.sleep(0.02)


def until(ask: Callable[[], Any], *, within_s: float = READY_S) -> Any:
    """What *ask* finds, as soon as it finds anything."""
    end = time.monotonic() + within_s
    while not (found := ask()):
        assert time.monotonic() < end, f"nothing came within {within_s} s"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def serve(data: Path, *options: str, environment: dict[str, str] | None = None) -> Iterator[Served]:
    """A server for the duration of a with block."""
    served = launch(data, free_port(), *options, environment=environment)
    try:
        yield served
    finally:
        served.process.terminate()
        try:
            served.process.wait(15)
        except subprocess.TimeoutExpired:
            served.process.kill()
            raise
