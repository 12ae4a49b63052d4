"""
The store in memory: the promises of every store, and the faults that tests ask it for.
"""

from __future__ import annotations

import asyncio

import conformance
import conformance_questions
import pytest
from storekit import move, new_id, outcomes, start

from batuta.errors import Invalid
from batuta.store.memory import MemoryStore
from batuta.store.protocol import Document


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestWriting(conformance.Writing): ...


class TestRemoving(conformance.Removing): ...


class TestOrdering(conformance.Ordering): ...


class TestLiving(conformance.Living): ...


class TestQuestions(conformance_questions.Questions): ...


class TestSearching(conformance_questions.Searching): ...


async def test_a_failure_told_beforehand_fails_one_commit_and_what_builds_on_it(store: MemoryStore) -> None:
    a, b = new_id(), new_id()
    await store.submit([start(a)])
    store.fail_next()
    assert await outcomes(store, [move(a, 1)], [move(a, 2)], [start(b)]) == ["Unavailable", "VersionConflict", "ok"]
    assert await outcomes(store, [move(a, 1)]) == ["ok"]
    store.fail_next(Invalid("as told"))
    with pytest.raises(Invalid, match="as told"):
        await store.put([Document("kind", "k", 1, b"{}")])
    assert await store.documents("kind") == []


async def test_what_is_held_is_not_durable_until_released(store: MemoryStore) -> None:
    e = new_id()
    store.hold()
    futures = [store.submit([start(e)]), store.submit([move(e, 1)])]
    for _ in range(5):
        await asyncio.sleep(0)
    assert await store.load(e) is None
    assert not any(future.done() for future in futures)
    store.release()
    await asyncio.gather(*futures)
    assert await store.load(e) is not None


async def test_rows_handed_in_and_out_are_copies(store: MemoryStore) -> None:
    e = new_id()
    commit = start(e)
    await store.submit([commit])
    assert commit.head is not None
    commit.head.status = "CHANGED"
    stored = await store.load(e)
    assert stored is not None
    stored.head.status = "CHANGED"
    assert [found.head.status for found in await store.heads([e])] == ["RUNNING"]
