"""Retention: what has ended long ago goes, with all that belonged to it, and what comes after it works as before."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from batuta.core.expr.script import Script, ScriptFailed
from batuta.core.freetext import parse_text
from batuta.engine.catalog import Catalog
from batuta.engine.clock import ManualClock
from batuta.engine.engine import Engine
from batuta.engine.retention import BATCH, Retention
from batuta.store import open_store
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import StartRequest

DAY_MS = 86_400_000
FLOW = {
    "name": "flow", "version": 1, "ownerEmail": "t@example.com",
    "tasks": [{"name": "set", "taskReferenceName": "set", "type": "SET_VARIABLE", "inputParameters": {"seen": "${workflow.input.at}"}}],
}  # fmt: skip
WAITING = {**FLOW, "name": "waiting", "tasks": [{"name": "by_hand", "taskReferenceName": "h", "type": "HUMAN"}]}


class NoScripts:
    """A script engine that nothing asks."""

    def evaluate(self, script: Script) -> ScriptFailed:
        raise AssertionError(f"asked for {script!r}")

    def syntax_error(self, language: str, source: str) -> None:
        return None


@pytest.mark.parametrize("url", ["memory://", "sqlite:///{}/s.db"])
def test_what_ended_long_ago_goes_with_its_definition_and_the_next_one_starts(tmp_path: Path, url: str) -> None:
    async def scenario() -> None:
        store, clock = open_store(url.format(tmp_path)), ManualClock()
        await store.open()
        catalog = Catalog(store, clock)
        await catalog.load()
        await catalog.replace_workflows([read_workflow(FLOW), read_workflow(WAITING)])
        engine = Engine(store, catalog, NoScripts(), clock)
        await engine.open()
        retention = Retention(engine, days=30)

        async def start(name: str, at: int) -> str:
            return await engine.start(StartRequest(name=name, input={"at": f"needle-{at}"}))

        old = [await start("flow", at) for at in range(BATCH + 5)]
        waits = await start("waiting", 0)
        clock.advance(31 * DAY_MS)
        assert [await retention.sweep() for _ in range(3)] == [BATCH, 5, 0]
        assert (await engine.search("executions", parse_text("needle", ()), sort=(), start=0, size=9))[0] == 1  # the one that waits
        assert [found.execution_id for found in await store.heads([old[0], waits])] == [waits]
        if url.startswith("sqlite"):
            shell = sqlite3.connect(tmp_path / "s.db")
            assert shell.execute("SELECT count(*) FROM definition_snapshots").fetchone() == (1,)
            shell.close()
        fresh = [await start("flow", at) for at in range(3)]
        assert [found.head.status for found in await store.heads(fresh)] == ["COMPLETED"] * 3
        await engine.terminate(waits, None)
        await engine.remove(waits, archive=True)
        assert [found.head.status for found in await store.heads([await start("waiting", 1)])] == ["RUNNING"]
        await engine.close()
        await store.close()

    asyncio.run(scenario())
