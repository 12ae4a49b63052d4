"""
Executions on the wire: Conductor's Workflow, Task and WorkflowStatus objects, made from what the engine holds.

The structures list the members in Conductor's order; those without a default are always written, the others only when there is
something to say. What never changes for a node or a definition is encoded once and kept with it.

Here: conversion, nothing else. Not here: definitions (metadata.py), bodies that come in (requests.py).
Source: conductor-rest-api.md §3.4, §3.5; golden runs basics/, reports/, queues/.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from batuta.core.expr.secrets import MARK, Lookup, has_secrets, resolve_secrets
from batuta.core.model.definition import Definition, Node
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.wire.codec import decode, encode
from batuta.wire.mask import masked

NONE: Final = msgspec.Raw(b"null")
_SECRET: Final = MARK.encode()
_NO_METADATA: Final = msgspec.Raw(b'{"additionalContext":{},"empty":true,"additionalContextMap":{}}')
# Types whose tasks show the rate limit of their definition; the others show 0.
_UNLIMITED: Final = frozenset({
    "DECISION", "SWITCH", "FORK", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN", "DYNAMIC", "SUB_WORKFLOW", "START_WORKFLOW", "TERMINATE",
    "SET_VARIABLE", "INLINE", "LAMBDA", "JSON_JQ_TRANSFORM", "WAIT", "HUMAN", "NOOP", "EVENT", "PULL_WORKFLOW_MESSAGES",
})  # fmt: skip


class TaskView(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Conductor's Task."""

    taskType: str
    status: TaskStatus
    inputData: Any
    referenceTaskName: str
    retryCount: int
    seq: int
    correlationId: str | None = None
    pollCount: int
    taskDefName: str
    scheduledTime: int
    startTime: int
    endTime: int
    updateTime: int
    startDelayInSeconds: int
    retriedTaskId: str = ""
    retried: bool
    executed: bool
    callbackFromWorker: bool
    responseTimeoutSeconds: int
    workflowInstanceId: str
    workflowType: str = ""
    taskId: str
    reasonForIncompletion: str | None = None
    callbackAfterSeconds: int
    workerId: str = ""
    outputData: Any
    workflowTask: msgspec.Raw
    domain: str = ""
    rateLimitPerFrequency: int
    rateLimitFrequencyInSeconds: int
    externalInputPayloadStoragePath: str = ""
    externalOutputPayloadStoragePath: str = ""
    workflowPriority: int
    executionNameSpace: str = ""
    isolationGroupId: str = ""
    iteration: int
    subWorkflowId: str = ""
    subworkflowChanged: bool
    firstStartTime: int
    executionMetadata: msgspec.Raw
    runtimeMetadata: dict[str, str] = {}
    taskDefinition: msgspec.Raw
    loopOverTask: bool
    cachedOutput: bool = False
    queueWaitTime: int


class WorkflowView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's Workflow, which is one execution."""

    ownerApp: str
    createTime: int
    updateTime: int
    createdBy: str = ""
    status: WorkflowStatus
    endTime: int
    workflowId: str
    parentWorkflowId: str = ""
    parentWorkflowTaskId: str = ""
    tasks: list[TaskView]
    input: Json
    output: Json
    correlationId: str | None = None
    reRunFromWorkflowId: str = ""
    reasonForIncompletion: str | None = None
    event: str | None = None
    taskToDomain: dict[str, str]
    failedReferenceTaskNames: list[str]
    workflowDefinition: msgspec.Raw
    externalInputPayloadStoragePath: str = ""
    externalOutputPayloadStoragePath: str = ""
    priority: int
    variables: Json
    lastRetriedTime: int
    failedTaskNames: list[str]
    history: list[Any]
    idempotencyKey: str = ""
    rateLimitKey: str = ""
    rateLimited: bool
    startTime: int
    workflowName: str
    workflowVersion: int


class StatusView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Conductor's WorkflowStatus."""

    workflowId: str
    correlationId: str | None = None
    output: Json | None = None
    variables: Json | None = None
    status: WorkflowStatus


class _Fixed(msgspec.Struct, frozen=True):
    """What every task of a node shows alike."""

    task: msgspec.Raw
    definition: msgspec.Raw
    limit: int
    limit_s: int
    name_space: str
    isolation: str


def _fixed(execution: Execution, node: Node, name: str) -> _Fixed:
    """
    The parts shared by all tasks of the node, kept with it.

    Not kept: a branch of a dynamic fork, which is one of possibly thousands and shown once or twice; a DYNAMIC node, which shows the
    name it took.
    """
    found: _Fixed | None = node.wire.get("task")
    if found is not None:
        return found
    if node.type == "DYNAMIC":
        return _fix(node, {**node.raw, "name": name})
    found = _fix(node, node.raw)
    if node.ref not in execution.nodes:
        node.wire["task"] = found
    return found


