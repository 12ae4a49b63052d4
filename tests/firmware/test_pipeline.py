"""The workflows on a real server: the form for production and the guides' own, with faults in the build and on the device."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from firmware_kit import HASTE, needs_compiler

from batuta.client import TERMINAL_STATUSES, Execution, SyncClient
from batuta.testing import embedded
from batuta.testing.server import EmbeddedServer
from batuta_firmware import definitions, health
from batuta_firmware.address import parse
from batuta_firmware.demo.source import DemoCommits, make
from batuta_firmware.settings import Settings
from batuta_firmware.twin import Twin
from batuta_firmware.workers import workers

pytestmark = needs_compiler
MakeTwin = Callable[..., Twin]
FAILURE = "conductor.failure_workflow"
LONG_S = 90.0


@dataclass
class Works:
    """A server with the workers of one settings record, a twin and the demo's commits."""

    server: EmbeddedServer
    client: SyncClient
    settings: Settings
    twin: Twin
    commits: DemoCommits

    def run(self, workflow: str, /, **given: Any) -> Execution:
        execution_id = self.client.start_workflow(workflow, given)
        return self.ended(execution_id)

    def ended(self, execution_id: str) -> Execution:
        return self.client.wait_for_workflow(execution_id, LONG_S, until=TERMINAL_STATUSES)

    def pipeline(self, commit: str, **more: Any) -> Execution:
        given = {"repo": "K1.node1", "branch": "main", "commit_sha": commit, "environment": "esp32-s3-devkitc-1", **more}
        return self.run("firmware-ci-cd-pipeline", **given)

    def attempt_has_ended(self, execution_id: str, attempt: int) -> None:
        """Return once that attempt of the execution's first task has failed."""
        for _ in range(200):
            seen = self.client.get_workflow(execution_id)
            if len(seen.tasks) >= attempt and seen.tasks[attempt - 1].is_terminal:
                return
            with contextlib.suppress(TimeoutError):
                self.client.wait_for_workflow(execution_id, 0.1)
        raise AssertionError(f"attempt {attempt} of {execution_id} did not end")

    @property
    def device(self) -> dict[str, Any]:
        return {"device_address": self.twin.address, "ota_port": self.twin.ota.port}

    def runs(self) -> str:
        now = self.twin.device.snapshot()
        return now.identity if now else "nothing"


def status_of(execution: Execution, ref: str) -> str | None:
    return next((task.status for task in reversed(execution.tasks) if task.ref == ref), None)


@pytest.fixture
def works(tmp_path: Path, settings: Settings, make_twin: MakeTwin, platformio_home: Path, prompt: health.Clock) -> Iterator[Callable[..., Works]]:
    servers: list[Any] = []

    def works(form: definitions.Form = "corrected", **faults: Any) -> Works:
        twin, commits = make_twin(rate_limit=False, **faults), make(tmp_path)
        settings.storage.mkdir(exist_ok=True)
        (settings.storage / "platformio").symlink_to(platformio_home)
        address = parse(twin.address, ota_port=twin.ota.port)
        server = embedded()
        server.__enter__()
        servers.append(server)
        own = dataclasses.replace(
            settings, server_url=server.url, project=commits.project, ota_patience=HASTE, device=address, aliases={"192.168.1.104": address},
            health_deadline_s=10.0,
        )  # fmt: skip
        host = server.run_workers([one.replace(poll_timeout_s=0.2) for one in workers(own, server.client, clock=prompt)])
        host.__enter__()
        servers.append(host)
        loaded = definitions.load(form)
        if form == "corrected":
            definitions.register(server.client, loaded)
        else:
            for task in loaded.tasks:  # as the guides do: one object at a time
                server.client.request("POST", "/metadata/taskdefs", body=task)
            for workflow in loaded.workflows:  # whose /tmp is the test's own
                placed = json.dumps(workflow).replace("/tmp/", f"{settings.build_root}/")
                server.client.request("POST", "/metadata/workflow", body=json.loads(placed))
        return Works(server, server.client, own, twin, commits)

    yield works
    for one in reversed(servers):
        one.__exit__(None, None, None)


MakeWorks = Callable[..., Works]


def test_a_good_commit_reaches_the_device_and_its_commit_comes_back(works: MakeWorks) -> None:
    at = works()
    done = at.pipeline(at.commits.good[:7], **at.device)
    assert done.status == "COMPLETED", done.reason
    assert {key: done.output[key] for key in ("build_success", "deployment_status", "commit_sha", "device")} == {
        "build_success": True, "deployment_status": "healthy", "commit_sha": at.commits.good, "device": at.twin.address,
    }  # fmt: skip
    assert done.output["firmware_path"].startswith("file://")
    assert at.runs() == at.commits.good
    assert {task.status for task in done.tasks} == {"COMPLETED"}


