"""
What the promises of speed rest on: groups, collapsing, indexes, checkpoints, and quiet.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance_questions import some_commit
from storekit import DEFINITION, T0, everything, letter, lines, move, new_id, outcomes, remove, start, task, task_id

from batuta.core.query import parse
from batuta.store.memory import MemoryStore
from batuta.store.protocol import Commit
from batuta.store.sqlite import SqliteStore, file, upkeep, writer
from batuta.store.sqlite.collapse import collapsed
from batuta.store.sqlite.reader import Reader
from batuta.store.sqlite.upkeep import Upkeep


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The beginning of every statement that stores opened from now on run."""
    seen: list[str] = []
    for name in ("connect_writer", "connect_reader", "connect_checkpointer"):
        connect: Callable[[Path], sqlite3.Connection] = getattr(file, name)

        def traced(path: Path, connect: Callable[[Path], sqlite3.Connection] = connect) -> sqlite3.Connection:
            connection = connect(path)
            connection.set_trace_callback(lambda sql: seen.append(sql[:60]))
            return connection

        monkeypatch.setattr(file, name, traced)
    return seen


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "s.db")


def blocked(store: SqliteStore) -> sqlite3.Connection:
    """A connection that keeps the writer waiting until it says ROLLBACK: what is submitted meanwhile gathers."""
    shell = sqlite3.connect(store.path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    return shell


# -- groups ---------------------------------------------------------------------------------------------------------------------


async def test_what_gathers_is_one_statement(statements: list[str], store: SqliteStore) -> None:
    await store.submit([start("first")])
    shell = blocked(store)
    statements.clear()
    futures = [store.submit([start("leads")])]
    futures += [store.submit([start(f"e{at}", task(f"e{at}", 1))]) for at in range(100)]
    shell.execute("ROLLBACK")
    shell.close()
    await asyncio.gather(*futures)
    written = dict.fromkeys(sql for sql in statements if "checkpoint" not in sql and not sql.startswith("--"))  # a trigger is shown as what set it off
    assert len(written) <= 2  # the one that was held up, and the hundred
    assert all(sql.startswith("INSERT INTO batch") for sql in written)


async def test_an_empty_submission_asks_nothing_of_the_database(statements: list[str], store: SqliteStore) -> None:
    statements.clear()
    await store.submit([])
    await store.put([])
    assert statements == []


async def test_a_busy_event_loop_does_not_starve_the_writer(store: SqliteStore) -> None:
    """A loop that is never idle, in steps of some 50 µs, still lets commits through: without `_yield` this takes minutes."""
    loop = asyncio.get_running_loop()
    turning = True

    def turn() -> None:
        sum(range(2_000))
        if turning:
            loop.call_soon(turn)

    loop.call_soon(turn)
    e = new_id()
    await store.submit([start(e)])
    for revision in range(1, 60):
        await store.submit([move(e, revision)])
    turning = False


# -- collapsing -----------------------------------------------------------------------------------------------------------------


def test_commits_that_follow_each_other_become_one() -> None:
    steps = [
        start("e", task("e", 1, input=b"i")),
        move("e", 1, task("e", 1, "IN_PROGRESS")),
        move("e", 2, task("e", 1, "COMPLETED", output=b"o"), task("e", 2)),
    ]
    (one,) = collapsed(steps)
    assert isinstance(one, Commit)
    assert one.head is not None
    assert (one.expected, one.head.revision, one.definition) == (0, 3, steps[0].definition)
    assert [(row.n, row.status, row.input, row.output) for row in one.tasks] == [(1, "COMPLETED", b"i", b"o"), (2, "SCHEDULED", None, None)]


def test_commits_become_one_whichever_of_them_brings_the_definition() -> None:
    claim, report = move("e", 1), move("e", 2)
    report.definition = DEFINITION
    (one,) = collapsed([claim, report])
    assert isinstance(one, Commit)
    assert (one.head is not None and one.head.revision, one.definition) == (3, None)  # the execution has it
    changed = move("e", 3, definition_hash="another")
    assert collapsed([report, changed]) == [report, changed]


def test_commits_that_do_not_follow_stay_apart() -> None:
    for steps in (
        [start("e"), move("e", 2)],
        [start("e"), remove("e", 1), start("e"), move("f", 1)],
        [start("e"), start("e")],
        [start("a"), start("b")],
    ):
        assert collapsed(steps) == steps


@pytest.mark.parametrize("seed", range(20))
async def test_collapsing_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    ids = [f"{at:08x}-0000-4000-8000-{seed:012x}" for at in range(3)]
    revisions, sent = dict.fromkeys(ids, 0), list[str]()
    plain, short = MemoryStore(), MemoryStore()
    await plain.open()
    await short.open()
    for _ in range(10):
        commits = [some_commit(chance, chance.choice(ids), revisions, sent) for _ in range(8)]
        merged = collapsed(commits)
        assert len(merged) <= len(commits)
        if await outcomes(plain, commits) == ["ok"]:  # what fails is not collapsed
            await short.submit([unit for unit in merged if isinstance(unit, Commit)])
        else:
            await short.submit([])
            break
        assert await everything(short, ids) == await everything(plain, ids)


# -- indexes --------------------------------------------------------------------------------------------------------------------

#    question                                                                   the index that answers it
PLANS: list[tuple[Callable[[Reader], object], str]] = [
    (lambda r: r.load("e"), "executions"),
    (lambda r: r.heads(["e", "f"]), "executions"),
    (lambda r: r.holder_of("t" * 36), "executions"),
    (lambda r: r.logs("t" * 36), "executions"),
    (lambda r: r.claimable("q", 5), "tasks_open"),
    (lambda r: r.claimable(None, 5), "tasks_open"),
    (lambda r: r.in_progress(None, 5), "tasks_open"),
    (lambda r: r.in_progress("t", 5), "tasks_open"),
    (lambda r: r.queue_sizes(), "tasks_open"),
    (lambda r: r.alarms(5), "executions_alarms"),
    (lambda r: r.expired(5, 5), "executions_ended"),
    (lambda r: r.find(None, None, None, (), 0, 0, False, 5, True), "executions_by_creation"),
    (lambda r: r.find(None, None, None, (), 0, 0, True, 5, True), "executions_by_creation"),
    (lambda r: r.find(None, None, None, (), 1, 2, True, 5, True), "executions_by_creation"),
    (lambda r: r.find("n", None, None, (), 0, 0, False, 5, True), "executions_by_name"),
    (lambda r: r.find("n", 1, None, (), 0, 0, True, 5, True), "executions_by_name"),
    (lambda r: r.find("n", None, None, ("RUNNING", "PAUSED"), 0, 0, False, 5, True), "executions_by_name_and_status"),
    (lambda r: r.find("n", None, "c", ("RUNNING", "PAUSED"), 5, 6, False, 5, True), "executions_by_correlation"),
    (lambda r: r.find(None, None, "c", (), 0, 0, False, 5, True), "executions_by_correlation"),
    (lambda r: r.find(None, None, None, ("RUNNING",), 0, 0, False, 5, True), "executions_by_status"),
]


async def test_no_question_reads_a_whole_table(store: SqliteStore) -> None:
    """With thousands of rows and no statistics, as in production: every plan searches or walks an index in order."""
    await store.submit([start(new_id(), task(new_id(), 1), status="COMPLETED", ended_at=T0) for _ in range(1000)])
    connection = file.connect_reader(store.path)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    for question, index in PLANS:
        asked.clear()
        question(Reader(connection))
        sql = next(sql for sql in asked if sql.startswith("SELECT") and " FROM " in sql)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any(index in step for step in plan), (sql, plan)
        assert not any(step.startswith("SCAN") and "USING" not in step and "CONSTANT" not in step for step in plan), (sql, plan)
    connection.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("status != RUNNING", "by_status"),
        ("parentWorkflowId = somebody", "by_parent"),
        ("parentWorkflowId IS NULL AND startTime > 5", "by_parent"),
        ("workflowType = demo", "by_name"),
        ("startTime > 5", "by_creation"),
        ("workflowType = demo AND status = FAILED", "by_name_and_status"),
    ],
)
async def test_a_search_counts_within_an_index(store: SqliteStore, query: str, index: str) -> None:
    """A million matches are counted without reading their rows; without a condition nothing is counted at all."""
    await store.submit([start(new_id()) for _ in range(100)])
    connection = file.connect_reader(store.path)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    Reader(connection).search("executions", parse(query), (), 0, 10)
    (sql,) = (sql for sql in asked if "count(*)" in sql)
    assert f"COVERING INDEX executions_{index}" in str(connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
    asked.clear()
    Reader(connection).search("executions", parse("workflowType = demo AND status = FAILED AND correlationId = c"), (), 0, 10)
    assert "executions_by_correlation" in str(connection.execute(f"EXPLAIN QUERY PLAN {asked[-2]}").fetchall())
    asked.clear()
    assert Reader(connection).search("executions", None, (), 0, 10)[0] == 100
    for top in ("parentWorkflowId = ''", "parentWorkflowId IS null", "(parentWorkflowId IS null)"):
        assert Reader(connection).search("executions", parse(f"status IN (RUNNING, FAILED) AND {top}"), (), 0, 10)[0] == 100
    assert not any("count(*)" in sql for sql in asked)
    connection.close()


@pytest.mark.parametrize(
    ("kind", "query", "index"),
    [
        ("executions", 'workflowId STARTS_WITH "0192"', "sqlite_autoindex_executions_1 (id>? AND id<?)"),
        ("executions", 'workflowType STARTS_WITH "dem"', "executions_by_name"),
        ("executions", 'correlationId STARTS_WITH "c"', "executions_by_correlation"),
        ("tasks", "taskDefName = simple AND status = FAILED", "tasks_by_status (status=? AND def_name=?)"),
    ],
)
async def test_a_search_goes_by_an_index(store: SqliteStore, kind: str, query: str, index: str) -> None:
    await store.submit([start(new_id()) for _ in range(100)])
    connection = file.connect_reader(store.path)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    Reader(connection).search(kind, parse(query), (), 0, 10)
    (sql,) = (sql for sql in asked if "count(*)" in sql)
    assert index in str(connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
    connection.close()


# -- threads --------------------------------------------------------------------------------------------------------------------


async def test_a_search_that_takes_its_time_holds_no_load_up(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(Reader, "find", lambda *_: go_on.wait(10))
    slow = [asyncio.ensure_future(store.find()) for _ in range(5)]
    await store.submit([start("e")])
    assert await store.load("e") is not None
    assert not any(one.done() for one in slow)
    go_on.set()
    await asyncio.gather(*slow)


async def test_large_commits_go_in_groups_of_bounded_size(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    monkeypatch.setattr(writer, "collapsed", lambda units: groups.append(len(found := list(units))) or found)
    shell = blocked(store)
    futures = [store.submit([start(f"e{at}", task(f"e{at}", 1, input=b"x" * 1024 * 1024))]) for at in range(20)]
    shell.execute("ROLLBACK")
    shell.close()
    await asyncio.gather(*futures)
    assert sum(groups) == 20
    assert max(groups) <= 9  # a group ends with the commit that makes it 8 MiB


async def test_threads_end_with_the_store(store: SqliteStore) -> None:
    await store.submit([start("e")])
    await store.find()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("store-")]
    await store.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("store-")] == []


# -- upkeep ---------------------------------------------------------------------------------------------------------------------


async def test_a_quiet_store_checkpoints_and_then_runs_nothing(statements: list[str], store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 0.01)
    await store.submit([start("e")])
    care = store._open.upkeep if store._open is not None else None
    assert care is not None
    for _ in range(500):
        if care.pause_s is None:
            break
        await asyncio.sleep(0.01)
    assert care.pause_s is None  # the writer waits for the next commit, without a timeout
    await asyncio.to_thread(care.join)
    assert [sql for sql in statements if "wal_checkpoint" in sql]
    statements.clear()
    await asyncio.sleep(0.1)
    assert statements == []


def test_a_long_log_is_finished_off_by_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    file.prepare(path)
    connection = file.connect_writer(path)
    connection.execute("CREATE TABLE t (x)")
    monkeypatch.setattr(upkeep, "LOG_PAGES_MAX", 1)
    ran: list[str] = []
    connection.set_trace_callback(ran.append)
    care = Upkeep(file.connect_checkpointer(path))
    connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    care.wrote(upkeep.CHECKPOINT_WEIGHT, connection)
    care.join()
    assert not any("wal_checkpoint" in sql for sql in ran)
    care.wrote(upkeep.CHECKPOINT_WEIGHT, connection)
    assert any("wal_checkpoint" in sql for sql in ran)
    care.close()
    connection.close()


async def test_room_left_by_deletions_is_given_back(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 0.001)
    monkeypatch.setattr(upkeep, "VACUUM_FREE_MIN", 16)
    ids = [new_id() for _ in range(50)]
    await store.submit([start(id, task(id, 1, input=b"x" * 100_000)) for id in ids])
    await store.submit([remove(id, 1) for id in ids])
    await store.close()
    grown = store.path.stat().st_size
    await store.open()
    await store.submit([start("e")])
    for _ in range(500):
        if store.path.stat().st_size < grown / 2:
            break
        await asyncio.sleep(0.01)
    assert store.path.stat().st_size < grown / 2


async def test_deleted_room_is_used_again(store: SqliteStore) -> None:
    """A store with retention keeps its size, whatever passes through it."""
    sizes = []
    for _ in range(6):
        ids = [new_id() for _ in range(40)]
        for id in ids:
            first = start(id, task(id, 1, input=b"x" * 20_000))
            first.logs, first.outbox = lines(task_id(id, 1), "line" * 50), [letter(id)]
            await store.submit([first])
        await store.submit([remove(id, 1) for id in ids] + [Commit(id, -1, delivered=[id]) for id in ids])
        await store.close()
        sizes.append(store.path.stat().st_size)
        await store.open()
    assert sizes[-1] <= sizes[1] * 1.1
