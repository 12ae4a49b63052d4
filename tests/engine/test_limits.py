"""Limits of tasks through what happens to servers and stores. Sixteen workers at once over HTTP: tests/api/test_races.py."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from eventwork import World, play, task

from batuta.core.model.status import TaskStatus
from batuta.engine.clock import ManualClock
from batuta.errors import BatutaError
from batuta.store.memory import MemoryStore
from batuta.wire.requests import TaskResult


def limited(**limits: Any) -> dict[str, Any]:
    return task("job", taskDefinition={"name": "job", "retryCount": 9, "retryDelaySeconds": 0, "timeoutSeconds": 0, "responseTimeoutSeconds": 60, **limits})


async def ended(world: World, place: tuple[str, str], status: TaskStatus = TaskStatus.COMPLETED) -> None:
    await world.engine.report(TaskResult(execution_id=place[0], task_id=place[1], status=status, output={}))


async def taken(world: World, count: int = 99) -> list[tuple[str, str]]:
    return [(x.head.id, claimed.id) for x, claimed in await world.engine.claim("job", worker="w", count=count)]


def test_a_new_process_knows_who_has_a_task() -> None:
    async def run() -> None:
        store, clock = MemoryStore(), ManualClock()
        await store.open()
        first = World(store, clock)
        await first.open()
        await first.register("flow", limited(concurrentExecLimit=3))
        for _ in range(6):
            await first.start("flow")
        held = await taken(first)
        assert len(held) == 3
        await first.engine.flushed()
        await first.close()
        second = World(store, clock)
        await second.open()
        assert await taken(second) == []
        await ended(second, held[0])
        assert len(await taken(second)) == 1
        await second.close()

    asyncio.run(run())


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "silence", "terminate", "pause and silence"])
def test_every_end_of_an_attempt_gives_its_place_to_another(end: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("flow", limited(concurrentExecLimit=1))
        for _ in range(2):
            await world.start("flow")
        [place] = await taken(world)
        assert await taken(world) == []
        await world.engine.flushed()  # a claim is on its way to the disk for a moment
        if end in ("COMPLETED", "FAILED"):
            await ended(world, place, TaskStatus(end))
        elif end == "terminate":
            await world.engine.terminate(place[0], "enough")
        else:
            if end != "silence":
                await world.engine.pause(place[0])
            world.clock.advance(61_000)
            await world.settle()
            if end != "silence":
                await world.engine.resume(place[0])
                await world.settle()
        assert len(await taken(world)) == 1 and await taken(world) == []

    play(scenario)


@pytest.mark.parametrize("seed", range(6))
def test_a_store_that_fails_now_and_then_neither_lets_one_too_many_in_nor_keeps_a_place(seed: int) -> None:
    chance = random.Random(seed)

    async def scenario(world: World) -> None:
        await world.register("flow", limited(concurrentExecLimit=3))
        for _ in range(30):
            await world.start("flow")
        held: set[tuple[str, str]] = set()
        for _ in range(200):
            if chance.random() < 0.2:
                world.store.fail_next()
            try:
                if held and chance.random() < 0.5:
                    place = chance.choice(sorted(held))
                    await ended(world, place, chance.choice([TaskStatus.COMPLETED, TaskStatus.FAILED]))
                    held.discard(place)
                else:
                    held.update(await taken(world, chance.randint(1, 4)))
            except BatutaError:
                pass  # the store did not take it: the worker has the task still
            world.clock.advance(1_000)
            await world.settle()
            held = {place for place in held if (await world.engine.read(place[0])).by_id[place[1]].status is TaskStatus.IN_PROGRESS}
            assert len(held) <= 3
        world.store._failures.clear()
        await world.engine.flushed()
        world.clock.advance(100_000)  # whoever had a task has fallen silent
        await world.settle()
        while places := await taken(world):
            assert len(places) == min(3, len([x for x in await world.started("flow") if not x.head.status.is_terminal]))
            for place in places:
                await ended(world, place)
        assert {str(x.head.status) for x in await world.started("flow")} == {"COMPLETED"}

    play(scenario)
