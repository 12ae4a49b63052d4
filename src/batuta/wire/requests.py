"""
Requests on the wire: what a client sends to start, report and steer executions, as frozen structures for the engine.

A body is first read straight into its structure, which takes microseconds; one that does not fit is read again by its table
(shape.py), which makes the conversions Conductor makes or says which member is wrong.

Here: the structures, their tables, and the rules Conductor checks before it looks at anything else. Not here: definitions
(metadata.py), whether what is named exists (engine).
Source: conductor-rest-api.md §3.6, §3.7, §4.
"""

from __future__ import annotations

import ast
from typing import Annotated, Final, Literal, TypeVar, get_args

import msgspec

from batuta.core.model.status import TaskStatus
from batuta.errors import Invalid, InvalidFields, Violation
from batuta.wire.codec import decode, encode
from batuta.wire.metadata import IDEMPOTENCY, WORKFLOW_DEF, read_workflow
from batuta.wire.shape import Field, Json, ListOf, Record, Table, Text, choice, flag, integer, listing, misfit, optional, table, text

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

PRIORITY_MAX: Final = 99
BULK_MAX: Final = 1000
REASON_LENGTH_MAX: Final = 500
ReportedStatus = Literal["IN_PROGRESS", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "COMPLETED", "CANCELED"]
REPORTABLE: Final[tuple[str, ...]] = get_args(ReportedStatus)  # what a worker may say of its task


class StartRequest(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "correlation_id": "correlationId",
        "task_to_domain": "taskToDomain",
        "definition": "workflowDef",
        "external_input": "externalInputPayloadStoragePath",
        "created_by": "createdBy",
        "idempotency_key": "idempotencyKey",
        "idempotency_strategy": "idempotencyStrategy",
    },
):
    """Start an execution. `version` None is the latest, `definition` runs instead of a registered one, `input` None was sent as null."""

    name: str | None = None
    version: Int32 | None = None
    correlation_id: str | None = None
    input: Json | None = {}
    task_to_domain: dict[str, str] = {}
    definition: Json | None = None
    external_input: str | None = None
    priority: Int32 = 0
    created_by: str | None = None
    idempotency_key: str | None = None
    idempotency_strategy: str | None = None


class LogLine(msgspec.Struct, frozen=True, rename={"line": "log", "created_at": "createdTime"}):
    """One line a worker wrote; `created_at` 0 when it did not say when."""

    line: str = ""
    created_at: Int64 = 0


class TaskResult(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "execution_id": "workflowInstanceId",
        "task_id": "taskId",
        "output": "outputData",
        "reason": "reasonForIncompletion",
        "worker": "workerId",
        "callback_after_s": "callbackAfterSeconds",
        "sub_execution_id": "subWorkflowId",
        "external_output": "externalOutputPayloadStoragePath",
        "extend_lease": "extendLease",
    },
):
    """How a task stands, as its worker reports it. With `extend_lease` only the lease is renewed and the rest counts for nothing."""

    execution_id: str = ""
    task_id: str = ""
    status: TaskStatus | None = None
    output: Json = {}
    reason: str | None = None
    worker: str | None = None
    callback_after_s: Int32 = 0
    sub_execution_id: str | None = None
    external_output: str | None = None
    extend_lease: bool = False
    logs: list[LogLine] = []


class RerunRequest(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={"workflow_input": "workflowInput", "task_id": "reRunFromTaskId", "task_input": "taskInput", "correlation_id": "correlationId"},
):
    """Run again from a task (None: from the beginning), with other inputs where given."""

    workflow_input: Json | None = None
    task_id: str | None = None
    task_input: Json | None = None
    correlation_id: str | None = None


class SkipRequest(msgspec.Struct, frozen=True, kw_only=True, rename={"input": "taskInput", "output": "taskOutput"}):
    """What a skipped task shows as its input and output."""

    input: Json = {}
    output: Json = {}


class StateUpdate(msgspec.Struct, frozen=True, kw_only=True, rename={"ref": "taskReferenceName", "result": "taskResult"}):
    """Variables to set, and how the open task of a reference stands; its ids count for nothing, and no status means COMPLETED."""

    ref: str | None = None
    result: TaskResult | None = None
    variables: Json = {}


class UpgradeRequest(msgspec.Struct, frozen=True, kw_only=True, rename={"workflow_input": "workflowInput", "task_output": "taskOutput"}):
    """Which version to go on with; `version` None: the latest."""

    name: str = ""
    version: Int32 | None = None
    workflow_input: Json = {}
    task_output: Json = {}


class Correlated(msgspec.Struct, frozen=True, kw_only=True, rename={"correlation_ids": "correlationIds", "names": "workflowNames"}):
    """Which executions are asked for: those of any of these names under any of these correlation ids."""

    correlation_ids: list[str] = []
    names: list[str] = []


