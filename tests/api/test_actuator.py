"""/actuator as probes and Prometheus ask for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from typing import Any

import pytest
from edgework import Edge

from batuta.engine.metrics import TASK_ENDS
from batuta.engine.scrape import FAMILIES
from batuta.errors import Unavailable

# Names that others gave, and their checker does not like: our users' guide's, and Conductor's with camel-case labels.
GIVEN = {"conductor_workflow_active_count", *(family.name for family in FAMILIES if re.search("[A-Z]", family.name + "".join(family.labels)))}


def busy(edge: Edge) -> str:
    """An edge that has been used, and its page of metrics."""
    edge.engine.observe = edge.services.metrics.observe
    edge.register("flow", edge.task("job"), edge.task("skip", type="NOOP"))
    edge.call("POST", "/api/workflow/flow", {})
    task = edge.call("GET", "/api/tasks/poll/job?domain=").json
    edge.call("POST", "/api/tasks", {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED"})
    edge.call("GET", "/no/such/path")
    edge.call("BREW", "/api/workflow")
    answer = edge.call("GET", "/actuator/prometheus")
    assert (answer.status, answer.kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.text


def test_the_page_tells_what_was_done(edge: Edge) -> None:
    lines = busy(edge).splitlines()
    for line in (
        'conductor_workflow_execution_total{workflow_name="flow",status="COMPLETED"} 1',
        'conductor_workflow_execution_duration_seconds_bucket{workflow_name="flow",le="600"} 1',
        'conductor_task_execution_total{task_name="job",status="COMPLETED"} 1',
        'conductor_task_duration_seconds_count{task_name="job"} 1',
        'conductor_workflow_active_count{workflow_name="flow"} 0',
        'conductor_workflow_oldest_running_seconds{workflow_name="flow"} 0',
        'conductor_task_queue_depth{task_name="job",domain=""} 0',
        'task_poll_count_total{taskType="job",domain="null"} 1',
        'http_server_requests_seconds_count{method="POST",uri="/api/workflow/{name}",status="200"} 1',
        'http_server_requests_seconds_count{method="OTHER",uri="UNKNOWN",status="404"} 1',
        'http_server_requests_seconds_count{method="OTHER",uri="UNKNOWN",status="405"} 1',
        'batuta_build_info{version="1.2.3",python=',
    ):
        assert any(found == line or found.startswith(line) for found in lines), line


def test_every_metric_is_told_with_its_help_and_labels_as_it_says(edge: Edge) -> None:
    text = busy(edge)
    for family in FAMILIES:
        assert f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n" in text
        for line in text.splitlines():
            if line.startswith((f"{family.name}{{", f"{family.name}_bucket{{")):
                labels = [part.partition("=")[0] for part in line[line.index("{") + 1 : line.rindex("}")].split('",')]
                assert [label for label in labels if label != "le"] == list(family.labels), line
    assert text.endswith("\n") and len({line for line in text.splitlines() if line.startswith("# TYPE")}) == len(FAMILIES)
    assert all(f'status="{status}"' in text for status in TASK_ENDS)


def test_prometheus_own_checker_reads_the_page(edge: Edge) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        warnings.warn("promtool is not installed (Debian: apt install prometheus); nobody but us has checked the metrics page", stacklevel=1)
        pytest.skip("promtool is not installed")
    checked = subprocess.run([promtool, "check", "metrics"], input=busy(edge), capture_output=True, text=True, timeout=30, check=False)
    complaints = [line for line in (checked.stdout + checked.stderr).splitlines() if line and line.split()[0] not in GIVEN]
    assert not complaints and checked.returncode in (0, 3)


def test_health_asks_the_store(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = edge.call("GET", "/actuator/health")
    assert (answer.status, answer.json["status"], answer.json["components"]["db"]["status"]) == (200, "UP", "UP")

    async def silent() -> Any:
        raise Unavailable("the disk is gone")

    monkeypatch.setattr(edge.engine.store, "statistics", silent)
    answer = edge.call("GET", "/actuator/health")
    assert (answer.status, answer.json) == (503, {"status": "DOWN", "components": {"db": {"status": "DOWN", "details": {"error": "the disk is gone"}}}})
    assert edge.call("GET", "/actuator/prometheus").status == 503


def test_info_says_what_runs(edge: Edge) -> None:
    assert edge.call("GET", "/actuator/info").json["build"] == {"name": "batuta", "version": "1.2.3"}


def test_the_actuator_says_what_is_below_it(edge: Edge) -> None:
    links = edge.raw("GET", "/actuator", headers=((b"host", b"batuta:8080"),)).json["_links"]
    assert links["prometheus"] == {"href": "http://batuta:8080/actuator/prometheus", "templated": False}
    assert {edge.call("GET", link["href"].removeprefix("http://batuta:8080")).status for link in links.values()} == {200}


def test_conductors_user_interface_finds_its_flags(edge: Edge) -> None:
    script = edge.call("GET", "/context.js")
    assert script.kind.startswith("application/javascript") and "CONDUCTOR_INTEGRATIONS_AI_ENABLED = true" in script.text
