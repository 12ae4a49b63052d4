"""
The API as an OpenAPI document, made from the route table, the handlers' signatures and the tables and structures of the wire.

Nothing is written twice: what a request may be is what binding.py and wire/shape.py read, what an answer is comes from the structures
that are encoded. Source of the path: Conductor serves it at /api-docs.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from batuta.api.binding import Count, Millis, Parameter, parameters_of
from batuta.api.http import Response, json_response
from batuta.api.router import Route
from batuta.engine.changes import Change
from batuta.wire import agent, console, event, file, metadata, requests, schedule
from batuta.wire.answers import BulkResponse, PollData, WorkflowSummary
from batuta.wire.codec import encode
from batuta.wire.event import DeadMessage
from batuta.wire.execution import StatusView, TaskView, WorkflowView
from batuta.wire.file import FileHandle
from batuta.wire.shape import Json
from batuta.wire.summary import ExecutionSummary, TaskSummary
from batuta.wire.timeline import Timeline

_RECORDS: Final = (*metadata.RECORDS, *requests.RECORDS, *event.RECORDS, *schedule.RECORDS, *agent.RECORDS, *file.RECORDS)
_REF: Final = "#/components/schemas/"
_SHOWN: Final[dict[str, Any]] = {
    "Workflow": WorkflowView,
    "Task": TaskView,
    "WorkflowStatus": StatusView,
    "BulkResponse": BulkResponse,
    "PollData": PollData,
    "WorkflowDefSummary": WorkflowSummary,
    "WorkflowSummary": ExecutionSummary,
    "TaskSummary": TaskSummary,
    "DeadMessage": DeadMessage,
    "FileHandle": FileHandle,
    "ConsoleExecution": console.Execution,
    "ConsoleTask": console.ExecutionTask,
    "Timeline": Timeline,
    "Overview": console.Overview,
    "Work": console.Work,
    "Failures": console.Failures,
    "Health": console.Health,
    "Change": Change,
}
_PLAIN: Final[dict[str, Json]] = {
    "object": {"type": "object"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "string": {"type": "string"},
    "text": {"type": "string", "minLength": 1},
    "html": {"type": "string"},
    "events": {"type": "string"},
    "javascript": {"type": "string"},
    "bytes": {"type": "string", "format": "binary"},
}
# A body to begin with, for each that is more than a list of ids; the page to try the API fills its forms with them.
_EXAMPLES: Final[dict[str, Any]] = {
    "WorkflowDef": {
        "name": "greeting",
        "version": 1,
        "tasks": [{"name": "say_hello", "taskReferenceName": "hello", "type": "SIMPLE", "inputParameters": {"who": "${workflow.input.who}"}}],
        "outputParameters": {"said": "${hello.output.said}"},
    },
    "TaskDef": {"name": "say_hello", "retryCount": 3, "timeoutSeconds": 60, "responseTimeoutSeconds": 30},
    "StartWorkflowRequest": {"name": "greeting", "input": {"who": "world"}},
    "TaskResult": {"workflowInstanceId": "", "taskId": "", "status": "COMPLETED", "workerId": "by-hand", "outputData": {"said": "Hello!"}},
    "RerunWorkflowRequest": {"reRunFromTaskId": "", "taskInput": {}},
    "EventHandler": {
        "name": "greet_on_order",
        "event": "conductor:orders:placed",
        "condition": "$.amount > 0",
        "actions": [{"action": "start_workflow", "start_workflow": {"name": "greeting", "input": {"who": "${customer}"}}}],
        "active": True,
    },
    "WorkflowSchedule": {
        "name": "every_morning",
        "cronExpression": "0 30 7 * * MON-FRI",
        "zoneId": "Europe/Prague",
        "startWorkflowRequest": {"name": "greeting", "input": {"who": "world"}},
    },
    "SchemaDef": {"name": "person", "version": 1, "type": "JSON", "data": {"type": "object", "required": ["who"]}},
    "AgentStartRequest": {"agentConfig": {"name": "greeter", "model": "openai/gpt-4o-mini", "instructions": "You greet."}, "prompt": "hello"},
    "InjectTaskRequest": {"taskDefName": "look_up", "referenceTaskName": "look_up_1", "type": "SIMPLE", "inputData": {"word": "baton"}},
    "CreateTrackingWorkflowRequest": {"workflowName": "greeter_tools", "input": {"prompt": "hello"}},
    "FileUploadRequest": {"workflowId": "", "fileName": "report.pdf", "contentType": "application/pdf"},
    "MultipartCompleteRequest": {"partETags": []},
    "Tag": {"key": "team", "value": "firmware"},
    "WorkflowStateUpdate": {"taskReferenceName": "hello", "taskResult": {"status": "COMPLETED", "outputData": {}}, "variables": {"who": "world"}},
    "UpgradeWorkflowRequest": {"name": "greeting", "version": 2, "taskOutput": {}, "workflowInput": {}},
    "CorrelationIdsSearchRequest": {"correlationIds": ["order-1"], "workflowNames": ["greeting"]},
    "SkipTaskRequest": {"taskInput": {}, "taskOutput": {}},
    "object": {},
    "string": "",
}
_MEDIA: Final = {
    "text": "text/plain", "html": "text/html", "events": "text/event-stream", "javascript": "application/javascript", "bytes": "application/octet-stream",
}  # fmt: skip
_ERROR: Final[Json] = {
    "type": "object",
    "required": ["status", "message", "retryable"],
    "properties": {
        "status": {"type": "integer"},
        "message": {"type": "string"},
        "instance": {"type": "string"},
        "retryable": {"type": "boolean"},
        "validationErrors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}, "invalidValue": {"type": "string"}},
            },
        },
    },
}
_FAILURES: Final = {
    "400": "The request cannot be meant, or breaks a rule",
    "403": "This server does not allow it",
    "404": "What it names does not exist",
    "409": "What it names is in a state that forbids it",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "503": "The server could not store it; nothing happened",
}
# Where Conductor answers with plain text, and so do we.
_PLAIN_FAILURES: Final = {"/api/workflow/{workflowId}/messages": ("404", "409", "429")}


@functools.cache
def document(routes: tuple[Route, ...], version: str) -> Response:
    """The description of these routes, as JSON."""
    return json_response(encode(describe(routes, version)))


def describe(routes: Iterable[Route], version: str) -> Json:
    """An OpenAPI 3.1 document of these routes."""
    paths: dict[str, Json] = {}
    used: set[str] = set()
    for route in routes:
        operation = _operation(route)
        if operation["operationId"] in used:
            operation["operationId"] += f"_{len(used)}"
        used.add(operation["operationId"])
        paths.setdefault(route.pattern, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Batuta", "version": version, "description": "A workflow orchestrator that speaks Conductor's REST API."},
        "paths": paths,
        "components": {"schemas": _components()},
    }


def _operation(route: Route) -> Json:
    module = route.handler.__module__.rpartition(".")[2]
    path, query = parameters_of(route)
    operation: Json = {
        "tags": [module],
        "operationId": f"{module}_{route.handler.__name__}",
        "summary": route.summary,
        "description": inspect.getdoc(route.handler) or "",
        "parameters": [*(_parameter(p, "path") for p in path), *(_parameter(p, "query") for p in query)],
        "responses": _responses(route),
    }
    if route.takes:
        kind = route.takes.removesuffix("?")
        content = {"schema": _schema(kind)} if kind in _MEDIA else {"schema": _schema(kind), "example": _example(kind)}
        operation["requestBody"] = {"required": not route.takes.endswith("?"), "content": {_MEDIA.get(kind, "application/json"): content}}
    return operation


def _parameter(parameter: Parameter, where: str) -> Json:
    kinds: dict[Any, Json] = {
        str: {"type": "string"},
        bool: {"type": "boolean"},
        int: {"type": "integer", "format": "int32"},
        Count: {"type": "integer", "format": "int32", "minimum": 0},
        Millis: {"type": "integer", "format": "int64"},
    }
    schema = dict(kinds.get(parameter.kind, {"type": "array", "items": {"type": "string"}}))
    if parameter.words:
        schema["enum"] = list(parameter.words)
    elif where == "path" and parameter.kind is str:
        schema["minLength"] = 1
    if parameter.default not in (None, "", []):
        schema["default"] = parameter.default
    return {"name": parameter.wire, "in": where, "required": parameter.required, "schema": schema}


def _responses(route: Route) -> Json:
    kind = route.gives.removesuffix("?")
    status = "201" if kind.startswith("201 ") else "200"
    kind = kind.removeprefix("201 ")
    responses: Json = {}
    if kind == "nothing":
        responses["200"] = {"description": "Done"}
    elif kind != "204":
        responses[status] = {"description": "Done", "content": {_MEDIA.get(kind, "application/json"): {"schema": _schema(kind)}}}
    if kind == "204" or route.gives.endswith("?"):
        responses["204"] = {"description": "Done" if kind == "204" else "Nothing is there"}
    for status, why in _FAILURES.items():
        if route.takes or status not in ("413", "415"):
            responses[status] = {"description": why, "content": {"application/json": {"schema": {"$ref": f"{_REF}ErrorResponse"}}}}
    for status in _PLAIN_FAILURES.get(route.pattern, ()):
        responses[status] = {"description": _FAILURES.get(status, "There is no room for it now"), "content": {"text/plain": {"schema": {"type": "string"}}}}
    return responses


def _schema(kind: str) -> Json:
    if "|" in kind:
        return {"oneOf": [_schema(one) for one in kind.split("|")]}
    if kind.endswith("[]"):
        return {"type": "array", "items": _schema(kind.removesuffix("[]"))}
    if kind.startswith("SearchResult<"):
        found = {"totalHits": _PLAIN["integer"], "results": {"type": "array", "items": _schema(kind[len("SearchResult<") : -1])}}
        return {"type": "object", "required": ["totalHits", "results"], "properties": found}
    return _PLAIN.get(kind) or {"$ref": _REF + kind}


def _example(kind: str) -> Any:
    first = kind.partition("|")[0]
    example = _EXAMPLES[first.removesuffix("[]")]
    return [example] if first.endswith("[]") else example


def _components() -> dict[str, Json]:
    found: dict[str, Json] = {record.name: record.component() for record in _RECORDS}
    _, shown = msgspec.json.schema_components(tuple(_SHOWN.values()), ref_template=_REF + "{name}")
    names = {structure.__name__: name for name, structure in _SHOWN.items()}
    names |= {internal: f"{internal}Name" for internal in shown if internal in _SHOWN and internal not in names}  # our word is Conductor's for another thing
    for internal, schema in shown.items():
        found[names.get(internal, internal)] = _renamed(schema, names)
    found["Workflow"]["properties"]["workflowDefinition"] = {"$ref": f"{_REF}WorkflowDef"}
    found["Task"]["properties"]["workflowTask"] = {"$ref": f"{_REF}WorkflowTask"}
    found["ErrorResponse"] = _ERROR
    return found


def _renamed(schema: Any, names: dict[str, str]) -> Any:
    """The schema under Conductor's names instead of those of our structures."""
    match schema:
        case dict():
            renamed = {key: _renamed(value, names) for key, value in schema.items() if key != "title"}
            target = renamed.get("$ref")
            if isinstance(target, str):
                internal = target.removeprefix(_REF)
                renamed["$ref"] = _REF + names.get(internal, internal)
            return renamed
        case list():
            return [_renamed(member, names) for member in schema]
        case _:
            return schema
