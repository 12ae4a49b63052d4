"""
Live executions: those that are moving, in memory, so that a report reads nothing from the store.

Bounded by bytes of stored JSON; the least recently used one goes first, but never one whose commits are still on their way. What is
dropped is loaded again when an event comes for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.store.protocol import OutboxRow

BYTES_MAX = 32 * 1024 * 1024


class Heard:
    """What listeners were told last of an execution (status None: nothing yet; tasks by row number), and the rows that leave with its next commit."""

    __slots__ = ("rows", "status", "tasks")

    def __init__(self, status: WorkflowStatus | None, tasks: dict[int, TaskStatus]) -> None:
        self.status, self.tasks = status, tasks
        self.rows: list[OutboxRow] = []


class Live:
    """
    One execution in memory. `turn` is held while scripts and schemas are decided in a thread; `pending` counts commits not yet durable.

    `status` (empty: nothing yet) and `ended`, the row numbers of ended tasks, are what is durable, as far as `metrics.py` has been told. `heard` is there only
    where somebody listens (listeners.py).
    """

    __slots__ = ("bytes", "dropped", "ended", "evicted", "heard", "last", "pending", "status", "turn", "x")

    def __init__(self, x: Execution, size: int) -> None:
        self.x = x
        self.bytes = size
        self.pending = 0
        self.last: asyncio.Future[None] | None = None
        self.dropped = False
        self.evicted = False  # dropped for want of room, so that it may be taken back
        self.heard: Heard | None = None
        self.status = x.head.status._value_ if x.head.revision else ""
        self.ended = {n for n, task in x.tasks.items() if task.status.is_terminal}
        self.turn = asyncio.Lock() if x.definition.has_scripts else None


class Lives:
    """The executions in memory, least recently used first."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._lives: OrderedDict[str, Live] = OrderedDict()
        self.bytes = 0

    def get(self, execution_id: str) -> Live | None:
        live = self._lives.get(execution_id)
        if live is not None:
            self._lives.move_to_end(execution_id)
        return live

    def put(self, live: Live) -> None:
        live.dropped = live.evicted = False
        self._lives[live.x.head.id] = live
        self.bytes += live.bytes
        if self.bytes > self._bytes_max:
            self._shrink(live)

    def grow(self, live: Live, size: int) -> None:
        live.bytes += size
        if not live.dropped:
            self.bytes += size
            if self.bytes > self._bytes_max:
                self._shrink(live)

    def drop(self, live: Live) -> None:
        """Nobody decides on this one any more. Another one of the same execution, read since, stays."""
        live.dropped = True
        if self._lives.get(live.x.head.id) is live:
            del self._lives[live.x.head.id]
            self.bytes -= live.bytes

    def _shrink(self, needed: Live) -> None:
        """Drop what has not been used for longest; never the one that needs the room, though it may be larger than all the room there is."""
        for live in list(self._lives.values()):
            if self.bytes <= self._bytes_max * 3 // 4:
                return
            if live is not needed and not live.pending and (live.turn is None or not live.turn.locked()):
                self.drop(live)
                live.evicted = True

    def __iter__(self) -> Iterator[Live]:
        return iter(list(self._lives.values()))

    def __len__(self) -> int:
        return len(self._lives)
