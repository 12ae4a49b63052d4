"""
Alarms: which executions time will move next. A window in memory over the store's own index of wake-up times.

The window holds the earliest alarms up to a horizon; what lies beyond is left to the store and read when the window runs dry, so that a million
sleeping executions cost no memory. An entry is only a hint: whoever wakes asks the execution whether the instant still holds.
Instants are epoch milliseconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Sequence

from batuta.store.protocol import Alarm

WINDOW = 20_000
FOREVER = 2**62


class Alarms:
    """The earliest alarms, and where to find the later ones."""

    def __init__(self, read: Callable[[int], Awaitable[Sequence[Alarm]]], *, window: int = WINDOW) -> None:
        self._read = read
        self._window = window
        self._heap: list[tuple[int, str]] = []
        self._set: dict[str, int] = {}
        self._horizon = 0  # every stored alarm earlier than this is in the heap

    async def fill(self) -> None:
        """Read the earliest alarms; call when the store is quiet about earlier ones (at start, and when the window is dry)."""
        found = await self._read(self._window)
        for alarm in found:
            self._put(alarm.execution_id, alarm.wake_at)
        self._horizon = found[-1].wake_at if len(found) >= self._window else FOREVER

    def set(self, execution_id: str, at: int) -> None:
        """The execution's alarm is now this one; 0: none."""
        if at and at <= self._horizon:
            if self._set.get(execution_id) != at:
                self._put(execution_id, at)
        else:
            self._set.pop(execution_id, None)

    def _put(self, execution_id: str, at: int) -> None:
        self._set[execution_id] = at
        heapq.heappush(self._heap, (at, execution_id))
        if len(self._heap) > 2 * self._window:
            self._shrink()

    def _shrink(self) -> None:
        """Drop stale entries, and the latest ones beyond the window."""
        live = sorted((at, i) for i, at in self._set.items())
        if len(live) > self._window:
            self._horizon = live[self._window][0] - 1
            live = [entry for entry in live if entry[0] <= self._horizon]
        self._set = {i: at for at, i in live}
        self._heap = live

    def due(self, now: int, *, limit: int = 1_000) -> list[str]:
        """Take out the executions whose instant has come, earliest first."""
        out: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(out) < limit:
            at, execution_id = heapq.heappop(self._heap)
            if self._set.get(execution_id) == at:
                del self._set[execution_id]
                out.append(execution_id)
        return out

    @property
    def is_dry(self) -> bool:
        """Whether the window is empty though the store may hold more."""
        return not self._set and self._horizon < FOREVER

    def next(self) -> int:
        """The earliest instant; 0: none is set."""
        while self._heap and self._set.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else 0
