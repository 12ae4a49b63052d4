"""
/api/agent, the executions: finding and reading them, the operator's verbs under the names agents have for them, and what an SDK records.

Source: conductor-rest-api.md §1.11; a running server's answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Final

from batuta.api.binding import Count
from batuta.api.http import Request, Response, Streamed, empty_response, json_response, text_response
from batuta.api.search import EVERYTHING, SIZE_MAX, classes, meant, query_of
from batuta.api.services import Services
from batuta.core import beside, variables
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.query import All, Compare, Query, parse_sort
from batuta.errors import Conflict, Invalid, NotFound
from batuta.wire import agent
from batuta.wire.answers import SearchResult, TaskLog
from batuta.wire.codec import decode, encode
from batuta.wire.execution import task_views, workflow_view
from batuta.wire.requests import REPORTABLE, StartRequest, TaskResult, read_object, read_rerun, read_texts
from batuta.wire.shape import Json
from batuta.wire.summary import ExecutionSummary, execution_summary

DAY_MS: Final = 24 * 3600 * 1000
PRUNED_AT_ONCE: Final = 100
NEWEST: Final = "startTime:DESC"
CANCELLED: Final = "Cancelled by user"
TRACKED: Final = "tracked"  # the reference of the task that holds a tracking execution open
FAMILY_MAX: Final = 1000  # executions looked at for one sum of tokens
BEAT_S: Final = 10.0
_EVENTS: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))
_ENDED: Final = ("COMPLETED", "FAILED", "TERMINATED", "TIMED_OUT")


# -- finding and reading ----------------------------------------------------------------------------------------------------------


async def executions(
    services: Services, *, start: Count = 0, size: Count = 20, sort: str = NEWEST, free_text: str = EVERYTHING, status: str = "", agent_name: str = "",
    session_id: str = "", classifier: str = "",
) -> Response:  # fmt: skip
    """Executions of agents, of one agent or status or with a text if asked."""
    wanted = classes(classifier)
    parts: list[Query] = [Compare("workflowType", "=", (agent_name,))] if agent_name else []
    if wanted or not agent_name:
        parts.append(Compare("classifier", "IN", wanted or ("agent",)))
    if status:
        parts.append(Compare("status", "=", (status,)))
    total, found = await _found(services, All(tuple(parts)), start, size, sort, session_id or free_text)
    return json_response(encode({"totalHits": total, "results": [agent.run_summary(one) for one in found]}))


async def search(
    services: Services, *, start: Count = 0, size: Count = 20, sort: str = NEWEST, free_text: str = EVERYTHING, query: str = "", classifier: str = ""
) -> Response:
    """Executions by query, as summaries; of some classifiers only if asked."""
    return json_response(encode(SearchResult(*await _found(services, query_of(query, classifier), start, size, sort, free_text))))


async def _found(services: Services, query: Query | None, start: int, size: int, sort: str, words: str) -> tuple[int, list[ExecutionSummary]]:
    if size > SIZE_MAX:
        raise Invalid(f"query parameter 'size' is {size}; expected at most {SIZE_MAX}")
    total, found = await services.engine.search("executions", meant("executions", query, words), sort=parse_sort(sort), start=start, size=size)
    return total, [execution_summary(head, definition) for head, definition in await services.engine.heads([one for one, _ in found])]


async def detail(services: Services, execution_id: str) -> Response:
    """An execution in short, and the task it is at."""
    return json_response(encode(agent.run_detail(await services.engine.read(execution_id))))


async def full(services: Services, execution_id: str) -> Response:
    """The whole execution, as a workflow; with the tokens that it and all its children have used."""
    x = await services.engine.read(execution_id)
    view = encode(workflow_view(x, services.now()))
    usage = agent.tokens(await _chats_of_family(services, x))
    return json_response(view[:-1] + b',"aggregateTokenUsage":' + encode(usage) + b"}")


async def _chats_of_family(services: Services, x: Execution) -> list[Json]:
    """What the chats of an execution and of its descendants have put out."""
    found, waiting, seen = agent.chats_of(x), [x], 1
    while waiting:
        for child in [task.sub_execution_id for task in waiting.pop().ordered() if task.sub_execution_id]:
            if (seen := seen + 1) > FAMILY_MAX:
                return found
            try:
                member = await services.engine.read(child)
            except NotFound:
                continue  # removed
            found += agent.chats_of(member)
            waiting.append(member)
    return found


async def tasks(services: Services, execution_id: str, *, status: str = "", count: Count = 15, start: Count = 0) -> Response:
    """A page of its tasks, and how many there are of each status."""
    x = await services.engine.read(execution_id)
    every = list(x.ordered())
    found = [task for task in every if status in ("", task.status)]
    page = task_views(x, found[start : start + count], services.now())
    tally: dict[str, int] = {}
    for task in every:
        tally[task.status] = tally.get(task.status, 0) + 1
    return json_response(encode({"results": page, "totalHits": len(found), "summary": tally}))


async def run(services: Services, execution_id: str) -> Response:
    """An execution with its tasks in short, and the tokens it has used."""
    return json_response(encode(agent.run_view(await services.engine.read(execution_id), services.now())))


async def status(services: Services, execution_id: str) -> Response:
    """Whether it has ended, runs, or waits, and for what."""
    return json_response(encode(agent.run_status(await services.engine.read(execution_id))))


async def stream(services: Services, execution_id: str, request: Request) -> Response:
    """What happens, as server-sent events, until the execution has ended; without those up to the one that the header Last-Event-ID names."""
    last = request.header(b"last-event-id").decode("latin-1")
    after = int(last) if last.isdigit() and len(last) < 10 else 0
    await services.engine.read(execution_id)
    return Streamed(200, _told(services, execution_id, after, request), None, *_EVENTS)


async def _told(services: Services, execution_id: str, after: int, request: Request) -> AsyncIterator[bytes]:
    """Each event once, numbered from 1; a comment when there was none for a while, so that a dead connection is noticed."""
    yield b":connected\n\n"
    gone = request.client_gone()
    numbered: dict[agent.Key, int] = {}
    try:
        x = await services.engine.read(execution_id)
        while not gone.done():
            for event in agent.told(x):
                if event.key not in numbered:
                    number = numbered[event.key] = len(numbered) + 1
                    if number > after:
                        shown = {"id": number, "type": event.kind, "executionId": execution_id, **event.said, "timestamp": event.at}
                        yield f"id:{number}\nevent:{event.kind}\ndata:".encode() + encode(shown) + b"\n\n"
            if x.head.status.is_terminal:
                return
            seen = x.head.revision
            changed = asyncio.ensure_future(services.engine.until_changed(execution_id, seen, BEAT_S))
            try:
                await asyncio.wait((changed, gone), return_when=asyncio.FIRST_COMPLETED)
                if not changed.done():
                    return
                x = changed.result()
            finally:
                changed.cancel()
            if x.head.revision == seen:
                yield b":\n\n"
    except NotFound:
        return  # removed meanwhile
    finally:
        request.finish()


async def logs(services: Services, task_id: str) -> Response:
    """A task's log; empty when there is none."""
    return json_response(encode([TaskLog(row.line, row.task_id, row.created_at) for row in await services.engine.logs(task_id)]))


