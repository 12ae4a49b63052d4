"""
Accidents: the process killed at any moment, a disk that takes no more, commits that cannot be stored.

What was acknowledged is there afterwards, and nothing is there by half.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from storekit import T0, move, new_id, outcome, outcomes, start, task

from batuta.errors import Invalid
from batuta.store.protocol import Document
from batuta.store.sqlite import SqliteStore, file, upkeep

HERE = Path(__file__).parent
# Eight executions, each of whose commits writes its revision into the head, three tasks, a log line, a letter and, every fourth time, a
# payload that stands apart. A line is printed only when the commit is durable.
WRITER = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from storekit import head, letter, lines, task, task_id, DEFINITION
from batuta.store.protocol import Commit
from batuta.store.sqlite import SqliteStore

async def write(store, id, revision):
    while True:
        text = b"%d" % (revision + 1) * (3_000 if revision % 4 == 3 else 1)
        rows = [task(id, n, doc=b"%d" % (revision + 1), output=text) for n in (1, 2, 3)]
        commit = Commit(id, revision, head(revision + 1, doc=b"%d" % (revision + 1), variables=text), rows, definition=DEFINITION)
        commit.logs, commit.outbox = lines(task_id(id, 1), str(revision + 1)), [letter(f"{id}/{revision + 1}")]
        await store.submit([commit])
        revision += 1
        print(id, revision, flush=True)

async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    ids = [f"{at:08x}-0000-4000-8000-000000000000" for at in range(8)]
    known = {found.execution_id: found.head.revision for found in await store.heads(ids)}
    await asyncio.gather(*(write(store, id, known.get(id, 0)) for id in ids))

asyncio.run(main())
"""


def written_then_killed(path: Path, after_lines: int) -> dict[str, int]:
    """Run the writer, kill -9 it after so many acknowledgements; the last revision acknowledged of each execution."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path, HERE], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged: dict[str, int] = {}

    def note(printed: Iterable[str]) -> None:
        for line in printed:
            if line.endswith("\n"):
                id, revision = line.split()
                acknowledged[id] = int(revision)

    note(writer.stdout.readline() for _ in range(after_lines))
    writer.kill()
    note(writer.stdout)  # what was printed before the end
    writer.wait(10)
    assert writer.returncode == -9
    return acknowledged


async def test_whatever_was_acknowledged_survives_kill_9_and_nothing_is_half(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "s.db"
    for _ in range(20):
        acknowledged = written_then_killed(path, chance.randint(1, 150))
        store = SqliteStore(path)
        await store.open()
        letters = {row.id for row in await store.outbox(limit=100_000)}
        for id, revision in acknowledged.items():
            stored = await store.load(id)
            assert stored is not None
            at = stored.head.revision
            assert at >= revision
            text = b"%d" % at * (3_000 if at % 4 == 0 else 1)
            assert (stored.head.doc, stored.head.variables) == (b"%d" % at, text)
            assert [(row.n, row.doc, row.output) for row in stored.tasks] == [(n, b"%d" % at, text) for n in (1, 2, 3)]
            assert [line.line for line in await store.logs(stored.tasks[0].task_id)] == [str(r) for r in range(1, at + 1)]
            assert {name for name in letters if name.startswith(id)} == {f"{id}/{r}" for r in range(1, at + 1)}
        counted = await store.statistics()
        assert (counted["tasks"], counted["outbox"]) == (3 * counted["executions"], counted["logs"])
        await store.close()


FULL_DISK = """
import asyncio, resource, sys
sys.path.insert(0, sys.argv[2])
from storekit import move, new_id, outcome, start, task
from batuta.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    await store.submit([start("kept", task("kept", 1))])
    no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, no_limit[1]))  # no file grows beyond: what a full disk looks like
    ends = [await outcome(store.submit([start(f"e{at}", task(f"e{at}", 1, input=b"x" * 100_000))])) for at in range(40)]
    together = [store.submit([start(f"g{at}", task(f"g{at}", 1, input=b"x" * 500_000))]) for at in range(4)]
    together = [await outcome(future) for future in together]
    reads = (await store.load("kept")) is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)
    after = await outcome(store.submit([start("after"), move("kept", 1)]))
    await store.close()
    print(repr((ends, together, reads, after)))

