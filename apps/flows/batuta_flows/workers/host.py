"""
The workers of the Flow Builder, for a host of `batuta.client`: one for each type of node, and the two that take lists apart and put them together.

Run them: `batuta flows`, or name them to any host of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from batuta.client import FailedForGood, InProgress, TaskContext, Worker, worker
from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.compiler.names import COLLECT, PLAN
from batuta_flows.errors import FlowError
from batuta_flows.workers.items import collect, plan
from batuta_flows.workers.run import Runner

Json = Any
AT_ONCE: Final = 4  # tasks of one type at once in a process; the bound of a node (`maxParallel`) is its flow's, that of a provider its adapter's
FILMS_AT_ONCE: Final = 1  # ffmpeg uses every core it finds
_FILMS: Final = ("edit_video", "clip_merger", "image_to_video", "text_to_video", "ai_avatar", "enhancer")


def workers(runner: Runner, *, poll_interval_ms: int = 1000) -> list[Worker[..., Any]]:
    """All workers of the application."""
    found = [_node_worker(name, runner, poll_interval_ms / 1000) for name in NODE_TYPES]
    return [*found, _list_worker(PLAN, plan, poll_interval_ms / 1000), _list_worker(COLLECT, collect, poll_interval_ms / 1000)]


def _node_worker(name: str, runner: Runner, poll_s: float) -> Worker[..., Any]:
    at_once = FILMS_AT_ONCE if name in _FILMS else AT_ONCE

    @worker(name, concurrency=at_once, poll_timeout_s=poll_s)
    def run(task: TaskContext) -> dict[str, Json] | InProgress:
        return runner.run(task)

    return run


def _list_worker(name: str, work: Callable[[Mapping[str, Json]], dict[str, Json]], poll_s: float) -> Worker[..., Any]:
    @worker(name, concurrency=AT_ONCE, poll_timeout_s=poll_s)
    def run(task: TaskContext) -> dict[str, Json]:
        try:
            return work(task.task.input)
        except FlowError as error:
            raise FailedForGood(str(error), output={"error": {"code": error.code, "message": str(error), "fix": ""}}) from error

    return run
