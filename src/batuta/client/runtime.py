"""
The worker process: many task types on one event loop, from the first poll to the last report.

Here: `WorkerHost`, which ties lanes (poller.py), functions (running.py), their keepers (keeper.py) and reports (reports.py)
together, and leaves in order. Not here: signals and exit codes (process.py).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from batuta.client.backoff import Backoff, Reachability, is_set_within
from batuta.client.client import Client
from batuta.client.context import TaskContext
from batuta.client.decorator import AnyWorker
from batuta.client.errors import ClientError
from batuta.client.keeper import Keeper
from batuta.client.metrics import MetricsServer, WorkerMetrics
from batuta.client.models import Task, TaskResult
from batuta.client.outputs import printable
from batuta.client.poller import Lane
from batuta.client.reports import Reporter
from batuta.client.running import packed, perform
from batuta.client.spool import Spool, default_directory
from batuta.client.threads import DaemonPool

log = logging.getLogger("batuta.client.worker")

REPORT_CONNECTIONS = 8
# What a cancelled coroutine gets for its cleaning up, and waiting reports for a last try, after the drain time.
CUT_OFF_GRACE_S = 2.0
# How much longer than asked for a poll may take to come back while the host stops.
LAST_POLL_GRACE_S = 1.0
LOOP_CHECK_S = 1.0
LOOP_LAG_S_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Farewell:
    """How a host ended: tasks cut off before their end (reported FAILED), and results the server has not taken."""

    cut_off: int = 0
    unsent: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing was cut off and every result has arrived."""
        return not self.cut_off and not self.unsent


@dataclass(eq=False, slots=True)
class _Running:
    """One task under way."""

    lane: Lane
    task: Task
    context: TaskContext
    function: asyncio.Task[TaskResult] | None = None
    is_cut_off: bool = False


