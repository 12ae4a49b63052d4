"""
Calls about executions: start, read, steer, find. Source: /workflow, and the server's own /health and /version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from batuta.client.calls.metadata import Definition, definition_json
from batuta.client.http import Answer, Call, below_root
from batuta.client.models import Execution, ReportStatus

IdempotencyStrategy = Literal["FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING"]


def start_workflow(
    name: str,
    input: Mapping[str, Any] | None = None,
    *,
    version: int | None = None,
    correlation_id: str | None = None,
    priority: int = 0,
    task_to_domain: Mapping[str, str] | None = None,
    workflow_def: Definition | None = None,
    idempotency_key: str | None = None,
    idempotency_strategy: IdempotencyStrategy | None = None,
) -> Call[str]:
    """
    Start an execution of the definition *name* (its newest version unless given) and return its id.

    A *workflow_def* is run as it stands, without being registered. *priority* is 0 to 99, higher first. Conductor OSS accepts
    an idempotency key and ignores it: only Batuta and Orkes answer a second start with the first id.

    Raises:
        NotFound: no such definition.

    Source: POST /workflow.
    """
    body = _start_request(name, input, version, correlation_id, priority, task_to_domain, workflow_def)
    if idempotency_key is not None:
        body |= {"idempotencyKey": idempotency_key, "idempotencyStrategy": idempotency_strategy or "RETURN_EXISTING"}
    return Call("POST", "/workflow", Answer.text, body=body)


def execute_workflow(
    name: str,
    input: Mapping[str, Any] | None = None,
    *,
    version: int | None = None,
    wait_until_ref: str | None = None,
    wait_s: int = 10,
    correlation_id: str | None = None,
    task_to_domain: Mapping[str, str] | None = None,
    workflow_def: Definition | None = None,
) -> Call[dict[str, Any]]:
    """
    Start an execution and wait up to *wait_s* for its end (or for *wait_until_ref*); the server's run object, as JSON.

    When the time is over, ``signalTimeout`` is true in it and the execution goes on.

    Source: POST /workflow/execute/{name}/{version}.
    """
    body = _start_request(name, input, version, correlation_id, 0, task_to_domain, workflow_def)
    query = {"waitForSeconds": wait_s, "waitUntilTaskRef": wait_until_ref}
    path = below_root("/workflow/execute/{}/{}", name, str(version or 0))
    return Call("POST", path, Answer.json, query=query, body=body, timeout_s=wait_s + 30.0)


def get_workflow(execution_id: str, include_tasks: bool = True) -> Call[Execution]:
    """The execution with this id, with its tasks unless told otherwise. Raises NotFound. Source: GET /workflow/{id}."""
    return Call("GET", below_root("/workflow/{}", execution_id), _execution, query={"includeTasks": include_tasks})


def get_workflow_status(execution_id: str) -> Call[str]:
    """The execution's status alone, the cheapest thing to ask. Raises NotFound. Source: GET /workflow/{id}/status."""
    return Call("GET", below_root("/workflow/{}/status", execution_id), lambda answer: str((answer.json() or {}).get("status", "")))


def terminate(execution_id: str, reason: str | None = None) -> Call[None]:
    """End the execution as TERMINATED. Raises Conflict when it is COMPLETED. Source: DELETE /workflow/{id}."""
    return Call("DELETE", below_root("/workflow/{}", execution_id), Answer.nothing, query={"reason": reason})


def pause(execution_id: str) -> Call[None]:
    """Schedule nothing more until it is resumed; tasks under way go on. Source: PUT /workflow/{id}/pause."""
    return Call("PUT", below_root("/workflow/{}/pause", execution_id), Answer.nothing)


def resume(execution_id: str) -> Call[None]:
    """Go on with a paused execution. Source: PUT /workflow/{id}/resume."""
    return Call("PUT", below_root("/workflow/{}/resume", execution_id), Answer.nothing)


def restart(execution_id: str, *, use_latest_definitions: bool = False) -> Call[None]:
    """Begin an ended execution anew under its id. Raises Conflict while it runs. Source: POST /workflow/{id}/restart."""
    query = {"useLatestDefinitions": use_latest_definitions}
    return Call("POST", below_root("/workflow/{}/restart", execution_id), Answer.nothing, query=query)


def retry(execution_id: str, *, resume_subworkflow_tasks: bool = False) -> Call[None]:
    """Try the failed tasks of an ended execution again. Raises NotFound while it runs. Source: POST /workflow/{id}/retry."""
    query = {"resumeSubworkflowTasks": resume_subworkflow_tasks}
    return Call("POST", below_root("/workflow/{}/retry", execution_id), Answer.nothing, query=query)


def rerun(
    execution_id: str,
    *,
    from_task_id: str | None = None,
    task_input: Mapping[str, Any] | None = None,
    workflow_input: Mapping[str, Any] | None = None,
    correlation_id: str | None = None,
) -> Call[str]:
    """Run an ended execution again from one of its tasks, or from its beginning; its id. Source: POST /workflow/{id}/rerun."""
    body = {"reRunFromTaskId": from_task_id, "taskInput": task_input, "workflowInput": workflow_input, "correlationId": correlation_id}
    return Call("POST", below_root("/workflow/{}/rerun", execution_id), Answer.text, body=_without_none(body))


