"""
/api/workflow/bulk: the operator's verbs for many executions at once.

Always 200: the answer says of each id whether it succeeded, or why not. All are asked at once, so that they share the store's commits.
Source: conductor-rest-api.md §1.1, bulk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from batuta.api.http import Response, json_response
from batuta.api.services import Services
from batuta.errors import BatutaError
from batuta.wire.answers import BulkResponse
from batuta.wire.codec import encode
from batuta.wire.execution import workflow_json
from batuta.wire.requests import read_ids
from batuta.wire.shape import Json

Verb = Callable[[str], Awaitable[None]]


async def _each(ids: list[str], *verbs: Verb) -> Response:
    """
    Every verb of every id, in turn; a verb that fails does not keep the next one from being tried.

    An id is named once for each verb that succeeded, as Conductor does.
    """

    async def one(execution_id: str) -> tuple[int, str | None]:
        done, failure = 0, None
        for verb in verbs:
            try:
                await verb(execution_id)
                done += 1
            except BatutaError as error:
                failure = str(error)
        return done, failure

    ends = await asyncio.gather(*(one(execution_id) for execution_id in ids))
    failed = {execution_id: failure for execution_id, (_, failure) in zip(ids, ends, strict=True) if failure is not None}
    succeeded = [execution_id for execution_id, (done, _) in zip(ids, ends, strict=True) for _ in range(done)]
    return json_response(encode(BulkResponse(failed, succeeded)))


async def pause(services: Services, body: bytes) -> Response:
    """Pause each."""
    return await _each(read_ids(body, "pauseWorkflow"), services.engine.pause)


async def resume(services: Services, body: bytes) -> Response:
    """Resume each."""
    return await _each(read_ids(body, "resumeWorkflow"), services.engine.resume)


async def restart(services: Services, body: bytes, *, use_latest_definitions: bool = False) -> Response:
    """Restart each."""
    return await _each(read_ids(body, "restart"), lambda one: services.engine.restart(one, use_latest_definitions))


async def retry(services: Services, body: bytes) -> Response:
    """Retry each."""
    return await _each(read_ids(body, "retry"), lambda one: services.engine.retry(one, False))


async def terminate(services: Services, body: bytes, *, reason: str | None = None) -> Response:
    """Terminate each."""
    return await _each(read_ids(body, "terminate"), lambda one: services.engine.terminate(one, reason))


async def remove(services: Services, body: bytes, *, archive_workflow: bool = True) -> Response:
    """Remove each."""
    return await _each(read_ids(body, "deleteWorkflow"), lambda one: services.engine.remove(one, archive_workflow))


async def terminate_remove(services: Services, body: bytes, *, reason: str | None = None, archive_workflow: bool = True) -> Response:
    """Terminate, then remove each."""
    return await _each(
        read_ids(body, "terminateRemove"),
        lambda one: services.engine.terminate(one, reason),
        lambda one: services.engine.remove(one, archive_workflow),
    )


async def search(services: Services, body: bytes, *, include_tasks: bool = True) -> Response:
    """Read each; in the form of Conductor's internal model."""
    found: list[Json] = []
    failed: dict[str, str] = {}
    for execution_id in read_ids(body, "searchWorkflow"):
        try:
            found.append(workflow_json(await services.engine.read(execution_id), include_tasks=include_tasks))
        except BatutaError as error:
            failed[execution_id] = str(error)
    return json_response(encode(BulkResponse(failed, found)))
