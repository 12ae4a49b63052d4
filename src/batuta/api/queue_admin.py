"""
/api/queue and /api/admin/queues: the queues that events come from.

Conductor's wait queues are broker queues whose messages complete or fail a waiting task. Here the update reaches the task at once, broker or none.
Source: conductor-rest-api.md §1.5, §1.6.
"""

from __future__ import annotations

from batuta.api.http import Response, empty_response, json_response
from batuta.api.services import Services
from batuta.core.model.status import TaskStatus
from batuta.errors import Invalid, NotFound
from batuta.wire.codec import encode
from batuta.wire.requests import TaskResult, read_object
from batuta.wire.shape import Json

_HANDLED = (TaskStatus.COMPLETED, TaskStatus.FAILED)


def queues(services: Services) -> Response:
    """The wait queues by the status they are for; they need a broker, and there is none."""
    return json_response(b"{}")


def sizes(services: Services) -> Response:
    """How many messages wait in each of them."""
    return json_response(b"{}")


async def update_by_ref(services: Services, workflow_id: str, task_ref_name: str, status: str, body: bytes) -> Response:
    """Complete or fail the open task of a reference; the body is laid over its output."""
    if await services.engine.report_by_ref(workflow_id, task_ref_name, _status(status), read_object(body), None) is None:
        await services.engine.read(workflow_id)  # an unknown execution is told apart from one without such a task
        raise NotFound(f"workflow {workflow_id} has no open task with the reference name {task_ref_name!r}")
    return empty_response()


async def update(services: Services, workflow_id: str, task_id: str, status: str, body: bytes) -> Response:
    """Complete or fail a task; the body is laid over its output. One that has ended is left alone."""
    execution, task = await services.engine.read_task(task_id)
    if execution.head.id != workflow_id:
        raise NotFound(f"workflow {workflow_id} has no task {task_id}")
    output: Json = {**task.output, **read_object(body)}
    await services.engine.report(TaskResult(execution_id=workflow_id, task_id=task_id, status=_status(status), output=output, reason=task.reason))
    return empty_response()


def _status(word: str) -> TaskStatus:
    if word not in _HANDLED:
        raise Invalid(f"There is no queue for handling {word} status; expected COMPLETED or FAILED")
    return TaskStatus(word)


def event_queues(services: Services, *, verbose: bool = False) -> Response:
    """The queues that active handlers listen to, by event; *verbose*: with how many messages are being handled or wait for it."""
    waiting = services.events.waiting()
    named = {event: event.partition(":")[2] for event in services.events.handlers.events()}
    return json_response(encode({event: {queue: waiting.get(event, 0)} for event, queue in named.items()} if verbose else named))
