"""rateLimitConfig: never more executions open under a key than the limit says; who waits is let in, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from eventwork import World

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.engine.clock import ManualClock
from batuta.errors import BatutaError, Conflict, TooMany
from batuta.store.memory import MemoryStore
from batuta.wire.execution import workflow_view
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import RerunRequest, StartRequest, TaskResult

WAIT = {"name": "w", "taskReferenceName": "w", "type": "WAIT"}
JOB = {"name": "job", "taskReferenceName": "job", "type": "SIMPLE", "taskDefinition": {"name": "job", "retryCount": 0}}


def limited(name: str, *tasks: dict[str, Any], most: int = 2, policy: str = "QUEUE", key: str = "${workflow.input.k}", **fields: Any) -> dict[str, Any]:
    limit = {"rateLimitKey": key, "concurrentExecLimit": most, "policy": policy}
    return read_workflow({"name": name, "version": 1, "tasks": list(tasks) or [WAIT], "rateLimitConfig": limit, **fields})


def child(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": "c", "taskReferenceName": "c", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": name, "version": 1},
            "inputParameters": {"k": "${workflow.input.k}"}, **fields}  # fmt: skip


Story = Callable[[World], Awaitable[None]]


def played(story: Story, *definitions: dict[str, Any], store: MemoryStore | None = None, clock: ManualClock | None = None) -> None:
    async def run() -> None:
        there = store or MemoryStore()
        await there.open()
        world = World(there, clock or ManualClock())
        await world.catalog.load()
        if definitions:
            await world.catalog.replace_workflows(list(definitions))
        await world.open()
        await story(world)
        await world.engine.close()

    asyncio.run(run())


async def start(world: World, name: str = "one", k: str = "a") -> str:
    return await world.engine.start(StartRequest(name=name, input={"k": k}))


async def settled(world: World) -> None:
    """Whatever goes on by itself has come to rest, and is on disk."""
    while world.engine._background:
        await asyncio.wait(list(world.engine._background))
    await world.engine.flushed()


async def runs(world: World, name: str = "one") -> list[Execution]:
    await settled(world)
    return [await world.engine.read(found.execution_id) for found in await world.engine.find(name=name)]


def stand(executions: list[Execution]) -> str:
    """One letter each: o open, w waiting, e ended."""
    return "".join("e" if x.head.status.is_terminal else "w" if x.head.held is not None else "o" for x in executions)


async def report(world: World, x: Execution, ref: str = "job", status: str = "COMPLETED") -> None:
    task = x.by_ref[ref]
    await world.engine.report(TaskResult(execution_id=x.head.id, task_id=task.id, status=TaskStatus(status)))
    await settled(world)


def test_one_too_many_waits_and_shows_it() -> None:
    async def story(world: World) -> None:
        for _ in range(3):
            await start(world)
        await start(world, k="b")
        found = await runs(world)
        assert stand(found) == "oowo"
        view = workflow_view(found[2], world.clock.now())
        assert (view.status, view.rateLimited, view.rateLimitKey, view.tasks) == ("RUNNING", True, "a", [])
        assert [(workflow_view(x, 0).rateLimited, workflow_view(x, 0).rateLimitKey) for x in (found[0], found[3])] == [(False, "a"), (False, "b")]

    played(story, limited("one"))


async def _completed(world: World, x: Execution) -> None:
    await world.engine.report_by_ref(x.head.id, "w", TaskStatus.COMPLETED, {}, None)


ENDS: list[tuple[str, Callable[[World, Execution], Awaitable[Any]]]] = [
    ("its own", _completed),
    ("terminated", lambda world, x: world.engine.terminate(x.head.id, "enough")),
    ("removed", lambda world, x: world.engine.remove(x.head.id, archive=False)),
]


@pytest.mark.parametrize("end", [end for _, end in ENDS], ids=[name for name, _ in ENDS])
def test_an_end_of_any_kind_lets_the_oldest_in(end: Callable[[World, Execution], Awaitable[Any]]) -> None:
    async def story(world: World) -> None:
        ids = [await start(world) for _ in range(5)]
        await end(world, await world.engine.read(ids[1]))
        found = {x.head.id: x for x in await runs(world)}
        assert stand([found[i] for i in (ids[0], *ids[2:])]) == "ooww"
        assert found[ids[2]].by_ref["w"].status is TaskStatus.IN_PROGRESS

    played(story, limited("one"))


def test_a_timeout_frees_a_place_and_the_clock_of_who_waited_starts_with_the_place() -> None:
    async def story(world: World) -> None:
        ids = [await start(world) for _ in range(3)]
        world.clock.advance(9_000)
        assert stand(await runs(world)) == "oow"
        world.clock.advance(1_500)
        assert stand(await runs(world)) == "eeo"
        world.clock.advance(9_000)
        assert stand(await runs(world)) == "eeo"
        world.clock.advance(1_500)
        [last] = [x for x in await runs(world) if x.head.id == ids[2]]
        assert last.head.status == "TIMED_OUT"

    played(story, limited("one", timeoutSeconds=10, timeoutPolicy="TIME_OUT_WF"))


def test_who_waits_may_be_ended_and_may_do_nothing_else() -> None:
    async def story(world: World) -> None:
        ids = [await start(world) for _ in range(4)]
        engine = world.engine
        for verb in (engine.pause(ids[2]), engine.resume(ids[2]), engine.skip_task(ids[2], "w", None, None), engine.restart(ids[2], False)):
            with pytest.raises(Conflict):
                await verb
        await engine.decide(ids[2])
        assert stand(await runs(world)) == "ooww"
        await engine.terminate(ids[2], "no need")
        await engine.terminate(ids[0], "enough")
        assert stand(await runs(world)) == "eoeo"

    played(story, limited("one"))


def test_one_too_many_is_refused_where_it_may_not_wait() -> None:
    async def story(world: World) -> None:
        ids = [await start(world) for _ in range(2)]
        with pytest.raises(TooMany, match=r"'one' has 2 open executions under the rate limit 'a'"):
            await start(world)
        await world.engine.terminate(ids[0], "enough")
        await settled(world)
        await start(world)
        with pytest.raises(TooMany):
            await world.engine.restart(ids[0], False)
        assert sorted(stand(await runs(world))) == ["e", "o", "o"]

    played(story, limited("one", policy="REJECT"))


BACK: list[tuple[str, Callable[[World, Execution], Awaitable[Any]]]] = [
    ("retry", lambda world, x: world.engine.retry(x.head.id)),
    ("restart", lambda world, x: world.engine.restart(x.head.id, False)),
    ("rerun", lambda world, x: world.engine.rerun(x.head.id, RerunRequest())),
    ("rerun from a task", lambda world, x: world.engine.rerun(x.head.id, RerunRequest(task_id=x.by_ref["job"].id))),
]


@pytest.mark.parametrize("again", [again for _, again in BACK], ids=[name for name, _ in BACK])
def test_who_comes_back_to_life_waits_like_any_other(again: Callable[[World, Execution], Awaitable[Any]]) -> None:
    async def story(world: World) -> None:
        ids = [await start(world) for _ in range(3)]
        first, second = [await world.engine.read(i) for i in ids[:2]]
        await report(world, first, status="FAILED")
        assert stand(await runs(world)) == "eoo"
        await again(world, first)
        found = await runs(world)
        assert stand(found) == "woo" and found[0].open_count == 0
        await report(world, second)
        found = await runs(world)
        assert stand(found) == "oeo"
        await report(world, found[0])
        [first, *_] = await runs(world)
        assert first.head.status == "COMPLETED"

    played(story, limited("one", JOB))


def test_a_verb_that_is_refused_takes_no_place() -> None:
    async def story(world: World) -> None:
        one, _ = [await start(world, k="a") for _ in range(2)]
        await world.engine.report_by_ref(one, "w", TaskStatus.COMPLETED, {}, None)
        await settled(world)
        with pytest.raises(Conflict):
            await world.engine.retry(one)
        await start(world)
        assert stand(await runs(world)) == "eoo"

    played(story, limited("one"))


def test_children_wait_too_and_one_that_is_refused_fails_its_task() -> None:
    async def story(world: World) -> None:
        held = await start(world, "small")
        family = await start(world, "parent")
        await start(world, "strict")
        refused = await start(world, "father")
        assert stand(await runs(world, "small")) == "ow"
        [father] = await runs(world, "father")
        assert father.head.id == refused and "'strict' has 1 open executions" in str(father.by_ref["c"].reason)
        await world.engine.terminate(held, "enough")
        assert stand(await runs(world, "small")) == "eo"
        [_, inner] = await runs(world, "small")
        await world.engine.report_by_ref(inner.head.id, "w", TaskStatus.COMPLETED, {}, None)
        await settled(world)
        assert (await world.engine.read(family)).head.status == "COMPLETED"

    parents = [read_workflow({"name": name, "version": 1, "tasks": [child(of)]}) for name, of in (("parent", "small"), ("father", "strict"))]
    played(story, limited("small", most=1), limited("strict", most=1, policy="REJECT"), *parents)


def test_a_parent_that_its_child_brings_back_waits_and_hears_of_the_end_it_missed() -> None:
    async def story(world: World) -> None:
        family = await start(world, "parent")
        [inner] = await runs(world, "inner")
        await report(world, inner, status="FAILED")
        assert stand(await runs(world, "parent")) == "e"
        other = await start(world, "parent")
        await world.engine.retry(inner.head.id)
        assert stand(await runs(world, "parent")) == "wo"
        [inner, _] = await runs(world, "inner")
        await report(world, inner)
        assert stand(await runs(world, "parent")) == "wo"
        await world.engine.terminate(other, "enough")
        await settled(world)
        x = await world.engine.read(family)
        assert (x.head.status, x.by_ref["c"].status) == ("COMPLETED", "COMPLETED")

    played(story, limited("parent", child("inner"), most=1), read_workflow({"name": "inner", "version": 1, "tasks": [JOB]}))


def test_sixteen_starters_at_once_and_never_one_too_many() -> None:
    """Counted at every commit that is durable, with starts, ends and retries all at once."""
    most, open_now, seen = 5, set[str](), []

    async def story(world: World) -> None:
        def observe(live: Any, commit: Any) -> None:
            status, held = commit.head.status, b'"held"' in commit.head.doc
            (open_now.discard if held or status not in ("RUNNING", "PAUSED") else open_now.add)(commit.execution_id)
            seen.append(len(open_now))

        world.engine.observe = observe

        async def starter(n: int) -> None:
            for turn in range(12):
                started = await start(world)
                for act in (_completed(world, await world.engine.read(started)), world.engine.terminate(started, "enough"), world.engine.retry(started)):
                    try:
                        await act
                    except BatutaError:
                        assert turn >= 0
                    await asyncio.sleep(0)

        await asyncio.gather(*(starter(n) for n in range(16)))
        for _ in range(400):
            for x in await runs(world):
                if not x.head.status.is_terminal and x.head.held is None:
                    await world.engine.terminate(x.head.id, "enough")
            if set(stand(await runs(world))) == {"e"}:
                break
        assert len(await runs(world)) == 16 * 12 and set(stand(await runs(world))) == {"e"}

    played(story, limited("one", most=most))
    assert max(seen) == most


def test_a_new_process_knows_who_counts_and_who_waits() -> None:
    store, clock = MemoryStore(), ManualClock()

    async def before(world: World) -> None:
        for _ in range(4):
            await start(world)
            clock.advance(5)

    async def after(world: World) -> None:
        await start(world)
        found = await runs(world)
        assert stand(found) == "oowww"
        await world.engine.terminate(found[0].head.id, "enough")
        assert stand(await runs(world)) == "eooww"

    played(before, limited("one"), store=store, clock=clock)
    played(after, store=store, clock=clock)


def test_a_process_that_dies_between_an_end_and_the_next_admission() -> None:
    store, clock = MemoryStore(), ManualClock()

    async def before(world: World) -> None:
        ids = [await start(world) for _ in range(3)]
        world.engine._admit_next = lambda key: None  # type: ignore[method-assign]  # it dies before it gets to that
        await world.engine.terminate(ids[0], "enough")
        assert stand(await runs(world)) == "eow"

    async def after(world: World) -> None:
        assert stand(await runs(world)) == "eoo"

    played(before, limited("one"), store=store, clock=clock)
    played(after, store=store, clock=clock)


def test_a_start_that_the_store_does_not_take_keeps_no_place() -> None:
    async def story(world: World) -> None:
        await start(world)
        world.store.fail_next()
        with pytest.raises(BatutaError):
            await start(world)
        await settled(world)
        await start(world)
        assert stand(await runs(world)) == "oo"

    played(story, limited("one"))


def test_a_key_that_is_not_there_counts_as_null() -> None:
    async def story(world: World) -> None:
        for _ in range(2):
            await start(world)
        assert [x.head.rate_limit_key for x in await runs(world)] == ["null", "null"]
        assert stand(await runs(world)) == "ow"

    played(story, limited("one", most=1, key="${workflow.correlationId}"))
