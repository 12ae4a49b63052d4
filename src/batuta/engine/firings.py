"""
Firings: how far each schedule has come, and the newest of what came of its ticks.

Both are written in one transaction, after the workflow of a tick was started. In memory are positions and ids only.
Not here: when anything is due (schedules.py), how history is searched (api/scheduler.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from batuta.store.protocol import Document, Store
from batuta.wire.codec import encode
from batuta.wire.schedule import Firing

KEPT: Final = 20  # of each schedule; Conductor keeps 5 to 10
_POSITION: Final = "schedule-position"
_FIRING: Final = "schedule-firing"


class Position(msgspec.Struct):
    """The last tick done of each expression, counted since the schedule was saved at `since`."""

    since: int
    last: dict[str, int]


class Firings:
    """Positions and history of all schedules, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._positions: dict[str, Position] = {}
        self._kept: dict[str, dict[str, None]] = {}  # schedule -> ids, oldest first

    async def load(self, schedules: Collection[str]) -> None:
        """Read the positions; what belongs to none of these schedules is deleted. Raises Unavailable."""
        gone = []
        for document in await self._store.documents(_POSITION):
            if document.key in schedules:
                self._positions[document.key] = msgspec.json.decode(document.body, type=Position)
            else:
                gone.append((_POSITION, document.key, 0))
        for firing in sorted(await self.all(), key=lambda f: f.scheduledTime):
            if firing.scheduleName in schedules:
                self._kept.setdefault(firing.scheduleName, {})[firing.executionId] = None
            else:
                gone.append((_FIRING, firing.executionId, 0))
        if gone:
            await self._store.put((), delete=gone)

    def position(self, schedule: str, since: int, entry: str) -> int:
        """The last tick done of an expression of the schedule as it was saved at *since*; that instant when none was."""
        position = self._positions.get(schedule)
        return since if position is None or position.since != since else max(since, position.last.get(entry, since))

    async def add(self, firing: Firing, since: int, entry: str, at: int) -> None:
        """The tick is done, and every other up to *at*; of a schedule saved anew meanwhile only the history counts. Raises Unavailable."""
        name = firing.scheduleName
        position = self._positions.get(name)
        if position is None or position.since <= since:
            last = position.last if position is not None and position.since == since else {}
            position = self._positions[name] = Position(since, {**last, entry: max(at, last.get(entry, 0))})
        kept = self._kept.setdefault(name, {})
        old = list(kept)[: max(len(kept) + 1 - KEPT, 0)]
        for id in old:
            del kept[id]
        kept[firing.executionId] = None
        documents = [Document(_POSITION, name, 0, encode(position)), Document(_FIRING, firing.executionId, 0, encode(firing))]
        await self._store.put(documents, delete=[(_FIRING, id, 0) for id in old])

    async def forget(self, schedule: str) -> None:
        """Everything about a schedule. Raises Unavailable."""
        self._positions.pop(schedule, None)
        ids = self._kept.pop(schedule, {})
        await self._store.put((), delete=[(_POSITION, schedule, 0), *((_FIRING, id, 0) for id in ids)])

    async def all(self) -> Sequence[Firing]:
        """The history of all schedules, in no particular order."""
        documents = await self._store.documents(_FIRING)
        return await asyncio.to_thread(lambda: [msgspec.json.decode(document.body, type=Firing) for document in documents])
