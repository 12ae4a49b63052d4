"""
Durability: executions between memory and disk. Loading them, sending what was decided, and what becomes true when it is on disk.

Here: the engine's state, its one timer, held claims, what a commit that succeeded or failed means for queues, limits and alarms.
Not here: deciding (steps.py), messages (delivery.py).
"""

from __future__ import annotations

import abc
import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from batuta.core import deadlines
from batuta.core.expr.script import ScriptEngine
from batuta.core.model.decision import Publish
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import PAYLOAD_BYTES_MAX, Task
from batuta.engine.alarms import Alarms
from batuta.engine.catalog import Catalog
from batuta.engine.changes import Changes
from batuta.engine.clock import Clock, Handle
from batuta.engine.definitions import Definitions
from batuta.engine.environment import Environment
from batuta.engine.identity import Ids
from batuta.engine.limits import Limits
from batuta.engine.listeners import Listeners
from batuta.engine.live import BYTES_MAX, Live, Lives
from batuta.engine.outputs import Outputs
from batuta.engine.payloads import Payloads
from batuta.engine.places import Places
from batuta.engine.queues import Queues
from batuta.engine.secrets import Secrets
from batuta.engine.tally import Tally
from batuta.engine.workbench import Workbench
from batuta.errors import Unavailable
from batuta.store.protocol import Commit, OutboxRow, Store
from batuta.store.rows import commit_of, execution_of, inbox_of

log = logging.getLogger("batuta.engine")
HOLD_S = 0.5  # how long a claim may wait for its report on its way to the disk; lost in a crash, the task is offered again
AGAIN_MS = 1_000  # before what the store did not take is tried again


