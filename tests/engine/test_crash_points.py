"""
A server that dies before each of its writes in turn: what an event sets going, a tick starts and a secret holds is there once, and whole, for the next.

The writes are counted, not hurried: each crash is at a place of its own, and every place is tried. A process killed at random moments: tests/compat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from eventwork import World, start_workflow, task, turn

from batuta.engine.actions import Message
from batuta.engine.clock import ManualClock
from batuta.engine.keyring import Keyring
from batuta.engine.secrets import Secrets
from batuta.store.memory import MemoryStore
from batuta.store.protocol import Commit, Document
from batuta.wire.schedule import read_schedule

NOON, HOUR = 1_800_014_400_000, 3_600_000
TURNS = 300  # of the loop; by then whoever still waits, waits for a store that is gone
NOTHING = task("nothing", "NOOP")
EVENT = "conductor:shop:orders"


class Mortal:
    """The store as one server has it, whose process dies before write number *writes*: nothing is stored any more, and nobody hears of it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.writes = -1  # any number
        self.written = 0

    def submit(self, commits: Sequence[Commit]) -> asyncio.Future[None]:
        return self._lives(len(commits)) or self._store.submit(commits)

    def put(self, documents: Sequence[Document], *, delete: Sequence[tuple[str, str, int]] = ()) -> asyncio.Future[None]:
        return self._lives(1) or self._store.put(documents, delete=delete)

    def _lives(self, writes: int) -> asyncio.Future[None] | None:
        if self.written == self.writes:
            return asyncio.get_running_loop().create_future()
        self.written += bool(writes)
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def until_dead(work: Awaitable[None]) -> bool:
    """Whether the work was done. Whatever of it is not, never will be."""
    doing = asyncio.ensure_future(work)
    for _ in range(TURNS):
        await turn()
    done = doing.done() and not doing.cancelled() and doing.exception() is None
    left = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
    for one in left:
        one.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    return done


Prepare = Callable[[World], Awaitable[None]]
Check = Callable[[World, bool], Awaitable[None]]


def at_every_write(prepare: Prepare, work: Prepare, check: Check) -> int:
    """Do the work on a server that dies before each of its writes, and check what the next server finds; how many deaths there were."""

    async def once(writes: int) -> int:
        store, clock = MemoryStore(), ManualClock(NOON)
        await store.open()
        mortal = Mortal(store)
        first = World(cast(MemoryStore, mortal), clock)
        await first.open()
        await prepare(first)
        await first.settle()
        mortal.written, mortal.writes = 0, writes
        answered = await until_dead(work(first))
        again = World(store, ManualClock(clock.now()))
        await again.open()
        await again.settle()
        await check(again, answered)
        assert await store.outbox(limit=10) == []
        await again.close()
        return mortal.written

    total = asyncio.run(once(-1))
    for writes in range(total):
        assert asyncio.run(once(writes)) == writes
    return total


def test_what_an_event_task_publishes_acts_once() -> None:
    async def prepare(world: World) -> None:
        await world.register("target", NOTHING)
        await world.register("flow", task("tell", "EVENT", sink="conductor:news"), NOTHING)
        for name in ("one", "two"):
            await world.handler(name, "conductor:flow:news", start_workflow("target"))

    async def work(world: World) -> None:
        await world.start("flow")
        await world.settle()

    async def check(world: World, answered: bool) -> None:
        flows = await world.started("flow")
        assert len(flows) in ([1] if answered else [0, 1]) and all(x.head.status == "COMPLETED" for x in flows)
        assert [x.head.status for x in await world.started("target")] == ["COMPLETED"] * 2 * len(flows)

    assert at_every_write(prepare, work, check) >= 4


def test_a_message_that_comes_again_after_a_crash_does_what_is_left_to_do() -> None:
    message = Message(EVENT, "m1", {"k": 1})

    async def prepare(world: World) -> None:
        await world.register("target", NOTHING)
        await world.register("other", NOTHING)
        await world.handler("both", EVENT, start_workflow("target"), start_workflow("other"))
        await world.handler("second", EVENT, start_workflow("target"))

    async def work(world: World) -> None:
        await world.events.receive(message)

    async def check(world: World, answered: bool) -> None:
        if not answered:
            await world.events.receive(message)  # nobody has told the broker that it was taken
        assert (len(await world.started("target")), len(await world.started("other"))) == (2, 1)

    assert at_every_write(prepare, work, check) >= 4


@pytest.mark.parametrize("catches_up", [True, False])
def test_a_tick_starts_its_execution_once(catches_up: bool) -> None:
    async def prepare(world: World) -> None:
        await world.register("flow", NOTHING)
        fields = {"startWorkflowRequest": {"name": "flow"}, "runCatchupScheduleInstances": catches_up}
        await world.schedules.save(read_schedule({"name": "s", "cronExpression": "0 0 * * * *", **fields}))

    async def work(world: World) -> None:
        for _ in range(3):
            world.clock.advance(HOUR)
            await world.settle()

    async def check(world: World, answered: bool) -> None:
        missed = (world.clock.now() - NOON) // HOUR
        found = [(x.head.input["_scheduledTime"] - NOON) // HOUR for x in await world.started("flow")]
        assert found == list(range(1, missed + 1))
        assert [f.state for f in await world.schedules.firings.all()] == ["EXECUTED"] * missed

    assert at_every_write(prepare, work, check) >= 6


def test_a_secret_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    async def once(writes: int) -> int:
        key = tmp_path / f"{writes}.key"
        store, clock = MemoryStore(), ManualClock()
        await store.open()
        mortal = Mortal(store)
        first = Secrets(cast(MemoryStore, mortal), clock, Keyring(path=key), environment={})
        await first.load()
        mortal.writes = writes
        answered: list[str] = []

        async def work() -> None:
            for value in ("the-first-value", "the-second-value"):
                await first.put("TOKEN", value)
                answered.append(value)
            await first.rotate()
            await first.put("OTHER", "another-value")
            answered.append("another-value")

        await until_dead(work())
        again = Secrets(store, clock, Keyring(path=key), environment={})
        await again.load()
        assert again.get("TOKEN") in ([answered[:2][-1]] if answered else [None]) + ["the-first-value", "the-second-value"][len(answered) :]
        assert again.get("OTHER") in ([] if len(answered) == 3 else [None]) + ["another-value"]
        await again.put("TOKEN", "the-last-value")
        last = Secrets(store, clock, Keyring(path=key), environment={})
        await last.load()
        assert last.get("TOKEN") == "the-last-value"
        return mortal.written

    total = asyncio.run(once(-1))
    assert total >= 4
    for writes in range(total):
        assert asyncio.run(once(writes)) == writes
