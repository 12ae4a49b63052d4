"""The webhook's sender: everything arrives, in order for each execution, however slow, mad or dead the receiver is; and nobody waits for it."""

from __future__ import annotations

import asyncio
import random

import pytest
from eventwork import task, turn
from webhookwork import Receiver, Told, told

from batuta.core.model.status import TaskStatus
from batuta.engine import webhooks
from batuta.engine.clock import ManualClock
from batuta.engine.listeners import CHANGES, WEBHOOK
from batuta.engine.tally import WEBHOOKS, WEBHOOKS_FAILED
from batuta.store.memory import MemoryStore
from batuta.wire.requests import TaskResult

ALL = " ".join(CHANGES)


async def flows(world: Told, count: int, name: str = "flow") -> list[str]:
    """So many executions that have begun and ended."""
    if world.catalog.workflow(name) is None:
        await world.register(name, task("nothing", "NOOP"), workflowStatusListenerEnabled=True)
    return [await world.start(name) for _ in range(count)]


async def waiting(world: Told) -> int:
    return len(await world.store.outbox(limit=100_000, kinds=list(WEBHOOK.values())))


def test_what_was_delivered_is_gone_from_the_outbox() -> None:
    async def scenario(world: Told) -> None:
        ids = await flows(world, 3)
        await world.settle()
        assert sorted(body["workflowId"] for _, body in world.receiver.taken) == sorted(ids) and await waiting(world) == 0
        assert world.engine.tally.counted(WEBHOOKS) == {("WORKFLOW", "flow", "COMPLETED"): 3} and not world.webhooks._lanes

    told(scenario)


def test_a_failed_one_comes_again_under_its_id_after_longer_and_longer_pauses() -> None:
    async def scenario(world: Told) -> None:
        world.receiver.refuses = lambda id, body: "busy" if len(world.receiver.asked) < 8 else None
        began = world.clock.now()
        await flows(world, 1)
        await world.until(lambda: bool(world.receiver.taken))
        assert len(world.receiver.asked) == 8 and len(set(world.receiver.asked)) == 1 and await waiting(world) == 0
        assert 0.75 * 123 <= (world.clock.now() - began) / 1000 <= 1.25 * 123 + 8  # 1 + 2 + 4 + … + 32 + 60

    told(scenario)


def test_others_go_on_while_one_execution_waits_in_its_order() -> None:
    async def scenario(world: Told) -> None:
        await flows(world, 0)
        world.receiver.refuses = lambda id, body: "not yet" if body["workflowType"] == "long" and body["eventType"] == "started" else None
        await world.register("long", task("job"), workflowStatusListenerEnabled=True)
        stuck = await world.start("long")
        others = await flows(world, 20)
        await world.engine.terminate(stuck, "enough")
        await world.settle()
        assert world.receiver.words(stuck) == [] and all(world.receiver.words(id) == ["started", "completed", "finalized"] for id in others)
        world.receiver.refuses = lambda id, body: None
        await world.until(lambda: len(world.receiver.words(stuck)) == 3)
        assert world.receiver.words(stuck) == ["started", "finalized", "terminated"]

    told(scenario, workflows=ALL)


def test_no_decision_waits_for_a_receiver_that_hangs_and_few_are_under_way() -> None:
    async def scenario(world: Told) -> None:
        world.receiver.gate.clear()
        await flows(world, 50)
        [execution] = await world.engine.find(name="flow", limit=1)
        assert execution.head.status == "COMPLETED" and await waiting(world) == 50
        world.receiver.gate.set()
        await world.settle()
        assert len(world.receiver.taken) == 50 and world.receiver.most_at_once <= 3

    told(scenario, concurrency=3)


def test_memory_holds_so_many_and_no_more_and_the_rest_comes_from_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "ROWS_MAX", 20)

    async def scenario(world: Told) -> None:
        world.receiver.gate.clear()
        ids = await flows(world, 100)
        assert world.webhooks._rows == sum(map(len, world.webhooks._lanes.values())) == 20 and await waiting(world) == 300
        world.receiver.gate.set()
        await world.settle()
        assert len(world.receiver.taken) == len(set(world.receiver.asked)) == len(world.receiver.asked) == 300 and await waiting(world) == 0
        assert all(world.receiver.words(id) == ["started", "completed", "finalized"] for id in ids)

    told(scenario, workflows=ALL)


def test_a_server_that_died_left_nothing_untold_and_the_ids_stay() -> None:
    async def run() -> None:
        store, clock, receiver = MemoryStore(), ManualClock(), Receiver()
        await store.open()
        first = Told(store, clock, receiver, workflows=ALL)
        await first.open()
        receiver.refuses = lambda id, body: "gone"
        await flows(first, 5)
        await first.settle()
        refused = set(receiver.asked)
        first.webhooks.stop()  # and no more: what it has in memory is lost
        receiver.refuses = lambda id, body: None
        second = Told(store, clock, receiver, workflows=ALL)
        await second.open()
        await second.settle()
        assert len(receiver.taken) == 15 and refused < {id for id, _ in receiver.taken} and await waiting(second) == 0
        await second.close()
        await first.close()

    asyncio.run(run())


