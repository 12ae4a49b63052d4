"""The workers: the inputs and outputs of each task, and failures as Conductor's two kinds. Without a server."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forge
import pytest

from batuta.client import Failed, FailedForGood, SyncClient, Task, TaskContext, Worker
from batuta_firmware import build, definitions
from batuta_firmware.address import parse
from batuta_firmware.settings import Settings
from batuta_firmware.twin import Twin
from batuta_firmware.workers import WORKERS, Tasks, from_environment, workers

MakeTwin = Callable[..., Twin]
SIZES = "RAM:   [=]  15.0% (used 49168 bytes from 327680 bytes)\nFlash: [=]  1.8% (used 35440 bytes from 1966080 bytes)\n"
NOWHERE = SyncClient("http://127.0.0.1:9/api", timeout_s=1.0)


@pytest.fixture
def by_name(settings: Settings) -> dict[str, Worker[..., Any]]:
    return {one.name: one for one in workers(settings, NOWHERE)}


def context(execution_id: str) -> TaskContext:
    return TaskContext(Task(id="t1", type="x", ref="x", status="IN_PROGRESS", execution_id=execution_id))


def done(worker: Worker[..., Any], execution_id: str = "w1", /, **given: Any) -> dict[str, Any]:
    """What the worker makes of the input *given*, through the binding a host uses."""
    at = context(execution_id)
    output: dict[str, Any] = worker.function(**worker.signature.bind(with_input(at.task, given), at))
    return output


def with_input(task: Task, given: dict[str, Any]) -> Task:
    return Task(id=task.id, type=task.type, ref=task.ref, status=task.status, execution_id=task.execution_id, input=given)


def built(settings: Settings, name: str = "k1-build-x", log: str = SIZES) -> Path:
    """A build directory with a firmware in it, as a build leaves it."""
    folder = settings.build_root / name / "pio" / "esp32"
    folder.mkdir(parents=True)
    (folder / "firmware.bin").write_bytes(forge.image())
    (settings.build_root / name / "build.log").write_text(log)
    return folder / "firmware.bin"


def test_every_task_has_a_worker_that_takes_the_inputs_its_definition_names(by_name: dict[str, Worker[..., Any]]) -> None:
    assert by_name.keys() == WORKERS.keys()
    for task in definitions.load().tasks:
        taken = inspect.signature(by_name[task["name"]].function).parameters
        assert set(task["inputKeys"]) <= set(taken), task["name"]


def test_workers_are_found_by_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTIFACT_STORAGE_PATH", str(tmp_path))
    assert len(from_environment()) == len(WORKERS)


def test_a_build_directory_is_cleaned_and_removed(by_name: dict[str, Worker[..., Any]], settings: Settings) -> None:
    output = done(by_name["clean_build_env"], build_dir="k1-build-x")
    assert output == {"cleaned": True, "build_dir": str(settings.build_root / "k1-build-x")}
    assert done(by_name["cleanup_build_artifacts"], build_dir=output["build_dir"]) == {"cleaned": True}
    assert done(by_name["cleanup_build_artifacts"], build_dir=None) == {"cleaned": False}


def test_metrics_are_told_in_bytes_and_percent(by_name: dict[str, Worker[..., Any]], settings: Settings) -> None:
    output = done(by_name["extract_build_metrics"], firmware_path=str(built(settings)), build_output="a.cpp:1:2: warning: x\n" + SIZES)
    assert {key: output[key] for key in ("flash_usage_bytes", "flash_usage_percent", "ram_usage_bytes", "ram_usage_percent", "warning_count")} == {
        "flash_usage_bytes": 35_440, "flash_usage_percent": 1.81, "ram_usage_bytes": 49_168, "ram_usage_percent": 15.01, "warning_count": 1,
    }  # fmt: skip
    assert output["build_timestamp"].endswith("+00:00")


@pytest.mark.parametrize("named", [True, False])
def test_warnings_before_the_cut_are_counted_from_the_logs_file(by_name: dict[str, Worker[..., Any]], settings: Settings, named: bool) -> None:
    log = "a.cpp:1:2: warning: early\n" + "x" * 80 * 1000 + "\n" + SIZES
    firmware = built(settings, log=log)
    tail = build.tail(log, settings.build_root / "k1-build-x" / "build.log")
    where = {"build_log_path": str(settings.build_root / "k1-build-x" / "build.log")} if named else {}
    assert done(by_name["extract_build_metrics"], firmware_path=str(firmware), build_output=tail, **where)["warning_count"] == 1


def test_a_cut_log_whose_file_is_gone_is_no_clean_build(by_name: dict[str, Worker[..., Any]], settings: Settings) -> None:
    firmware = built(settings)
    (settings.build_root / "k1-build-x" / "build.log").unlink()
    with pytest.raises(FailedForGood) as caught:
        done(by_name["extract_build_metrics"], firmware_path=str(firmware), build_output=build.TRUNCATED + "\n" + SIZES)
    assert caught.value.output is not None
    assert caught.value.output["error_code"] == "build_log_missing"


@pytest.mark.parametrize(("count", "success"), [(0, True), (1, False)])
def test_the_gate_tells_the_first_warning(by_name: dict[str, Worker[..., Any]], count: int, success: bool) -> None:
    output = done(
        by_name["validate_build"], flash_usage_percent=1.8, ram_usage_percent=15, warning_count=count, max_flash_percent=70, max_ram_percent=80,
        max_warnings=0, warnings=["a.cpp:1:2: warning: x"][:count],
    )  # fmt: skip
    assert output["success"] is success
    assert output["failure_reasons"] == ([] if success else ["warning_count is 1, above the limit of 0: a.cpp:1:2: warning: x"])


def test_a_figure_that_is_missing_is_final(by_name: dict[str, Worker[..., Any]]) -> None:
    with pytest.raises(FailedForGood, match="warning_count is None"):
        done(by_name["validate_build"], flash_usage_percent=1, ram_usage_percent=1, max_flash_percent=70, max_ram_percent=80, max_warnings=0)


def test_an_artifact_is_stored_and_can_be_deployed_checked_and_rolled_back(
    by_name: dict[str, Worker[..., Any]], settings: Settings, make_twin: MakeTwin
) -> None:
    twin = make_twin(rate_limit=False)
    kept = done(by_name["store_artifact"], firmware_path=str(built(settings)), version=forge.COMMIT, metadata={"branch": "main"})
    assert kept["artifact_id"] == f"{forge.COMMIT[:12]}-esp32-{kept['sha256'][:12]}"
    device = {"device_address": twin.address, "ota_port": twin.ota.port}
    sent = done(by_name["deploy_firmware_ota"], firmware_path=kept["artifact_url"], sha256=kept["sha256"], **device)
    assert (sent["deployment_status"], sent["artifact_id"]) == ("flashed", kept["artifact_id"])
    found = done(by_name["fetch_last_good_version"], "h", workflow_id="another", **device)
    assert (found["rollback_needed"], found["artifact_id"]) == (False, None)


def test_the_guides_own_input_means_the_device_that_an_alias_says(settings: Settings, make_twin: MakeTwin) -> None:
    twin = make_twin()
    aliased = dataclasses.replace(settings, aliases={"192.168.1.104": parse(twin.address, ota_port=twin.ota.port)})
    tasks = {one.name: one for one in workers(aliased, NOWHERE)}
    kept = done(tasks["store_artifact"], firmware_path=str(built(aliased)), version=forge.COMMIT, metadata={})
    assert done(tasks["deploy_firmware_ota"], device_ip="192.168.1.104", firmware_path=kept["artifact_url"])["device"] == twin.address


OUTSIDE = ["/etc/passwd", "/tmp/firmware.bin", "{root}/firmware.bin", "{root}/other/firmware.bin", "{root}/k1-build-x/../../x"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_only_what_a_build_left_is_stored(by_name: dict[str, Worker[..., Any]], settings: Settings, path: str) -> None:
    with pytest.raises(FailedForGood) as caught:
        done(by_name["store_artifact"], firmware_path=path.format(root=settings.build_root), version=forge.COMMIT, metadata={})
    assert caught.value.output is not None
    assert caught.value.output["error_code"] == "bad_build_dir"


def test_a_passing_fault_may_be_retried_and_says_what_to_do(by_name: dict[str, Worker[..., Any]], settings: Settings, make_twin: MakeTwin) -> None:
    twin = make_twin(drop_at=100)
    kept = done(by_name["store_artifact"], firmware_path=str(built(settings)), version=forge.COMMIT, metadata={})
    with pytest.raises(Failed) as caught:
        done(by_name["deploy_firmware_ota"], firmware_path=kept["artifact_id"], device_address=twin.address, ota_port=twin.ota.port)
    assert not isinstance(caught.value, FailedForGood)
    assert caught.value.output is not None
    assert caught.value.output["error_code"] == "ota_connection_lost"
    assert caught.value.output["error_fix"] == "Check the radio link and the device's power"


def test_a_failed_workflow_that_cannot_be_read_is_tried_again_and_one_that_is_not_named_is_not(by_name: dict[str, Worker[..., Any]]) -> None:
    with pytest.raises(Failed, match="cannot be read"):
        done(by_name["extract_failure_context"], workflow_id="w9")
    assert done(by_name["extract_failure_context"])["build_dir"] is None


def test_people_are_told_once(by_name: dict[str, Worker[..., Any]], settings: Settings) -> None:
    for _ in range(2):
        last = done(by_name["send_build_failure_notification"], message="stopped", details=["too big", "too many"], workflow_id="w1")
    assert last["repeated"] is True
    told = [json.loads(line)["message"] for line in (settings.storage / "notifications.jsonl").read_text().splitlines()]
    assert told == ["stopped\n- too big\n- too many"]


def test_a_failure_is_counted_once(by_name: dict[str, Worker[..., Any]]) -> None:
    assert [done(by_name["log_failure_metrics"], failure_type="build", reason="x")["repeated"] for _ in range(2)] == [False, True]


def test_the_tasks_need_no_server_to_be_made(settings: Settings) -> None:
    assert Tasks(settings, NOWHERE)
