"""
Runner: the worker that lives in our process. Claims, calls and reports like any other, without the HTTP in between.

It waits on its queue; an idle server does nothing here. Calls run in threads, since they block.
What a call means is http.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from batuta.core.expr.template import resolve_secrets
from batuta.core.model.event import Reported
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.engine.engine import Engine
from batuta.engine.post import Act, decided, offered_again
from batuta.errors import NotFound, SecretUnreadable, Unavailable

log = logging.getLogger("batuta.builtin")
FOREVER_S = 10.0**8
RETRY_S = 1.0
DEFERRED = "DEFERRED"  # the call found no place; nothing is reported and the task is offered again
DEFER_MS = 250


class Called(Protocol):
    """What came of a call."""

    @property
    def status(self) -> str: ...
    @property
    def output(self) -> Json: ...
    @property
    def reason(self) -> str | None: ...


class Runner:
    """Serves one task type with up to *concurrency* calls at once."""

    def __init__(self, engine: Engine, task_type: str, call: Callable[..., Called], *, concurrency: int, name: str) -> None:
        self._engine, self._type, self._call, self._name = engine, task_type, call, name
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=task_type.lower())
        self._main: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._main = asyncio.get_running_loop().create_task(self._serve())

    async def stop(self) -> None:
        """No more claims; what is being called is left to be offered again at the next start."""
        for task in [*self._running, *([self._main] if self._main else [])]:
            task.cancel()
        await asyncio.gather(*self._running, *([self._main] if self._main else []), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self) -> None:
        while True:
            await self._slots.acquire()
            try:
                taken = await self._engine.claim(self._type, worker=self._name, wait_s=FOREVER_S, is_ours=True)
            except Unavailable:
                taken = []
                await asyncio.sleep(RETRY_S)
            if not taken:
                self._slots.release()
                continue
            work = asyncio.get_running_loop().create_task(self._do(*taken[0]))
            self._running.add(work)
            work.add_done_callback(self._done)

    def _done(self, work: asyncio.Task[None]) -> None:
        self._running.discard(work)
        self._slots.release()
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("%s task was not reported: %s", self._type, error, exc_info=error)

    async def _do(self, x: Execution, task: Task) -> None:
        waits = x.node_of(task).async_complete
        execution_id, n, given = x.head.id, task.n, task.input
        if x.secrets:
            try:
                given = resolve_secrets(given, self._engine.tools.secret, x.secrets)
            except SecretUnreadable as unreadable:
                return await self._told(execution_id, decided(Reported(n=n, status=TaskStatus.FAILED, output={}, reason=str(unreadable), worker=self._name)))
        called = await asyncio.get_running_loop().run_in_executor(self._threads, self._called, given, waits)
        if called.status == DEFERRED:
            act = offered_again(n, after_ms=DEFER_MS)
        else:
            event = Reported(n=n, status=TaskStatus(called.status), output=called.output, reason=called.reason, worker=self._name)
            act = decided(event)
        await self._told(execution_id, act)

    async def _told(self, execution_id: str, act: Act) -> None:
        while True:
            try:
                await self._engine.act(execution_id, act)
                return
            except NotFound:
                return  # removed meanwhile
            except Unavailable:
                await asyncio.sleep(RETRY_S)

    def _called(self, given: Json, waits: bool) -> Any:
        return self._call(given, async_complete=waits)
