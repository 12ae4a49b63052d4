"""
A server under measurement, in a process of its own: started in a fresh directory, looked at, ended.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Subject:
    """A server under measurement: started, asked, ended."""

    def __init__(self, name: str, command: list[str], port: int, probe: str, limit_s: float) -> None:
        """*port* 0: it takes one that is free and tells which, in a line of JSON. A port that was free a moment ago may be somebody else's by now."""
        self.name, self.port = name, port
        self.folder = tempfile.mkdtemp(prefix=f"bench-{name}-")
        self._command, self._probe, self._limit_s = command, probe, limit_s
        self.ready_s = 0.0

    def start(self) -> Subject:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            self._command, cwd=self.folder, stdout=(Path(self.folder) / "log").open("wb"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - began > self._limit_s:
                raise RuntimeError(f"{self.name} did not come up; see {self.folder}/log")
            time.sleep(0.002)
        self.ready_s = time.perf_counter() - began
        return self

    @property
    def url(self) -> str:
        """The root of its API."""
        return f"http://127.0.0.1:{self.port}/api"

    def _answers(self) -> bool:
        if not self.port:
            told = (Path(self.folder) / "log").read_text().partition("\n")
            if not told[1]:
                return False
            self.port = json.loads(told[0])["port"]
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self._probe}", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def rss_mb(self) -> float:
        """Resident memory of the server and its child processes."""
        total = 0
        for pid in self._family():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
        return total / 1024

    def cpu_s(self) -> float:
        """
        Processor time used so far by the threads that are there.

        As the scheduler counts it: /proc/PID/stat counts ticks of 10 ms, and a thread that a timer wakes at a tick is charged a whole one for the
        microseconds it runs.
        """
        nanoseconds = 0
        for pid in self._family():
            for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    nanoseconds += int(thread.read_text().split()[0])
                except OSError:
                    continue
        return nanoseconds / 1e9

    def _family(self) -> list[int]:
        found, queue = [], [self._process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    queue += [int(child) for child in children.read_text().split()]
                except OSError:
                    continue
        return found


def ours() -> Subject:
    """The server of this checkout, on a fresh directory."""
    return Subject("batuta", [sys.executable, "-m", "batuta", "server", "--port", "0", "--ui-port", "0", "--data", "data", "--json"], 0, "/health", 30)