def _fix(node: Node, raw: Json) -> _Fixed:
    definition = node.task_definition_raw or {}
    limited = node.type not in _UNLIMITED
    isolated = node.type in ("HTTP", "KAFKA_PUBLISH")
    return _Fixed(
        task=msgspec.Raw(encode(raw)),
        definition=NONE if node.task_definition_raw is None else msgspec.Raw(encode(node.task_definition_raw)),
        limit=definition.get("rateLimitPerFrequency", 0) if limited else 0,
        limit_s=definition.get("rateLimitFrequencyInSeconds", 1) if limited else 0,
        name_space=definition.get("executionNameSpace", "") if isolated else "",
        isolation=definition.get("isolationGroupId", "") if isolated else "",
    )


def _definition(definition: Definition) -> msgspec.Raw:
    found: msgspec.Raw | None = definition.wire.get("workflow")
    if found is None:
        found = definition.wire["workflow"] = msgspec.Raw(encode(definition.raw))
    return found


def task_view(execution: Execution, task: Task, now: int) -> TaskView:
    """The task as Conductor shows it at the instant *now*, masked as its workflow asks."""
    view = _task_view(execution, task, now)
    if names := execution.definition.masked:
        view.inputData, view.outputData = masked(view.inputData, names), masked(view.outputData, names)
    return view


def _task_view(execution: Execution, task: Task, now: int) -> TaskView:
    """
    The task with its payloads as they are. One skipped before its time (seq 0) shows neither workflow type nor limits.

    Cost: 4 µs with its encoding, however large its node (Python 3.11, a payload of three members).
    """
    head, fixed = execution.head, _fixed(execution, execution.node_of(task), task.def_name)
    is_skipped = task.status is TaskStatus.SKIPPED and not task.seq  # made by an operator, not by the flow: Conductor fills in less
    output = execution.output_of(task)
    return TaskView(
        taskType=task.type,
        status=task.status,
        inputData={} if task.external_input else task.input,
        referenceTaskName=task.ref,
        retryCount=task.attempt,
        seq=task.seq,
        correlationId=head.correlation_id,
        pollCount=task.poll_count,
        taskDefName=task.def_name,
        scheduledTime=task.scheduled_at,
        startTime=task.started_at,
        endTime=task.ended_at,
        updateTime=task.updated_at,
        startDelayInSeconds=task.start_delay_s,
        retriedTaskId=task.retry_of,
        retried=task.retried,
        executed=task.executed,
        callbackFromWorker=True,
        responseTimeoutSeconds=task.response_timeout_s,
        workflowInstanceId=head.id,
        workflowType="" if is_skipped else head.name,
        taskId=task.id,
        reasonForIncompletion=task.reason,
        callbackAfterSeconds=task.callback_after_s,
        workerId=task.worker,
        outputData={} if task.external_output else output,
        workflowTask=fixed.task,
        domain=task.domain,
        rateLimitPerFrequency=fixed.limit,
        rateLimitFrequencyInSeconds=0 if is_skipped else fixed.limit_s,
        externalInputPayloadStoragePath=task.external_input,
        externalOutputPayloadStoragePath=task.external_output,
        workflowPriority=head.priority,
        executionNameSpace=fixed.name_space,
        isolationGroupId=fixed.isolation,
        iteration=task.iteration,
        subWorkflowId=task.sub_execution_id or _child_named(task.input, output),
        subworkflowChanged=False,
        firstStartTime=0,
        executionMetadata=_NO_METADATA,
        taskDefinition=fixed.definition,
        loopOverTask=task.iteration > 0,
        cachedOutput=task.cached,
        queueWaitTime=queue_wait_ms(task, now),
    )


def _child_named(given: Json, output: Json) -> str:
    for payload in (output, given):
        named = payload.get("subWorkflowId")
        if isinstance(named, str):
            return named
    return ""


def queue_wait_ms(task: Task, now: int) -> int:
    """How long the task waited to be taken; for one handed back, how long it has been due again."""
    if not task.started_at or not task.scheduled_at:
        return 0
    if task.updated_at and task.callback_after_s:
        return max(0, now - task.updated_at - task.callback_after_s * 1000)
    return max(0, task.started_at - task.scheduled_at)