class WorkerHost:
    """
    Runs *workers* against the server of *client*, until told to stop.

    Each worker polls for itself; functions share one pool of threads; coroutines share the event loop. A result the server
    does not take is kept in *spool_dir* and tried again for *report_for_s*, then at the next start. After `request_stop`,
    running tasks get *drain_s* to end; the rest is cancelled and reported as failed, to be retried.

    Raises:
        ValueError: no worker, or two for one queue.
    """

    def __init__(
        self,
        client: Client,
        workers: Iterable[AnyWorker],
        *,
        worker_id: str | None = None,
        drain_s: float = 25.0,
        report_for_s: float = 600.0,
        spool_dir: str | os.PathLike[str] | None = None,
        backoff_s: tuple[float, float] = (0.1, 5.0),
        metrics_port: int | None = None,
        metrics_host: str = "127.0.0.1",
    ) -> None:
        self.workers = _distinct(workers)
        self.worker_id = worker_id or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:4]}"
        self.drain_s = drain_s
        self.metrics = WorkerMetrics()
        self.metrics_server: MetricsServer | None = None
        self._metrics_at = None if metrics_port is None else (metrics_port, metrics_host)
        self._backoff_s = backoff_s
        self._polls = client.sibling(len(self.workers))
        self._reports = client.sibling(REPORT_CONNECTIONS)
        self._reachability = Reachability(client.url, self.metrics.server_up)
        self._reporter = Reporter(
            self._reports,
            Spool(default_directory() if spool_dir is None else Path(spool_dir), client.url),
            self.metrics,
            self._reachability,
            report_for_s=report_for_s,
            backoff=Backoff(*backoff_s),
        )
        threads = sum(worker.concurrency for worker in self.workers if worker.runs_in_thread)
        self._threads = DaemonPool(max(1, threads), "batuta-worker")
        self._draining = asyncio.Event()
        self._running: dict[_Running, asyncio.Task[None]] = {}
        self._lanes: list[asyncio.Task[None]] = []
        self._watching: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[Farewell] | None = None

    async def start(self) -> None:
        """Begin to send what an earlier process could not, and then to poll. Call once."""
        if self._lanes:
            raise RuntimeError("this host was started before; make a new one")
        if self._metrics_at is not None:
            self.metrics_server = MetricsServer(self.metrics, *self._metrics_at)
        await self._reporter.replay()
        for worker in self.workers:
            log.info("polling for %s, %d at once, as %s", worker.queue, worker.concurrency, self.worker_id)
            self._lanes.append(asyncio.create_task(self._attend(worker), name=f"lane {worker.queue}"))
        self._watching = asyncio.create_task(self._watch_loop(), name="watch loop")

    def request_stop(self) -> None:
        """Poll no more; running tasks see ``is_draining``. To be called on the event loop; again it does nothing."""
        self._draining.set()
        for running in self._running:
            running.context.is_draining = True

    async def stop(self) -> Farewell:
        """
        Leave in order: last polls, running tasks, reports; what the drain time does not suffice for is cut off.

        Results that wait for the server are tried for as long as drain time is left. Further calls wait for the same end.
        """
        if self._stopping is None:
            self.request_stop()
            self._stopping = asyncio.create_task(self._stop(), name="stop")
        return await asyncio.shield(self._stopping)

    async def run(self) -> Farewell:
        """Start, go on until `request_stop`, and stop."""
        await self.start()
        await self._draining.wait()
        return await self.stop()

    async def __aenter__(self) -> WorkerHost:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def abandon(self) -> None:
        """Write down, at once and blocking, the results that are not known to have arrived. The last call before the process ends."""
        self._reporter.keep_all()

    async def _attend(self, worker: AnyWorker) -> None:
        """Run a worker's lane until the host drains, and begin anew should it break: a worker never stops polling in silence."""
        backoff = Backoff(*self._backoff_s)
        lane = Lane(
            worker,
            self._polls,
            self.worker_id,
            begin=self._begin,
            draining=self._draining,
            reporter=self._reporter,
            reachability=self._reachability,
            metrics=self.metrics,
            backoff=backoff,
        )
        while not self._draining.is_set():
            try:
                await lane.run()
            except Exception:
                log.exception("lane of %s broke, beginning anew", worker.queue)
                await is_set_within(self._draining, backoff.next_s())

    def _begin(self, lane: Lane, task: Task) -> None:
        if self._draining.is_set():
            work = self._give_back(lane, task)
            running = _Running(lane, task, TaskContext(task))
        else:
            keeper = Keeper(lane.worker, task, self._reports, self.worker_id, self.metrics)
            running = _Running(lane, task, keeper.context)
            work = self._run(running, keeper)
        attempt = asyncio.create_task(work, name=str(task))
        self._running[running] = attempt
        attempt.add_done_callback(lambda _: self._running.pop(running, None))

    async def _give_back(self, lane: Lane, task: Task) -> None:
        """A task that came with the last poll goes back into its queue untouched, for another process to take at once."""
        lane.free_slot()
        await self._report(task, TaskResult(status="IN_PROGRESS", output=task.output), [])

    async def _run(self, running: _Running, keeper: Keeper) -> None:
        """Run the function, free its slot, report what it made of the task."""
        lane, task, loop = running.lane, running.task, asyncio.get_running_loop()
        began_at = loop.time()
        running.function = asyncio.create_task(self._perform(running), name=f"run {task.id}")
        keeper.start(on_cancelled=running.function.cancel if not lane.worker.runs_in_thread else None)
        try:
            await asyncio.wait({running.function})
            result = _result(running)
        finally:
            lane.free_slot()
            lines = await keeper.stop()
            self.metrics.seconds.observe(loop.time() - began_at, lane.worker.name)
        self.metrics.tasks.add(lane.worker.name, result.status)
        if result.status not in ("COMPLETED", "IN_PROGRESS"):
            log.warning("task %s: %s: %s", task, result.status, result.reason)
        await self._report(task, result, lines)

    async def _perform(self, running: _Running) -> TaskResult:
        """What the function makes of its task, whose input is fetched first when it was too large to come with it."""
        task = running.task
        if task.input_path and not task.input:
            try:
                uri = await self._reports.payload_uri(task.input_path, "TASK_INPUT")
                task.input.update(await self._reports.payload_at(uri))  # its own, and nobody has looked at it yet
            except (ClientError, ValueError) as error:
                return TaskResult(status="FAILED", reason=f"its input, {task.input_path!r}, could not be fetched: {error}")
        return await perform(running.lane.worker, task, running.context, self._threads)

    async def _report(self, task: Task, result: TaskResult, lines: list[str]) -> None:
        ids = {"task_id": task.id, "execution_id": task.execution_id, "worker_id": self.worker_id}
        logs = {"logs": packed([*map(printable, result.logs), *lines]), "logged_at_ms": time.time_ns() // 1_000_000}
        reason = None if result.reason is None else printable(result.reason)
        await self._reporter.deliver(msgspec.structs.replace(result, **ids, **logs, reason=reason))

    async def _stop(self) -> Farewell:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.drain_s
        last_poll_at = max(deadline, loop.time() + LAST_POLL_GRACE_S + max(worker.poll_timeout_s for worker in self.workers))
        await self._drain(deadline)
        cut_off = await self._cut_off_rest()
        await self._end_polls(last_poll_at)
        unsent = await self._reporter.close(max(CUT_OFF_GRACE_S, deadline - loop.time()))
        if self._watching is not None:
            self._watching.cancel()
        if self.metrics_server is not None:
            await asyncio.to_thread(self.metrics_server.close)
        self._threads.close()
        await self._polls.close()
        await self._reports.close()
        return Farewell(cut_off, unsent)

    async def _drain(self, deadline: float) -> None:
        """Wait for running tasks, and for the last polls, until *deadline*."""
        loop = asyncio.get_running_loop()
        if self._running:
            log.info("draining: waiting up to %g s for %d tasks", self.drain_s, len(self._running))
        while (busy := [*self._running.values(), *(lane for lane in self._lanes if not lane.done())]) and loop.time() < deadline:
            await asyncio.wait(busy, timeout=deadline - loop.time(), return_when=asyncio.FIRST_COMPLETED)

    async def _end_polls(self, deadline: float) -> None:
        """
        Wait for the last polls even when the drain time is over, and give back what they brought.

        A poll that is given up may still be answered: its task would be in progress with nobody at work, until it times out.
        """
        if polling := [lane for lane in self._lanes if not lane.done()]:
            await asyncio.wait(polling, timeout=deadline - asyncio.get_running_loop().time())
        for lane in (lane for lane in self._lanes if not lane.done()):
            log.warning("%s did not end in time; a task its last poll still brings is left to its timeout", lane.get_name())
            lane.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=CUT_OFF_GRACE_S)

    async def _cut_off_rest(self) -> int:
        """
        Cancel what still runs and have it reported as failed; how many tasks that is.

        A coroutine gets a moment to clean up; one that will not end, and a thread, which cannot be stopped, is left behind.
        """
        rest = [running for running in self._running if running.function is not None and not running.function.done()]
        for running in rest:
            running.is_cut_off = True
            _cancel(running)
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=CUT_OFF_GRACE_S)
        stubborn = [running for running in rest if running.function is not None and not running.function.done()]
        reports = [asyncio.create_task(self._report(r.task, _cut_off_result(), r.context.take_lines())) for r in stubborn]
        if reports:
            log.error("%d tasks did not end when cancelled: %s", len(stubborn), ", ".join(str(r.task) for r in stubborn))
            await asyncio.wait(reports, timeout=CUT_OFF_GRACE_S)
        return len(rest)

    async def _watch_loop(self) -> None:
        """Say so when the event loop was held up: polls, leases and reports of all workers stand still meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LOOP_CHECK_S)
            lag_s = loop.time() - before - LOOP_CHECK_S
            if lag_s > LOOP_LAG_S_MAX:
                suspects = sorted({r.lane.worker.name for r in self._running if not r.lane.worker.runs_in_thread})
                log.warning(
                    "the event loop stood still for %.1f s; coroutines running: %s. A worker that blocks should be a plain function or thread=True",
                    lag_s, ", ".join(suspects) or "none",
                )  # fmt: skip


def _result(running: _Running) -> TaskResult:
    """What to report of a function that has ended, or was cancelled by whomever."""
    function = running.function
    assert function is not None
    if not function.cancelled():
        return function.result()
    if running.context.is_cancelled:
        return TaskResult(status="CANCELED", reason="the server ended the task while it ran")
    if running.is_cut_off:
        return _cut_off_result()
    return TaskResult(status="FAILED", reason="CancelledError: the function was cancelled from within")


def _cut_off_result() -> TaskResult:
    return TaskResult(status="FAILED", reason="the worker process stopped before the task ended")


def _cancel(running: _Running) -> None:
    if running.function is not None:
        running.function.cancel()


def _distinct(workers: Iterable[AnyWorker]) -> list[AnyWorker]:
    by_queue: dict[str, AnyWorker] = {}
    for worker in workers:
        if worker.queue in by_queue:
            raise ValueError(f"two workers poll queue {worker.queue!r}: {by_queue[worker.queue].function!r} and {worker.function!r}")
        by_queue[worker.queue] = worker
    if not by_queue:
        raise ValueError("no workers to run; give at least one function decorated with @worker(…)")
    return list(by_queue.values())
