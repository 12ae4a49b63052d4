"""What failed in an execution, as any server tells it, and counting it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batuta_firmware.handlers import failure_context, failures, innermost, record_failure


def task(ref: str, status: str = "COMPLETED", output: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"referenceTaskName": ref, "taskDefName": ref, "taskType": ref, "status": status, "outputData": output or {}, "inputData": {}, **more}


VALIDATED = task("validate_commit", output={"full_sha": "f" * 40})
CLEANED = task("clean_build_env", inputData={"build_dir": "k1-build-x"})
COMPILE = task("platformio_compile", "FAILED_WITH_TERMINAL_ERROR", {"build_log": "x" * 5000}, reasonForIncompletion="the build failed: a.cpp:1: error")
GATE = task("validate_build", output={"success": False, "failure_reasons": ["too big", "too many"]})
DEPLOY = task("firmware_deploy", "FAILED", taskType="SUB_WORKFLOW", taskDefName="firmware_deploy", inputData={"subWorkflowName": "firmware-deploy"},
              reasonForIncompletion="Sub workflow firmware-deploy.1/ab failure reason: Task cd failed with status: FAILED and reason: 'no reply'")  # fmt: skip

CASES = [
    # tasks                          failed task           type       reason
    ([VALIDATED, CLEANED, COMPILE],  "platformio_compile", "build",   "the build failed: a.cpp:1: error"),
    ([VALIDATED, CLEANED, GATE],     "validate_build",     "gate",    "too big; too many"),
    ([VALIDATED, CLEANED, DEPLOY],   "firmware_deploy",    "deploy",  "no reply"),
    ([task("validate_commit", "TIMED_OUT")], "validate_commit", "commit", "out of time"),
    ([],                             None,                 "build",   "out of time"),
]  # fmt: skip


@pytest.mark.parametrize(("tasks", "failed", "kind", "reason"), CASES)
def test_the_culprit_is_found(tasks: list[dict[str, Any]], failed: str | None, kind: str, reason: str) -> None:
    found = failure_context({"workflowName": "p", "status": "FAILED", "reasonForIncompletion": "out of time", "input": {}, "tasks": tasks})
    assert (found["failed_task"], found["failure_type"], found["reason"]) == (failed, kind, reason)
    assert found["workflow_name"] == "p"


def test_the_build_directory_the_commit_and_the_logs_end_are_told() -> None:
    found = failure_context({"input": {"commit_sha": "abc"}, "tasks": [VALIDATED, CLEANED, COMPILE]})
    assert (found["build_dir"], found["commit_sha"], len(found["log_tail"])) == ("k1-build-x", "f" * 40, 4000)
    assert failure_context({"input": {"commit_sha": "abc"}})["commit_sha"] == "abc"


def test_the_innermost_reason_is_unwrapped() -> None:
    assert (
        innermost("Task a failed with status: FAILED and reason: 'Sub workflow b.1/c failure reason: Task d failed with status: TIMED_OUT and reason: 'e''")
        == "e"
    )
    assert innermost("plain") == "plain"
    assert innermost("") == ""


def test_a_failure_is_counted_once(tmp_path: Path) -> None:
    assert record_failure(tmp_path, "w1", "build", "x")
    assert not record_failure(tmp_path, "w1", "build", "x")
    assert record_failure(tmp_path, "w2", "gate", None)
    assert failures(tmp_path) == {"build": 1, "gate": 1}
