"""The cache of outputs: remembered when durable, across processes, for its time, within its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from eventwork import World

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.engine import outputs
from batuta.engine.clock import ManualClock
from batuta.errors import Unavailable
from batuta.store.memory import MemoryStore
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import StartRequest, TaskResult

JOB = {"name": "job", "taskReferenceName": "job", "type": "SIMPLE", "inputParameters": {"k": "${workflow.input.k}"},
       "cacheConfig": {"key": "${k}", "ttlInSecond": 10}}  # fmt: skip
Story = Callable[[World], Awaitable[None]]


def played(story: Story, store: MemoryStore | None = None, clock: ManualClock | None = None) -> None:
    async def run() -> None:
        there = store or MemoryStore()
        await there.open()
        world = World(there, clock or ManualClock())
        await world.catalog.load()
        await world.catalog.replace_workflows([read_workflow({"name": name, "version": 1, "tasks": [JOB]}) for name in ("one", "two")])
        await world.open()
        await story(world)
        await world.engine.close()

    asyncio.run(run())


async def start(world: World, k: Any, name: str = "one") -> Execution:
    return await world.engine.read(await world.engine.start(StartRequest(name=name, input={"k": k})))


async def worked(world: World, x: Execution, output: dict[str, Any], status: str = "COMPLETED") -> None:
    await world.engine.report(TaskResult(execution_id=x.head.id, task_id=x.by_ref["job"].id, status=TaskStatus(status), output=output))
    await world.settle()


def test_an_output_is_shared_by_key_across_workflows_for_its_time() -> None:
    async def story(world: World) -> None:
        await worked(world, await start(world, "a"), {"v": 1})
        for name in ("one", "two"):
            again = await start(world, "a", name)
            assert (again.head.status, again.head.output, again.by_ref["job"].cached) == ("COMPLETED", {"v": 1}, True)
        assert (await start(world, "b")).head.status == "RUNNING"
        world.clock.advance(9_999)
        assert (await start(world, "a")).head.status == "COMPLETED"
        world.clock.advance(1)
        assert (await start(world, "a")).head.status == "RUNNING"

    played(story)


@pytest.mark.parametrize("status", ["FAILED", "FAILED_WITH_TERMINAL_ERROR"])
def test_a_failure_is_not_remembered(status: str) -> None:
    async def story(world: World) -> None:
        await worked(world, await start(world, "a"), {"v": 1}, status)
        assert (await start(world, "a")).head.status == "RUNNING"

    played(story)


def test_what_was_taken_over_does_not_live_longer() -> None:
    async def story(world: World) -> None:
        await worked(world, await start(world, "a"), {"v": 1})
        world.clock.advance(6_000)
        assert (await start(world, "a")).head.status == "COMPLETED"
        world.clock.advance(6_000)
        assert (await start(world, "a")).head.status == "RUNNING"

    played(story)


def test_another_process_remembers_and_deletes_what_has_expired() -> None:
    store, clock = MemoryStore(), ManualClock()

    async def before(world: World) -> None:
        for k in "abc":
            await worked(world, await start(world, k), {"v": k})
            clock.advance(4_000)

    async def after(world: World) -> None:
        assert len(await store.documents("task-output")) == 2
        assert [(await start(world, k)).head.status for k in "abc"] == ["RUNNING", "COMPLETED", "COMPLETED"]

    played(before, store, clock)
    played(after, store, clock)


def test_expired_outputs_go_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "BATCH", 2)

    async def story(world: World) -> None:
        for k in range(5):
            await worked(world, await start(world, k), {"v": k})
        world.clock.advance(10_000)
        left = []
        for k in range(3):
            await worked(world, await start(world, f"new{k}"), {})
            left.append(len(await world.store.documents("task-output")))
        assert left == [4, 3, 3]

    played(story)


def test_the_oldest_go_first_when_there_are_too_many_or_they_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "ENTRIES_MAX", 3)
    monkeypatch.setattr(outputs, "BYTES_MAX", 3_000)
    monkeypatch.setattr(outputs, "OUTPUT_BYTES_MAX", 2_500)

    async def story(world: World) -> None:
        async def known() -> str:
            assert len(await world.store.documents("task-output")) == len(world.engine.outputs._known)
            assert world.engine.outputs._bytes == sum(len(bytes(one.output)) for one in world.engine.outputs._known.values())
            return "".join(k for k in "abcdef" if world.engine.outputs.get(f"job\n{k}", world.clock.now()) is not None)

        for k in "abcd":
            await worked(world, await start(world, k), {"v": k})
        assert await known() == "bcd"
        await worked(world, await start(world, "e"), {"v": "x" * 2_400})
        assert await known() == "cde"
        await worked(world, await start(world, "f"), {"v": "x" * 2_600})
        assert await known() == "cde"
        await worked(world, await start(world, "f"), {"v": "x" * 1_000})
        assert await known() == "f"

    played(story)


def test_a_store_that_does_not_take_it_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        def refused(documents: Any, *, delete: Any = ()) -> asyncio.Future[None]:
            answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            answer.set_exception(Unavailable("no room"))
            return answer

        monkeypatch.setattr(world.store, "put", refused)
        x = await start(world, "a")
        await worked(world, x, {"v": 1})
        assert (await world.engine.read(x.head.id)).head.status == "COMPLETED"
        assert (await start(world, "a")).head.status == "COMPLETED"  # this process remembers all the same
        monkeypatch.undo()
        assert not await world.store.documents("task-output")

    played(story)
