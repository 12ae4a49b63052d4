"""
What a call that waited is answered with: the run of an execution, or one task of it.

Source: conductor-rest-api.md §3.9 (SignalResponse).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.wire.execution import TaskView, task_views
from batuta.wire.mask import masked

ReturnStrategy = Literal["TARGET_WORKFLOW", "BLOCKING_WORKFLOW", "BLOCKING_TASK", "BLOCKING_TASK_INPUT"]
OF_TASKS: Final = ("BLOCKING_TASK", "BLOCKING_TASK_INPUT")


class RunView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's WorkflowRun."""

    responseType: str
    targetWorkflowId: str
    targetWorkflowStatus: WorkflowStatus
    requestId: str = ""
    workflowId: str
    correlationId: str | None = None
    input: Json
    output: Json
    signalTimeout: bool
    priority: int
    variables: Json
    tasks: list[TaskView]
    createdBy: str = ""
    createTime: int
    status: WorkflowStatus
    updateTime: int


class TaskRunView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's TaskRun."""

    responseType: str
    targetWorkflowId: str
    targetWorkflowStatus: WorkflowStatus
    requestId: str = ""
    workflowId: str
    correlationId: str | None = None
    input: Json
    output: Any
    signalTimeout: bool
    taskType: str
    taskId: str
    referenceTaskName: str
    retryCount: int
    taskDefName: str
    retriedTaskId: str = ""
    workflowType: str
    reasonForIncompletion: str | None = None
    priority: int
    createdBy: str = ""
    createTime: int
    updateTime: int
    status: TaskStatus


def run_view(shown: Execution, target: Execution, strategy: str, request_id: str, now: int, *, timed_out: bool) -> RunView:
    """The run of *shown*, which is the target itself or the descendant that holds it."""
    head, names = shown.head, shown.definition.masked
    return RunView(
        responseType=strategy, targetWorkflowId=target.head.id, targetWorkflowStatus=target.head.status, requestId=request_id, workflowId=head.id,
        correlationId=head.correlation_id, input=masked(head.input, names), output=masked(head.output, names), signalTimeout=timed_out,
        priority=head.priority, variables=masked(head.variables, names), tasks=task_views(shown, shown.ordered(), now), createdBy=head.created_by,
        createTime=head.created_at, status=head.status, updateTime=head.updated_at,
    )  # fmt: skip


def task_run_view(holder: Execution, task: Task, target: Execution, strategy: str, request_id: str, *, timed_out: bool) -> TaskRunView:
    """The task that holds the target."""
    names = holder.definition.masked
    return TaskRunView(
        responseType=strategy, targetWorkflowId=target.head.id, targetWorkflowStatus=target.head.status, requestId=request_id, workflowId=holder.head.id,
        correlationId=holder.head.correlation_id, input=masked(task.input, names), output=masked(holder.output_of(task), names), signalTimeout=timed_out,
        taskType=task.type, taskId=task.id, referenceTaskName=task.ref, retryCount=task.attempt, taskDefName=task.def_name, retriedTaskId=task.retry_of,
        workflowType=holder.head.name, reasonForIncompletion=task.reason, priority=task.priority, createdBy=task.worker, createTime=task.started_at,
        updateTime=task.updated_at, status=task.status,
    )  # fmt: skip