asyncio.run(main())
"""


async def test_a_full_disk_fails_what_does_not_fit_and_the_store_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    ran = subprocess.run([sys.executable, "-c", FULL_DISK, path, HERE], capture_output=True, text=True, timeout=60)
    ends, together, reads, after = eval(ran.stdout)
    assert set(ends) == {"ok", "Unavailable"}
    assert ends[0] == "ok"
    assert "Unavailable" in together
    assert (reads, after) == (True, "ok")
    store = SqliteStore(path)
    await store.open()
    names = [f"e{at}" for at in range(40)] + [f"g{at}" for at in range(4)]
    there = {found.execution_id for found in await store.heads(names)}
    assert there == {name for name, end in zip(names, [*ends, *together], strict=True) if end == "ok"}
    assert len(await store.heads(["kept", "after"])) == 2
    await store.close()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "s.db")


@pytest.mark.parametrize("strange", ["\ud800", 2**70, object()])
async def test_what_cannot_be_stored_fails_alone(store: SqliteStore, strange: object) -> None:
    a, b = new_id(), new_id()
    bad = start(b, task(b, 1, ref=strange))
    assert await outcomes(store, [start(a)], [bad], [move(a, 1), move(b, 1)], [start(new_id())]) == ["ok", "Invalid", "VersionConflict", "ok"]
    assert [found.head.revision for found in await store.heads([a, b])] == [2]
    with pytest.raises(Invalid, match="cannot be stored"):
        await store.put([Document("kind", "k", strange, b"{}")])  # type: ignore[arg-type]


@pytest.mark.parametrize("strange", ["\ud800", 2**70])
async def test_what_nothing_stored_can_be_is_not_looked_for(store: SqliteStore, strange: Any) -> None:
    for question in (store.load(strange), store.heads([strange]), store.find(name=strange), store.alarms(limit=strange), store.logs(f"{strange}")):
        try:
            assert not await question
        except Invalid as error:
            assert "cannot look for such a value" in str(error)


async def test_after_an_unavailable_group_whoever_built_on_it_is_told(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed group takes with it what was decided on top of it and submitted unaware."""
    e = new_id()
    await store.submit([start(e)])
    await store.close()
    monkeypatch.setattr(file, "BUSY_MS", 20)
    await store.open()
    shell = sqlite3.connect(store.path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    failing = store.submit([move(e, 1)])
    failing.add_done_callback(lambda done: shell.execute("ROLLBACK"))
    unaware = [store.submit([move(e, revision)]) for revision in (2, 3)]
    told = [await outcome(future) for future in (failing, *unaware)]
    assert told[0] == "Unavailable"
    assert set(told[1:]) <= {"Unavailable", "VersionConflict"}
    assert await outcome(store.submit([move(e, 1)])) == "ok"
    shell.close()


@pytest.mark.parametrize("part", ["outbox", "tasks", "logs", "delivered"])
async def test_a_commit_that_breaks_the_writer_itself_leaves_nobody_waiting(store: SqliteStore, part: str) -> None:
    broken = start("x")
    setattr(broken, part, [7, object()])
    ends = [store.submit([start("a")]), store.submit([broken]), store.submit([]), store.submit([start("b")])]
    told = [await asyncio.wait_for(outcome(future), 10) for future in ends]
    assert told[1] in ("Unavailable", "Invalid")
    assert told[2] == "ok"  # it asked for nothing
    assert await store.load("x") is None
    assert await outcome(store.submit([start("c", wake_at=T0)])) == "ok"


@pytest.mark.parametrize("when", ["wrote", "work"])
async def test_an_upkeep_that_fails_ends_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, when: str
) -> None:  # fmt: skip
    failed = threading.Event()

    def fails(*_: object) -> None:
        failed.set()
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(upkeep, "QUIET_S", 0.001)
    monkeypatch.setattr(upkeep.Upkeep, when, fails)
    store = SqliteStore(tmp_path / "s.db")
    await store.open()
    for at in range(3):
        failed.clear()
        assert await asyncio.wait_for(outcome(store.submit([start(f"e{at}")])), 10) == "ok"
        assert await asyncio.to_thread(failed.wait, 10)
    await asyncio.wait_for(store.close(), 10)
    assert "upkeep of the store failed" in caplog.text and len(caplog.records) <= 7  # not again and again, while nobody commits


async def test_a_loop_that_ends_before_its_commits_takes_nothing_down(tmp_path: Path) -> None:
    def elsewhere() -> None:
        async def main() -> None:
            store = SqliteStore(tmp_path / "s.db")
            await store.open()
            for at in range(50):
                store.submit([start(f"e{at}")])
            elsewhere.store = store  # type: ignore[attr-defined]

        asyncio.run(main())

    await asyncio.to_thread(elsewhere)
    await elsewhere.store.close()  # type: ignore[attr-defined]
    reopened = SqliteStore(tmp_path / "s.db")
    await reopened.open()
    assert len(await reopened.find()) == 50
    await reopened.close()
