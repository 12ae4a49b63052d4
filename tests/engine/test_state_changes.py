"""onStateChange through the engine: each change reaches the handlers of its event, whoever makes it, also after a crash."""

from __future__ import annotations

import asyncio
from typing import Any

from eventwork import World, play, start_workflow, task

from batuta.core.model.decision import Publish
from batuta.core.model.status import TaskStatus
from batuta.engine.clock import ManualClock
from batuta.errors import BatutaError
from batuta.store.memory import MemoryStore
from batuta.wire.requests import TaskResult

AUDITED = task("job", onStateChange={"onScheduled,onStart,onSuccess,onFailed": [{"type": "audit", "payload": {"who": "${workflow.input.who}"}}]})
AUDIT = start_workflow("log", {"state": "${stateChange}", "who": "${who}", "task": "${taskId}"})


async def logged(world: World) -> list[tuple[str, str]]:
    await world.settle()
    await world.engine.flushed()
    return sorted((x.head.input["state"], x.head.input["who"]) for x in await world.started("log"))


def test_every_change_reaches_the_handlers_of_its_event() -> None:
    async def scenario(world: World) -> None:
        await world.register("log", task("w", "WAIT"))
        await world.register("flow", AUDITED)
        await world.handler("audit", "conductor:audit", AUDIT)
        await world.start("flow", {"who": "ada"})
        assert await logged(world) == [("onScheduled", "ada")]
        [(x, job)] = await world.engine.claim("job", worker="w1")
        assert await logged(world) == [("onScheduled", "ada"), ("onStart", "ada")]
        await world.engine.report(TaskResult(execution_id=x.head.id, task_id=job.id, status=TaskStatus.COMPLETED))
        assert await logged(world) == [("onScheduled", "ada"), ("onStart", "ada"), ("onSuccess", "ada")]
        assert not await world.store.outbox(limit=10)

    play(scenario)


def test_a_change_that_is_durable_is_told_by_the_next_process() -> None:
    store, clock = MemoryStore(), ManualClock()
    lost: list[Publish] = []

    async def before() -> None:
        await store.open()
        world = World(store, clock)
        await world.open()
        await world.register("log", task("w", "WAIT"))
        await world.register("flow", AUDITED)
        await world.handler("audit", "conductor:audit", AUDIT)

        async def dies(message: Publish) -> None:
            lost.append(message)
            await asyncio.Event().wait()

        world.engine.publish = dies
        await world.start("flow", {"who": "ada"})
        await world.engine.claim("job", worker="w1")
        while len(lost) < 2:
            await asyncio.sleep(0)
        for left in list(world.engine._background):
            left.cancel()

    async def after() -> None:
        await store.open()
        world = World(store, clock)
        await world.open()
        assert await logged(world) == [("onScheduled", "ada"), ("onStart", "ada")]
        await world.close()

    asyncio.run(before())
    asyncio.run(after())


def test_a_report_that_the_store_refuses_tells_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.register("log", task("w", "WAIT"))
        await world.register("flow", AUDITED)
        await world.handler("audit", "conductor:audit", AUDIT)
        await world.start("flow", {"who": "ada"})
        [(x, job)] = await world.engine.claim("job", worker="w1")
        await logged(world)
        result: Any = TaskResult(execution_id=x.head.id, task_id=job.id, status=TaskStatus.COMPLETED)
        world.store.fail_next()
        try:
            await world.engine.report(result)
        except BatutaError:
            pass
        assert [state for state, _ in await logged(world)] == ["onScheduled", "onStart"]
        await world.engine.report(result)
        assert [state for state, _ in await logged(world)] == ["onScheduled", "onStart", "onSuccess"]

    play(scenario)
