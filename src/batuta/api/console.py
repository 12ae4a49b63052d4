"""
/api/console: what the console shows and Conductor's API has no answer for. Its live changes are live.py, how the server itself is
health.py, its files site.py.

Everything here only looks; to act, the console uses the same endpoints as everybody. An execution that the engine hands out is its own and moves on:
each handler makes its answer before it waits for anything else.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from batuta.api.binding import Millis
from batuta.api.http import JSON, Request, Response, json_response
from batuta.api.services import Services
from batuta.core.model.execution import Head
from batuta.core.model.status import TaskStatus
from batuta.engine.engine import Engine
from batuta.engine.pulse import STEP_S
from batuta.errors import NotFound
from batuta.store.protocol import Found
from batuta.store.rows import head_of
from batuta.wire import console as shown
from batuta.wire.codec import encode
from batuta.wire.execution import task_view, workflow_view
from batuta.wire.timeline import timeline as timeline_of

PAYLOAD_BYTES_MAX: Final = 1024 * 1024  # beyond it a payload is shown when somebody asks for it
PACKED_BYTES_MIN: Final = 16 * 1024
RECENT_MS: Final = 24 * 3600_000
POLLED_LATELY_MS: Final = 60_000
FAILURES_MAX: Final = 1000
FAILURE_STEPS: Final = 24
OLDEST_MAX: Final = 5
IN_PROGRESS_MAX: Final = 10_000
HOLDERS_MAX: Final = 100  # executions that are read for the tasks they have with workers
_UNSUCCESSFUL: Final = ("FAILED", "TIMED_OUT")
_VARYING: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|0x[0-9a-fA-F]+|\b[0-9a-f]{12,}\b|\d+(?:\.\d+)?")


def _json(request: Request, value: Any) -> Response:
    """The value as JSON, compressed where that pays and the client reads it."""
    body = encode(value)
    if len(body) < PACKED_BYTES_MIN or b"gzip" not in request.header(b"accept-encoding"):
        return json_response(body)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return Response(200, packer.compress(body) + packer.flush(), JSON, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))


# -- one execution ------------------------------------------------------------------------------------------------------------------


async def execution(services: Services, request: Request, workflow_id: str, *, payloads: bool = True) -> Response:
    """
    One execution without its tasks; payloads above 1 MiB are withheld, and only their sizes told.

    `payloads=false` withholds and weighs none: whoever watches one that moves asks so, many times a second.
    """
    x = await services.engine.read(workflow_id)
    view = workflow_view(x, services.now(), include_tasks=False)
    held = {"input": x.head.input, "output": x.head.output, "variables": x.head.variables}
    sizes, withheld = _weighed(held) if payloads else ({}, list(held))
    for name in withheld:
        setattr(view, name, {})
    follower = x.head.output.get("conductor.failure_workflow")
    return _json(
        request,
        shown.Execution(
            workflow=view, revision=x.head.revision, wake_at=x.head.wake_at, sizes=sizes, withheld=withheld, origin=_origin(x.head.input),
            failure_workflow=follower if isinstance(follower, str) else "",
        ),
    )  # fmt: skip


def _origin(given: dict[str, Any]) -> shown.Origin:
    """By what the engine puts into the input of what it starts itself (engine/schedules.py, `_start_failure_workflow` of core/ending.py)."""
    match given:
        case {"_startedByScheduler": str(name), "_scheduledTime": int(at)}:
            return shown.Origin(schedule=name, scheduled_at=at)
        case {"workflowId": str(failed), "failureStatus": str(), "failedWorkflow": _}:
            return shown.Origin(failure_of=failed)
    return shown.Origin()


async def timeline(
    services: Services, request: Request, workflow_id: str, *, since: Millis | None = None, revision: int | None = None
) -> Response:  # fmt: skip
    """
    All its tasks without payloads, in columns (wire/timeline.py says how); with `since` those that changed at or after an updateTime, and none when its
    revision is still `revision`.
    """
    x = await services.engine.read(workflow_id)
    return _json(request, timeline_of(x, services.now(), since or 0, revision))


async def task(services: Services, request: Request, task_id: str) -> Response:
    """One task; payloads above 1 MiB are withheld, and only their sizes told."""
    x, found = await services.engine.read_task(task_id)
    view = task_view(x, found, services.now())
    sizes, withheld = _weighed({"input": found.input, "output": x.output_of(found)})
    if "input" in withheld:
        view.inputData = {}
    if "output" in withheld:
        view.outputData = {}
    return _json(request, shown.ExecutionTask(task=view, sizes=sizes, withheld=withheld))


def _weighed(payloads: dict[str, Any]) -> tuple[dict[str, int], list[str]]:
    sizes = {name: len(encode(payload)) for name, payload in payloads.items()}
    return sizes, [name for name, size in sizes.items() if size > PAYLOAD_BYTES_MAX]


# -- all of them --------------------------------------------------------------------------------------------------------------------


async def overview(services: Services, request: Request) -> Response:
    """Counts, speed, queues, workers and failing definitions: the whole server at a glance."""
    engine, now = services.engine, services.now()
    since = now - RECENT_MS
    await engine.flushed()
    definitions: dict[str, shown.DefinitionState] = {}
    counts: dict[str, int] = {}
    for one in await engine.store.tally(since):
        state = definitions.setdefault(one.name, shown.DefinitionState(name=one.name, total={}, recent={}))
        state.total[one.status] = one.total
        if one.recent:
            state.recent[one.status] = one.recent
        counts[one.status] = counts.get(one.status, 0) + one.total
    oldest = await engine.store.find(statuses=("RUNNING", "PAUSED"), limit=OLDEST_MAX, payloads=False)
    pulse = services.pulse
    return _json(
        request,
        shown.Overview(
            at=now, began_at=pulse.began_at if pulse else now, step_s=STEP_S, recent_since=since, counts=counts, definitions=list(definitions.values()),
            queues=queues_of(engine, now), workers=_workers(engine), oldest=[_open(found) for found in oldest], beats=list(pulse.beats) if pulse else [],
        ),
    )  # fmt: skip


def _open(found: Found) -> shown.OpenExecution:
    head = found.head
    return shown.OpenExecution(
        workflow_id=found.execution_id, name=head.name, status=head.status, create_time=head.created_at, update_time=head.updated_at,
        correlation_id=head.correlation_id,
    )  # fmt: skip


def queues_of(engine: Engine, now: int) -> list[shown.QueueState]:
    """Every queue in which something waits or that somebody asked, by name."""
    sizes, polls = engine.queue_sizes(), {f"{p.domain}:{p.queue_name}" if p.domain else p.queue_name: p for p in engine.poll_data()}
    alive: dict[str, int] = {}
    for (queue, _), at in engine.pollers.items():
        if now - at <= POLLED_LATELY_MS:
            alive[queue] = alive.get(queue, 0) + 1
    states = []
    for queue in sorted({*sizes, *polls}):
        domain, _, task_type = queue.rpartition(":")
        poll, (due, oldest_at) = polls.get(queue), engine.queues.due(queue, now)
        states.append(
            shown.QueueState(
                queue=queue, task_type=task_type, domain=domain, waiting=sizes.get(queue, 0), due=due, oldest_due_at=oldest_at,
                last_poll_at=poll.last_poll_at if poll else 0, last_worker=poll.worker_id if poll else "", workers=alive.get(queue, 0),
                is_ours=queue in engine.served_here,
            )
        )  # fmt: skip
    return states


def _workers(engine: Engine) -> list[shown.WorkerState]:
    found: dict[str, shown.WorkerState] = {}
    for (queue, worker), at in engine.pollers.items():
        state = found.setdefault(worker, shown.WorkerState(worker=worker, queues=[], last_poll_at=0))
        state.queues.append(queue)
        state.last_poll_at = max(state.last_poll_at, at)
    for state in found.values():
        state.queues.sort()
    return sorted(found.values(), key=lambda state: state.worker)


async def work(services: Services, request: Request) -> Response:
    """Queues, who asks them, and the tasks that are with workers: of a hundred executions at most, by the order of their queues."""
    engine, now = services.engine, services.now()
    await engine.flushed()
    taken = await engine.store.in_progress(None, limit=IN_PROGRESS_MAX)
    rows: dict[str, list[int]] = {}
    for one in sorted(taken, key=lambda one: one.queue):
        if one.execution_id in rows or len(rows) < HOLDERS_MAX:
            rows.setdefault(one.execution_id, []).append(one.n)
    hands = [hand for execution_id, ns in rows.items() for hand in await _hands(engine, execution_id, ns)]
    polls = [shown.Poll(queue=queue, worker=worker, at=at) for (queue, worker), at in sorted(engine.pollers.items())]
    counted = Counter(one.queue for one in taken)
    return _json(
        request,
        shown.Work(at=now, lately_ms=POLLED_LATELY_MS, queues=queues_of(engine, now), in_progress=dict(sorted(counted.items())), polls=polls, hands=hands),
    )


async def _hands(engine: Engine, execution_id: str, rows: Sequence[int]) -> list[shown.Hand]:
    try:
        x = await engine.read(execution_id)
    except NotFound:
        return []  # removed meanwhile
    return [
        shown.Hand(
            task_id=task.id, workflow_id=execution_id, workflow=x.head.name, ref=task.ref, queue=task.queue, worker=task.worker, started_at=task.started_at,
            update_time=task.updated_at,
        )
        for n in rows if (task := x.tasks.get(n)) is not None and task.status is TaskStatus.IN_PROGRESS
    ]  # fmt: skip


async def failures(services: Services, request: Request, *, since: Millis | None = None) -> Response:
    """Executions that failed or timed out and were created within a day, or after `since`: grouped by what went wrong."""
    now = services.now()
    begin = since or now - RECENT_MS
    found = await services.engine.find(statuses=_UNSUCCESSFUL, created_from=begin, newest_first=True, limit=FAILURES_MAX, payloads=False)
    step = max((now - begin) // FAILURE_STEPS, 1)
    groups: dict[tuple[str, str, str], shown.FailureGroup] = {}
    for one in found:
        head = head_of(one.head)
        key = (head.name, ",".join(head.failed_refs), _alike(head.reason or ""))
        group = groups.get(key)
        if group is None:
            group = groups[key] = _group(head)
        group.count += 1
        group.first_at = min(group.first_at, head.ended_at)
        group.last_at = max(group.last_at, head.ended_at)
        group.steps[min(max(head.ended_at - begin, 0) // step, FAILURE_STEPS - 1)] += 1
        group.workflow_ids.append(one.execution_id)
    ordered = sorted(groups.values(), key=lambda g: (-g.count, -g.last_at))
    capped = len(found) >= FAILURES_MAX
    return _json(request, shown.Failures(at=now, since=begin, step_ms=step, looked_at=len(found), capped=capped, groups=ordered))


def _group(head: Head) -> shown.FailureGroup:
    return shown.FailureGroup(
        reason=head.reason or "", workflow=head.name, ref=",".join(head.failed_refs), status=head.status, count=0, first_at=head.ended_at,
        last_at=head.ended_at, steps=[0] * FAILURE_STEPS, workflow_ids=[],
    )  # fmt: skip


def _alike(reason: str) -> str:
    """The reason without what differs from one failure to the next."""
    return _VARYING.sub("#", reason[:1000])
