"""A world with a webhook: what a receiver that does as it is told was posted, in the order it was posted."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from eventwork import World, turn

from batuta.engine.clock import ManualClock
from batuta.engine.listeners import Listeners
from batuta.engine.webhooks import Webhooks
from batuta.errors import Invalid
from batuta.store.memory import MemoryStore


class Receiver:
    """Takes what it is posted, unless `refuses` says why it does not; called in threads, as the real one is."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []  # ids and bodies
        self.asked: list[str] = []  # ids, refused ones too
        self.refuses: Callable[[str, dict[str, Any]], str | None] = lambda id, body: None
        self.at_once = self.most_at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def post(self, id: str, kind: str, body: bytes) -> None:
        told = json.loads(body)
        with self._lock:
            self.asked.append(id)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.gate.wait(10)
        with self._lock:
            self.at_once -= 1
            if why := self.refuses(id, told):
                raise Invalid(why)
            assert ("taskId" in told) == (kind == "task")
            self.taken.append((id, told))

    def words(self, execution_id: str | None = None) -> list[str]:
        """What was told, of one execution or of all: the change, for a task with its reference."""
        found = [told for _, told in self.taken if execution_id in (None, told["workflowId"])]
        return [f"{t['referenceTaskName']} {t['eventType']}" if "taskId" in t else t["eventType"] for t in found]


class Told(World):
    """One server whose webhook leads to a receiver. Several may share store, clock and receiver, one after the other."""

    def __init__(
        self, store: MemoryStore, clock: ManualClock, receiver: Receiver, *, workflows: str = "COMPLETED TERMINATED", tasks: str = "", concurrency: int = 4
    ) -> None:
        super().__init__(store, clock)
        self.receiver = receiver
        self.engine.listeners = Listeners(workflows=workflows.split(), tasks=tasks.split())
        self.webhooks = Webhooks(self.engine, self.events.journal, receiver.post, concurrency=concurrency, give_up_ms=3_600_000)
        self.events.provide(self.webhooks)

    async def open(self) -> None:
        await super().open()
        self.webhooks.start()

    async def close(self) -> None:
        self.webhooks.stop()
        await super().close()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Time goes on, a second at a time, until it is so."""
        async with asyncio.timeout(20):
            while not condition():
                self.clock.advance(1_000)
                await self.settle()
                await turn()


def told(scenario: Callable[[Told], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run the scenario in a world of its own."""

    async def run() -> None:
        store = MemoryStore()
        await store.open()
        world = Told(store, ManualClock(), Receiver(), **options)
        await world.open()
        try:
            await scenario(world)
        finally:
            world.receiver.gate.set()
            await world.close()

    asyncio.run(run())