# -- verbs ------------------------------------------------------------------------------------------------------------------------


async def pause(services: Services, execution_id: str) -> Response:
    """Nothing new is scheduled until it is resumed."""
    await services.engine.pause(execution_id)
    return empty_response()


async def resume(services: Services, execution_id: str) -> Response:
    """Go on after a pause."""
    await services.engine.resume(execution_id)
    return empty_response()


async def cancel(services: Services, execution_id: str, *, reason: str | None = None) -> Response:
    """End it."""
    await services.engine.terminate(execution_id, reason or CANCELLED)
    return empty_response()


async def restart(services: Services, execution_id: str, *, use_latest_definitions: bool = False) -> Response:
    """Begin an ended one again."""
    await services.engine.restart(execution_id, use_latest_definitions)
    return empty_response()


async def retry(services: Services, execution_id: str, *, resume_subworkflow_tasks: bool = False) -> Response:
    """New attempts of what failed."""
    await services.engine.retry(execution_id, resume_subworkflow_tasks)
    return empty_response()


async def rerun(services: Services, execution_id: str, body: bytes) -> Response:
    """Play an ended one again from a task, or from the beginning; its id."""
    return text_response(await services.engine.rerun(execution_id, read_rerun(body)))


async def remove(services: Services, execution_id: str, *, archive_tasks: bool = False) -> Response:
    """Delete it for good."""
    await services.engine.remove(execution_id, archive_tasks)
    return empty_response()