def handed_view(execution: Execution, task: Task, now: int, secret: Lookup, environment: Lookup) -> TaskView:
    """
    The task as the worker gets it that polled: the secrets its input names are put in, and what its definition lists as runtimeMetadata
    is looked up, first among the secrets. Nobody else ever sees either. Nothing is masked, and where the payload behind the path is another than the
    worker shall get, masked or with secrets to be put in, a large input comes in place instead of by its path. Raises SecretUnreadable.
    """
    view, granted = _task_view(execution, task, now), execution.secrets
    if task.external_input and (execution.definition.masked or (granted and has_secrets(task.input))):
        view.inputData, view.externalInputPayloadStoragePath = task.input, ""
    text = encode(view.inputData)
    view.inputData = resolve_secrets(view.inputData, secret, granted) if granted and _SECRET in text else msgspec.Raw(text)
    definition = execution.node_of(task).task_definition_raw
    if definition is not None and definition.get("runtimeMetadata"):
        found = {name: secret(name) or environment(name) for name in definition["runtimeMetadata"]}
        view.runtimeMetadata = {name: value for name, value in found.items() if value is not None}
    return view


def task_views(execution: Execution, tasks: Iterable[Task], now: int) -> list[TaskView]:
    """The tasks as Conductor shows them, in the order given."""
    return [task_view(execution, task, now) for task in tasks]


def workflow_view(execution: Execution, now: int, *, include_tasks: bool = True) -> WorkflowView:
    """The execution as Conductor shows it at the instant *now*, masked as its definition asks; without its tasks the list of them is empty."""
    head, names = execution.head, execution.definition.masked
    return WorkflowView(
        ownerApp="",
        createTime=head.created_at,
        updateTime=head.updated_at,
        createdBy=head.created_by,
        status=head.status,
        endTime=head.ended_at,
        workflowId=head.id,
        parentWorkflowId=head.parent_id,
        parentWorkflowTaskId=head.parent_task_id,
        tasks=task_views(execution, execution.ordered(), now) if include_tasks else [],
        input={} if head.external_input else masked(head.input, names),
        output={} if head.external_output else masked(head.output, names),
        correlationId=head.correlation_id,
        reasonForIncompletion=head.reason,
        event=head.event,
        taskToDomain=head.task_to_domain,
        failedReferenceTaskNames=head.failed_refs,
        workflowDefinition=_definition(execution.definition),
        externalInputPayloadStoragePath=head.external_input,
        externalOutputPayloadStoragePath=head.external_output,
        priority=head.priority,
        variables=masked(head.variables, names),
        lastRetriedTime=head.last_retried_at,
        failedTaskNames=head.failed_names,
        history=[],
        idempotencyKey=head.idempotency_key,
        rateLimitKey=head.rate_limit_key,
        rateLimited=head.held is not None,
        startTime=head.created_at,
        workflowName=head.name,
        workflowVersion=head.definition_version,
    )


def workflow_json(execution: Execution, *, include_tasks: bool = True) -> Json:
    """
    The execution as plain JSON in the form of Conductor's internal model, which shows in two places: what a failure workflow is told of
    the run that failed, and bulk search.
    """
    head = execution.head
    shown: Json = decode(encode(workflow_view(execution, head.updated_at, include_tasks=False)))
    shown["updatedTime"] = shown.pop("updateTime")
    for key in ("startTime", "history", "rateLimited"):
        del shown[key]
    for key in ("failedReferenceTaskNames", "failedTaskNames"):
        if not shown[key]:
            del shown[key]
    if head.failed_task_id:
        shown["failedTaskId"] = head.failed_task_id
    if head.previous_status is not None:
        shown["previousStatus"] = head.previous_status.value
    shown["tasks"] = [_task_json(execution, task) for task in execution.ordered()] if include_tasks else []
    return shown


def _task_json(execution: Execution, task: Task) -> Json:
    shown: Json = decode(encode(task_view(execution, task, execution.head.updated_at)))
    for key in ("firstStartTime", "executionMetadata", *(["taskDefinition"] if shown["taskDefinition"] is None else [])):
        del shown[key]
    return shown | {
        "callbackAfterMs": 0,
        "firstScheduledTime": task.first_scheduled_at,
        "waitTimeout": task.wait_until,
        "onStateChange": execution.node_of(task).raw.get("onStateChange") or {},
        "idempotent": False,
        "idempotentExecution": False,
        "cachedOutput": task.cached,
        "notifications": {},
        "nonWorkflowEventTask": False,
        "asyncComplete": execution.node_of(task).async_complete,
    }


def status_view(execution: Execution, *, include_output: bool, include_variables: bool) -> StatusView:
    """The execution's status, with its output and variables where asked for. An empty correlation id is not shown."""
    head, names = execution.head, execution.definition.masked
    return StatusView(
        workflowId=head.id,
        correlationId=head.correlation_id or None,
        output=masked(head.output, names) if include_output else None,
        variables=masked(head.variables, names) if include_variables else None,
        status=head.status,
    )