def test_a_gate_stops_a_build_and_the_handler_runs_once(works: MakeWorks) -> None:
    at = works()
    done = at.pipeline(at.commits.good, max_flash_percent=1, **at.device)
    assert done.status == "FAILED"
    assert done.output["failure_reasons"] == ["flash_usage_percent is 1.83, above the limit of 1"]
    assert status_of(done, "store_artifact") is None
    handler = at.ended(done.output[FAILURE])
    assert (handler.status, handler.output["failure_type"]) == ("COMPLETED", "gate")
    assert at.runs() == "factory"
    assert at.twin.ota.invitations == 0
    assert list(at.settings.build_root.iterdir()) == []


def test_a_build_alone_stores_and_touches_no_device(works: MakeWorks) -> None:
    at = works()
    done = at.run("firmware-build", repo="K1.node1", branch="main", commit_sha=at.commits.good, environment="esp32-s3-devkitc-1")
    assert done.status == "COMPLETED", done.reason
    assert done.output["artifact_id"].startswith(at.commits.good[:12])
    assert at.twin.ota.invitations == 0
    deployed = at.run("firmware-deploy", artifact_id=done.output["artifact_id"], **at.device)
    assert (deployed.status, deployed.output["status"]) == ("COMPLETED", "healthy")


@pytest.mark.parametrize(("change", "failed"), [({"commit_sha": "f" * 40}, "validate_commit"), ({"environment": "none"}, "platformio_compile")])
def test_what_cannot_be_built_fails_at_once_and_is_told(works: MakeWorks, change: dict[str, str], failed: str) -> None:
    at = works()
    given = {"repo": "K1.node1", "branch": "main", "commit_sha": at.commits.good, "environment": "esp32-s3-devkitc-1", **at.device, **change}
    done = at.run("firmware-ci-cd-pipeline", **given)
    assert (done.status, status_of(done, failed)) == ("FAILED", "FAILED_WITH_TERMINAL_ERROR")
    handler = at.ended(done.output[FAILURE])
    assert (handler.status, handler.output["failed_task"]) == ("COMPLETED", failed)


def test_a_silent_device_is_tried_four_times_then_left_as_it_was(works: MakeWorks) -> None:
    at = works(offline=True)
    built = at.run("firmware-build", repo="K1.node1", branch="main", commit_sha=at.commits.good, environment="esp32-s3-devkitc-1")
    execution_id = at.client.start_workflow("firmware-deploy", {"artifact_id": built.output["artifact_id"], **at.device})
    for attempt, wait_s in ((1, 60), (2, 120), (3, 240)):
        at.attempt_has_ended(execution_id, attempt)
        at.server.clock.advance(seconds=wait_s - 5)
        assert len(at.client.get_workflow(execution_id).tasks) == attempt + 1, "the next attempt waits from then on"
        assert at.client.get_workflow(execution_id).tasks[-1].poll_count == 0
        at.server.clock.advance(seconds=6)
    done = at.ended(execution_id)
    assert done.status == "FAILED"
    assert [task.status for task in done.tasks] == ["FAILED"] * 4
    handler = at.ended(done.output[FAILURE])
    assert (handler.status, handler.output["rollback_needed"]) == ("COMPLETED", False)
    assert handler.input["workflowId"] == execution_id
    assert status_of(handler, "send_unchanged_notification") == "COMPLETED"


def test_the_guides_own_form_imports_and_runs(works: MakeWorks) -> None:
    at = works("original")
    done = at.pipeline(at.commits.good)
    assert done.status == "COMPLETED", done.reason
    assert (done.output["build_success"], done.output["deployment_status"]) == (True, "healthy")
    assert at.runs() == at.commits.good
    stopped = at.pipeline(at.commits.warning)
    assert (stopped.status, stopped.output["build_success"]) == ("COMPLETED", False)
    assert status_of(stopped, "send_build_failure_notification") == "COMPLETED"
    assert at.runs() == at.commits.good


def test_a_rollback_asked_for_by_hand_as_in_the_guide(works: MakeWorks) -> None:
    at = works()
    assert at.pipeline(at.commits.good, **at.device).status == "COMPLETED"
    second = at.pipeline(at.commits.warning, max_warnings=1, **at.device)
    assert (second.status, at.runs()) == ("COMPLETED", at.commits.warning)
    by_hand = at.run("deployment-rollback-handler", failed_workflow_id=second.id, device_ip=at.twin.address, ota_port=at.twin.ota.port)
    assert (by_hand.status, by_hand.output["status"]) == ("COMPLETED", "healthy")
    assert by_hand.output["version"] == at.commits.good
    assert at.runs() == at.commits.good


def test_a_rollback_that_fails_is_told_to_people(works: MakeWorks) -> None:
    at = works(identity="a" * 40)  # whatever it is given, the device says it runs something else
    failed = at.pipeline(at.commits.good, **at.device)
    deployment = next(task.json["subWorkflowId"] for task in failed.tasks if task.ref == "firmware_deploy")
    rollback = at.ended(at.ended(deployment).output[FAILURE])
    assert rollback.status == "FAILED"
    assert rollback.reason is not None and "no other firmware was ever found healthy" in rollback.reason
    assert at.ended(rollback.output[FAILURE]).output["failure_type"] == "rollback"