async def prune(services: Services, *, older_than_days: int = 30, archive_tasks: bool = False) -> Response:
    """Delete every agent's execution that ended longer ago than that; how many."""
    if older_than_days < 1:
        raise Invalid(f"pruneExecutions: olderThanDays must be >= 1, got {older_than_days}; expected a whole number from 1 on")
    before = max(services.now() - older_than_days * DAY_MS, 0)
    old = All((Compare("classifier", "=", ("agent",)), Compare("status", "IN", _ENDED), Compare("endTime", "<", (str(before),))))
    deleted = 0
    while True:  # each page is deleted before the next is looked for
        gone = 0
        for one in (await _found(services, old, 0, PRUNED_AT_ONCE, "endTime:ASC", EVERYTHING))[1]:
            try:
                await services.engine.remove(one.workflowId, archive=True)
                gone += 1
            except (NotFound, Invalid):
                continue  # removed or begun again meanwhile
        deleted += gone
        if not gone:
            return json_response(encode({"deleted": deleted}))


async def pause_many(services: Services, body: bytes) -> Response:
    """Pause each, up to the first that cannot be."""
    return await _in_turn(services.engine.pause(one) for one in read_texts(body))


async def resume_many(services: Services, body: bytes) -> Response:
    """Resume each, up to the first that cannot be."""
    return await _in_turn(services.engine.resume(one) for one in read_texts(body))


async def restart_many(services: Services, body: bytes, *, use_latest_definitions: bool = False) -> Response:
    """Restart each, up to the first that cannot be."""
    return await _in_turn(services.engine.restart(one, use_latest_definitions) for one in read_texts(body))


async def retry_many(services: Services, body: bytes) -> Response:
    """Retry each, up to the first that cannot be."""
    return await _in_turn(services.engine.retry(one) for one in read_texts(body))


async def cancel_many(services: Services, body: bytes, *, reason: str | None = None) -> Response:
    """End each, up to the first that cannot be."""
    return await _in_turn(services.engine.terminate(one, reason or CANCELLED) for one in read_texts(body))


async def _in_turn(acts: Iterable[Awaitable[None]]) -> Response:
    for act in acts:
        await act
    return empty_response()


# -- what is said to a running agent ----------------------------------------------------------------------------------------------


async def stop(services: Services, execution_id: str) -> Response:
    """Ask it to end after its current turn, by the variable `_stop_requested`; one that has ended has stopped."""
    await _set(services, execution_id, {"_stop_requested": True}, when_ended="is content")
    return empty_response()


async def signal(services: Services, execution_id: str, body: bytes) -> Response:
    """Put a message where its next turn finds it: the variable `_signal_injection`."""
    message = read_object(body).get("message")
    if not isinstance(message, str | None):
        raise Invalid(f"message is {message!r}; expected a text")
    await _set(services, execution_id, {"_signal_injection": message or ""})
    return empty_response()


async def _set(services: Services, execution_id: str, given: Json, *, when_ended: str = "") -> None:
    try:
        await services.engine.act(execution_id, lambda x, now, tools: variables.update_variables(x, now, tools, given))
    except Conflict:
        if not when_ended:
            raise