START_REQUEST: Final = Record(
    "StartWorkflowRequest",
    text("name"),
    integer("version"),
    text("correlationId"),
    Field("input", Table(), dict, lambda: None),
    table("taskToDomain", Text()),
    optional("workflowDef", WORKFLOW_DEF),
    text("externalInputPayloadStoragePath"),
    integer("priority", 0),
    text("createdBy"),
    text("idempotencyKey"),
    choice("idempotencyStrategy", *IDEMPOTENCY),
    required=("name",),
)
LOG_LINE: Final = Record("TaskExecLog", text("log"), text("taskId"), integer("createdTime", 0, bits=64))
TASK_RESULT: Final = Record(
    "TaskResult",
    text("workflowInstanceId"),
    text("taskId"),
    text("reasonForIncompletion"),
    integer("callbackAfterSeconds", 0),
    text("workerId"),
    choice("status", *REPORTABLE),
    table("outputData"),
    listing("logs", LOG_LINE),
    text("externalOutputPayloadStoragePath"),
    text("subWorkflowId"),
    flag("extendLease", False),
    required=("workflowInstanceId", "taskId", "status"),
)
RERUN_REQUEST: Final = Record(
    "RerunWorkflowRequest",
    text("reRunFromWorkflowId"),
    optional("workflowInput", Table()),
    text("reRunFromTaskId"),
    optional("taskInput", Table()),
    text("correlationId"),
)
SKIP_REQUEST: Final = Record("SkipTaskRequest", table("taskInput"), table("taskOutput"))
STATE_UPDATE: Final = Record(
    "WorkflowStateUpdate",
    text("taskReferenceName"),
    optional("taskResult", TASK_RESULT),
    table("variables"),
)
UPGRADE_REQUEST: Final = Record(
    "UpgradeWorkflowRequest", text("name"), integer("version"), table("workflowInput"), table("taskOutput"), required=("name",)
)
CORRELATED: Final = Record("CorrelationIdsSearchRequest", listing("correlationIds", Text()), listing("workflowNames", Text()))
RECORDS: Final = (START_REQUEST, TASK_RESULT, LOG_LINE, RERUN_REQUEST, SKIP_REQUEST, STATE_UPDATE, UPGRADE_REQUEST, CORRELATED)

_start = msgspec.json.Decoder(StartRequest)
_result = msgspec.json.Decoder(TaskResult)
_rerun = msgspec.json.Decoder(RerunRequest)
_skip = msgspec.json.Decoder(SkipRequest)
_state = msgspec.json.Decoder(StateUpdate)
_upgrade = msgspec.json.Decoder(UpgradeRequest)
_correlated = msgspec.json.Decoder(Correlated)
S = TypeVar("S")


def _read(body: bytes, decoder: msgspec.json.Decoder[S], record: Record) -> S:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # outside, so that what is said of the second reading does not speak of the first
    return msgspec.convert(record.read(decode(body)), decoder.type)


def read_start(body: bytes) -> StartRequest:
    """
    A request to start; an inline definition in it is in its stored form.

    Raises:
        InvalidFields: no name, or a priority outside 0..99.
        Invalid: the body is no such request.

    Source: POST /api/workflow.
    """
    request = _read(body, _start, START_REQUEST)
    broken = []
    if request.name is None:
        broken.append(Violation("startWorkflow.arg0.name", "Workflow name cannot be null or empty"))
    if not 0 <= request.priority <= PRIORITY_MAX:
        bound = "minimum 0" if request.priority < 0 else f"maximum {PRIORITY_MAX}"
        broken.append(Violation("startWorkflow.arg0.priority", f"priority: {request.priority} should be {bound}", str(request.priority)))
    if broken:
        raise InvalidFields(broken)
    if request.idempotency_strategy is not None and request.idempotency_strategy not in IDEMPOTENCY:
        raise misfit("idempotencyStrategy", request.idempotency_strategy, f"one of {', '.join(IDEMPOTENCY)}")
    if request.definition is not None:
        return msgspec.structs.replace(request, definition=read_workflow(request.definition, "workflowDef"))
    return request


def read_execute(body: bytes, name: str, version: int | None) -> StartRequest:
    """
    A request to start and wait; name and version are the path's (None: the latest), whatever the body says.

    Raises:
        InvalidFields: a priority outside 0..99.
        Invalid: the body is no such request.

    Source: POST /api/workflow/execute/{name}/{version}.
    """
    sent = read_object(body) if body else {}
    return read_start(encode({**sent, "name": name, "version": version}))


def read_result(body: bytes) -> TaskResult:
    """
    A worker's report; its reason is cut to 500 characters.

    Raises:
        InvalidFields: an id is missing.
        Invalid: the body is no report, or its status is none a worker may give.

    Source: POST /api/tasks.
    """
    result = _read(body, _result, TASK_RESULT)
    if not result.execution_id or not result.task_id:
        sent = decode(body)
        raise InvalidFields(
            [
                Violation(f"updateTask.arg0.{name}", message, None if sent.get(name) is None else "")
                for name, message, value in (
                    ("workflowInstanceId", "Workflow Id cannot be null or empty", result.execution_id),
                    ("taskId", "Task ID cannot be null or empty", result.task_id),
                )
                if not value
            ]
        )
    if result.status is None:
        if not result.extend_lease:
            raise misfit("status", None, f"one of {', '.join(REPORTABLE)}")
    elif result.status.value not in REPORTABLE:
        raise misfit("status", result.status.value, f"one of {', '.join(REPORTABLE)}")
    if result.reason is not None and len(result.reason) > REASON_LENGTH_MAX:
        return msgspec.structs.replace(result, reason=result.reason[:REASON_LENGTH_MAX])
    return result


