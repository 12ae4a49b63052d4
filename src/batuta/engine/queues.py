"""
Queues: which worker tasks may be claimed, best first, and who waits for one. An index in memory over the stored tasks, never the truth.

A task is offered when the commit that scheduled it is durable, and withdrawn when it moves on; a claim that meets a stale entry skips it.
Nothing is asked of the store: an empty queue is known to be empty. What does the claiming is engine.py, limits are limits.py.
Instants are epoch milliseconds.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Iterator

Key = tuple[str, int]  # execution id, row number


class Queue:
    """One queue: the tasks that may be claimed now, those that may be later, and the polls that wait."""

    __slots__ = ("delayed", "members", "order", "ready", "waiters")

    def __init__(self) -> None:
        self.members: dict[Key, int] = {}  # every queued task and the instant it is due; entries that differ are stale
        self.ready: list[tuple[int, int, int, Key]] = []  # (-priority, due, order of arrival, task)
        self.delayed: list[tuple[int, int, int, Key]] = []  # (due, -priority, order of arrival, task)
        self.waiters: deque[asyncio.Future[None]] = deque()
        self.order = 0

    def put(self, key: Key, priority: int, due_at: int, now: int) -> None:
        self.members[key] = due_at
        self.order += 1
        if due_at <= now:
            heapq.heappush(self.ready, (-priority, due_at, self.order, key))
            self.wake(1)
        else:
            heapq.heappush(self.delayed, (due_at, -priority, self.order, key))

    def ripen(self, now: int) -> None:
        """What has become due may be claimed."""
        ripe = 0
        while self.delayed and self.delayed[0][0] <= now:
            due, priority, order, key = heapq.heappop(self.delayed)
            if self.members.get(key) == due:
                heapq.heappush(self.ready, (priority, due, order, key))
                ripe += 1
        self.wake(ripe)

    def wake(self, count: int) -> None:
        """As many waiting polls as there are tasks look again."""
        while count and self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1

    def take(self) -> tuple[Key, int, int] | None:
        """Take the best claimable task out, with priority and due instant; None when there is none."""
        while self.ready:
            priority, due, _, key = heapq.heappop(self.ready)
            if self.members.get(key) == due:
                del self.members[key]
                return key, -priority, due
        return None


class Queues:
    """All queues by name."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    def get(self, name: str) -> Queue:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue()
        return queue

    def offer(self, name: str, key: Key, priority: int, due_at: int, now: int) -> None:
        """The task may be claimed from the instant on."""
        self.get(name).put(key, priority, due_at, now)

    def best(self, name: str) -> Iterator[tuple[Key, int, int]]:
        """
        Take the claimable tasks out, best first, with priority and due instant. Nobody else gets them; whoever does not claim one puts it back.

        The queue is looked up for each: while a claim waits for its turn, it may have been forgotten and begun anew with the next task in it.
        """
        while (queue := self._queues.get(name)) is not None and (found := queue.take()) is not None:
            yield found

    def withdraw(self, name: str, key: Key) -> None:
        """The task has moved on."""
        queue = self._queues.get(name)
        if queue is not None:
            queue.members.pop(key, None)
            if not queue.members and not queue.waiters:
                del self._queues[name]

    def forget_waiter(self, name: str, waiter: asyncio.Future[None], *, takes: bool) -> None:
        """The poll waits no more. If it was woken for a task and does not take one (its client has left), the next poll is woken instead."""
        queue = self._queues.get(name)
        if queue is None:
            return
        try:
            queue.waiters.remove(waiter)
        except ValueError:
            if not takes and queue.ready:
                queue.wake(1)
        if not queue.members and not queue.waiters:
            self._queues.pop(name, None)

    def ripen(self, now: int) -> None:
        for queue in list(self._queues.values()):
            queue.ripen(now)

    def next_due(self) -> int:
        """When the next delayed task becomes claimable; 0: none waits."""
        return min((q.delayed[0][0] for q in self._queues.values() if q.delayed), default=0)

    def size(self, name: str) -> int:
        queue = self._queues.get(name)
        return len(queue.members) if queue is not None else 0

    def sizes(self) -> dict[str, int]:
        return {name: len(q.members) for name, q in sorted(self._queues.items()) if q.members}

    def due(self, name: str, now: int) -> tuple[int, int]:
        """How many tasks of the queue may be claimed by now, and since when the first of them could have been; 0 when there is none."""
        queue = self._queues.get(name)
        due = [at for at in queue.members.values() if at <= now] if queue is not None else []
        return len(due), min(due, default=0)

    def members(self, name: str) -> list[Key]:
        queue = self._queues.get(name)
        return list(queue.members) if queue is not None else []
