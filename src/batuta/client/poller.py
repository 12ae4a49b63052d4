"""
Polling for one task type: as many tasks as there are free slots, no faster than the server answers.

Here: slots, the choice between waiting and fetching, and what failed polls lead to. Not here: what is done with a task
(runtime.py).

A lane waits with one long poll for one task: Conductor holds a poll until the *whole* count is there, so a long poll for
many would hold back the first. As long as polls come back full there may be more, and the free slots are filled without
waiting. Where tasks come one after another, as those of a chain do, that brings nothing, at the price of a poll a task: each
time it does, twice as many tasks as before, up to eight, are waited for one by one before it is tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from batuta.client.backoff import Backoff, Reachability, first_of
from batuta.client.client import Client
from batuta.client.decorator import AnyWorker
from batuta.client.errors import ClientError, Unavailable
from batuta.client.metrics import WorkerMetrics
from batuta.client.models import Task
from batuta.client.reports import Reporter

log = logging.getLogger("batuta.client.worker")

SINGLES_MAX = 8


class Lane:
    """One worker's queue and its slots. *begin* is called with each task taken, in the order they came."""

    def __init__(
        self,
        worker: AnyWorker,
        client: Client,
        worker_id: str,
        *,
        begin: Callable[[Lane, Task], None],
        draining: asyncio.Event,
        reporter: Reporter,
        reachability: Reachability,
        metrics: WorkerMetrics,
        backoff: Backoff,
    ) -> None:
        self.worker = worker
        self._client, self._worker_id, self._begin, self._draining = client, worker_id, begin, draining
        self._reporter, self._reachability, self._metrics, self._backoff = reporter, reachability, metrics, backoff
        self._taken = 0
        self._slot_freed = asyncio.Event()
        self._complaint = ""

    def free_slot(self) -> None:
        """One task has ended."""
        self._taken -= 1
        self._metrics.running.set(self._taken, self.worker.queue)
        self._slot_freed.set()

    async def run(self) -> None:
        """Poll until the host drains. What a last poll still brings is handed on like the rest."""
        self._metrics.slots.set(self.worker.concurrency, self.worker.queue)
        may_have_more, singles, left = False, 0, 0  # how many tasks are waited for one by one, and how many of them are still to come
        while await self._has_free_slot():
            free = self.worker.concurrency - self._taken
            count = min(free, self.worker.batch or free) if may_have_more else 1
            tasks = await self._poll(count, self.worker.poll_timeout_s if count == 1 else 0.0)
            if tasks is None:
                may_have_more = False
                await self._pause()
                continue
            self._backoff.reset()
            if count > 1:
                left = singles = 0 if len(tasks) > 1 else min(2 * singles or 1, SINGLES_MAX)
            elif tasks and left:
                left -= 1
            may_have_more = len(tasks) == count and not left
            for task in tasks:
                self._taken += 1
                self._begin(self, task)
            self._metrics.running.set(self._taken, self.worker.queue)

    async def _has_free_slot(self) -> bool:
        """Wait for a free slot, and until the reporter lets tasks be taken; False when the host drains first."""
        while not self._draining.is_set():
            if not self._reporter.may_take.is_set():
                await first_of(self._reporter.may_take, self._draining)
            elif self._taken < self.worker.concurrency:
                return True
            else:
                self._slot_freed.clear()
                await first_of(self._slot_freed, self._draining)
        return False

    async def _pause(self) -> None:
        """Wait after a failed poll; no longer than until another call finds the server back."""
        events = [self._draining, self._reachability.back] if self._reachability.is_away else [self._draining]
        await first_of(*events, timeout_s=self._backoff.next_s())

    async def _poll(self, count: int, timeout_s: float) -> list[Task] | None:
        """The tasks one poll brought, or None when it failed; the reason is logged once, not at each failure."""
        queue = self.worker.queue
        try:
            tasks = await self._client.poll_tasks(
                self.worker.name, count=count, timeout_s=timeout_s, worker_id=self._worker_id, domain=self.worker.domain
            )
        except Unavailable as error:
            self._reachability.lost(error)
            self._metrics.polls.add(queue, "error")
            return None
        except (ClientError, ValueError) as error:
            self._reachability.found()
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.error("queue %s cannot be polled, trying again: %s", queue, error)
            self._metrics.polls.add(queue, "error")
            return None
        if self._complaint:
            self._complaint = ""
            log.warning("queue %s can be polled again", queue)
        self._reachability.found()
        self._metrics.last_poll.set(time.time(), queue)
        self._metrics.polls.add(queue, "tasks" if tasks else "empty")
        return tasks