def read_rerun(body: bytes) -> RerunRequest:
    """From where and with what to run again. Raises Invalid when the body is no such request. Source: POST /api/workflow/{id}/rerun."""
    return _read(body, _rerun, RERUN_REQUEST)


def read_state(body: bytes) -> StateUpdate:
    """
    Variables, a report, or both. Raises Invalid when the body is no such update, says nothing, or names one half of a report without the other.

    Source: POST /api/workflow/{id}/state (Orkes' WorkflowStateUpdate).
    """
    update = _read(body, _state, STATE_UPDATE)
    if (update.ref is None) != (update.result is None):
        missing, there = ("taskResult", "taskReferenceName") if update.result is None else ("taskReferenceName", "taskResult")
        raise Invalid(f"{missing} is missing; {there} says that a task is to be updated")
    if update.result is None and not update.variables:
        raise Invalid("the body changes nothing; expected variables, or taskReferenceName and taskResult")
    if update.result is not None and update.result.status is not None and update.result.status.value not in REPORTABLE:
        raise misfit("taskResult.status", update.result.status.value, f"one of {', '.join(REPORTABLE)}")
    return update


def read_upgrade(body: bytes) -> UpgradeRequest:
    """Which version to go on with. Raises Invalid when the body is no such request. Source: POST /api/workflow/{id}/upgrade (Orkes)."""
    request = _read(body, _upgrade, UPGRADE_REQUEST)
    if not request.name:
        raise misfit("name", request.name, "the name of the execution's workflow")
    return request


def read_correlated(body: bytes) -> Correlated:
    """Names and correlation ids, one of each at least. Raises Invalid. Source: POST /api/workflow/correlated/batch (Orkes)."""
    asked = _read(body, _correlated, CORRELATED)
    for name, values in (("correlationIds", asked.correlation_ids), ("workflowNames", asked.names)):
        if not values:
            raise Invalid(f"{name} is empty; expected a list of texts, one at least")
        if len(values) > BULK_MAX:
            raise Invalid(f"{name} has {len(values)} members; expected {BULK_MAX} at most")
    return asked


def read_skip(body: bytes) -> SkipRequest:
    """What a skipped task shows. Raises Invalid when the body is no such request. Source: PUT /api/workflow/{id}/skiptask/{ref}."""
    return _read(body, _skip, SKIP_REQUEST)


def read_skip_parameter(text: str) -> SkipRequest:
    """
    The same from a parameter of the query: as JSON, or as Python writes a dict, since that is what the official Python SDK sends.

    Anything else says nothing, as Conductor never looks at it: the Go SDK sends Go's own notation, which cannot be read back.
    Raises Invalid for an object that is no such request.
    """
    try:
        value: object = decode(text.encode("utf-8", "replace"))
    except Invalid:
        try:
            value = ast.literal_eval(text)  # reads constants and calls nothing; the head of a request limits its size
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return SkipRequest()
    try:
        return read_skip(encode(value)) if isinstance(value, dict) else SkipRequest()
    except TypeError:
        return SkipRequest()  # a constant of Python that JSON does not have


def read_object(body: bytes) -> Json:
    """Any JSON object: an input or an output. Raises Invalid for anything else."""
    value = decode(body)
    if type(value) is not dict:
        raise misfit("", value, "an object")
    return value


def read_texts(body: bytes) -> list[str]:
    """A list of texts: correlation ids. Raises Invalid for anything else."""
    read: list[str] = ListOf(Text()).read(decode(body), "")
    return read


def read_ids(body: bytes, method: str) -> list[str]:
    """
    The execution ids of a bulk request; *method* is the name Conductor gives it in its violations.

    Raises:
        InvalidFields: none, or more than 1000.
        Invalid: the body is no list of texts.
    """
    ids = read_texts(body)
    if not ids:
        raise InvalidFields([Violation(f"{method}.arg0", "WorkflowIds list cannot be null.")])
    if len(ids) > BULK_MAX:
        raise InvalidFields([Violation(f"{method}.arg0", f"Cannot process more than {BULK_MAX} workflows. Please use multiple requests.")])
    return ids


def checked_priority(priority: int) -> int:
    """The priority of a start by name. Raises InvalidFields outside 0..99. Source: POST /api/workflow/{name}."""
    if priority < 0:
        raise InvalidFields([Violation("startWorkflow.arg3", "0 is the minimum priority value", str(priority))])
    if priority > PRIORITY_MAX:
        raise InvalidFields([Violation("startWorkflow.arg3", f"{PRIORITY_MAX} is the maximum priority value", str(priority))])
    return priority
