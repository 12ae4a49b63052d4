"""What is counted as commits become durable: each end once, whatever else is written of it, and never more names than there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from batuta.core.expr.script import Script, ScriptFailed
from batuta.core.model.status import TaskStatus
from batuta.engine import metrics as counted
from batuta.engine import scrape, tally
from batuta.engine.catalog import Catalog
from batuta.engine.clock import ManualClock
from batuta.engine.engine import Engine
from batuta.engine.metrics import Durations, Metrics
from batuta.store.memory import MemoryStore
from batuta.store.protocol import Commit
from batuta.wire.metadata import read_task, read_workflow
from batuta.wire.requests import StartRequest, TaskResult


class NoScripts:
    def evaluate(self, script: Script) -> ScriptFailed:
        return ScriptFailed("none here", "error")

    def syntax_error(self, language: str, source: str) -> None:
        return None


class World:
    """An engine over a store in memory, with its metrics. `again` makes another engine over the same store."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.catalog = Catalog(self.store, self.clock)
        self.engine = Engine(scrape.timed(self.store, self.metrics.commit_seconds), self.catalog, NoScripts(), self.clock)
        self.engine.observe = self.metrics.observe

    async def open(self) -> World:
        if not self.engine.polls and not self.catalog.names():
            await self.catalog.load()
        await self.engine.open()
        return self

    async def register(self, *tasks: dict[str, Any], name: str = "flow", **fields: Any) -> None:
        raw = {"name": name, "version": 1, "ownerEmail": "t@example.com", "tasks": list(tasks), **fields}
        await self.catalog.replace_workflows([read_workflow(raw)])

    async def start(self, name: str = "flow") -> str:
        return await self.engine.start(StartRequest(name=name, input={}))

    async def take(self, task_type: str) -> tuple[str, str]:
        [(x, task)] = await self.engine.claim(task_type, worker="w")
        return x.head.id, task.id

    async def report(self, place: tuple[str, str], status: TaskStatus = TaskStatus.COMPLETED) -> None:
        await self.engine.report(TaskResult(execution_id=place[0], task_id=place[1], status=status, output={}))

    async def page(self) -> dict[str, float]:
        """The page's samples by what stands before the number."""
        text = await scrape.page(self.metrics, self.engine, "1.2.3")
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}


def job(name: str = "job", **fields: Any) -> dict[str, Any]:
    return {"name": name, "taskReferenceName": name, "type": "SIMPLE", **fields}


def ends(page: dict[str, float], name: str = "flow") -> dict[str, float]:
    """How often executions of this name ended, by status; those that never did are left out."""
    found = {status: page[f'conductor_workflow_execution_total{{workflow_name="{name}",status="{status}"}}'] for status in counted.WORKFLOW_ENDS}
    return {status: n for status, n in found.items() if n}


def test_an_end_is_counted_once_though_it_is_written_often() -> None:
    async def scenario() -> None:
        world = World()
        await world.store.open()
        await world.open()
        await world.register(job())
        execution = await world.start()
        await world.report(await world.take("job"), TaskStatus.FAILED_WITH_TERMINAL_ERROR)
        assert ends(await world.page()) == {"FAILED": 1}
        await world.engine.decide(execution)
        await world.engine.terminate(execution, "again")  # FAILED becomes TERMINATED: another end
        assert ends(await world.page()) == {"FAILED": 1, "TERMINATED": 1}
        await world.engine.restart(execution, use_latest=False)
        await world.report(await world.take("job"))
        page = await world.page()
        assert ends(page) == {"FAILED": 1, "TERMINATED": 1, "COMPLETED": 1}
        assert page['workflow_start_success_total{workflowName="flow"}'] == 1
        assert page['workflow_failure_total{workflowName="flow",status="FAILED"}'] == 1
        assert page['conductor_workflow_execution_duration_seconds_count{workflow_name="flow"}'] == 3

    asyncio.run(scenario())


