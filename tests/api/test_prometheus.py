"""The metrics in use: a server that has done everything shows every metric, and a real Prometheus finds what the guide's rules and panels ask for."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from batuta.client.errors import ClientError
from batuta.engine.scrape import FAMILIES
from batuta.testing import EmbeddedServer, embedded

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "watch-with-prometheus.md"
SAMPLE = re.compile(r"^([a-zA-Z_]\w*?)(_bucket|_sum|_count)?(?:\{| )")
NEVER_SEEN = {"task_poll_error_total"}  # only when the store does not answer


class _Once(BaseHTTPRequestHandler):
    """A webhook's receiver that refuses its first post."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        refused, self.server.refused = getattr(self.server, "refused", False), True  # type: ignore[attr-defined]
        self.send_response(200 if refused else 500)
        self.end_headers()

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def busy() -> Iterator[EmbeddedServer]:
    """A server on which everything that is counted has happened."""
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), _Once)
    threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with embedded(webhook_url=f"http://127.0.0.1:{receiver.server_port}", stands_still=False) as server:
        _keep_busy(server)
        yield server
    receiver.shutdown()
    receiver.server_close()


def _keep_busy(server: EmbeddedServer) -> None:
    _register(server)
    for name in ("tells_good", "tells_bad", "rates", "rates", "flow", "flow"):
        server.client.start_workflow(name, {})
    task = _polled(server, "job")
    assert _polled(server, "job") is None  # one at a time
    report = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED"}
    for _ in range(2):  # the second one is late
        server.client.request("POST", "/tasks", body=report)
    assert _polled(server, "job")
    server.clock.advance(seconds=11)  # no word from its worker
    assert _polled(server, "rated") and _polled(server, "rated") is None  # one a minute
    with suppress(ClientError):
        server.client.start_workflow("no such workflow", {})
    server.clock.advance(minutes=2)  # the schedule fires
    server.client.request("DELETE", f"/workflow/{task['workflowInstanceId']}/remove", query={"archiveWorkflow": "true"})
    server.until(lambda: "webhook_publish_success_total{" in page(server) and "event_execution_success_total{" in page(server))


def _register(server: EmbeddedServer) -> None:
    def call(path: str, body: Any) -> None:
        server.client.request("POST", path, body=body)

    def node(name: str, kind: str = "SIMPLE", **fields: Any) -> dict[str, Any]:
        return {"name": name, "taskReferenceName": name, "type": kind, **fields}

    server.client.register_task_defs([
        {"name": "job", "concurrentExecLimit": 1, "responseTimeoutSeconds": 10, "retryCount": 0, "ownerEmail": "t@example.com"},
        {"name": "rated", "rateLimitPerFrequency": 1, "rateLimitFrequencyInSeconds": 60, "ownerEmail": "t@example.com"},
    ])  # fmt: skip
    for name, task in {
        "flow": node("job"), "rates": node("rated"), "tells_good": node("tell", "EVENT", sink="conductor:told"),
        "tells_bad": node("tell", "EVENT", sink="conductor:told"),
    }.items():  # fmt: skip
        server.client.register_workflow({"name": name, "tasks": [task]}, overwrite=True)
    for kind, starts in (("good", "rates"), ("bad", "no such workflow")):
        action = {"action": "start_workflow", "start_workflow": {"name": starts}}
        call("/event", {"name": kind, "event": f"conductor:tells_{kind}:told", "active": True, "actions": [action]})
    call("/scheduler/schedules", {"name": "s", "cronExpression": "0 * * * * *", "startWorkflowRequest": {"name": "no such workflow"}})


def _polled(server: EmbeddedServer, name: str) -> Any:
    return server.client.request("GET", f"/tasks/poll/{name}")


def page(server: EmbeddedServer) -> str:
    with urllib.request.urlopen(server.url.removesuffix("/api") + "/actuator/prometheus", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_every_metric_has_a_sample_once_everything_has_happened(busy: EmbeddedServer) -> None:
    samples = [match for line in page(busy).splitlines() if (match := SAMPLE.match(line))]
    seen = {match[1] for match in samples} | {match[1] + (match[2] or "") for match in samples}
    assert {family.name for family in FAMILIES} - seen == NEVER_SEEN
    assert sum(1 for line in page(busy).splitlines() if line.startswith("# TYPE")) == len(FAMILIES)


# -- with Prometheus' own programs ----------------------------------------------------------------------------------------------------


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        warnings.warn(f"{name} is not installed (Debian: apt install prometheus); nobody but us has looked at the metrics", stacklevel=2)
        pytest.skip(f"{name} is not installed")
    return found


def rules() -> str:
    [found] = re.findall(r"^```yaml\n(# rules.yml\n.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def panels() -> list[str]:
    rows = GUIDE.read_text().partition("## Panels")[2].splitlines()
    return [expression for row in rows if row.startswith("| ") for expression in re.findall(r"`([^`]+)`", row)]


def test_promtool_takes_the_rules_of_the_guide(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules())
    checked = subprocess.run([program("promtool"), "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[str]:
    """A Prometheus that looks at the target every tenth of a second, and where it answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    config = {"job_name": "conductor", "metrics_path": "/actuator/prometheus", "scrape_interval": "100ms", "static_configs": [{"targets": [target]}]}
    (directory / "prometheus.yml").write_text(json.dumps({"scrape_configs": [config]}))
    command = [program("prometheus"), f"--config.file={directory / 'prometheus.yml'}", f"--storage.tsdb.path={directory / 'data'}"]
    with subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def ask(url: str, expression: str) -> list[Any]:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": expression}), timeout=5) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
            return found
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return []  # it is starting
        raise AssertionError(f"{expression}: {error.read().decode()}") from None
    except OSError:
        return []  # it has not started yet


def test_prometheus_finds_every_metric_of_rules_and_panels_and_gives_them_numbers(busy: EmbeddedServer, tmp_path: Path) -> None:
    given = [*re.findall(r"^        expr: (?:\|\n((?:          .*\n)+)|(.*)\n)", rules(), re.MULTILINE)]
    expressions = [long or short for long, short in given] + panels()
    named = {name for text in expressions for name in re.findall(r"\b[a-z]\w*_\w+\b", text)} - {"histogram_quantile", "workflow_name"}
    assert len(expressions) > 15 and len(named) > 12
    with prometheus(tmp_path, f"127.0.0.1:{busy.port}") as url:
        end = time.monotonic() + 20
        while not ask(url, "count_over_time(conductor_workflow_active_count[1m]) > 3"):
            assert time.monotonic() < end, "Prometheus has not looked at the server within 20 s"
            threading.Event().wait(0.05)
        assert not [name for name in sorted(named) if not ask(url, name)]
        for expression in expressions:
            ask(url, expression)  # it can be read
        assert all(ask(url, panel) for panel in panels())