class Durability(abc.ABC):
    """One server's executions, in memory and on disk."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        scripts: ScriptEngine,
        clock: Clock,
        *,
        live_bytes_max: int = BYTES_MAX,
        active_poll_ms: int = 10_000,
        script_threads: int = 4,
        variables_bytes_max: int = 256 * 1024,
        payload_bytes_warn: int = 1024 * 1024,
        inbox_max: int = 1_000,
        environment: Environment | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self.store, self.catalog, self.clock = store, catalog, clock
        self.environment = environment or Environment(store)
        self.secrets = secrets or Secrets(store, clock)
        self.queues = Queues()
        self.limits = Limits()
        self.tally = Tally()  # what happens seldom
        self.places = Places()
        self._limited_names: set[str] = set()  # workflows that have, or had, a rate limit
        self.polls: dict[str, tuple[str, str, int]] = {}  # queue -> task type, worker, instant of the last poll
        self.outputs = Outputs(store)
        self.tools = Workbench(
            catalog, scripts, self._polled_lately, self.environment, self.secrets, self.outputs, variables_bytes_max=variables_bytes_max
        )
        self.pollers: dict[tuple[str, str], int] = {}  # queue and worker -> instant of its last poll
        self.served_here: set[str] = set()  # queues that a worker in this process serves
        self.lives = Lives(live_bytes_max)
        self.alarms = Alarms(lambda limit: store.alarms(limit=limit))
        self.watchers: dict[str, set[asyncio.Future[None]]] = {}  # who waits for a change of an execution
        self.publish: Callable[[Publish], Awaitable[None]] | None = None  # who takes EVENT messages out of the process
        self.listeners = Listeners()  # who is told of changes of status
        self.post: Callable[[Sequence[OutboxRow]], None] = lambda rows: None  # who takes rows for the webhook that are durable
        self.on_removed: Callable[[str], None] = lambda execution_id: None  # who is told of executions that were deleted
        self.payloads: Payloads | None = None  # where clients put payloads ahead of their requests
        self.changes = Changes()
        self.observe: Callable[[Live, Commit], None] = lambda live, commit: None  # who is told of every commit that is durable
        self._active_poll_ms, self._payload_bytes_warn, self._inbox_max = active_poll_ms, payload_bytes_warn, inbox_max
        self._loading: dict[str, asyncio.Future[Live | None]] = {}
        self._outdated: set[str] = set()  # executions whose reading has been overtaken by a commit
        self.definitions = Definitions(catalog)
        self._threads = ThreadPoolExecutor(script_threads, thread_name_prefix="decide")
        self._timer: tuple[int, Handle] | None = None
        self._ids = Ids(clock.now)
        self._keys: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()  # starts under one key, one after the other
        self._held: dict[str, Live] = {}  # executions with changes that nobody waits for
        self._release: asyncio.TimerHandle | None = None
        self._mail: dict[str, asyncio.Future[None]] = {}  # receiver -> when the last letter written to it has been handed over
        self._outgoing: set[str] = set()  # letters with EVENT messages on their way
        self._abroad = 0  # how many of these are for brokers
        self._pauses: set[asyncio.Future[None]] = set()  # of those among them that are tried again later
        self._some_stayed = False  # whether the outbox holds EVENT messages that nobody carries
        self._waits_because = ""  # said in the log, once
        self._background: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def close(self) -> None:
        """No new work is taken; what was decided is durable when this returns."""
        self._closing = True
        self.release_held()
        await asyncio.gather(*(live.last for live in self.lives if live.pending and live.last is not None), return_exceptions=True)
        if self._timer is not None:
            self._timer[1].cancel()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._threads.shutdown(wait=True)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this in the background; a failure is logged, since nobody waits for it."""
        self._spawned(work)

    def _spawned(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed: %s", error, exc_info=error)

    # -- time -------------------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer for everything: the next alarm, or the next delayed task of a queue."""
        at = min((t for t in (self.alarms.next(), self.queues.next_due()) if t), default=0)
        if self._timer is not None:
            if at and self._timer[0] <= at:
                return
            self._timer[1].cancel()
            self._timer = None
        if at and not self._closing:
            self._timer = (at, self.clock.call_at(at, self._ring))

    def _ring(self) -> None:
        self._timer = None
        now = self.clock.now()
        self.queues.ripen(now)
        for execution_id in self.alarms.due(now):
            self.spawn(self._tick(execution_id))
        if self.alarms.is_dry:
            self.spawn(self._refill())
        self._arm()

    async def _refill(self) -> None:
        await self.alarms.fill()
        self._arm()

    @abc.abstractmethod
    async def _tick(self, execution_id: str) -> None:
        """Time has come for this execution."""

    @abc.abstractmethod
    async def _refuse_input(self, execution_id: str, n: int, size: int) -> None:
        """The task fails over the size of its input."""

    async def _pause(self, ms: int) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clock.call_at(self.clock.now() + ms, lambda: None if over.done() else over.set_result(None))
        await over

    # -- to the disk ------------------------------------------------------------------------------------------------------------

    def _note_moves(self, x: Execution) -> list[Task]:
        """Withdraw from the queues what may not be claimed any more; the worker tasks that moved, for when the commit is durable."""
        moved = []
        ended = x.head.status.is_terminal
        for n in x.changes.tasks:
            task = x.tasks.get(n)
            if task is not None and task.queue:
                moved.append(task)
                if ended or task.status is not TaskStatus.SCHEDULED:
                    self.queues.withdraw(task.queue, (x.head.id, n))
        for task in x.changes.left:
            moved.append(task)
            self.queues.withdraw(task.queue, (x.head.id, task.n))
        return moved

    def _hold(self, live: Live) -> None:
        """What changed stays in memory for now."""
        other = self._held.get(live.x.head.id)
        if other is not live:
            if other is not None:
                self._send(other, commit_of(other.x), [])  # an execution read twice: one of the two is late, and is taken up again
            self._held[live.x.head.id] = live
            live.pending += 1
        self._plan_release()

    def _plan_release(self) -> None:
        if self._release is None and self._held and not self._closing:
            self._release = asyncio.get_running_loop().call_later(HOLD_S, self.release_held)

    def release_held(self) -> None:
        """What was held goes to the store now; but an execution that a thread is deciding right now goes with that decision."""
        if self._release is not None:
            self._release.cancel()
            self._release = None
        for live in list(self._held.values()):
            if live.turn is None or not live.turn.locked():
                self._send(live, commit_of(live.x), [])
        self._plan_release()

    def _send(self, live: Live, commit: Commit, moved: list[Task]) -> asyncio.Future[None]:
        if self._held.get(live.x.head.id) is live:
            del self._held[live.x.head.id]
        else:
            live.pending += 1
        self._outdate(commit.execution_id)
        if live.heard is not None and live.heard.rows:
            commit.outbox, live.heard.rows = [*commit.outbox, *live.heard.rows], []
        durable = self.store.submit([commit])
        live.last = durable
        self.lives.grow(live, self._weigh(commit))
        durable.add_done_callback(lambda done: self._durable(live, commit, moved, done.cancelled() or done.exception() is not None))
        return durable

    def _outdate(self, execution_id: str) -> None:
        """What somebody is reading of this execution right now will not be the newest."""
        if execution_id in self._loading:
            self._outdated.add(execution_id)

    def _weigh(self, commit: Commit) -> int:
        """Bytes written about tasks and messages; a payload that is unusually large is noted in the log."""
        total = sum(len(row.doc) for row in commit.pushed) if commit.pushed else 0
        for row in commit.tasks:
            given, result = len(row.input or b""), len(row.output or b"")
            total += len(row.doc) + given + result
            if max(given, result) > self._payload_bytes_warn:
                log.warning("execution %s, task %s: a payload of %d bytes; files travel better by reference", commit.execution_id, row.ref, max(given, result))
                if given > PAYLOAD_BYTES_MAX and row.queue:
                    self.spawn(self._refuse_input(commit.execution_id, row.n, given))  # before it is durable, and so before anybody is offered it
        return total

    def _durable(self, live: Live, commit: Commit, moved: list[Task], failed: bool) -> None:
        """The commit is on disk, or has failed: only now are its tasks offered, places under a limit given up, and its alarm set."""
        live.pending -= 1
        x = live.x
        if failed:
            if self._held.get(x.head.id) is live:
                del self._held[x.head.id]
            self.lives.drop(live)
            self.spawn(self._take_up(x.head.id))
            return
        self._outdate(x.head.id)
        for watcher in self.watchers.get(x.head.id, ()):
            if not watcher.done():
                watcher.set_result(None)
        now = self.clock.now()
        soonest = x.head.wake_at
        for task in moved:
            key = (x.head.id, task.n)
            if task.status is not TaskStatus.IN_PROGRESS and self.limits.left(task.def_name, key):
                self.queues.get(task.queue).wake(1)
            if task.status is TaskStatus.SCHEDULED and not x.head.status.is_terminal and x.tasks.get(task.n) is task:
                self.queues.offer(task.queue, key, task.priority, task.due_at, now)
                if now < task.due_at and (not soonest or task.due_at < soonest):
                    soonest = task.due_at
        if commit.head is not None and not live.pending:
            self.alarms.set(x.head.id, x.head.wake_at)
        if soonest and (self._timer is None or soonest < self._timer[0]):
            self._arm()
        if x.definition.caches and (kept := self.outputs.remember(x, commit, now)) is not None:
            self.spawn(self._keep(kept))
        if x.head.rate_limit_key and not live.pending:
            if live.turn is not None and live.turn.locked():
                self.spawn(self._settle_place(x.head.id))  # a thread is deciding on it, and may or may not change how it stands
            else:
                self._stands(x)
        self._let_go(live)
        self.observe(live, commit)
        if self.changes.is_heard:
            self.changes.tell(commit)
        if live.heard is not None and commit.outbox:
            self.post(commit.outbox)

    @abc.abstractmethod
    def _stands(self, x: Execution) -> None:
        """What is on disk of an execution under a rate limit."""

    @abc.abstractmethod
    async def _settle_place(self, execution_id: str) -> None:
        """The same, when all that is under way with it is on disk."""

    @abc.abstractmethod
    def _gave_up_place(self, execution_id: str) -> None:
        """It is gone, or never came to be: what it counted for is free."""

    async def _keep(self, written: Awaitable[None]) -> None:
        """Wait for something that may as well be lost."""
        try:
            await written
        except Unavailable as error:
            log.warning("the output of a task is not kept in the cache: %s", error)

    def _let_go(self, live: Live) -> None:
        """An execution that has ended, and of which all is on disk, is of no use in memory."""
        if live.x.head.status.is_terminal and not live.pending and (live.turn is None or not live.turn.locked()):
            self.lives.drop(live)

    async def _take_up(self, execution_id: str) -> None:
        """After a commit that failed: queues, limits and alarm as the disk has them, since what they were told of never happened."""
        while not self._closing:
            try:
                live = await self._load(execution_id)
            except Unavailable:
                await self._pause(AGAIN_MS)
                continue
            if live is None:
                return self._gave_up_place(execution_id)
            if live.last is not None and not live.last.done():
                await asyncio.wait([live.last])
            elif live.turn is not None and live.turn.locked():
                async with live.turn:
                    pass
            elif live.x.head.id not in self._held:
                self._reconcile(live.x)
                return
            else:
                self.release_held()

    def _reconcile(self, x: Execution) -> None:
        now, ended = self.clock.now(), x.head.status.is_terminal
        for task in x.tasks.values():
            if not task.queue:
                continue
            key = (x.head.id, task.n)
            if task.status is TaskStatus.SCHEDULED and not ended:
                self.queues.offer(task.queue, key, task.priority, task.due_at, now)
            else:
                self.queues.withdraw(task.queue, key)
            if task.status is TaskStatus.IN_PROGRESS:
                self.limits.runs(task.def_name, x.node_of(task).policy, key)
            else:
                self.limits.left(task.def_name, key)
        self.alarms.set(x.head.id, x.head.wake_at)
        if x.head.rate_limit_key:
            self._stands(x)
        self._arm()

    async def flushed(self) -> None:
        """What was decided before this call is durable."""
        self.release_held()
        await asyncio.shield(self.store.submit([]))

    async def _load(self, execution_id: str) -> Live | None:
        """The execution in memory, read from the store when it is not; one reading at a time."""
        live = self.lives.get(execution_id)
        if live is not None:
            return live
        reading = self._loading.get(execution_id)
        if reading is None or reading.done():
            reading = asyncio.ensure_future(self._read(execution_id))
            self._loading[execution_id] = reading
            reading.add_done_callback(lambda _: self._loading.pop(execution_id, None))
        return await asyncio.shield(reading)

    async def _read(self, execution_id: str) -> Live | None:
        while True:
            self._outdated.discard(execution_id)
            stored = await self.store.load(execution_id)
            if (live := self.lives.get(execution_id)) is not None:
                return live  # begun, or read, in the meantime
            if execution_id not in self._outdated:
                break
        if stored is None:
            return None
        definition = self.definitions.remembered(stored.head.definition_hash, stored.definition)
        head, tasks = execution_of(stored)
        x = Execution(head, definition, tasks, inbox_of(stored))
        deadlines.rearm(x)
        size = sum(len(t.doc) + len(t.input or b"") + len(t.output or b"") for t in stored.tasks) + sum(len(row.doc) for row in stored.inbox)
        live = Live(x, size)
        self.listeners.meet(live)
        if not head.status.is_terminal:
            self.lives.put(live)
        return live

    # -- small ------------------------------------------------------------------------------------------------------------------

    def _polled_lately(self, queue: str) -> bool:
        seen = self.polls.get(queue)
        return seen is not None and self.clock.now() - seen[2] <= self._active_poll_ms