def test_attempts_are_counted_by_type_and_end() -> None:
    async def scenario() -> None:
        world = World()
        await world.store.open()
        await world.open()
        await world.register(job(retryCount=1, taskDefinition={"name": "job", "retryDelaySeconds": 0}), {**job("nothing"), "type": "NOOP"})
        await world.start()
        world.clock.advance(3_000)
        first = await world.take("job")
        world.clock.advance(2_000)
        await world.report(first, TaskStatus.FAILED)
        await world.report(await world.take("job"))
        await world.report(first)  # late: changes nothing
        page = await world.page()
        assert page['conductor_task_execution_total{task_name="job",status="FAILED"}'] == 1
        assert page['conductor_task_execution_total{task_name="job",status="COMPLETED"}'] == 1
        assert page['conductor_task_execution_total{task_name="NOOP",status="COMPLETED"}'] == 1
        assert page['conductor_task_duration_seconds_bucket{task_name="job",le="1"}'] == 1
        assert page['conductor_task_duration_seconds_bucket{task_name="job",le="5"}'] == 2
        assert page['conductor_task_duration_seconds_sum{task_name="job"}'] == 2
        assert page['task_queue_wait_seconds_sum{taskType="job"}'] == 3 and page['task_queue_wait_seconds_count{taskType="job"}'] == 2
        spent = {status: page[f'task_execution_seconds_sum{{taskType="job",includeRetries="false",status="{status}"}}'] for status in ("FAILED", "COMPLETED")}
        assert spent == {"FAILED": 2, "COMPLETED": 0}
        assert page['tasks_in_workflow_sum{workflowName="flow"}'] == 3 and page['tasks_in_workflow_count{workflowName="flow"}'] == 1
        assert page['workflow_execution_seconds_sum{workflowName="flow"}'] == 5
        assert page['task_update_conflict_total{workflowName="flow",taskType="job",taskStatus="FAILED"}'] == 1

    asyncio.run(scenario())


def test_a_worker_that_falls_silent_is_counted_apart_and_who_has_a_task_is_seen() -> None:
    async def scenario() -> None:
        world = World()
        await world.store.open()
        await world.open()
        await world.register(job(taskDefinition={"name": "job", "responseTimeoutSeconds": 5, "retryCount": 0}))
        await world.start()
        await world.start()
        await world.take("job")
        await world.engine.flushed()
        page = await world.page()
        assert (page['task_in_progress{taskType="job"}'], page['task_queue_depth{taskType="job"}']) == (1, 1)
        world.clock.advance(6_000)
        while world.engine._background:
            await asyncio.wait(world.engine._background)
        page = await world.page()
        assert page['task_response_timeout_total{taskType="job"}'] == page['task_timeout_total{taskType="job"}'] == 1
        assert page['task_in_progress{taskType="job"}'] == 0

    asyncio.run(scenario())


def test_what_ended_before_a_restart_of_the_server_is_not_counted_again() -> None:
    async def scenario() -> None:
        before = World()
        await before.store.open()
        await before.open()
        await before.register(job("a"), job("b"))
        execution = await before.start()
        await before.report(await before.take("a"))
        await before.engine.close()
        after = await World(before.store).open()
        assert (await after.page())['conductor_workflow_active_count{workflow_name="flow"}'] == 1
        await after.report(await after.take("b"))
        await after.engine.decide(execution)
        page = await after.page()
        assert ends(page) == {"COMPLETED": 1}
        assert page.get('conductor_task_execution_total{task_name="a",status="COMPLETED"}', 0) == 0
        assert page['conductor_task_execution_total{task_name="b",status="COMPLETED"}'] == 1
        assert page['workflow_start_success_total{workflowName="flow"}'] == 0

    asyncio.run(scenario())


