"""
What the store costs: commits a second and the wait for one commit, with an idle and with a busy event loop.

    python bench/store.py grouped             many executions at once, their commits share transactions
    python bench/store.py single              one commit after the other: the wait of a lone request
    python bench/store.py paced               a commit every few milliseconds for a while: what checkpoints do to the slowest
    python bench/store.py filled              new executions a second as a store fills, then what searches in it take
    python bench/store.py strategies          the ways of writing a group, side by side (docs/decisions/0004-sqlite-store.md)

A commit is what a worker's report writes: the execution's row and one or two task rows, payloads of 300 bytes. `--busy` keeps the event
loop's thread at work on JSON between its turns, as a server under load does. `--dir` says where the file goes: measure the disk you mean.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import queue
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import astuple

from batuta.core.freetext import parse_text
from batuta.core.model.ids import task_id
from batuta.core.query import All, parse
from batuta.engine.identity import Ids
from batuta.store.protocol import Commit, HeadRow, TaskRow
from batuta.store.sqlite import SqliteStore, batch, file, migrate

DOC = b'{"doc":"' + b"d" * 280 + b'"}'
PAYLOAD = b'{"payload":"' + b"p" * 280 + b'"}'
DEFINITION = ("f" * 64, b'{"name":"demo"}')
IDS = Ids(lambda: int(time.time() * 1000))
REQUEST = {"ids": list(range(20)), "nested": {"text": "x" * 200, "rows": [{"k": i, "v": str(i)} for i in range(30)]}}


def lifecycle() -> Iterator[Commit]:
    """The commits of one execution of three tasks: a start, three claims, three reports."""
    id, now = IDS.next(), int(time.time() * 1000)

    def head(revision: int, **of: Any) -> HeadRow:
        status, ended = ("COMPLETED", now) if revision == 7 else ("RUNNING", 0)
        wake = 0 if ended else now + 1000 * revision
        return HeadRow(revision, status, "demo", 1, DEFINITION[0], None, "", now, now + revision, ended, wake, DOC, **of)

    def task(n: int, status: str, **of: Any) -> TaskRow:
        return TaskRow(n, f"{id[:18]}-0000-{n:012x}", status, "simple", "simple", f"step{n}", "simple", 0, now, now, DOC, **of)

    yield Commit(id, 0, head(1, input=PAYLOAD), [task(1, "SCHEDULED", input=PAYLOAD)], definition=DEFINITION)
    for n in (1, 2, 3):
        yield Commit(id, 2 * n - 1, head(2 * n), [task(n, "IN_PROGRESS")])
        following = [task(n + 1, "SCHEDULED", input=PAYLOAD)] if n < 3 else []
        yield Commit(id, 2 * n, head(2 * n + 1), [task(n, "COMPLETED", output=PAYLOAD), *following])


def think(budget_s: float) -> None:
    """Be busy in Python for so long, in the way a server is."""
    until = time.perf_counter() + budget_s
    while time.perf_counter() < until:
        json.loads(json.dumps(REQUEST))


def shown(waits_s: list[float]) -> str:
    """The usual quantiles of these waits."""
    waits = sorted(waits_s)
    at = [waits[min(len(waits) - 1, int(len(waits) * q))] * 1e3 for q in (0.5, 0.99, 0.999)]
    return f"p50 {at[0]:6.2f} ms  p99 {at[1]:6.2f} ms  p99.9 {at[2]:6.2f} ms  max {waits[-1] * 1e3:6.1f} ms"


async def grouped(directory: Path, busy_ms: float, seconds: float, width: int) -> None:
    """*width* executions move at once, each submitting its next commit when the last is durable."""
    store = SqliteStore(directory / "grouped.db")
    await store.open()
    until, waits = time.perf_counter() + seconds, []

    async def runs() -> None:
        while True:
            for commit in lifecycle():
                if time.perf_counter() >= until:
                    return
                if busy_ms:
                    think(busy_ms / 1e3)
                begun = time.perf_counter()
                await store.submit([commit])
                waits.append(time.perf_counter() - begun)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(runs() for _ in range(width)))
    took = time.perf_counter() - begun
    share = (time.process_time() - cpu) / took
    stats = await store.statistics()
    await store.close()
    print(
        f"grouped  width {width:4}  work {busy_ms:4.2f} ms  {len(waits) / took:8,.0f} commits/s  {shown(waits)}  cpu {share:4.0%}"
        f"  {stats['bytes'] / max(1, stats['executions']):,.0f} B/execution"
    )


async def single(directory: Path, busy_ms: float, seconds: float) -> None:
    """One commit at a time, the next when the last is durable; with *busy_ms*, other work fills the loop meanwhile."""
    store = SqliteStore(directory / "single.db")
    await store.open()
    until, waits, is_over = time.perf_counter() + seconds, [], False

    def others() -> None:
        if not is_over:
            think(busy_ms / 1e3)
            loop.call_soon(others)

    loop = asyncio.get_running_loop()
    if busy_ms:
        loop.call_soon(others)
    while time.perf_counter() < until:
        for commit in lifecycle():
            begun = time.perf_counter()
            await store.submit([commit])
            waits.append(time.perf_counter() - begun)
    is_over = True
    await store.close()
    print(f"single   work {busy_ms:4.2f} ms  {len(waits) / seconds:8,.0f} commits/s  {shown(waits)}")


async def paced(directory: Path, seconds: float, every_ms: float) -> None:
    """A commit every so often, whether or not the last is durable: light load, over several checkpoints."""
    store = SqliteStore(directory / "paced.db")
    await store.open()
    waits: list[float] = []
    running: set[asyncio.Task[None]] = set()

    async def one(commits: list[Commit]) -> None:
        begun = time.perf_counter()
        await store.submit(commits)
        waits.append(time.perf_counter() - begun)

    live = [lifecycle() for _ in range(20)]
    due = time.perf_counter()
    until = due + seconds
    while due < until:
        due += every_ms / 1e3
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        k = random.randrange(len(live))
        commit = next(live[k], None)
        if commit is None:
            live[k] = lifecycle()
            commit = next(live[k])
        task = asyncio.create_task(one([commit]))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    await store.close()
    print(f"paced    every {every_ms} ms  {shown(waits)}")


# -- a store that fills -----------------------------------------------------------------------------------------------------------

WORDS = ["".join(random.Random(at).choices("abcdefghijklmnopqrstuvwxyz", k=3 + at % 8)) for at in range(20_000)]
NAMES = [f"{what}_{of}" for what in ("build", "deploy", "check", "notify") for of in ("firmware", "image", "report", "order", "invoice")]


def ended(at: int, now: int, id: str) -> Commit:
    """The *at*-th execution, with three tasks, as it stands in the end; payloads of words, numbers and hashes, a few of them rare."""
    chance = random.Random(at)

    def words(count: int) -> str:
        return " ".join(WORDS[min(int(chance.paretovariate(0.7)), len(WORDS) - 1)] for _ in range(count))

    def payload() -> bytes:
        return json.dumps({"order": at, "note": words(12), "device": f"k1-{at % 1000:03}", "sha": f"{chance.getrandbits(160):040x}"}).encode()

    name = NAMES[chance.randrange(len(NAMES))]
    status = chance.choices(("COMPLETED", "FAILED", "TERMINATED", "RUNNING"), (905, 60, 30, 5))[0]
    end = 0 if status == "RUNNING" else now + 700
    doc = json.dumps({"id": id, "name": name, "status": status, "reason": words(4) if status == "FAILED" else None, "created_at": now}).encode()
    head = HeadRow(7, status, name, 1, DEFINITION[0], f"order-{at // 2}", "", now, now + 700, end, 0, doc, payload(), payload(), b"{}")

    def task(n: int) -> TaskRow:
        ends = "COMPLETED" if n < 3 or status == "COMPLETED" else "FAILED"
        return TaskRow(n, task_id(id, n), ends, "SIMPLE", f"{name}_{n}", f"step{n}", f"{name}_{n}", 0, now, now + n, doc, payload(), payload())

    return Commit(id, 0, head, [task(n) for n in (1, 2, 3)], definition=DEFINITION)


#     what people ask for              query                                        free text
ASKED = [
    ("everything, newest first", "", ""),
    ("by status", "status = FAILED", ""),
    ("by name", "workflowType = build_firmware", ""),
    ("by name and status", "workflowType IN (build_firmware) AND status IN (FAILED,TERMINATED)", ""),
    ("by correlation id", "correlationId = 'order-1234'", ""),
    ("top level", "parentWorkflowId = ''", ""),
    ("top level, by class", "classifier = workflow AND parentWorkflowId = ''", ""),
    ("by time", "startTime > {recent}", ""),
    ("part of a name", "workflowType = *firmware*", ""),
    ("free text: rare", "", "k1-123"),
    ("free text: a hash", "", "{hash}"),
    ("free text: in a fifth", "", "invoice"),
    ("free text: nowhere", "", "quetzalcoatl"),
    ("free text and status", "status = FAILED", "k1-123"),
]
ASKED_OF_TASKS = [
    ("tasks, newest first", "", ""),
    ("tasks by status", "status = FAILED", ""),
    ("tasks by name", "taskDefName = build_firmware_2", ""),
    ("tasks: free text", "", "k1-123"),
]


async def filled(directory: Path, executions: int) -> None:
    """*executions* of them one group after the other, then each question a few times."""
    store = SqliteStore(directory / "filled.db")
    await store.open()
    begun, now = time.perf_counter(), int(time.time() * 1000)
    ids = Ids(lambda: now)
    for first in range(0, executions, 500):
        group = [ended(at, now + at, ids.next()) for at in range(first, min(first + 500, executions))]
        now = now + 500
        cpu, at = time.process_time(), time.perf_counter()
        await store.submit(group)
        if first % (executions // 10) == 0:
            pace, cost = len(group) / (time.perf_counter() - at), (time.process_time() - cpu) / len(group)
            print(f"filled   {first:9,} there  {pace:8,.0f} starts/s  cpu {cost * 1e6:4.0f} us a start")
    print(f"filled   {executions:9,} in {time.perf_counter() - begun:.0f} s")
    at, backlog, look = time.perf_counter(), executions, sqlite3.connect(store.path)
    while backlog > executions // 100 + 1:  # the hundredth that runs is indexed when nothing has happened to it for a while
        await asyncio.sleep(0.1)
        (backlog,) = look.execute("SELECT count(*) FROM words_due").fetchone()
    look.close()
    print(f"filled   free text indexed {time.perf_counter() - at:.0f} s later")
    some_hash = json.loads(ended(executions // 3, now, IDS.next()).head.input or b"")["sha"]  # type: ignore[union-attr]
    for kind, questions in (("executions", ASKED), ("tasks", ASKED_OF_TASKS)):
        for what, query, text in questions:
            took, total = [], 0
            for _ in range(5):
                at = time.perf_counter()
                words = parse_text(text.format(hash=some_hash), ())
                asked = [part for part in (parse(query.format(recent=now - 1000)), words) if part is not None]
                total, _ = await store.search(kind, All(tuple(asked)) if asked else None, size=20)  # type: ignore[arg-type]
                took.append(time.perf_counter() - at)
            print(f"filled   {what:28} {total:9,} found  first {took[0] * 1e3:8.1f} ms  then {sorted(took[1:])[1] * 1e3:8.1f} ms", flush=True)
    stats = await store.statistics()
    await store.close()
    print(f"filled   {stats['bytes'] / max(1, stats['executions']):,.0f} B/execution")


# -- the ways of writing a group ------------------------------------------------------------------------------------------------
# Each writes the same rows into the same tables, whole or not at all, and knows when a revision was another one.

Write = Callable[[sqlite3.Connection, Sequence[Commit]], None]
HEADS = (
    "key, id, revision, status, name, definition_version, definition, correlation_id, parent_id, "
    "created_at, updated_at, ended_at, wake_at, doc, input, output, variables"
)
TASKS = "key, task_id, status, type, def_name, ref, queue, priority, due_at, updated_at, doc, input, output"
HEAD_COLUMNS, TASK_COLUMNS = HEADS.split(", ")[1:], TASKS.split(", ")[1:]
_SET_HEAD = ", ".join(f"{c} = excluded.{c}" for c in ("revision", "status", "updated_at", "ended_at", "wake_at", "doc"))
_SET_TASK = ", ".join(f"{c} = excluded.{c}" for c in TASK_COLUMNS[:-2])
ON_HEAD = f"ON CONFLICT (id) DO UPDATE SET {_SET_HEAD}, output = coalesce(excluded.output, output) WHERE revision = excluded.revision - 1"
ON_TASK = f"ON CONFLICT (key) DO UPDATE SET {_SET_TASK}, input = coalesce(excluded.input, input), output = coalesce(excluded.output, output)"
KEY = "(SELECT (key << 32) + {} FROM executions WHERE id = {})"


def head_values(commit: Commit) -> tuple[Any, ...]:
    assert commit.head is not None
    values = astuple(commit.head)
    return (commit.execution_id, *values[:4], 1, *values[5:])  # one definition, whose key is 1


def guarded(written: int, commits: Sequence[Commit]) -> None:
    if written != len(commits):
        raise RuntimeError("a revision was another one")


def row_by_row(connection: sqlite3.Connection, commits: Sequence[Commit]) -> None:
    """executemany: one statement a table, one step a row."""
    connection.execute("BEGIN IMMEDIATE")
    marks = ",".join("?" * len(HEAD_COLUMNS))
    done = connection.executemany(f"INSERT INTO executions ({HEADS}) VALUES (NULL, {marks}) {ON_HEAD}", [head_values(c) for c in commits])
    guarded(done.rowcount, commits)
    rows = [(row.n, c.execution_id, *astuple(row)[1:]) for c in commits for row in c.tasks]
    connection.executemany(f"INSERT INTO tasks ({TASKS}) VALUES ({KEY.format('?', '?')}, {','.join('?' * len(TASK_COLUMNS))}) {ON_TASK}", rows)
    connection.execute("COMMIT")


def many_rows(connection: sqlite3.Connection, commits: Sequence[Commit]) -> None:
    """INSERT ... VALUES (...), (...): one statement a table; unused rows are NULL."""

    def padded(rows: list[tuple[Any, ...]]) -> tuple[str, list[Any]]:
        size, width = next(s for s in batch.SIZES if s >= len(rows)), len(rows[0])
        flat = [value for row in rows for value in row] + [None] * (width * (size - len(rows)))
        return ",".join(["(" + ",".join("?" * width) + ")"] * size), flat

    connection.execute("BEGIN IMMEDIATE")
    marks, values = padded([head_values(c) for c in commits])
    done = connection.execute(f"INSERT INTO executions ({HEADS}) SELECT NULL, * FROM (VALUES {marks}) WHERE column1 IS NOT NULL {ON_HEAD}", values)
    guarded(done.rowcount, commits)
    marks, values = padded([(row.n, c.execution_id, *astuple(row)[1:]) for c in commits for row in c.tasks])
    columns = ", ".join(f"column{at}" for at in range(3, 3 + len(TASK_COLUMNS)))
    key = KEY.format("column1", "column2")
    connection.execute(f"INSERT INTO tasks ({TASKS}) SELECT {key}, {columns} FROM (VALUES {marks}) WHERE column1 IS NOT NULL {ON_TASK}", values)
    connection.execute("COMMIT")


def one_json(connection: sqlite3.Connection, commits: Sequence[Commit]) -> None:
    """json_each over one bound text: one statement a table."""

    def text(rows: list[tuple[Any, ...]]) -> str:
        return json.dumps([[v.decode() if isinstance(v, bytes) else v for v in row] for row in rows])

    def columns(first: int, count: int) -> str:
        return ", ".join(f"json_extract(value, '$[{at}]')" for at in range(first, first + count))

    connection.execute("BEGIN IMMEDIATE")
    heads = f"SELECT NULL, {columns(0, len(HEAD_COLUMNS))} FROM json_each(?) WHERE true"
    done = connection.execute(f"INSERT INTO executions ({HEADS}) {heads} {ON_HEAD}", (text([head_values(c) for c in commits]),))
    guarded(done.rowcount, commits)
    rows = [(row.n, c.execution_id, *astuple(row)[1:]) for c in commits for row in c.tasks]
    key = KEY.format("json_extract(value, '$[0]')", "json_extract(value, '$[1]')")
    connection.execute(f"INSERT INTO tasks ({TASKS}) SELECT {key}, {columns(2, len(TASK_COLUMNS))} FROM json_each(?) WHERE true {ON_TASK}", (text(rows),))
    connection.execute("COMMIT")


def one_view(connection: sqlite3.Connection, commits: Sequence[Commit]) -> None:
    """What the store does: all rows into the view `batch`, one statement for everything."""
    batch.Batch(commits, {DEFINITION[0]}).write(connection)


def ready(path: Path) -> sqlite3.Connection:
    """A connection as the store's writer has it, to a new file that knows the definition."""
    file.prepare(path)
    connection = file.connect_writer(path)
    migrate.migrate(connection, path, migrate.known())
    batch.prepare(connection)
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    connection.execute("INSERT INTO definition_snapshots (hash, json) VALUES (?, ?)", DEFINITION)
    return connection


