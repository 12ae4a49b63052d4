"""
The database file: one server a file, nobody else's files, and schemas that move forward only.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from storekit import everything, letter, lines, move, new_id, outcome, remove, start, task, task_id

from batuta.errors import Unavailable
from batuta.store.protocol import Document
from batuta.store.sqlite import SqliteStore, file, migrate
from batuta.store.sqlite.migrate import Migration

OPEN_AND_WAIT = """
import asyncio, sys
from batuta.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    print("open", flush=True)
    sys.stdin.readline()
    await store.close()

asyncio.run(main())
"""


async def refusal(path: Path) -> str:
    """What opening this file is refused with."""
    with pytest.raises(Unavailable) as raised:
        await SqliteStore(path).open()
    return str(raised.value)


async def fill(path: Path) -> list[str]:
    """A store with a little of everything; its executions."""
    store = SqliteStore(path)
    await store.open()
    ids = [new_id() for _ in range(3)]
    for id in ids:
        first = start(id, task(id, 1, input=b"x" * 9_000), task(id, 2, "IN_PROGRESS"))
        first.outbox, first.logs = [letter(id)], lines(task_id(id, 1), "line")
        await store.submit([first])
    await store.put([Document("kind", "k", 1, b"{}")])
    await store.close()
    return ids


async def contents(path: Path, ids: list[str]) -> object:
    store = SqliteStore(path)
    await store.open()
    try:
        return await everything(store, ids)
    finally:
        await store.close()


# -- one server a file ----------------------------------------------------------------------------------------------------------


async def test_a_second_store_in_the_same_process_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    await store.open()
    os.symlink(tmp_path / "s.db", tmp_path / "other-name.db")
    for name in ("s.db", "other-name.db"):
        assert f"in use by another server (process {os.getpid()})" in await refusal(tmp_path / name)
    with pytest.raises(Unavailable, match="open already"):
        await store.open()
    await store.close()
    await store.open()
    await store.close()


async def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    first = subprocess.Popen([sys.executable, "-c", OPEN_AND_WAIT, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    assert f"process {first.pid}" in await refusal(path)
    first.kill()
    first.communicate(timeout=10)
    store = SqliteStore(path)
    await store.open()
    await store.close()


async def test_a_refused_second_store_leaves_the_first_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    await store.open()
    await refusal(tmp_path / "s.db")
    assert await outcome(store.submit([start("e")])) == "ok"
    assert "in use" in await refusal(tmp_path / "s.db")
    await store.close()


# -- nobody else's files --------------------------------------------------------------------------------------------------------


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"dear diary, today I wrote a long entry")
    assert "is not a SQLite database (it starts with b'dear diary, toda')" in await refusal(path)
    assert path.read_bytes() == b"dear diary, today I wrote a long entry"


async def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    said = await refusal(path)
    assert f"store {str(path)!r} cannot be opened: file is not a database; put a backup in its place (`batuta restore`)" in said


async def test_a_database_with_a_damaged_page_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with path.open("r+b") as damaged:
        damaged.seek(100)  # behind the header: the page that the schema begins on
        damaged.write(b"\xff" * 1_000)
    before = path.read_bytes()
    assert "cannot be opened: database disk image is malformed; put a backup in its place" in await refusal(path)
    assert path.read_bytes() == before


async def test_a_disk_without_room_is_refused_and_taken_up_when_there_is_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    with monkeypatch.context() as full:
        connect = file.connect_writer

        def cramped(place: Path) -> sqlite3.Connection:
            connection = connect(place)
            connection.execute("PRAGMA max_page_count = 4")  # SQLite then fails as on a disk that is full
            return connection

        full.setattr(file, "connect_writer", cramped)
        assert f"store {str(path)!r} cannot be opened: database or disk is full; make room on its disk" in await refusal(path)
    store = SqliteStore(path)
    await store.open()
    assert await outcome(store.submit([start("e")])) == "ok"
    await store.close()


@pytest.mark.parametrize("sql", ["CREATE TABLE photos (id)", "PRAGMA application_id = 42; CREATE TABLE t (x)"])
async def test_another_programs_database_is_refused_and_kept(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "photos.db"
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()
    before = path.read_bytes()
    assert "is a database of another program" in await refusal(path)
    assert path.read_bytes() == before


async def test_a_directory_and_a_place_that_cannot_be(tmp_path: Path) -> None:
    assert "Is a directory" in await refusal(tmp_path)
    (tmp_path / "file").touch()
    assert "cannot be opened" in await refusal(tmp_path / "file" / "s.db")


async def test_a_lock_that_cannot_be_taken_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "s.db.lock").mkdir()
    assert "cannot be opened" in await refusal(tmp_path / "s.db")


async def test_a_new_store_makes_its_directory_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "s.db"
    store = SqliteStore(path)
    await store.open()
    await store.submit([start("e")])
    assert {stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()} == {0o600}
    await store.close()
    assert sorted(found.name for found in path.parent.iterdir()) == ["s.db", "s.db.lock"]


async def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "s.db").touch()
    ids = await fill(tmp_path / "s.db")
    assert await contents(tmp_path / "s.db", ids)


# -- other programs on the same file --------------------------------------------------------------------------------------------


async def test_someone_elses_lock_delays_commits_and_no_reads(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    await store.open()
    await store.submit([start("a")])
    shell = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    late = store.submit([start("b")])
    assert len(await store.heads(["a", "b"])) == 1
    assert not late.done()
    shell.execute("COMMIT")
    await asyncio.wait_for(late, 10)
    shell.close()
    await store.close()


async def test_a_lock_held_too_long_fails_what_waited_and_nothing_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BUSY_MS", 30)
    store = SqliteStore(tmp_path / "s.db")
    await store.open()
    shell = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="database is locked"):
        await store.submit([start("a")])
    shell.execute("COMMIT")
    shell.close()
    assert await outcome(store.submit([start("a"), move("a", 1)])) == "ok"
    await store.close()


# -- schemas --------------------------------------------------------------------------------------------------------------------

KNOWN = migrate.known()
NEXT = Migration(len(KNOWN) + 1, "colours", "ALTER TABLE executions ADD COLUMN colour TEXT; CREATE INDEX by_colour ON executions (colour);")
BROKEN = Migration(len(KNOWN) + 1, "broken", "CREATE TABLE half (x); ALTER TABLE nobody ADD COLUMN x;")


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.version for migration in KNOWN] == list(range(1, len(KNOWN) + 1))
    assert len({migration.name for migration in KNOWN}) == len(KNOWN)


async def test_an_older_file_is_copied_then_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    ids = await fill(path)
    before = await contents(path, ids)
    monkeypatch.setattr(migrate, "known", lambda: [*KNOWN, NEXT])
    assert await contents(path, ids) == before
    ledger = sqlite3.connect(path).execute("SELECT version, name, applied_at > 0 FROM migrations ORDER BY version").fetchall()
    assert ledger == [*((m.version, m.name, 1) for m in KNOWN), (NEXT.version, "colours", 1)]
    assert await contents(path, ids) == before  # a second opening has nothing to do
    (copy,) = (found for found in tmp_path.iterdir() if f".before-{NEXT.version:04}-" in found.name)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    monkeypatch.undo()
    assert await contents(copy, ids) == before


async def test_a_new_file_needs_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "known", lambda: [*KNOWN, NEXT])
    await fill(tmp_path / "s.db")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["s.db", "s.db.lock"]


async def test_a_newer_file_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    ids = await fill(path)
    monkeypatch.setattr(migrate, "known", lambda: [*KNOWN, NEXT])
    before = await contents(path, ids)
    monkeypatch.undo()
    said = await refusal(path)
    assert f"has migration {NEXT.version:04}_colours, and this version ends at {KNOWN[-1].version:04}_{KNOWN[-1].name}" in said
    assert "s.db.before-" in said
    monkeypatch.setattr(migrate, "known", lambda: [*KNOWN, NEXT])
    assert await contents(path, ids) == before


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    ids = await fill(path)
    before = await contents(path, ids)
    monkeypatch.setattr(migrate, "known", lambda: [*KNOWN, BROKEN])
    assert "no such table: nobody" in await refusal(path)
    monkeypatch.undo()
    assert await contents(path, ids) == before


# -- copies ---------------------------------------------------------------------------------------------------------------------


async def test_a_backup_is_a_whole_store_taken_while_commits_go_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    await store.open()
    ids = [new_id() for _ in range(200)]
    await store.submit([start(id, task(id, 1)) for id in ids[:100]])
    later = [store.submit([start(id, task(id, 1))]) for id in ids[100:]]
    await store.backup(tmp_path / "copy.db")
    await asyncio.gather(*later)
    with pytest.raises(Unavailable, match="exists"):
        await store.backup(tmp_path / "copy.db")
    with pytest.raises(Unavailable, match="was not made"):
        await store.backup(tmp_path / "nowhere" / "copy.db")
    assert await outcome(store.submit([move(ids[0], 1)])) == "ok"
    await store.close()
    copy = SqliteStore(tmp_path / "copy.db")
    await copy.open()
    found = await copy.heads(ids)
    assert [one.execution_id for one in found][:100] == ids[:100]
    assert len(await copy.find()) == len(found)
    await copy.close()


async def test_snapshots_that_nobody_uses_go_when_the_store_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = SqliteStore(path)
    await store.open()
    used, unused = start("a"), start("b", definition_hash="unused")
    unused.definition = ("unused", b"{}")
    await store.submit([used, unused])
    await store.submit([remove("b", 1)])
    await store.close()
    await store.open()
    stored = await store.load("a")
    assert stored is not None
    await store.close()
    assert sqlite3.connect(path).execute("SELECT hash FROM definition_snapshots").fetchall() == [("hash-1",)]
