"""
Following one execution: its tasks, those of its sub-workflows, and those of the workflow its failure started, as rows to show.

Here: asking the server and flattening the answers. Not here: showing them (view.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from batuta.client import TERMINAL_STATUSES, Execution, NotFound, SyncClient
from batuta_firmware.handlers import innermost

FAILURE_WORKFLOW = "conductor.failure_workflow"
DEPTH_MAX = 5
OPEN = ("SCHEDULED", "IN_PROGRESS", "RUNNING", "PAUSED")
HANDLER_S_MAX = 10.0  # how long a failed execution may take to name the workflow its failure started


@dataclass(frozen=True, slots=True)
class Row:
    """One line of progress: *key* stays the same while the line changes."""

    key: str
    depth: int
    label: str
    status: str
    seconds: float | None = None
    note: str = ""


class Trace:
    """The execution *execution_id* and all that follows from it."""

    def __init__(self, client: SyncClient, execution_id: str) -> None:
        self._client = client
        self.execution_id = execution_id
        self._ended: dict[str, Execution] = {}
        self._failed_at: dict[str, float] = {}

    def root(self) -> Execution:
        return self._execution(self.execution_id)

    def execution_of(self, name: str) -> Execution | None:
        """The execution of workflow *name* among those seen so far."""
        return next((one for one in self._walk(self.execution_id) if one.workflow_name == name), None)

    def has_ended(self) -> bool:
        """True once this execution and everything that follows from it has ended."""
        return all(one.status in TERMINAL_STATUSES and not self._awaits_handler(one) for one in self._walk(self.execution_id))

    def rows(self) -> list[Row]:
        return list(self._rows(self.execution_id, 0))

    def _walk(self, execution_id: str, depth: int = 0) -> Iterator[Execution]:
        execution = self._execution(execution_id)
        yield execution
        if depth < DEPTH_MAX:
            for child in [*(_child(task.json) for task in execution.tasks), execution.output.get(FAILURE_WORKFLOW)]:
                if child and self._is_known(child):
                    yield from self._walk(child, depth + 1)

    def _rows(self, execution_id: str, depth: int) -> Iterator[Row]:
        execution = self._execution(execution_id)
        yield Row(execution.id, depth, execution.workflow_name, execution.status, _seconds(execution.json), innermost(execution.reason or ""))
        for task in execution.tasks:
            if task.type in ("SWITCH", "DECISION"):
                continue
            child = _child(task.json)
            if child and depth < DEPTH_MAX and self._is_known(child):
                yield from self._rows(child, depth + 1)
                continue
            label = task.ref if task.retry_count == 0 else f"{task.ref} (attempt {task.retry_count + 1})"
            yield Row(task.id, depth + 1, label, task.status, _seconds(task.json), note_of(task.ref, task.status, task.output, task.reason))
        failure = execution.output.get(FAILURE_WORKFLOW)
        if failure and depth < DEPTH_MAX and self._is_known(failure):
            yield from self._rows(failure, depth)

    def _is_known(self, execution_id: str) -> bool:
        """False for what is no id: a server that could not start a failure workflow says why in its place."""
        try:
            self._execution(execution_id)
        except NotFound:
            return False
        return True

    def _execution(self, execution_id: str) -> Execution:
        if execution_id in self._ended:
            return self._ended[execution_id]
        execution = self._client.get_workflow(execution_id)
        if execution.status in TERMINAL_STATUSES and not self._awaits_handler(execution):
            self._ended[execution_id] = execution
        return execution

    def _awaits_handler(self, execution: Execution) -> bool:
        """True while a failed execution has a failure workflow and has not said yet which one was started."""
        definition = execution.json.get("workflowDefinition") or {}
        if execution.status not in ("FAILED", "TIMED_OUT") or not definition.get("failureWorkflow") or FAILURE_WORKFLOW in execution.output:
            return False
        return time.monotonic() - self._failed_at.setdefault(execution.id, time.monotonic()) < HANDLER_S_MAX


def note_of(ref: str, status: str, output: dict[str, Any], reason: str | None) -> str:
    """What is worth saying of a task in a few words."""
    if status not in ("COMPLETED", "SCHEDULED", "IN_PROGRESS"):
        return innermost(reason or "")
    if status != "COMPLETED":
        return ""
    match ref:
        case "validate_commit":
            return str(output.get("full_sha", ""))[:12]
        case "platformio_compile":
            return f"{output.get('size_bytes', 0):,} bytes in {output.get('build_seconds', 0):.1f} s"
        case "extract_build_metrics":
            return f"flash {output.get('flash_usage_percent')} %, RAM {output.get('ram_usage_percent')} %, warnings {output.get('warning_count')}"
        case "validate_build":
            return "passed" if output.get("success") else "; ".join(str(reason) for reason in output.get("failure_reasons") or [])
        case "store_artifact":
            return str(output.get("artifact_id", ""))
        case "deploy_firmware_ota" | "rollback_firmware":
            return f"{output.get('device')}: {output.get('deployment_log')}"
        case "device_health_check" | "verify_rollback":
            return f"{output.get('status')}, {output.get('free_heap', 0) or 0:,} bytes of heap free"
        case "fetch_last_good_version":
            needed = output.get("rollback_needed")
            return f"back to {str(output.get('version'))[:12]}" if needed else str(output.get("reason") or output.get("version") or "")
        case "extract_failure_context":
            return f"{output.get('failed_task')}: {output.get('reason')}"
    return ""


def _child(task: dict[str, Any]) -> str | None:
    child = task.get("subWorkflowId")
    return str(child) if child else None


def _seconds(json: dict[str, Any]) -> float | None:
    """How long it took, or has taken so far; None before it began."""
    start, end = json.get("startTime") or 0, json.get("endTime") or 0
    if not end and json.get("status") in OPEN:
        end = time.time() * 1000
    return max(0.0, (end - start) / 1000) if start and end else None
