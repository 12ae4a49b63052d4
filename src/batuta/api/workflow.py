"""
/api/workflow: starting, reading and steering executions.

An execution that the engine hands out is its own and moves on: each handler encodes it before it waits for anything else.
Source: conductor-rest-api.md §1.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from batuta.api.binding import Count, Millis
from batuta.api.http import Request, Response, empty_response, json_response, no_content, text_response
from batuta.api.services import Services
from batuta.core.model.status import TaskStatus
from batuta.errors import Conflict, Invalid, NotFound, TooMany
from batuta.wire import requests
from batuta.wire.answers import SearchResult
from batuta.wire.codec import encode
from batuta.wire.execution import status_view, task_views, workflow_view
from batuta.wire.requests import SkipRequest, StartRequest
from batuta.wire.shape import Json

RUNNING_MAX: Final = 100_000  # ids in one list of what runs
_BRACKETED: Final = re.compile(r"(taskInput|taskOutput)\[([^\]]*)\]")


async def start(services: Services, body: bytes) -> Response:
    """Start what the request names, or the definition inside it; the id as text."""
    request = requests.read_start(body)
    if request.definition is not None:
        await services.catalog.check_workflow(request.definition, "startWorkflow.arg0.workflowDef")
    elif not (request.name or "").strip():
        raise Invalid("Workflow name must be specified when searching for a definition")
    return text_response(await services.engine.start(request))


async def start_by_name(
    services: Services, name: str, body: bytes, *, version: int | None = None, correlation_id: str | None = None, priority: int = 0
) -> Response:
    """Start a registered workflow, its latest version unless asked; the body is its input."""
    priority = requests.checked_priority(priority)
    given = requests.read_object(body)
    definition = services.catalog.workflow(name, version)
    if definition is None:
        raise NotFound(f"No such workflow found by name: {name}, version: {'null' if version is None else version}")
    request = StartRequest(name=name, version=definition["version"], correlation_id=correlation_id, priority=priority, input=given)
    return text_response(await services.engine.start(request))


async def read(services: Services, workflow_id: str, *, include_tasks: bool = True) -> Response:
    """The whole execution."""
    execution = await services.engine.read(workflow_id)
    return json_response(encode(workflow_view(execution, services.now(), include_tasks=include_tasks)))


async def tasks(services: Services, workflow_id: str, *, start: Count = 0, count: Count = 15, status: list[str] = []) -> Response:  # noqa: B006
    """A page of its tasks, of some statuses only if asked."""
    wanted = {_status(word) for word in status}
    execution = await services.engine.read(workflow_id)
    found = [task for task in execution.ordered() if not wanted or task.status in wanted]
    page = found[start : start + count]
    return json_response(encode(SearchResult(len(found), task_views(execution, page, services.now()))))


def _status(word: str) -> TaskStatus:
    try:
        return TaskStatus[word.upper()]
    except KeyError:
        raise Invalid(f"query parameter 'status' is the text {word!r}; expected one of {', '.join(TaskStatus.__members__)}") from None


async def status(services: Services, workflow_id: str, *, include_output: bool = False, include_variables: bool = False) -> Response:
    """Its status alone, with output and variables if asked."""
    execution = await services.engine.read(workflow_id)
    return json_response(encode(status_view(execution, include_output=include_output, include_variables=include_variables)))


async def remove(services: Services, workflow_id: str, *, archive_workflow: bool = True) -> Response:
    """Delete it for good; one that still runs only without archiving."""
    await services.engine.remove(workflow_id, archive_workflow)
    return empty_response()


async def terminate(services: Services, workflow_id: str, *, reason: str | None = None) -> Response:
    """End it."""
    await services.engine.terminate(workflow_id, reason)
    return empty_response()


async def terminate_remove(services: Services, workflow_id: str, *, reason: str | None = None, archive_workflow: bool = True) -> Response:
    """End it, then delete it for good."""
    await services.engine.terminate(workflow_id, reason)
    await services.engine.remove(workflow_id, archive_workflow)
    return empty_response()


async def pause(services: Services, workflow_id: str) -> Response:
    """Nothing new is scheduled until it is resumed."""
    await services.engine.pause(workflow_id)
    return empty_response()


async def resume(services: Services, workflow_id: str) -> Response:
    """Go on after a pause."""
    await services.engine.resume(workflow_id)
    return empty_response()


async def decide(services: Services, workflow_id: str) -> Response:
    """Look at it again, as if time had passed."""
    await services.engine.decide(workflow_id)
    return empty_response()


async def restart(services: Services, workflow_id: str, *, use_latest_definitions: bool = False) -> Response:
    """Begin an ended one again, with the definition it had or the latest one."""
    await services.engine.restart(workflow_id, use_latest_definitions)
    return no_content()


async def retry(services: Services, workflow_id: str, *, resume_subworkflow_tasks: bool = False) -> Response:
    """New attempts of what failed; in the child that failed, if asked."""
    await services.engine.retry(workflow_id, resume_subworkflow_tasks)
    return no_content()


async def push(services: Services, workflow_id: str, body: bytes) -> Response:
    """Push a message for its PULL_WORKFLOW_MESSAGES; the message's id. Errors of this one are plain text, as Conductor's are."""
    payload = requests.read_object(body)
    try:
        return text_response(await services.engine.push(workflow_id, payload))
    except NotFound:
        return text_response(f"Workflow not found: {workflow_id}", 404)
    except (Conflict, TooMany) as error:
        return text_response(str(error), error.status)


async def rerun(services: Services, workflow_id: str, body: bytes) -> Response:
    """Play an ended one again from a task, or from the beginning; its id as text."""
    return text_response(await services.engine.rerun(workflow_id, requests.read_rerun(body)))


async def reset_callbacks(services: Services, workflow_id: str) -> Response:
    """Tasks that were handed back for later are due now."""
    await services.engine.reset_callbacks(workflow_id)
    return no_content()


async def skip_task(services: Services, workflow_id: str, task_reference_name: str, body: bytes, request: Request) -> Response:
    """Pass over a task that is not scheduled yet. Its input and output come in the body, or in the query as Conductor reads them."""
    said = requests.read_skip(body) if body.strip() else SkipRequest()
    asked = _from_query(request.query())
    await services.engine.skip_task(workflow_id, task_reference_name, said.input or asked.input, said.output or asked.output)
    return empty_response()


def _from_query(query: Mapping[str, list[str]]) -> SkipRequest:
    """`taskInput[key]=value` and `taskOutput[key]=value`; or the whole request in one, which the Python SDK sends."""
    if whole := query.get("skipTaskRequest"):
        return requests.read_skip_parameter(whole[0])
    found: dict[str, Json] = {"taskInput": {}, "taskOutput": {}}
    for name, values in query.items():
        if member := _BRACKETED.fullmatch(name):
            found[member[1]][member[2]] = values[0]
    return msgspec.convert(found, SkipRequest)


async def set_variables(services: Services, workflow_id: str, body: bytes) -> Response:
    """Set variables, each as a whole; the execution as it is then."""
    await services.engine.update_variables(workflow_id, requests.read_object(body))
    return await read(services, workflow_id)


async def jump(services: Services, workflow_id: str, task_reference_name: str, body: bytes, request: Request) -> Response:
    """Go on from this task; the body is laid over its input. The Python SDK leaves the path's variable as it is, and names the task in the query."""
    ref = request.query().get("taskReferenceName", [task_reference_name])[0]
    await services.engine.jump(workflow_id, ref, requests.read_object(body) if body.strip() else {})
    return empty_response()


