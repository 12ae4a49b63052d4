"""
/health, /api/version and /api/admin: what an operator asks of the server itself.

Source: conductor-rest-api.md §1.6, §1.7.
"""

from __future__ import annotations

from typing import Final

from batuta.api.binding import Count
from batuta.api.http import Response, json_response, text_response
from batuta.api.services import Services
from batuta.wire.codec import encode
from batuta.wire.execution import task_view

_HEALTHY: Final = json_response(b'{"healthy":true,"healthResults":[],"suppressedHealthResults":[]}')


def health(services: Services) -> Response:
    """Whether the server serves: it does, or there would be no answer."""
    return _HEALTHY


def version(services: Services) -> Response:
    """The server's version, as text."""
    return text_response(services.version)


def config(services: Services) -> Response:
    """The settings in force, as texts."""
    return json_response(encode({**services.config, "version": services.version}))


async def stats(services: Services) -> Response:
    """What the store holds and what is in memory, counted."""
    return json_response(encode(await services.engine.statistics()))


async def pending_tasks(services: Services, tasktype: str, *, start: Count = 0, count: Count = 100) -> Response:
    """Open tasks of a type."""
    found = await services.engine.pending_tasks(tasktype, start, count)
    return json_response(encode([task_view(execution, task, services.now()) for execution, task in found]))


async def requeue(services: Services, workflow_id: str) -> Response:
    """Look at an execution again; Conductor's answer is `true.` and the id."""
    await services.engine.decide(workflow_id)
    return text_response(f"true.{workflow_id}")


async def verify_and_repair(services: Services, workflow_id: str) -> Response:
    """Whether anything had to be repaired: never, since no queue lives outside the state. The execution is looked at again all the same."""
    await services.engine.decide(workflow_id)
    return text_response("false")