async def strategy(directory: Path, write: Write, busy_ms: float, seconds: float, width: int) -> None:
    """*width* executions in a closed loop over one writing thread, as `grouped`, with nothing but the way of writing in between."""
    connection = ready(directory / f"{write.__name__}{busy_ms}.db")
    inbox: queue.SimpleQueue[tuple[Commit, asyncio.Future[None]] | None] = queue.SimpleQueue()
    loop = asyncio.get_running_loop()

    def answer(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            future.set_result(None)

    def writing() -> None:
        while (item := inbox.get()) is not None:
            group = [item]
            while len(group) < 100 and not inbox.empty() and (item := inbox.get()) is not None:
                group.append(item)
            write(connection, [commit for commit, _ in group])
            loop.call_soon_threadsafe(answer, [future for _, future in group])

    thread = threading.Thread(target=writing)
    thread.start()
    until, waits = time.perf_counter() + seconds, []

    async def runs() -> None:
        while time.perf_counter() < until:
            for commit in lifecycle():
                if busy_ms:
                    think(busy_ms / 1e3)
                begun, future = time.perf_counter(), loop.create_future()
                inbox.put((commit, future))
                await future
                waits.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(runs() for _ in range(width)))
    took = time.perf_counter() - begun
    inbox.put(None)
    thread.join()
    connection.close()
    print(f"{write.__name__:10}  width {width:4}  work {busy_ms:4.2f} ms  {len(waits) / took:8,.0f} commits/s  {shown(waits)}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", choices=["grouped", "single", "paced", "filled", "strategies"])
    asked.add_argument("--busy", type=float, default=0.0, help="milliseconds of Python work around each commit")
    asked.add_argument("--seconds", type=float, default=5.0)
    asked.add_argument("--width", type=int, default=64, help="grouped: executions that move at once")
    asked.add_argument("--every", type=float, default=5.0, help="paced: milliseconds between commits")
    asked.add_argument("--executions", type=int, default=100_000, help="filled: how many")
    asked.add_argument("--dir", default=None)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as name:
        directory = Path(name)
        if given.what == "grouped":
            run(grouped(directory, given.busy, given.seconds, given.width))
        elif given.what == "single":
            run(single(directory, given.busy, given.seconds))
        elif given.what == "paced":
            run(paced(directory, given.seconds, given.every))
        elif given.what == "filled":
            run(filled(directory, given.executions))
        else:
            for write in (row_by_row, many_rows, one_json, one_view):
                run(strategy(directory, write, given.busy, given.seconds, given.width))


def run(what: Any) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(what)


if __name__ == "__main__":
    main()