def test_one_that_fails_for_too_long_is_set_aside_and_can_be_delivered_again() -> None:
    async def scenario(world: Told) -> None:
        world.receiver.refuses = lambda id, body: "I do not like it" if body["eventType"] == "started" else None
        [id] = await flows(world, 1)
        await world.until(lambda: bool(world.receiver.taken))
        assert world.receiver.words() == ["completed", "finalized"] and await waiting(world) == 0
        [dead] = await world.events.journal.dead()
        assert (dead.event, dead.payload["eventType"], dead.failures[0].reason) == ("webhook:workflow", "started", "I do not like it")
        assert world.engine.tally.counted(WEBHOOKS_FAILED)["WORKFLOW", "flow", "Invalid"] > 50  # an hour of pauses of a minute at most
        again = await world.events.redeliver(dead.id)
        assert again is not None and again.attempts == 2
        world.receiver.refuses = lambda id, body: None
        assert await world.events.redeliver(dead.id) is None and await world.events.journal.dead() == []
        assert world.receiver.taken[-1][0] == dead.messageId and world.receiver.words(id)[-1] == "started"

    told(scenario, workflows=ALL)


def test_a_store_that_does_not_answer_loses_nothing_and_an_order_holds() -> None:
    async def scenario(world: Told) -> None:
        world.receiver.gate.clear()
        [id] = await flows(world, 1)
        await turn()
        world.store.fail_next()  # the deletion of the first row
        world.receiver.gate.set()
        await world.until(lambda: world.webhooks._rows == 0)
        assert world.receiver.words(id) == ["started", "started", "completed", "finalized"] and len(set(world.receiver.asked)) == 3
        assert await waiting(world) == 0

    told(scenario, workflows=ALL)


def test_a_commit_that_failed_tells_nobody() -> None:
    async def scenario(world: Told) -> None:
        await flows(world, 0)
        await world.register("long", task("job"), workflowStatusListenerEnabled=True)
        id = await world.start("long")
        await world.settle()
        world.store.fail_next()
        with pytest.raises(Exception, match="told to fail"):
            await world.engine.pause(id)
        await world.settle()
        assert world.receiver.words() == ["started"]
        await world.engine.pause(id)
        await world.settle()
        assert world.receiver.words() == ["started", "paused"]

    told(scenario, workflows=ALL)


@pytest.mark.parametrize("seed", range(8))
def test_by_chance_refused_delayed_and_restarted_everything_arrives_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "ROWS_MAX", 12)
    chance = random.Random(seed)

    async def run() -> None:
        store, clock, receiver = MemoryStore(), ManualClock(), Receiver()
        await store.open()
        receiver.refuses = lambda id, body: "by chance" if chance.random() < 0.3 else None
        options = {"workflows": ALL, "tasks": "SCHEDULED IN_PROGRESS COMPLETED", "concurrency": chance.randint(1, 5)}
        world = Told(store, clock, receiver, **options)  # type: ignore[arg-type]
        await world.open()
        await world.register("flow", task("a"), task("b"), workflowStatusListenerEnabled=True)
        ids = []
        for _ in range(60):
            match chance.randrange(5):
                case 0:
                    ids.append(await world.start("flow"))
                case 1 | 2:
                    for x, claimed in await world.engine.claim(chance.choice("ab"), worker="w", count=2):
                        await world.engine.report(TaskResult(execution_id=x.head.id, task_id=claimed.id, status=TaskStatus.COMPLETED, output={}))
                case 3:
                    clock.advance(chance.randrange(3_000))
                    await world.settle()
                case 4 if chance.random() < 0.2:
                    world.webhooks.stop()
                    await world.engine.flushed()
                    await world.close()
                    world = Told(store, clock, receiver, **options)  # type: ignore[arg-type]
                    await world.open()
        for name in "ab":
            for x, claimed in await world.engine.claim(name, worker="w", count=100):
                await world.engine.report(TaskResult(execution_id=x.head.id, task_id=claimed.id, status=TaskStatus.COMPLETED, output={}))
        await world.settle()
        async with asyncio.timeout(20):
            while await waiting(world):
                clock.advance(5_000)
                await world.settle()
        whole = ["started", "a scheduled", "a in_progress", "a completed", "b scheduled", "b in_progress", "b completed", "completed", "finalized"]
        for id in ids:
            told_of = list(dict.fromkeys(receiver.words(id)))  # one that was taken as its server died may come twice
            assert told_of == whole[: len(told_of)] and len(told_of) >= 5
        await world.close()

    asyncio.run(run())
