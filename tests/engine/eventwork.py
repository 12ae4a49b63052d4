"""A small world for events and schedules: the real engine over a store in memory, scripts known by heart, a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from batuta.core.expr.script import Script, ScriptFailed, ScriptValue
from batuta.core.model.execution import Execution
from batuta.engine.catalog import Catalog
from batuta.engine.clock import ManualClock
from batuta.engine.engine import Engine
from batuta.engine.events import Events, Provider
from batuta.engine.schedules import Schedules
from batuta.store.memory import MemoryStore
from batuta.wire.event import read_handler
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import StartRequest

SETTLED_S = 60  # a bound that only a fault reaches: a year of ticks at once takes seconds, on a busy machine many


class Scripts:
    """Conditions by their text; what is not known is a mistake in the script."""

    def __init__(self, known: Mapping[str, Callable[[Any], Any]]) -> None:
        self.known = dict(known)
        self.asked = 0

    def evaluate(self, script: Script) -> ScriptValue | ScriptFailed:
        self.asked += 1
        if script.source not in self.known:
            return ScriptFailed(f"ReferenceError: {script.source}", "error")
        return ScriptValue(self.known[script.source](script.data))

    def syntax_error(self, language: str, source: str) -> str | None:
        return None


class World:
    """One server's rooms, without its edge. Several may share a store and a clock."""

    def __init__(
        self, store: MemoryStore, clock: ManualClock, *, scripts: Mapping[str, Callable[[Any], Any]] | None = None, providers: tuple[Provider, ...] = ()
    ) -> None:
        self.store, self.clock = store, clock
        self.scripts = Scripts(scripts or {})
        self.catalog = Catalog(store, clock, scripts=self.scripts)
        self.engine = Engine(store, self.catalog, self.scripts, clock)
        self.events = Events(self.engine, self.scripts, providers)
        self.engine.publish, self.engine.tools.refusal = self.events.publish, self.events.refusal
        self.schedules = Schedules(self.engine)

    async def open(self) -> None:
        await self.catalog.load()
        await self.events.load()
        await self.engine.open()
        await self.events.open()
        await self.schedules.open()

    async def close(self) -> None:
        await self.schedules.close()
        await self.events.close()
        await self.engine.close()

    async def settle(self) -> None:
        """Everything begun in the background is done."""
        async with asyncio.timeout(SETTLED_S):
            await turn()
            while self.engine._background:
                await asyncio.wait(self.engine._background)
                await turn()

    async def register(self, name: str, *tasks: dict[str, Any], **fields: Any) -> None:
        await self.catalog.create_workflow(read_workflow({"name": name, "version": 1, "tasks": list(tasks), **fields}), overwrite=True)

    async def handler(self, name: str, event: str, *actions: dict[str, Any], **fields: Any) -> None:
        await self.events.handlers.create(read_handler({"name": name, "event": event, "active": True, "actions": list(actions), **fields}))
        await self.events.listen()

    async def start(self, name: str, given: dict[str, Any] | None = None) -> str:
        return await self.engine.start(StartRequest(name=name, input=given or {}))

    async def started(self, name: str) -> list[Execution]:
        """Every execution of a workflow, oldest first."""
        return [await self.engine.read(found.execution_id) for found in await self.engine.find(name=name, limit=100_000)]


async def turn() -> None:
    """What the loop has been asked to call soon, is called."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(done.set_result, None)
    await done


def task(ref: str, kind: str = "SIMPLE", **fields: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def start_workflow(name: str, given: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"action": "start_workflow", "start_workflow": {"name": name, "input": given or {}, **fields}}


def play(scenario: Callable[[World], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run the scenario in a world of its own."""

    async def run() -> None:
        store = MemoryStore()
        await store.open()
        world = World(store, ManualClock(), **options)
        await world.open()
        try:
            await scenario(world)
        finally:
            await world.close()

    asyncio.run(run())