async def upgrade(services: Services, workflow_id: str, body: bytes) -> Response:
    """Go on with another version of its definition."""
    await services.engine.upgrade(workflow_id, requests.read_upgrade(body))
    return empty_response()


async def correlated_batch(services: Services, body: bytes, *, include_closed: bool = False, include_tasks: bool = False) -> Response:
    """Executions of any of these workflows, by correlation id; every one asked for is in the answer."""
    asked = requests.read_correlated(body)
    shown = {}
    for one in dict.fromkeys(asked.correlation_ids):
        shown[one] = [view for name in dict.fromkeys(asked.names) for view in await _correlated(services, name, one, include_closed, include_tasks)]
    return json_response(encode(shown))


async def running(services: Services, name: str, *, version: int = 1, start_time: Millis | None = None, end_time: Millis | None = None) -> Response:
    """The ids of those not ended; with both times, of all of that version created between them."""
    if start_time and end_time:
        found = await services.engine.find(name=name, definition_version=version, created_from=start_time, created_to=end_time, limit=RUNNING_MAX)
    else:
        found = await services.engine.find(name=name, statuses=("RUNNING", "PAUSED"), limit=RUNNING_MAX)
    return json_response(encode([one.execution_id for one in found]))


async def correlated(services: Services, name: str, correlation_id: str, *, include_closed: bool = False, include_tasks: bool = False) -> Response:
    """The executions of a correlation id: those that run, or all of them."""
    return json_response(encode(await _correlated(services, name, correlation_id, include_closed, include_tasks)))


async def correlated_many(services: Services, name: str, body: bytes, *, include_closed: bool = False, include_tasks: bool = False) -> Response:
    """The same for several correlation ids; every one asked for is in the answer."""
    ids = requests.read_texts(body)
    return json_response(encode({one: await _correlated(services, name, one, include_closed, include_tasks) for one in ids}))


async def _correlated(services: Services, name: str, correlation_id: str, include_closed: bool, include_tasks: bool) -> list[msgspec.Raw]:
    statuses = () if include_closed else ("RUNNING",)  # a PAUSED one counts as closed here
    shown = []
    for one in await services.engine.find(name=name, correlation_id=correlation_id, statuses=statuses):
        try:
            execution = await services.engine.read(one.execution_id)
        except NotFound:
            continue  # removed meanwhile
        shown.append(msgspec.Raw(encode(workflow_view(execution, services.now(), include_tasks=include_tasks))))
    return shown
