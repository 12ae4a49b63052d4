"""
What a worker process counts, as numbers to read and as text for Prometheus.

Here: the counters of one host, their text form, and a small HTTP server for scraping. Not here: the server's own metrics.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DURATION_BOUNDS_S = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)


class Family:
    """One metric: a number for each combination of its labels. A counter is only added to, a gauge may be set."""

    def __init__(self, kind: str, name: str, help: str, labels: tuple[str, ...] = ()) -> None:
        self.kind, self.name, self.help, self.labels = kind, name, help, labels
        self._guard = threading.Lock()
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Add *by* under these labels, given in the family's order."""
        with self._guard:
            self._values[labels] = self._values.get(labels, 0.0) + by

    def set(self, value: float, *labels: str) -> None:
        """Replace the number under these labels."""
        with self._guard:
            self._values[labels] = value

    def value(self, *labels: str) -> float:
        """The number under these labels; 0 when nothing was counted."""
        with self._guard:
            return self._values.get(labels, 0.0)

    def total(self) -> float:
        """The sum over all labels."""
        with self._guard:
            return sum(self._values.values())

    def lines(self) -> Iterator[str]:
        """The family in Prometheus' text format."""
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        with self._guard:
            values = sorted(self._values.items())
        for labels, value in values:
            yield f"{self.name}{_braced(zip(self.labels, labels, strict=True))} {_number(value)}"


class Durations:
    """A histogram of seconds by one label."""

    def __init__(self, name: str, help: str, label: str) -> None:
        self.name, self.help, self.label = name, help, label
        self._guard = threading.Lock()
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, seconds: float, label: str) -> None:
        """Count one duration."""
        with self._guard:
            counts = self._counts.setdefault(label, [0] * (len(DURATION_BOUNDS_S) + 1))
            counts[sum(bound < seconds for bound in DURATION_BOUNDS_S)] += 1
            self._sums[label] = self._sums.get(label, 0.0) + seconds

    def count(self, label: str) -> int:
        """How many durations were counted under this label."""
        with self._guard:
            return sum(self._counts.get(label, ()))

    def lines(self) -> Iterator[str]:
        """The histogram in Prometheus' text format."""
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} histogram"
        with self._guard:
            rows = [(label, list(counts), self._sums[label]) for label, counts in sorted(self._counts.items())]
        for label, counts, total in rows:
            so_far = 0
            for bound, count in zip((*map(_number, DURATION_BOUNDS_S), "+Inf"), counts, strict=True):
                so_far += count
                yield f"{self.name}_bucket{_braced([(self.label, label), ('le', bound)])} {so_far}"
            yield f"{self.name}_sum{_braced([(self.label, label)])} {_number(total)}"
            yield f"{self.name}_count{_braced([(self.label, label)])} {so_far}"


class WorkerMetrics:
    """All that one `WorkerHost` counts. Safe to read from any thread."""

    def __init__(self) -> None:
        self.polls = Family("counter", "batuta_worker_polls_total", "Polls by what they brought: tasks, empty or error.", ("queue", "outcome"))
        self.last_poll = Family("gauge", "batuta_worker_last_poll_timestamp_seconds", "When a poll was last answered.", ("queue",))
        self.slots = Family("gauge", "batuta_worker_slots", "How many tasks may run at once.", ("queue",))
        self.running = Family("gauge", "batuta_worker_tasks_running", "Tasks running now.", ("queue",))
        self.tasks = Family("counter", "batuta_worker_tasks_total", "Tasks run, by the status they ended with.", ("task_type", "status"))
        self.seconds = Durations("batuta_worker_task_seconds", "How long worker functions ran.", "task_type")
        self.leases = Family("counter", "batuta_worker_leases_extended_total", "Leases renewed while a task ran.", ("task_type",))
        self.reports = Family(
            "counter", "batuta_worker_reports_total", "Results by what became of them: sent, kept, resent, refused or lost.", ("outcome",)
        )
        self.reports_pending = Family("gauge", "batuta_worker_reports_pending", "Results waiting for the server to be back.")
        self.server_up = Family("gauge", "batuta_worker_server_up", "Whether the server answered last time.")

    def render(self) -> str:
        """All of it in Prometheus' text format."""
        return "".join(f"{line}\n" for metric in vars(self).values() for line in metric.lines())


class _Listener(ThreadingTCPServer):
    """Not http.server's own, which asks the DNS for its host's name before it listens."""

    daemon_threads = True
    allow_reuse_address = True


class MetricsServer:
    """
    ``GET /metrics`` (and ``/``) on *port*, from a thread of its own, until closed. Port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, metrics: WorkerMetrics, port: int, host: str = "127.0.0.1") -> None:
        self._server = _Listener((host, port), _handler(metrics.render))
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, name="batuta-metrics", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _handler(render: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_GET(self) -> None:
            is_known = self.path.partition("?")[0] in ("/", "/metrics")
            body = render().encode() if is_known else b"only /metrics is here\n"
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Scrapes are not worth a log line."""

    return Handler


def _braced(pairs: Any) -> str:
    text = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
    return f"{{{text}}}" if text else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
