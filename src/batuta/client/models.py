"""
What the API speaks of, as values: a task handed to a worker, the result it reports, an execution.

Here: reading Conductor's JSON into them and writing results back. Each value read keeps the whole JSON object it came from
in ``json``, so a field without a name here is never lost. Not here: definitions, which stay plain JSON (builder/ makes them).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import msgspec

TaskStatus = Literal[
    "SCHEDULED",
    "IN_PROGRESS",
    "COMPLETED",
    "COMPLETED_WITH_ERRORS",
    "FAILED",
    "FAILED_WITH_TERMINAL_ERROR",
    "TIMED_OUT",
    "CANCELED",
    "SKIPPED",
]
ReportStatus = Literal["IN_PROGRESS", "COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "CANCELED"]
WorkflowStatus = Literal["RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"]

REPORT_STATUSES: Final = get_args(ReportStatus)
OPEN_TASK_STATUSES: Final = frozenset({"SCHEDULED", "IN_PROGRESS"})
TERMINAL_STATUSES: Final = frozenset({"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"})

# The server keeps at most this many log entries of one report (conductor.app.taskExecLogSizeLimit).
LOGS_PER_REPORT_MAX: Final = 10


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """
    One attempt at a task.

    ``type`` is the queue it was polled from, ``ref`` its place in the definition (``name__2`` in the second turn of a loop),
    ``retry_count`` how many attempts came before, ``poll_count`` how often this one was handed out. ``input_path``: an input too large to come with the task
    stands there; a worker's function gets it all the same.
    """

    id: str
    type: str
    ref: str
    status: str
    execution_id: str
    workflow_name: str = ""
    input: dict[str, Any] = {}
    output: dict[str, Any] = {}
    retry_count: int = 0
    poll_count: int = 0
    iteration: int = 0
    worker_id: str = ""
    domain: str | None = None
    correlation_id: str | None = None
    reason: str | None = None
    response_timeout_s: float = 0.0
    callback_after_s: float = 0.0
    input_path: str = ""
    json: dict[str, Any] = {}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> Task:
        """
        The task of a poll answer, of ``GET /tasks/{id}`` or of an execution's list; what is absent or null gets its default.

        Raises:
            ValueError: no task id, so this is not a task.
        """
        if not isinstance(json, Mapping) or not json.get("taskId"):
            raise ValueError(f"no taskId in {_shown(json)}; expected a task object")
        return cls(
            id=str(json["taskId"]),
            type=json.get("taskType") or json.get("taskDefName") or "",
            ref=json.get("referenceTaskName") or "",
            status=json.get("status") or "",
            execution_id=json.get("workflowInstanceId") or "",
            workflow_name=json.get("workflowType") or "",
            input=json.get("inputData") or {},
            input_path=json.get("externalInputPayloadStoragePath") or "",
            output=json.get("outputData") or {},
            retry_count=int(json.get("retryCount") or 0),
            poll_count=int(json.get("pollCount") or 0),
            iteration=int(json.get("iteration") or 0),
            worker_id=json.get("workerId") or "",
            domain=json.get("domain"),
            correlation_id=json.get("correlationId"),
            reason=json.get("reasonForIncompletion"),
            response_timeout_s=float(json.get("responseTimeoutSeconds") or 0),
            callback_after_s=float(json.get("callbackAfterSeconds") or 0),
            json=dict(json),
        )

    @property
    def is_terminal(self) -> bool:
        """Whether no report can move it any more."""
        return self.status not in OPEN_TASK_STATUSES

    def __str__(self) -> str:
        return f"{self.type} {self.execution_id}/{self.ref} ({self.id})"


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a worker reports of a task.

    Returned by a worker function, its ``task_id``, ``execution_id`` and ``worker_id`` are filled in. A status of IN_PROGRESS
    gives the task back: it is handed out again after ``callback_after_s``, with ``output`` as its output so far.
    ``logged_at_ms`` is the time (epoch milliseconds) the server shall show with ``logs``.

    Raises:
        ValueError: the status is not one a worker may report.
    """

    status: ReportStatus
    output: Mapping[str, Any] = {}
    reason: str | None = None
    callback_after_s: float = 0.0
    logs: Sequence[str] = ()
    task_id: str = ""
    execution_id: str = ""
    worker_id: str = ""
    extend_lease: bool = False
    logged_at_ms: int = 0

    def __post_init__(self) -> None:
        if self.status not in REPORT_STATUSES:
            raise ValueError(f"a TaskResult has the status {self.status!r}; a worker may report {', '.join(REPORT_STATUSES)}")

    @property
    def is_final(self) -> bool:
        """Whether it ends the attempt."""
        return self.status != "IN_PROGRESS"

    def to_json(self) -> dict[str, Any]:
        """Conductor's TaskResult; an absent reason or worker id is left out."""
        json: dict[str, Any] = {
            "workflowInstanceId": self.execution_id,
            "taskId": self.task_id,
            "status": self.status,
            "outputData": dict(self.output),
            "callbackAfterSeconds": math.ceil(self.callback_after_s),
        }
        if self.worker_id:
            json["workerId"] = self.worker_id
        if self.reason is not None:
            json["reasonForIncompletion"] = self.reason
        if self.logs:
            json["logs"] = [{"log": line, "taskId": self.task_id, "createdTime": self.logged_at_ms} for line in self.logs]
        if self.extend_lease:
            json["extendLease"] = True
        return json


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """
    One run of a workflow, as the server told it at one moment. ``tasks`` is empty when they were not asked for.

    ``output_path``: an output too large to be shown in place stands there; `wait_for_workflow` fetches it.
    """

    id: str
    status: str
    workflow_name: str = ""
    workflow_version: int = 0
    input: dict[str, Any] = {}
    output: dict[str, Any] = {}
    output_path: str = ""
    variables: dict[str, Any] = {}
    tasks: tuple[Task, ...] = ()
    correlation_id: str | None = None
    reason: str | None = None
    json: dict[str, Any] = {}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> Execution:
        """
        The execution of ``GET /workflow/{id}``; what is absent or null gets its default.

        Raises:
            ValueError: no workflow id, so this is not an execution.
        """
        if not isinstance(json, Mapping) or not json.get("workflowId"):
            raise ValueError(f"no workflowId in {_shown(json)}; expected an execution object")
        return cls(
            id=str(json["workflowId"]),
            status=json.get("status") or "",
            workflow_name=json.get("workflowName") or json.get("workflowType") or "",
            workflow_version=int(json.get("workflowVersion") or json.get("version") or 0),
            input=json.get("input") or {},
            output=json.get("output") or {},
            output_path=json.get("externalOutputPayloadStoragePath") or "",
            variables=json.get("variables") or {},
            tasks=tuple(Task.from_json(task) for task in json.get("tasks") or ()),
            correlation_id=json.get("correlationId"),
            reason=json.get("reasonForIncompletion"),
            json=dict(json),
        )

    @property
    def is_terminal(self) -> bool:
        """Whether it has ended; a PAUSED one has not."""
        return self.status in TERMINAL_STATUSES

    def task(self, ref: str) -> Task:
        """
        The latest attempt at the task with this reference.

        Raises:
            KeyError: it has no such task (yet).
        """
        for task in reversed(self.tasks):
            if task.ref == ref:
                return task
        raise KeyError(f"execution {self.id!r} has no task {ref!r}; found {sorted({t.ref for t in self.tasks})}")


def _shown(json: object) -> str:
    text = repr(json)
    return text if len(text) <= 200 else text[:199] + "…"