def skip_task(
    execution_id: str, ref: str, *, task_input: Mapping[str, Any] | None = None, task_output: Mapping[str, Any] | None = None
) -> Call[None]:
    """
    Let the execution pass over the task *ref*, which it has not reached yet, with this input and output on record.

    Conductor OSS skips the task and ignores both.

    Source: PUT /workflow/{id}/skiptask/{ref}.
    """
    body = _without_none({"taskInput": task_input, "taskOutput": task_output})
    return Call("PUT", below_root("/workflow/{}/skiptask/{}", execution_id, ref), Answer.nothing, body=body)


def remove(execution_id: str, *, archive: bool = True) -> Call[None]:
    """Delete the execution; with *archive* it must have ended and its summary stays. Source: DELETE /workflow/{id}/remove."""
    return Call("DELETE", below_root("/workflow/{}/remove", execution_id), Answer.nothing, query={"archiveWorkflow": archive})


def decide(execution_id: str) -> Call[None]:
    """Have the server evaluate the execution now. Source: PUT /workflow/decide/{id}."""
    return Call("PUT", below_root("/workflow/decide/{}", execution_id), Answer.nothing)


def signal(execution_id: str, output: Mapping[str, Any] | None = None, *, status: ReportStatus = "COMPLETED") -> Call[None]:
    """
    End the WAIT task that blocks the execution, with *output*; nothing happens when none does.

    Source: POST /tasks/{workflowId}/{status}/signal.
    """
    return Call("POST", below_root("/tasks/{}/{}/signal", execution_id, status), Answer.nothing, body=dict(output or {}))


def push_message(execution_id: str, payload: Mapping[str, Any]) -> Call[str]:
    """
    Push a message to a running execution, for its PULL_WORKFLOW_MESSAGES; the message's id. Raises Conflict when it does not run.

    Source: POST /workflow/{id}/messages; a Conductor server has it only with a flag.
    """
    return Call("POST", below_root("/workflow/{}/messages", execution_id), Answer.text, body=dict(payload))


def search(
    query: str | None = None, *, free_text: str = "*", start: int = 0, size: int = 100, sort: str | None = None
) -> Call[dict[str, Any]]:
    """
    A page of execution summaries: ``{"totalHits": n, "results": [...]}``.

    *query* holds clauses like ``workflowType=order AND status IN (FAILED,TIMED_OUT)``; *sort* is ``startTime:DESC``.

    Source: GET /workflow/search.
    """
    parameters = {"query": query, "freeText": free_text, "start": start, "size": size, "sort": sort}
    return Call("GET", "/workflow/search", Answer.json, query=parameters)


def correlated(
    workflow_name: str, correlation_id: str, *, include_closed: bool = True, include_tasks: bool = False
) -> Call[list[Execution]]:
    """Executions of a workflow that carry this correlation id. Source: GET /workflow/{name}/correlated/{correlationId}."""
    path = below_root("/workflow/{}/correlated/{}", workflow_name, correlation_id)
    query = {"includeClosed": include_closed, "includeTasks": include_tasks}
    return Call("GET", path, lambda answer: [Execution.from_json(one) for one in answer.json() or ()], query=query)


def health() -> Call[dict[str, Any]]:
    """What the server says of its health; ``healthy`` is what counts. Source: GET /health (below the API root)."""
    return Call("GET", "/health", Answer.json)


def version() -> Call[str]:
    """The server's version. Source: GET /version."""
    return Call("GET", "/version", Answer.text)


def request(
    method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None, timeout_s: float | None = None
) -> Call[Any]:
    """
    Any other call: *path* is below the API root and quoted by the caller; JSON, text or None comes back, as the server says.

    A *body* is sent as JSON. GET, PUT and DELETE are tried once more when a kept connection turns out to be closed.
    """
    if not path.startswith("/"):
        raise ValueError(f"path {path!r} does not begin with '/'; give it relative to the API root, like '/workflow/search'")
    return Call(method.upper(), path, Answer.any, query=query or {}, body=body, timeout_s=timeout_s)


def _execution(answer: Answer) -> Execution:
    return Execution.from_json(answer.json())


def _start_request(
    name: str,
    input: Mapping[str, Any] | None,
    version: int | None,
    correlation_id: str | None,
    priority: int,
    task_to_domain: Mapping[str, str] | None,
    workflow_def: Definition | None,
) -> dict[str, Any]:
    return {
        "name": name,
        "input": dict(input or {}),
        "priority": priority,
        **_without_none({"version": version, "correlationId": correlation_id, "taskToDomain": task_to_domain}),
        **({"workflowDef": definition_json(workflow_def)} if workflow_def is not None else {}),
    }


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


