"""
Journal: what became of messages. Executions of handlers, the newest of each handler; messages set aside, the newest of all.

The bodies are documents of the store; in memory are ids and states only, which is what a message that comes again is known by.
Not here: what is written when (events.py).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from batuta.core.model.ids import named
from batuta.errors import NotFound
from batuta.store.protocol import Document, Store
from batuta.wire.codec import encode
from batuta.wire.event import DeadMessage, EventExecution, Failure

log = logging.getLogger("batuta.engine")
EXECUTIONS_KEPT: Final = 500  # of each handler; far more than can be in hand when a process dies
DEAD_KEPT: Final = 1_000
_EXECUTION: Final = "event-execution"
_DEAD: Final = "event-dead"


class Journal:
    """What is remembered, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[tuple[str, str], str]] = {}  # handler -> (event, execution id) -> status, oldest first
        self._dead: dict[str, int] = {}  # id -> attempts, oldest first

    async def load(self) -> None:
        """Read the states; once, before anything is asked. Raises Unavailable."""
        for execution in sorted(await self._executions(), key=lambda e: e.created):
            self._known.setdefault(execution.name, {})[execution.event, execution.id] = execution.status
        for dead in sorted(await self._all_dead(), key=lambda d: d.created):
            self._dead[dead.id] = dead.attempts

    # -- executions -----------------------------------------------------------------------------------------------------------------

    def status(self, handler: str, event: str, message_id: str, n: int) -> str | None:
        """What became of the handler's n-th action for this message; None when nothing is remembered."""
        return self._known.get(handler, {}).get((event, f"{message_id}_{n}"))

    async def remember(self, execution: EventExecution) -> None:
        """Keep it, and forget the handler's oldest when there are too many. Raises Unavailable."""
        await self._put([execution])

    async def _put(self, executions: Sequence[EventExecution], *, more: Sequence[Document] = (), gone: Sequence[tuple[str, str, int]] = ()) -> None:
        """These, and what goes with them, in one transaction."""
        old = [(e.name, place) for e in executions for place in self._outlived(e.name)]
        documents = [Document(_EXECUTION, _key(e.name, e.event, e.id), 0, encode(e)) for e in executions]
        await self._store.put([*documents, *more], delete=[*gone, *((_EXECUTION, _key(name, *place), 0) for name, place in old)])
        for name, place in old:
            self._known[name].pop(place, None)
        for e in executions:
            self._known.setdefault(e.name, {})[e.event, e.id] = e.status

    def _outlived(self, handler: str) -> list[tuple[str, str]]:
        """The oldest that must go before one more is kept."""
        known = self._known.get(handler, {})
        return list(itertools.islice(known, max(len(known) + 1 - EXECUTIONS_KEPT, 0)))

    async def forget_failures(self, event: str, message_id: str) -> None:
        """What failed with this message may be tried again."""
        gone = [
            (name, place) for name, known in self._known.items() for place, status in known.items()
            if status == "FAILED" and place[0] == event and place[1].rpartition("_")[0] == message_id
        ]  # fmt: skip
        await self._store.put((), delete=[(_EXECUTION, _key(name, *place), 0) for name, place in gone])
        for name, place in gone:
            self._known[name].pop(place, None)

    async def executions(
        self, *, handler: str | None = None, event: str | None = None, status: str | None = None, message_id: str | None = None
    ) -> list[EventExecution]:
        """Those that meet every condition given, newest first."""
        wanted = [
            e for e in await self._executions()
            if handler in (None, e.name) and event in (None, e.event) and status in (None, e.status) and message_id in (None, e.messageId)
        ]  # fmt: skip
        return sorted(wanted, key=lambda e: (-e.created, e.name, e.id))

    async def _executions(self) -> list[EventExecution]:
        documents = await self._store.documents(_EXECUTION)
        return await asyncio.to_thread(lambda: [msgspec.json.decode(document.body, type=EventExecution) for document in documents])

    # -- messages set aside ---------------------------------------------------------------------------------------------------------

    async def set_aside(self, event: str, message_id: str, payload: Any, failures: Sequence[Failure], failed: Sequence[EventExecution], now: int) -> None:
        """Keep a message that failed for good, one more attempt counted, and in the same transaction what failed with it. Raises Unavailable."""
        id = named(f"dead:{event}:{message_id}")
        attempts = self._dead.get(id, 0) + 1
        dead = DeadMessage(id=id, messageId=message_id, event=event, payload=payload, created=now, attempts=attempts, failures=list(failures))
        old = [i for i in self._dead if i != id][: max(len(self._dead) + 1 - DEAD_KEPT, 0)]
        if old:
            log.warning("more than %d messages are set aside; the oldest are dropped: %s", DEAD_KEPT, ", ".join(old))
        await self._put(failed, more=[Document(_DEAD, id, 0, encode(dead))], gone=[(_DEAD, i, 0) for i in old])
        for i in (*old, id):
            self._dead.pop(i, None)
        self._dead[id] = attempts

    async def dead(self) -> list[DeadMessage]:
        """All that are set aside, newest first."""
        return sorted(await self._all_dead(), key=lambda d: (-d.created, d.id))

    async def dead_message(self, id: str) -> DeadMessage:
        """One that is set aside. Raises NotFound."""
        if id in self._dead:
            for dead in await self._all_dead():
                if dead.id == id:
                    return dead
        raise NotFound(f"no message is set aside under the id {id!r}")

    async def drop(self, id: str) -> None:
        """Forget one that is set aside. Raises NotFound."""
        if id not in self._dead:
            raise NotFound(f"no message is set aside under the id {id!r}")
        await self._store.put((), delete=[(_DEAD, id, 0)])
        self._dead.pop(id, None)

    async def _all_dead(self) -> list[DeadMessage]:
        documents = await self._store.documents(_DEAD)
        return await asyncio.to_thread(lambda: [msgspec.json.decode(document.body, type=DeadMessage) for document in documents])


def _key(handler: str, event: str, execution_id: str) -> str:
    return f"{handler}/{event}/{execution_id}"
