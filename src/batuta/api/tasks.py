"""
/api/tasks: handing tasks to workers, taking their reports, logs.

Source: conductor-rest-api.md §1.2.
"""

from __future__ import annotations

from typing import Final

from batuta.api.http import Request, Response, empty_response, json_response, no_content, text_response
from batuta.api.services import Services
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.engine.tally import POLL_ERRORS
from batuta.errors import BatutaError, Invalid, NotFound
from batuta.wire import requests
from batuta.wire.answers import TaskLog
from batuta.wire.codec import encode
from batuta.wire.execution import task_view, workflow_view
from batuta.wire.requests import ReportedStatus

POLL_MS: Final = 100  # how long a poll waits that does not say
POLL_MS_MAX: Final = 5_000


async def _claim(services: Services, request: Request, task_type: str, worker: str, domain: str, count: int, wait_ms: int) -> list[tuple[Execution, Task]]:
    """What there is, else what comes while the client waits. Who waits is watched: a client that has left takes no task."""
    services.metrics.polled(task_type, domain)
    if count <= 0:
        return []
    try:
        taken = await services.engine.claim(task_type, worker=worker, domain=domain, count=count)
        if taken or wait_ms <= 0:
            return taken
        return await services.engine.claim(task_type, worker=worker, domain=domain, count=count, wait_s=wait_ms / 1000, gone=request.client_gone())
    except BatutaError as error:
        services.engine.tally.count(POLL_ERRORS, task_type, domain or "null", type(error).__name__)
        raise


async def poll(services: Services, tasktype: str, request: Request, *, workerid: str = "", domain: str = "") -> Response:
    """Take one task; 204 when none is there."""
    taken = await _claim(services, request, tasktype, workerid, domain, 1, POLL_MS)
    handed = await services.handed(taken)
    return json_response(encode(handed[0])) if handed else no_content()


async def poll_batch(
    services: Services, tasktype: str, request: Request, *, workerid: str = "", domain: str = "", count: int = 1, timeout: int = POLL_MS
) -> Response:
    """Take up to *count* tasks; with none there, wait up to *timeout* milliseconds for the first. Nothing is an empty list."""
    if timeout > POLL_MS_MAX:
        raise Invalid("Long Poll Timeout value cannot be more than 5 seconds")
    taken = await _claim(services, request, tasktype, workerid, domain, count, timeout)
    return json_response(encode(await services.handed(taken)))


async def report(services: Services, body: bytes) -> Response:
    """How a task stands; its id as text. A task that has ended stays as it is."""
    result = requests.read_result(body)
    await services.engine.report(result, len(body))
    return text_response(result.task_id)


async def report_and_poll(services: Services, body: bytes) -> Response:
    """The same, and the next task of the same type, domain and worker if the report ended this one; else 204."""
    result = requests.read_result(body)
    told = await services.engine.report(result, len(body))
    if result.extend_lease or (told is not None and not told[1].status.is_terminal):
        return no_content()
    task = told[1] if told is not None else (await services.engine.read_task(result.task_id))[1]
    taken = await services.engine.claim(task.type, worker=result.worker or "", domain=task.domain)
    handed = await services.handed(taken)
    return json_response(encode(handed[0])) if handed else no_content()


async def report_by_ref(
    services: Services, workflow_id: str, task_ref_name: str, status: ReportedStatus, body: bytes, *, workerid: str | None = None
) -> Response:
    """Report the open task of a reference; its id as text, or nothing when there is none."""
    told = await services.engine.report_by_ref(workflow_id, task_ref_name, TaskStatus(status), requests.read_object(body), workerid or None)
    return text_response(told[1].id) if told is not None else empty_response()


async def report_by_ref_sync(
    services: Services, workflow_id: str, task_ref_name: str, status: ReportedStatus, body: bytes, *, workerid: str | None = None
) -> Response:
    """The same, answered with the execution; 404 when no such task is open."""
    told = await services.engine.report_by_ref(workflow_id, task_ref_name, TaskStatus(status), requests.read_object(body), workerid or "")
    if told is None:
        raise NotFound(f"Found no running task {task_ref_name} of workflow {workflow_id} to update")
    return json_response(encode(workflow_view(await services.engine.read(workflow_id), services.now())))


async def add_log(services: Services, task_id: str, body: bytes) -> Response:
    """A line for the task's log, as it comes."""
    if not body:
        raise Invalid("the request has no body; expected a line of text")
    await services.engine.add_log(task_id, body.decode(errors="replace"))
    return empty_response()


async def logs(services: Services, task_id: str) -> Response:
    """The task's log; 204 when there is none."""
    lines = [TaskLog(row.line, row.task_id, row.created_at) for row in await services.engine.logs(task_id)]
    return json_response(encode(lines)) if lines else no_content()


async def read(services: Services, task_id: str) -> Response:
    """One task, by its id alone."""
    execution, task = await services.engine.read_task(task_id)
    return json_response(encode(task_view(execution, task, services.now())))
