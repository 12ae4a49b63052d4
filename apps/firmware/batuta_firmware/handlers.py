"""
What the failure workflows do besides notifying: find out what failed, and count it once.

Here: reading a failed execution as any Conductor server tells it. Not here: asking the server (workers.py does), rolling back (deploy.py).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from batuta_firmware.records import transaction

FAILED = ("FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT", "CANCELED")
LOG_TAIL_CHARS = 4000
FAILURE_TYPES = {
    "validate_commit": "commit",
    "platformio_compile": "build",
    "validate_build": "gate",
    "store_artifact": "store",
    "deploy_firmware_ota": "deploy",
    "device_health_check": "health",
    "firmware-deploy": "deploy",
    "fetch_last_good_version": "rollback",
    "rollback_firmware": "rollback",
    "verify_rollback": "rollback",
}


def failure_context(execution: Mapping[str, Any]) -> dict[str, Any]:
    """What failed in *execution* (GET /api/workflow/{id}), with what a person needs to see first."""
    tasks: list[Mapping[str, Any]] = [task for task in execution.get("tasks") or [] if isinstance(task, Mapping)]
    failed = next((task for task in reversed(tasks) if task.get("status") in FAILED), None)
    gate = next((task for task in tasks if task.get("taskDefName") == "validate_build"), None)
    stopped = failed is None and gate is not None and not (gate.get("outputData") or {}).get("success", True)
    culprit = gate if stopped else failed
    name = str(culprit.get("taskDefName") or culprit.get("taskType")) if culprit else None
    given: Mapping[str, Any] = execution.get("input") or {}
    output: Mapping[str, Any] = (culprit.get("outputData") or {}) if culprit else {}
    return {
        "build_dir": _first(tasks, "build_dir", of="inputData"),
        "workflow_name": execution.get("workflowName") or execution.get("workflowType"),
        "workflow_status": execution.get("status"),
        "failed_task": culprit.get("referenceTaskName") if culprit else None,
        "failure_type": FAILURE_TYPES.get(_kind(culprit, name), "build"),
        "reason": _reason(execution, culprit, stopped),
        "commit_sha": _first(tasks, "full_sha", of="outputData") or given.get("commit_sha"),
        "log_tail": str(output.get("build_log") or "")[-LOG_TAIL_CHARS:],
    }


def innermost(reason: str) -> str:
    """The reason itself, out of the sentences that a server wraps around it on each level: task, sub-workflow, task again."""
    for _ in range(10):
        match = re.search(r"(?:^Task \S+ failed with status: \w+ and reason: '(.*)'$)|(?:^Sub workflow \S+ failure reason: (.*)$)", reason, re.DOTALL)
        if match is None:
            break
        reason = match[1] or match[2] or ""
    return reason


def record_failure(storage: Path, workflow_id: str, failure_type: str, reason: str | None, *, now: Callable[[], float] = time.time) -> bool:
    """Count a failed workflow, once; false when it had been counted."""
    with transaction(storage) as records:
        cursor = records.execute(
            "insert or ignore into failures (workflow_id, failure_type, reason, at) values (?, ?, ?, ?)",
            (workflow_id, failure_type, reason, now()),
        )
        return cursor.rowcount == 1


def failures(storage: Path) -> dict[str, int]:
    """How many workflows failed so far, by failure type."""
    with transaction(storage) as records:
        return {str(row[0]): int(row[1]) for row in records.execute("select failure_type, count(*) from failures group by failure_type")}


def _kind(task: Mapping[str, Any] | None, name: str | None) -> str:
    if task is not None and task.get("taskType") == "SUB_WORKFLOW":
        return str((task.get("inputData") or {}).get("subWorkflowName") or name)
    return name or ""


def _reason(execution: Mapping[str, Any], task: Mapping[str, Any] | None, stopped: bool) -> str:
    if stopped and task is not None:
        return "; ".join(str(reason) for reason in (task.get("outputData") or {}).get("failure_reasons") or [])
    return innermost(str((task or {}).get("reasonForIncompletion") or execution.get("reasonForIncompletion") or "unknown"))


def _first(tasks: list[Mapping[str, Any]], key: str, *, of: str) -> Any:
    return next((task[of][key] for task in tasks if (task.get(of) or {}).get(key)), None)
