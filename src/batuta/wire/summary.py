"""
Summaries: what a search shows of an execution or a task.

Input and output are text as Java writes a map ({a=1, b=[x]}); instants are ISO texts. Source: conductor-rest-api.md §3.8.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from batuta.core.expr import javatext
from batuta.core.model.definition import Definition
from batuta.core.model.execution import Execution, Head
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.wire.execution import queue_wait_ms
from batuta.wire.mask import masked


class ExecutionSummary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's WorkflowSummary."""

    workflowType: str
    version: int
    workflowId: str
    correlationId: str | None = None
    startTime: str
    updateTime: str
    endTime: str = ""
    status: WorkflowStatus
    input: str
    output: str
    reasonForIncompletion: str | None = None
    executionTime: int
    event: str | None = None
    failedReferenceTaskNames: str
    externalInputPayloadStoragePath: str = ""
    externalOutputPayloadStoragePath: str = ""
    priority: int
    failedTaskNames: list[str]
    createdBy: str = ""
    taskToDomain: dict[str, str]
    idempotencyKey: str = ""
    parentWorkflowId: str
    classifier: str
    inputSize: int
    outputSize: int


class TaskSummary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's TaskSummary."""

    workflowId: str
    workflowType: str
    correlationId: str | None = None
    scheduledTime: str
    startTime: str
    updateTime: str
    endTime: str
    status: TaskStatus
    reasonForIncompletion: str | None = None
    executionTime: int
    queueWaitTime: int
    taskDefName: str
    taskType: str
    input: str
    output: str
    taskId: str
    externalInputPayloadStoragePath: str = ""
    externalOutputPayloadStoragePath: str = ""
    workflowPriority: int
    domain: str = ""


def iso(at: int) -> str:
    """An instant as Conductor's index writes it; 0 is the epoch."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def classifier(definition: Json) -> str:
    """`agent` or `workflow`, or what the definition's metadata says. Source: conductor-rest-api.md §3.1."""
    metadata = definition.get("metadata") or {}
    named = metadata.get("classifier")
    return named if isinstance(named, str) else "agent" if "agent_sdk" in metadata or "agentDef" in metadata else "workflow"


def execution_summary(head: Head, definition: Definition) -> ExecutionSummary:
    """The execution in one line."""
    shown = ({} if head.external_input else head.input, {} if head.external_output else head.output)
    given, result = (javatext.text(masked(payload, definition.masked)) for payload in shown)
    return ExecutionSummary(
        workflowType=head.name, version=head.definition_version, workflowId=head.id, correlationId=head.correlation_id, startTime=iso(head.created_at),
        updateTime=iso(head.updated_at), endTime=iso(head.ended_at) if head.ended_at else "", status=head.status, input=given, output=result,
        reasonForIncompletion=head.reason, executionTime=max(head.ended_at - head.created_at, 0), event=head.event,
        failedReferenceTaskNames=",".join(head.failed_refs), externalInputPayloadStoragePath=head.external_input,
        externalOutputPayloadStoragePath=head.external_output, priority=head.priority, failedTaskNames=head.failed_names, createdBy=head.created_by,
        taskToDomain=head.task_to_domain, idempotencyKey=head.idempotency_key, parentWorkflowId=head.parent_id, classifier=classifier(definition.raw),
        inputSize=len(given), outputSize=len(result),
    )  # fmt: skip


def task_summary(execution: Execution, task: Task, now: int) -> TaskSummary:
    """The task in one line."""
    head, names = execution.head, execution.definition.masked
    return TaskSummary(
        workflowId=head.id, workflowType=head.name, correlationId=head.correlation_id, scheduledTime=iso(task.scheduled_at), startTime=iso(task.started_at),
        updateTime=iso(task.updated_at), endTime=iso(task.ended_at), status=task.status, reasonForIncompletion=task.reason,
        executionTime=max(task.ended_at - task.started_at, 0) if task.ended_at else 0, queueWaitTime=queue_wait_ms(task, now), taskDefName=task.def_name,
        taskType=task.type, input=javatext.text({} if task.external_input else masked(task.input, names)),
        output=javatext.text({} if task.external_output else masked(execution.output_of(task), names)), taskId=task.id,
        externalInputPayloadStoragePath=task.external_input, externalOutputPayloadStoragePath=task.external_output, workflowPriority=head.priority,
        domain=task.domain,
    )  # fmt: skip
