"""Notes of what moved: one for each execution, bounded, with positions to come back to."""

from __future__ import annotations

import asyncio

from batuta.engine.changes import REMOVED, Changes
from batuta.store.protocol import Commit, HeadRow


def commit(execution_id: str, revision: int = 1, status: str = "RUNNING") -> Commit:
    head = HeadRow(
        revision=revision, status=status, name="flow", definition_version=1, definition_hash="h", correlation_id=None, parent_id="", created_at=1,
        updated_at=revision, ended_at=0, wake_at=0, doc=b"{}",
    )  # fmt: skip
    return Commit(execution_id, revision - 1, head)


def told(changes: Changes, since: int, most: int = 100) -> list[tuple[str, int]] | None:
    found = changes.since(since, most)
    return None if found is None else [(change.id, change.revision) for change in found]


def test_the_latest_note_of_an_execution_replaces_the_one_before() -> None:
    changes = Changes()
    for one in (commit("a"), commit("b"), commit("a", 2), Commit("b", 1, removed=True), Commit("c", -1)):
        changes.tell(one)
    assert told(changes, 0) == [("a", 2), ("b", 2)]
    assert [change.status for change in changes.since(0, 9) or ()] == ["RUNNING", REMOVED]
    assert told(changes, 3) == [("b", 2)] and told(changes, changes.position) == []


def test_what_is_bounded_says_when_it_forgot() -> None:
    changes = Changes(kept_max=2)
    mark = changes.mark(changes.position)
    for name in "abc":
        changes.tell(commit(name))
    assert told(changes, 0) is None and changes.place(mark) is None
    assert told(changes, 1) == [("b", 1), ("c", 1)] and told(changes, 1, most=1) is None


def test_nothing_is_noted_when_nobody_watches_and_for_a_while_after() -> None:
    async def scene() -> None:
        changes = Changes(linger_s=0)
        assert not changes.is_heard
        with changes.watch():
            with changes.watch():
                pass
            assert changes.is_heard
            changes.tell(commit("a"))
            mark = changes.mark(changes.position)
        assert changes.is_heard and changes.place(mark) == 1
        while changes.is_heard:
            await asyncio.sleep(0)
        assert changes.place(mark) is None and told(changes, 0) == []

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_a_watcher_is_woken() -> None:
    async def scene() -> None:
        changes = Changes()
        woken = changes.next()
        changes.tell(commit("a"))
        await asyncio.wait_for(woken, 10)
        left = changes.next()
        left.cancel()
        changes.tell(commit("b"))

    asyncio.run(scene())
