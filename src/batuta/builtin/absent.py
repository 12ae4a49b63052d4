"""
Absent: task types that Conductor serves through an integration, and this server has none of. Their tasks fail at once and say why.

Here: what each reason says, and the worker that claims and reports. A task is claimed and reported in one turn of the event loop, so that a crash
cannot leave one that is claimed and never reported. Not here: which types there are (core/model/definition.py).
Whoever serves such a type by a worker of their own names it in the setting worker_types; then it is left alone here.
Source: conductor-semantics.md §4.20, §4.23; the golden runs other_system_tasks, which hold the statuses of JDBC, KAFKA_PUBLISH and LLM_TEXT_COMPLETE.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from batuta.core.model.definition import INTEGRATIONS
from batuta.core.model.event import Reported
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.engine.engine import Engine
from batuta.engine.post import decided
from batuta.errors import Invalid, NotFound, Unavailable

log = logging.getLogger("batuta.builtin")
FOREVER_S: Final = 10.0**8
RETRY_S: Final = 1.0
SETTING: Final = "BATUTA_WORKER_TYPES"
# By the start of the type; the first that fits counts.
_MISSING: Final = (
    ("KAFKA_", "Kafka client"),
    ("JDBC", "configured database"),
    ("LLM_", "language model provider"),
    ("GENERATE_", "model provider"),
    ("LIST_MCP", "MCP client"),
    ("CALL_MCP", "MCP client"),
    ("", "agent runtime"),
)
# What Conductor may overcome by another attempt (a broker, a provider); the others are for good, as nothing changes by trying again.
_PASSING: Final = ("KAFKA_", "LLM_", "GENERATE_")


def read_worker_types(text: str) -> frozenset[str]:
    """
    The types that workers of the user's serve, from a list with commas.

    Raises:
        Invalid: one of them is no integration's type; any other type is a worker's anyway.
    """
    types = frozenset(name.strip() for name in text.split(",") if name.strip())
    if unknown := types - INTEGRATIONS:
        expected = ", ".join(sorted(INTEGRATIONS))
        raise Invalid(f"setting worker_types: found {', '.join(sorted(unknown))}, expected some of {expected}; any other type is served by workers anyway")
    return types


def verdict(task_type: str) -> tuple[TaskStatus, str]:
    """How a task of this type ends, and the reason it is given: what is missing, and what to do."""
    missing = next(what for start, what in _MISSING if task_type.startswith(start))
    status = TaskStatus.FAILED if task_type.startswith(_PASSING) else TaskStatus.FAILED_WITH_TERMINAL_ERROR
    way_out = f"serve the type with a worker of your own that polls {task_type}, and start the server with {SETTING}={task_type}"
    return status, f"{task_type}: this server has no {missing}; {way_out}"


class AbsentWorker:
    """Fails the tasks of these types as they come. An idle server does nothing here."""

    def __init__(self, engine: Engine, types: Iterable[str], *, name: str) -> None:
        self._engine, self._types, self._name = engine, sorted(types), name
        self._serving: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Claiming from the next turn of the loop on."""
        loop = asyncio.get_running_loop()
        self._serving = [loop.create_task(self._serve(task_type)) for task_type in self._types]

    async def stop(self) -> None:
        """No more claims."""
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, task_type: str) -> None:
        while True:  # until stopped
            try:
                for execution, task in await self._engine.claim(task_type, worker=self._name, wait_s=FOREVER_S, is_ours=True):
                    await self._fail(execution, task)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                log.error("%s task was not reported: %s", task_type, error, exc_info=error)
                await asyncio.sleep(RETRY_S)

    async def _fail(self, execution: Execution, task: Task) -> None:
        status, reason = verdict(task.type)
        log.warning("execution %s, task %s: %s", execution.head.id, task.ref, reason)
        act = decided(Reported(n=task.n, status=status, output={}, reason=reason, worker=self._name))
        while True:  # until the store takes it, or the server stops
            try:
                await self._engine.act(execution.head.id, act)
                return
            except NotFound:
                return  # removed meanwhile
            except Unavailable:
                await asyncio.sleep(RETRY_S)
