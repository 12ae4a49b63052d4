"""
What happens beside a running function: its lease renewed, its log and progress sent, the server asked whether it still matters.

Here: one coroutine a running task, asleep until something is due; a task shorter than a second costs no call. Not here: the
function itself (running.py) and its final report (reports.py). Nothing here fails a task: a call that does not get through is
tried again at its next turn.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import math
from collections.abc import Callable
from typing import Any, TypeVar

from batuta.client.backoff import is_set_within
from batuta.client.calls import tasks
from batuta.client.client import Client
from batuta.client.context import TaskContext
from batuta.client.decorator import AnyWorker
from batuta.client.errors import ClientError, NotFound
from batuta.client.http import Call
from batuta.client.metrics import WorkerMetrics
from batuta.client.models import Task, TaskResult

log = logging.getLogger("batuta.client.worker")

T = TypeVar("T")

# A lease is renewed three times before it runs out, so that two renewals may be lost.
LEASE_SHARE = 1 / 3
LOG_PAUSE_S = 1.0
SIGN_PAUSE_S = 1.0
STOP_TIMEOUT_S = 2.0
PROGRESS_LEASE_S_MIN = 30.0


class Keeper:
    """Looks after *task* from `start` to `stop`; ``context`` is what its function gets."""

    def __init__(self, worker: AnyWorker, task: Task, client: Client, worker_id: str, metrics: WorkerMetrics) -> None:
        self._worker, self._task, self._client = worker, task, client
        self._worker_id, self._metrics = worker_id, metrics
        self._loop = asyncio.get_running_loop()
        self._poked = asyncio.Event()
        self.context = TaskContext(task, self._poke)
        now = self._loop.time()
        self._lease_s = task.response_timeout_s * LEASE_SHARE if worker.lease_extension and task.response_timeout_s > 0 else math.inf
        self._lease_due = now + self._lease_s
        self._check_due = now + (worker.cancel_check_s or math.inf)
        self._log_due = math.inf
        self._sign_due = -math.inf  # the earliest moment for the next progress or heart-beat the function asks for
        self._last_progress: TaskResult | None = None
        self._is_sending = False
        self._is_over = False

    def start(self, on_cancelled: Callable[[], object] | None = None) -> None:
        """Begin to look after the task; *on_cancelled* is called when the server has ended it meanwhile."""
        self._on_cancelled = on_cancelled
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self._task.id}")

    async def stop(self) -> list[str]:
        """
        The log lines not sent yet, once nothing more will be sent from here.

        A call under way is waited for, so that the final report comes after it; but not for long.
        """
        self._is_over = True
        if self._is_sending:
            await asyncio.wait({self._keeping}, timeout=STOP_TIMEOUT_S)
        self._keeping.cancel()
        await asyncio.wait({self._keeping})
        return self.context.take_lines()

    async def _keep(self) -> None:
        """Do what is due, sleep until the next thing is."""
        while not self._is_over:
            due = min(self._lease_due, self._check_due, self._log_due)
            left_s = due - self._loop.time()
            await is_set_within(self._poked, left_s) if left_s < math.inf else await self._poked.wait()
            self._is_sending = True
            try:
                await self._tend()
            except Exception:  # whatever it is, it must not cost the task its lease
                log.exception("task %s: a mistake while looking after it, going on", self._task)
                self._lease_due = self._loop.time() + min(5.0, self._lease_s)
            self._is_sending = False

    async def _tend(self) -> None:
        if self._poked.is_set():
            self._poked.clear()
            self._log_due = min(self._log_due, self._loop.time() + LOG_PAUSE_S)
            await self._send_signs()
        await self._do_due()

    def _poke(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._poked.set)
        except RuntimeError:
            pass  # the host is gone and has abandoned the thread that asks

    async def _do_due(self) -> None:
        now = self._loop.time()
        if now >= self._lease_due:
            await self._renew()
        if now >= self._log_due:
            self._log_due = math.inf
            await self._send_log()
        if now >= self._check_due:
            self._check_due = now + (self._worker.cancel_check_s or math.inf)
            await self._check()

    async def _send_signs(self) -> None:
        """Send what the function asked for by `progress` and `heartbeat`, at most once a second."""
        if (wait_s := self._sign_due - self._loop.time()) > 0:
            self._loop.call_later(wait_s, self._poked.set)
            return
        progress = self.context.take_progress()
        if progress is not None:
            # IN_PROGRESS puts a task back into its queue; the delay is the lease that keeps it from being handed out.
            lease_s = max(PROGRESS_LEASE_S_MIN, self._task.response_timeout_s)
            self._last_progress = self._result(output=progress, callback_after_s=lease_s)
            self._lease_s = lease_s * LEASE_SHARE
        if self.context.take_heartbeat() or progress is not None:
            self._sign_due = self._loop.time() + SIGN_PAUSE_S
            await self._renew()

    async def _renew(self) -> None:
        """Extend the lease; after progress, by sending it again with its delay."""
        result = self._last_progress or self._result(extend_lease=True)
        if await self._sent(tasks.update_task(result), "its lease could not be renewed"):
            self._metrics.leases.add(self._worker.name)
            self._lease_due = self._loop.time() + self._lease_s
        else:
            self._lease_due = self._loop.time() + min(5.0, self._lease_s / 4)

    async def _send_log(self) -> None:
        lines = self.context.take_lines()
        is_sent = not lines
        try:
            is_sent = is_sent or await self._sent(tasks.add_task_log(self._task.id, "\n".join(lines)), "its log could not be sent")
        finally:
            if not is_sent:  # or cut short, because the function has ended: then they come with its result
                self.context.put_back(lines)
                self._log_due = self._loop.time() + 5.0

    async def _check(self) -> None:
        try:
            task = await self._client.send(self._bounded(tasks.get_task(self._task.id)))
            why = f"it is {task.status}" if task.is_terminal else None
        except NotFound:
            why = "the server does not know it any more"
        except (ClientError, ValueError):
            return
        if why:
            log.warning("task %s was ended by the server while running: %s", self._task, why)
            self.context.is_cancelled = True
            self._check_due = self._lease_due = math.inf
            if self._on_cancelled is not None:
                self._on_cancelled()

    async def _sent(self, call: Call[Any], failure: str) -> bool:
        try:
            await self._client.send(self._bounded(call))
        except ClientError as error:
            log.debug("task %s: %s, trying again: %s", self._task, failure, error)
            return False
        return True

    def _bounded(self, call: Call[T]) -> Call[T]:
        """*call* with no more time than until the next renewal is due, but a second: one that hangs must not cost the lease."""
        return dataclasses.replace(call, timeout_s=max(1.0, min(self._client.transport.timeout_s, self._lease_s)))

    def _result(self, **fields: object) -> TaskResult:
        ids = {"task_id": self._task.id, "execution_id": self._task.execution_id, "worker_id": self._worker_id}
        return TaskResult(status="IN_PROGRESS", **ids, **fields)  # type: ignore[arg-type]