def test_what_runs_and_waits_is_looked_up() -> None:
    async def scenario() -> None:
        world = World()
        await world.store.open()
        await world.open()
        await world.register(job())
        await world.register(job("never"), name="idle")
        await world.catalog.create_tasks([read_task({"name": "never", "ownerEmail": "t@example.com"})])
        await world.start()
        world.clock.advance(700_000)
        paused = await world.start()
        await world.engine.pause(paused)
        page = await world.page()
        assert page['conductor_workflow_active_count{workflow_name="flow"}'] == 2
        assert page['conductor_workflow_oldest_running_seconds{workflow_name="flow"}'] == 700
        assert page['conductor_workflow_active_count{workflow_name="idle"}'] == page['conductor_workflow_oldest_running_seconds{workflow_name="idle"}'] == 0
        assert page['conductor_task_queue_depth{task_name="job",domain=""}'] == page['task_queue_depth{taskType="job"}'] == 2
        assert page['conductor_task_queue_depth{task_name="never",domain=""}'] == 0
        assert page['batuta_store_executions{status="RUNNING"}'] == 1

    asyncio.run(scenario())


def test_every_combination_of_labels_is_there_before_it_is_counted() -> None:
    async def scenario() -> None:
        world = World()
        await world.store.open()
        await world.open()
        await world.register(job())
        page = await world.page()
        assert ends(page) == {}  # which reads them all
        await world.start()
        page = await world.page()
        assert [page[f'conductor_task_execution_total{{task_name="job",status="{status}"}}'] for status in counted.TASK_ENDS] == [0] * len(counted.TASK_ENDS)

    asyncio.run(scenario())


@contextmanager
def room_for(n: int, monkeypatch: Any) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(counted, "NAMES_MAX", n)
        yield


def test_names_beyond_the_room_for_them_are_counted_together(monkeypatch: Any) -> None:
    async def scenario() -> None:
        world = World()
        await world.store.open()
        await world.open()
        for n in range(4):
            await world.register({**job("x"), "type": "NOOP"}, name=f"flow{n}")
            await world.start(f"flow{n}")
            world.metrics.polled(f"type{n}", "")
        page = await world.page()
        assert (ends(page, "flow0"), ends(page, "other")) == ({"COMPLETED": 1}, {"COMPLETED": 2})
        assert page['task_poll_count_total{taskType="other",domain="null"}'] == 2
        assert 'task_poll_count_total{taskType="type3",domain="null"}' not in page

    with room_for(2, monkeypatch):
        asyncio.run(scenario())


def test_a_failed_commit_counts_nothing() -> None:
    metrics = Metrics()
    metrics.observe(None, Commit("e1", -1, delivered=["letter"]))  # type: ignore[arg-type]
    assert not metrics.workflows


def test_durations_fall_into_the_first_bucket_that_holds_them() -> None:
    durations = Durations((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 9.0, -3.0):
        durations.add(seconds)
    assert list(durations.rows(())) == [
        ("_bucket", (("le", "1"),), 3), ("_bucket", (("le", "2"),), 4), ("_bucket", (("le", "+Inf"),), 5), ("_sum", (), 12.0), ("_count", (), 5),
    ]  # fmt: skip


def test_labels_are_escaped() -> None:
    family = counted.Family("m", "gauge", "Help.", ("a",))
    assert list(family.text([("", (("a", 'q"b\\s\nn'),), 1)]))[-1] == 'm{a="q\\"b\\\\s\\nn"} 1\n'


def test_what_is_tallied_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(tally, "NAMES_MAX", 2)
    counts = tally.Tally()
    for n in range(4):
        counts.count(tally.START_ERRORS, f"w{n}")
    assert counts.counted(tally.START_ERRORS) == {("w0",): 1, ("w1",): 1, ("other",): 2}


def test_one_commit_at_a_time_is_timed() -> None:
    async def scenario() -> None:
        ticks = iter(range(100))
        durations = Durations((1.0, 10.0))
        store = scrape.TimedStore(await _opened(), durations, lambda: float(next(ticks)))
        futures = [store.submit([Commit("e", -1)]) for _ in range(3)]
        await asyncio.gather(*futures)
        await store.submit([])
        await store.submit([Commit("e", -1)])
        await asyncio.sleep(0)
        assert durations.counts == [2, 0, 0] and durations.sum == 2.0
        assert await store.statistics()

    asyncio.run(scenario())


async def _opened() -> MemoryStore:
    store = MemoryStore()
    await store.open()
    return store
