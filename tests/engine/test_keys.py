"""Idempotency keys: one execution a key, whoever asks, as often as they ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from batuta.engine.catalog import Catalog
from batuta.engine.clock import ManualClock
from batuta.engine.engine import Engine
from batuta.errors import Conflict
from batuta.store.memory import MemoryStore
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import StartRequest


class NoScripts:
    def evaluate(self, script: Any) -> Any:
        raise AssertionError("no script in these tests")

    def syntax_error(self, language: str, source: str) -> None:
        return None


def played(scenario: Callable[[Engine], Awaitable[None]]) -> None:
    async def run() -> None:
        store, clock = MemoryStore(), ManualClock()
        await store.open()
        catalog = Catalog(store, clock)
        await catalog.load()
        waits = {"name": "w", "taskReferenceName": "w", "type": "WAIT"}
        common = {"version": 1, "ownerEmail": "t@example.com", "tasks": [waits]}
        await catalog.replace_workflows([read_workflow({"name": name, **common}) for name in ("one", "two")])
        engine = Engine(store, catalog, NoScripts(), clock)
        await engine.open()
        await scenario(engine)
        await engine.close()

    asyncio.run(run())


def wish(strategy: str | None, name: str = "one", key: str = "k") -> StartRequest:
    return StartRequest(name=name, idempotency_key=key, idempotency_strategy=strategy)


def test_fifty_starts_at_once_under_one_key_make_one_execution() -> None:
    async def scenario(engine: Engine) -> None:
        ids = await asyncio.gather(*(engine.start(wish("RETURN_EXISTING")) for _ in range(50)))
        assert len(set(ids)) == 1
        assert len(await engine.find(name="one")) == 1

    played(scenario)


def test_fifty_starts_at_once_that_must_be_the_first() -> None:
    async def scenario(engine: Engine) -> None:
        ends = await asyncio.gather(*(engine.start(wish("FAIL")) for _ in range(50)), return_exceptions=True)
        assert sum(isinstance(end, str) for end in ends) == 1
        assert sum(isinstance(end, Conflict) for end in ends) == 49

    played(scenario)


#    strategy             the first one has ended   the second start
STRATEGIES = [
    ("FAIL",              False,                    "conflict"),
    ("FAIL",              True,                     "conflict"),
    ("FAIL_ON_RUNNING",   False,                    "conflict"),
    ("FAIL_ON_RUNNING",   True,                     "another"),
    ("RETURN_EXISTING",   False,                    "the same"),
    ("RETURN_EXISTING",   True,                     "the same"),
    (None,                True,                     "the same"),
]  # fmt: skip


@pytest.mark.parametrize(("strategy", "ended", "second"), STRATEGIES)
def test_what_a_second_start_gets(strategy: str | None, ended: bool, second: str) -> None:
    async def scenario(engine: Engine) -> None:
        first = await engine.start(wish(strategy))
        if ended:
            await engine.terminate(first, "enough")
        if second == "conflict":
            with pytest.raises(Conflict, match=r"'k'.*'one'"):
                await engine.start(wish(strategy))
            return
        again = await engine.start(wish(strategy))
        assert (again == first) == (second == "the same")

    played(scenario)


def test_a_key_belongs_to_its_workflow() -> None:
    async def scenario(engine: Engine) -> None:
        assert await engine.start(wish("FAIL", "one")) != await engine.start(wish("FAIL", "two"))
        assert await engine.start(wish("FAIL", "one", "other"))

    played(scenario)


def test_the_key_is_shown() -> None:
    async def scenario(engine: Engine) -> None:
        assert (await engine.read(await engine.start(wish("FAIL")))).head.idempotency_key == "k"

    played(scenario)


@pytest.mark.parametrize(("strategy", "answered"), [("RETURN_EXISTING", 50), ("FAIL", 1), ("FAIL_ON_RUNNING", 1)])
def test_fifty_starts_at_once_on_two_servers_of_one_store(strategy: str, answered: int) -> None:
    async def scenario(engine: Engine) -> None:
        other = Engine(engine.store, engine.catalog, NoScripts(), engine.clock)
        await other.open()
        ends = await asyncio.gather(*((engine, other)[n % 2].start(wish(strategy)) for n in range(50)), return_exceptions=True)
        ids = [end for end in ends if isinstance(end, str)]
        assert (len(ids), len(set(ids)), len(await engine.find(name="one"))) == (answered, 1, 1)
        assert sum(isinstance(end, Conflict) for end in ends) == 50 - answered
        await other.close()

    played(scenario)