async def respond(services: Services, execution_id: str, body: bytes) -> Response:
    """A person's answer: it completes the HUMAN task that waits, and is laid over its output."""
    said = read_object(body)
    x = await services.engine.read(execution_id)
    waiting = next((t for t in x.ordered() if t.type == "HUMAN" and t.status is TaskStatus.IN_PROGRESS), None)
    if waiting is None or await services.engine.report_by_ref(execution_id, waiting.ref, TaskStatus.COMPLETED, said, None) is None:
        raise Conflict(f"No pending HUMAN task found in execution {execution_id}")
    return empty_response()


async def update_task(services: Services, execution_id: str, ref_task_name: str, status: str, body: bytes, *, workerid: str = "agent-ui") -> Response:
    """Report the last task of a reference."""
    if status not in REPORTABLE:
        raise Invalid(f"path variable 'status' is the text {status!r}; expected one of {', '.join(REPORTABLE)}")
    output = read_object(body) if body.strip() else {}
    x = await services.engine.read(execution_id)
    task = x.by_ref.get(ref_task_name)
    if task is None:
        raise NotFound(f"Task not found: {ref_task_name}")
    await services.engine.report(
        TaskResult(execution_id=execution_id, task_id=task.id, status=TaskStatus(status), output=output or task.output, worker=workerid)
    )
    return empty_response()


# -- what an SDK records ----------------------------------------------------------------------------------------------------------


async def add_task(services: Services, execution_id: str, body: bytes) -> Response:
    """Show a task beside the flow of a running execution, in progress until it is reported; its id."""
    asked = agent.INJECTED.read(decode(body))
    if missing := [name for name in agent.INJECTED.required if not asked.get(name)]:
        raise Invalid(f"{missing[0]} is missing; expected a text")
    given, sub = asked.get("inputData") or {}, asked.get("subWorkflowParam") or {}
    child = str(sub.get("executionId") or "") if asked["type"] == "SUB_WORKFLOW" else ""
    raw = {"name": asked["taskDefName"], "taskReferenceName": asked["referenceTaskName"], "type": asked["type"], "inputParameters": given, "optional": True}
    if child:
        raw["subWorkflowParam"] = {"name": sub.get("name"), "version": sub.get("version")}
        given = {"subWorkflowName": sub.get("name"), "subWorkflowVersion": sub.get("version"), "workflowInput": given}
    await services.engine.act(execution_id, lambda x, now, tools: beside.add(x, now, tools, raw, given, child=child))
    x = await services.engine.read(execution_id)
    return json_response(encode({"taskId": x.by_ref[asked["referenceTaskName"]].id}))


async def track(services: Services, body: bytes) -> Response:
    """Begin an execution that only shows what is done elsewhere; its tasks are added, and it is ended, by whoever does it."""
    asked = agent.TRACKED.read(decode(body))
    name = asked.get("workflowName")
    if not name:
        raise Invalid("workflowName is missing; expected a text")
    held = {"name": TRACKED, "taskReferenceName": TRACKED, "type": "HUMAN"}
    definition = {"name": name, "version": 1, "tasks": [held], "inputParameters": ["prompt"], "schemaVersion": 2}
    request = StartRequest(name=name, input=asked.get("input") or {}, definition=definition)
    return json_response(encode({"executionId": await services.engine.start(request)}))


async def end_tracked(services: Services, execution_id: str, body: bytes) -> Response:
    """End such an execution, with what is still open in it; the body is its output."""
    output = read_object(body) if body.strip() else {}
    x = await services.engine.read(execution_id)
    if TRACKED not in x.by_ref or x.head.status.is_terminal:
        raise Conflict(f"Workflow {execution_id} is {x.head.status} and " + ("has ended" if TRACKED in x.by_ref else "does not track what is done elsewhere"))
    await services.engine.act(execution_id, lambda x, now, tools: beside.end(x, now, tools, output))
    return empty_response()


def push_event(services: Services, execution_id: str, body: bytes) -> Response:
    """Taken and passed over: a stream tells what the tasks of an execution tell. Conductor too drops events of executions it does not know."""
    read_object(body)
    return empty_response()
