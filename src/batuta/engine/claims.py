"""
Claims: handing queued tasks to workers, at once or when one comes.

A claim is answered before it is durable: lost in a crash it is offered again, which at-least-once allows. Limits are asked at the moment of
hand-out; what they hold back stays queued and is looked at again when a place is free.
Source: conductor-semantics.md §2.2, §9; GET /api/tasks/poll/batch/{tasktype}.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from batuta.core.decide import Outcome, decide
from batuta.core.model.definition import Policy
from batuta.core.model.event import Claimed
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Tools
from batuta.engine.live import Live
from batuta.engine.post import Letters
from batuta.engine.queues import Key
from batuta.engine.steps import Steps
from batuta.engine.tally import CONCURRENCY_LIMITED, RATE_LIMITED
from batuta.errors import BatutaError, NotFound

POLLERS_MAX = 4096  # workers of queues that are remembered; a worker may call itself something new each time


class PollData(msgspec.Struct, frozen=True):
    """Who polled a queue last, and when (epoch milliseconds)."""

    queue_name: str
    domain: str
    worker_id: str
    last_poll_at: int


class Claims(Steps):
    """The queue side of the engine."""

    async def claim(
        self, task_type: str, *, worker: str, domain: str = "", count: int = 1, wait_s: float = 0.0, gone: asyncio.Future[None] | None = None,
        is_ours: bool = False,
    ) -> list[tuple[Execution, Task]]:  # fmt: skip
        """
        Hand out up to *count* due tasks, best first; with none there, wait up to *wait_s* for the first.

        Atomic: two callers never receive the same attempt while it is in progress. A caller who is *gone* is given nothing.
        An empty list means nothing came; it is not an error. *is_ours*: a worker of this process asks, which is no poll to be shown.
        """
        queue = f"{domain}:{task_type}" if domain else task_type
        if not is_ours:
            self._polled(queue, task_type, worker)
        else:
            self.served_here.add(queue)
        taken = await self._take(queue, worker, count)
        if taken or wait_s <= 0:
            return taken
        end = asyncio.get_running_loop().time() + wait_s
        while not taken and not self._closing and (left := end - asyncio.get_running_loop().time()) > 0:
            if not await self._queued(queue, left, gone):
                break
            taken = await self._take(queue, worker, count)
        return taken

    async def _queued(self, queue: str, wait_s: float, gone: asyncio.Future[None] | None) -> bool:
        """Wait until something may be claimed; False when the time is over or the caller has left."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self.queues.get(queue).waiters.append(waiter)
        timer = loop.call_later(wait_s, _wake, waiter)
        if gone is not None:
            gone.add_done_callback(lambda _: _wake(waiter))
        takes = False
        try:
            await waiter
            takes = gone is None or not gone.done()
        finally:
            timer.cancel()
            self.queues.forget_waiter(queue, waiter, takes=takes)
        return takes

    async def _take(self, queue: str, worker: str, count: int) -> list[tuple[Execution, Task]]:
        taken: list[tuple[Execution, Task]] = []
        held: list[tuple[Key, Task, int]] = []
        now = self.clock.now()
        self.queues.get(queue).ripen(now)
        for key, priority, due in self.queues.best(queue):
            try:
                live = self.lives.get(key[0]) or await self._load(key[0])
                task = live.x.tasks.get(key[1]) if live is not None else None
                if live is None or task is None or task.status is not TaskStatus.SCHEDULED or live.x.head.status.is_terminal:
                    continue
                policy = live.x.node_of(task).policy
                until = self.limits.wait_until(task.def_name, policy, now) if policy.is_limited else 0
                if until:
                    self._note_limit(task.def_name, policy, is_rate=until > 0)
                    held.append((key, task, until))
                elif (got := await self._take_one(key, live, task, policy, worker)) is not None:
                    taken.append(got)
            except NotFound:
                continue  # removed meanwhile
            except BaseException as error:
                # Nobody has it: it is offered again. What was taken before it is handed out all the same.
                self.queues.offer(queue, key, priority, due, now)
                self._put_back(queue, held)
                if taken and isinstance(error, BatutaError):
                    return taken
                raise
            if len(taken) >= count:
                break
        self._put_back(queue, held)
        return taken

    async def _take_one(self, key: Key, live: Live, task: Task, policy: Policy, worker: str) -> tuple[Execution, Task] | None:
        """Claim the task for the worker; None when it has moved on by the time its execution's turn comes."""
        got: list[tuple[Execution, Task]] = []

        def act(x: Execution, now: int, tools: Tools) -> Outcome:
            outcome = decide(x, Claimed(key[1], worker), now, tools)
            if outcome.changed:
                got.append((x, x.tasks[key[1]]))
            return outcome

        letters: Letters = deque()
        if live.turn is None and not live.dropped and not policy.is_limited:
            self._decide(live, act, letters, hold=True)
            if letters:
                self.spawn(self._carry(letters))
            return got[0] if got else None
        name, reserved = task.def_name, (key[0], -key[1])
        self.limits.taken(name, policy, reserved, self.clock.now())  # before the turn comes, so that nobody else takes the place
        try:
            await self._step(key[0], act, letters, hold=True)
            if letters:
                self.spawn(self._carry(letters))
        finally:
            if got:
                self.limits.runs(name, policy, key)
            if self.limits.left(name, reserved) and not got:
                self.queues.get(task.queue).wake(1)
        return got[0] if got else None

    def _note_limit(self, name: str, policy: Policy, *, is_rate: bool) -> None:
        limit = policy.rate_limit_per_frequency if is_rate else policy.concurrent_exec_limit
        self.tally.note(RATE_LIMITED if is_rate else CONCURRENCY_LIMITED, limit or 0, name)

    def _put_back(self, queue: str, held: list[tuple[Key, Task, int]]) -> None:
        """Held by a limit: by concurrency, back in line for when a place is free; by rate, when the window has moved on."""
        line = self.queues.get(queue)
        waiters, line.waiters = line.waiters, deque()  # nobody is woken for what may not be claimed
        for key, task, until in held:
            if task.status is not TaskStatus.SCHEDULED:
                continue  # it moved on while others were claimed
            line.put(key, task.priority, task.due_at if until < 0 else until, self.clock.now())
        line.waiters = waiters
        if held:
            self._arm()

    def _polled(self, queue: str, task_type: str, worker: str) -> None:
        now = self.clock.now()
        self.polls[queue] = (task_type, worker, now)
        self.pollers[queue, worker] = now
        if len(self.pollers) > POLLERS_MAX:
            for place in sorted(self.pollers, key=self.pollers.__getitem__)[: POLLERS_MAX // 2]:
                del self.pollers[place]

    def poll_data(self, task_type: str | None = None) -> list[PollData]:
        """The last poll of each queue; None: of every task type."""
        out = []
        for queue, (kind, worker, at) in sorted(self.polls.items()):
            if task_type is None or kind == task_type:
                out.append(PollData(kind, queue[: -len(kind) - 1], worker, at))
        return out

    def queue_size(self, queue: str) -> int:
        """How many tasks wait in the queue, due or not."""
        return self.queues.size(queue)

    def queue_sizes(self) -> dict[str, int]:
        """The same for every queue that has any, by name."""
        return self.queues.sizes()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
