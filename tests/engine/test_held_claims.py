"""Claims that ride with their report: what is held, and what must be left alone while a thread decides."""

from __future__ import annotations

import asyncio
import threading

from batuta.core.expr.script import Script, ScriptValue
from batuta.core.model.status import TaskStatus
from batuta.engine.catalog import Catalog
from batuta.engine.clock import ManualClock
from batuta.engine.engine import Engine
from batuta.store.memory import MemoryStore
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import StartRequest, TaskResult

LOOP = {
    "name": "loop",
    "version": 1,
    "ownerEmail": "t@example.com",
    "tasks": [
        {
            "name": "l",
            "taskReferenceName": "l",
            "type": "DO_WHILE",
            "loopCondition": "go on",
            "loopOver": [{"name": "work", "taskReferenceName": "w", "type": "SIMPLE"}],
        }
    ],
}


class SlowScripts:
    """A script engine that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def evaluate(self, script: Script) -> ScriptValue:
        self.asked.set()
        assert self.may_answer.wait(10)
        return ScriptValue(True)

    def syntax_error(self, language: str, source: str) -> None:
        return None


async def opened(scripts: SlowScripts) -> Engine:
    store, clock = MemoryStore(), ManualClock()
    await store.open()
    catalog = Catalog(store, clock)
    await catalog.load()
    await catalog.replace_workflows([read_workflow(LOOP)])
    engine = Engine(store, catalog, scripts, clock)
    await engine.open()
    return engine


def test_a_task_scheduled_while_held_claims_are_released_is_offered() -> None:
    async def scenario() -> None:
        scripts = SlowScripts()
        engine = await opened(scripts)
        execution_id = await engine.start(StartRequest(name="loop"))
        [(_, task)] = await engine.claim("work", worker="w")
        report = asyncio.ensure_future(engine.report(TaskResult(execution_id=execution_id, task_id=task.id, status=TaskStatus.COMPLETED)))
        await asyncio.get_running_loop().run_in_executor(None, scripts.asked.wait, 10)
        engine.release_held()  # the timer of the claim, in the middle of the decision
        scripts.may_answer.set()
        await report
        [(_, second)] = await engine.claim("work", worker="w", wait_s=5)
        assert second.ref == "w__2"
        stored = await engine.store.load(execution_id)
        assert stored is not None and sorted(row.ref for row in stored.tasks) == ["l", "w__1", "w__2"]
        await engine.close()

    asyncio.run(scenario())


def test_a_claim_is_stored_with_its_report_and_not_before() -> None:
    async def scenario() -> None:
        scripts = SlowScripts()
        scripts.may_answer.set()
        engine = await opened(scripts)
        execution_id = await engine.start(StartRequest(name="loop"))
        await engine.claim("work", worker="w")
        stored = await engine.store.load(execution_id)
        assert stored is not None and [row.status for row in stored.tasks if row.ref == "w__1"] == ["SCHEDULED"]
        await engine.flushed()
        stored = await engine.store.load(execution_id)
        assert stored is not None and [row.status for row in stored.tasks if row.ref == "w__1"] == ["IN_PROGRESS"]
        await engine.close()

    asyncio.run(scenario())
