"""
The workers of the Flow Builder, for a host of `batuta.client`: one for each type of node, and the two that take lists apart and put them together; and what
the log tells of them.

Run them: `batuta flows`, or name them to any host of workers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from batuta.client import FailedForGood, InProgress, TaskContext, Worker, WorkerHost, worker
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.compiler.names import COLLECT, PLAN
from batuta_flows.errors import FlowError
from batuta_flows.workers.items import collect, plan
from batuta_flows.workers.run import Runner

Json = Any
log = logging.getLogger("batuta.flows")
FIRST_TOLD_S: Final = 3.0  # when every type has been polled for once
TOLD_S: Final = 300.0
AT_ONCE: Final = 4  # tasks of one type at once in a process; the bound of a node (`maxParallel`) is its flow's, that of a provider records/submissions.py's
POLL_S_MAX: Final = 5.0  # Conductor holds no poll for longer
FILMS_AT_ONCE: Final = 1  # ffmpeg uses every core it finds
_FILMS: Final = ("edit_video", "clip_merger", "image_to_video", "text_to_video", "ai_avatar", "enhancer")


def workers(runner: Runner, *, poll_interval_ms: int = 1000) -> list[Worker[..., Any]]:
    """All workers of the application."""
    poll_s = min(poll_interval_ms / 1000, POLL_S_MAX)
    return [*(_node_worker(name, runner, poll_s) for name in NODE_TYPES), _list_worker(PLAN, plan, poll_s), _list_worker(COLLECT, collect, poll_s)]


def _node_worker(name: str, runner: Runner, poll_s: float) -> Worker[..., Any]:
    at_once = FILMS_AT_ONCE if name in _FILMS else AT_ONCE

    @worker(name, concurrency=at_once, poll_timeout_s=poll_s)
    def run(task: TaskContext) -> dict[str, Json] | InProgress:
        began = time.monotonic()
        try:
            made = runner.run(task)
        except Exception:
            _told(task, "failed", began)  # why is said on the node
            raise
        if not isinstance(made, InProgress):
            _told(task, "done", began)
        return made

    return run


def _told(task: TaskContext, how: str, began: float) -> None:
    ran = task.task
    log.info("Worker: %s, node %s of run %s: %s in %.2f s", ran.type, ran.input.get("nodeId"), ran.execution_id, how, time.monotonic() - began)


async def tell_of(host: WorkerHost) -> None:
    """Log what the workers of this process poll for and how often, soon after the beginning and every few minutes, until cancelled."""
    seen: dict[str, int] = {}
    await asyncio.sleep(FIRST_TOLD_S)
    while True:
        polls = {worker.queue: _polls(host, worker.queue) for worker in host.workers}
        silent = [queue for queue, count in polls.items() if count == seen.get(queue, 0)]
        told = ", ".join(f"{queue} {count - seen.get(queue, 0)}" for queue, count in polls.items() if queue not in silent)
        log.info("Worker %s polls, and how often since the last line: %s", host.worker_id, told or "nothing")
        if silent:
            log.warning("Worker %s got no answer to its polls for: %s", host.worker_id, ", ".join(silent))
        seen = polls
        await asyncio.sleep(TOLD_S)


def _polls(host: WorkerHost, queue: str) -> int:
    """Polls that the server answered."""
    return int(host.metrics.polls.value(queue, "tasks") + host.metrics.polls.value(queue, "empty"))


def _list_worker(name: str, work: Callable[[Mapping[str, Json]], dict[str, Json]], poll_s: float) -> Worker[..., Any]:
    @worker(name, concurrency=AT_ONCE, poll_timeout_s=poll_s)
    def run(task: TaskContext) -> dict[str, Json]:
        try:
            return work(task.task.input)
        except FlowError as error:
            raise FailedForGood(str(error), output={"error": {"code": error.code, "message": str(error), "fix": ""}}) from error

    return run
