"""
Free text in the SQLite store: whatever the index knows and does not know yet, what is found is what is stored.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import conformance
import conformance_questions
import pytest
from conformance_questions import some_commit
from storekit import T0, move, new_id, outcomes, remove, start, task

from batuta.core.freetext import parse_text
from batuta.core.query import parse
from batuta.errors import Invalid
from batuta.store.sqlite import SqliteStore, file, reader, upkeep, words
from batuta.store.sqlite import store as sqlite_store
from batuta.store.sqlite.reader import Reader


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "s.db")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every group of commits is followed by a piece of indexing, and everything counts as at rest."""
    monkeypatch.setattr(words, "PACE_WEIGHT", 1)
    monkeypatch.setattr(words, "BACKLOG_MAX", 1)
    monkeypatch.setattr(words, "REST_MS", -(10**15))


@pytest.mark.usefixtures("eager")
class TestWriting(conformance.Writing): ...


@pytest.mark.usefixtures("eager")
class TestRemoving(conformance.Removing): ...


@pytest.mark.usefixtures("eager")
class TestSearching(conformance_questions.Searching): ...


@pytest.mark.usefixtures("eager")
class TestAgreement(conformance_questions.Agreement): ...


async def indexed(store: SqliteStore) -> sqlite3.Connection:
    """A look into the file once everything at rest is in the index."""
    shell = sqlite3.connect(store.path, isolation_level=None)
    for _ in range(1000):
        if shell.execute(
            "SELECT count(*) FROM words_due JOIN executions USING (key) WHERE ended_at > 0 AND NOT is_large UNION SELECT count(*) FROM words_gone"
        ).fetchall() == [(0,)]:
            return shell
        await asyncio.sleep(0.01)
    raise AssertionError("not indexed within 10 s")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("seed", range(4))
async def test_the_index_holds_what_is_stored_and_nothing_else(store: SqliteStore, seed: int) -> None:
    chance, sent = random.Random(seed), list[str]()
    ids = [f"{at:08x}-0000-4000-8000-{seed:012x}" for at in range(8)]
    for _ in range(30):
        revisions = {found.execution_id: found.head.revision for found in await store.heads(ids)}
        revisions = {id: revisions.get(id, 0) for id in ids}
        await outcomes(store, *[[some_commit(chance, chance.choice(ids), revisions, sent)] for _ in range(6)])
    shell = sqlite3.connect(store.path, isolation_level=None)
    shell.execute("BEGIN")  # one look: indexing goes on
    texts = dict(shell.execute("SELECT key, words FROM all_words WHERE key NOT IN (SELECT key FROM words_due) UNION ALL SELECT key, words FROM words_gone"))
    terms = {text[at : at + 3].lower() for text in texts.values() for at in range(len(text) - 2)} | {"simple"[:3], "zzz"}
    for term in terms:
        named = {key for (key,) in shell.execute("SELECT rowid FROM words WHERE words MATCH ?", ('"' + term.replace('"', '""') + '"',))}
        assert named == {key for key, text in texts.items() if term in text.lower()}, term
    shell.close()


async def test_a_quiet_store_indexes_what_has_ended_and_finds_all_the_same(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 0.001)
    await store.submit([start(f"e{at}", task(f"e{at}", 1, output=b"needle %d" % at), status="COMPLETED", ended_at=T0) for at in range(100)])
    await store.submit([start("moves", input=b"a needle that moves", updated_at=int(time.time() * 1000))])
    shell = await indexed(store)
    assert shell.execute("SELECT count(*) FROM words_due").fetchone() == (1,)
    assert (await store.search("tasks", parse_text("needle", ())))[0] == 100
    assert await store.search("executions", parse_text("NEEDLE moves", ())) == (1, [("moves", 0)])
    await store.submit([move("e5", 1, task("e5", 1, output=b"gone"))])  # revived: its old words must not stay
    await store.submit([remove("e6", 1)])
    assert (await store.search("tasks", parse_text("needle", ())))[0] == 98
    shell = await indexed(store)
    assert shell.execute("SELECT count(*) FROM words WHERE words MATCH 'nee'").fetchone() == (98,)
    shell.close()


async def test_free_text_is_looked_for_where_the_index_says(store: SqliteStore) -> None:
    await store.submit([start("e")])
    connection = file.connect_reader(store.path)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    for kind in ("executions", "tasks"):
        asked.clear()
        Reader(connection).search(kind, parse_text("needle -hay (pin OR pen)", ()), (), 0, 10)
        (sql,) = (sql for sql in asked if "count(*) OVER" in sql)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any("SCAN words VIRTUAL TABLE" in step for step in plan), plan
        assert not any(step in ("SCAN e", "SCAN t") or "BLOOM" in step for step in plan), plan
    connection.close()


async def test_an_execution_with_very_much_text_is_found_without_the_index(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 0.001)
    monkeypatch.setattr(words, "BYTES_MAX", 2_000)
    await store.submit([start("much", *(task("much", n, output=b"page of text") for n in range(1, 20)), status="COMPLETED", ended_at=T0)])
    await store.submit([start("little", status="COMPLETED", ended_at=T0)])
    shell = await indexed(store)
    assert shell.execute("SELECT count(*), max(is_large) FROM words_due").fetchone() == (1, 1)
    assert (await store.search("tasks", parse_text('"of text"', ())))[0] == 19
    await store.submit([remove("much", 1)])
    assert shell.execute("SELECT count(*) FROM words_due").fetchone() == (0,)
    shell.close()


async def test_what_is_taken_out_is_taken_out_in_pieces_of_bounded_size(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 0.001)
    ids = [new_id() for _ in range(40)]
    await store.submit([start(id, input=b"needle " * 1_000, status="COMPLETED", ended_at=T0) for id in ids])
    shell = await indexed(store)
    asked = "SELECT count(*) FROM words WHERE words MATCH 'nee'"
    assert shell.execute(asked).fetchone() == (40,)
    await store.submit([remove(id, 1) for id in ids[:39]])
    shell = await indexed(store)
    assert shell.execute(asked).fetchone() == (1,)
    shell.execute("BEGIN")
    shell.executemany("INSERT INTO words_gone VALUES (?, ?)", [(at, "x" * 100_000) for at in range(5, 9)])
    assert [key for (key,) in shell.execute(words._LEAVING)] == [5, 6]
    shell.execute("ROLLBACK")
    shell.close()


async def test_an_index_that_cannot_be_written_costs_no_answer(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_INDEX", "INSERT INTO nowhere SELECT ?")
    monkeypatch.setattr(upkeep, "QUIET_S", 0.001)
    await store.submit([start("e", input=b"needle", status="COMPLETED", ended_at=T0)])
    care = store._open.upkeep if store._open is not None else None
    assert care is not None
    for _ in range(500):
        if not care._words.is_due:
            break
        await asyncio.sleep(0.01)
    await store.submit([start("f", input=b"needle")])
    assert (await store.search("executions", parse_text("needle", ())))[0] == 2


async def test_a_search_that_takes_too_long_is_stopped_and_says_so(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.submit([start(new_id(), *(task(new_id(), n, input=b"x" * 4_000) for n in range(1, 50))) for _ in range(40)])
    monkeypatch.setattr(sqlite_store, "SEARCH_S_MAX", 0.0)
    query = parse(" OR ".join(f"input = '*{at}*y*z*'" for at in range(150)))
    with pytest.raises(Invalid, match="took longer"):
        await store.search("tasks", query)
    monkeypatch.undo()
    assert (await store.search("tasks", None))[0] == 40 * 49


async def test_a_slow_search_holds_neither_commits_nor_other_questions_up(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.submit([start(new_id(), *(task(new_id(), n, input=b"x" * 4_000) for n in range(1, 50))) for _ in range(100)])
    now = [0.0]
    monkeypatch.setattr(reader, "time", SimpleNamespace(monotonic=lambda: now[0]))
    slow = asyncio.ensure_future(store.search("tasks", parse(" OR ".join(f"input = '*{at}*y*z*'" for at in range(150)))))
    for _ in range(20):
        e = new_id()
        await store.submit([start(e, task(e, 1))])
        assert await store.load(e) is not None
    assert (await store.search("executions", parse("status = RUNNING")))[0] == 120
    assert not slow.done()  # it would take minutes
    now[0] = 1_000.0
    with pytest.raises(Invalid, match="took longer"):
        await slow


STRANGE = [
    '"', "a\x00bc", "%%%", "___", "'''", "\\\\\\", "a*b*c*d", "né", "日本語", "NEAR(a b)", "^abc", "words:abc", "rowid:1",
    " ".join(map(str, range(100, 149))),
]  # fmt: skip


@pytest.mark.parametrize("text", STRANGE)
async def test_no_text_is_too_strange_to_be_looked_for(store: SqliteStore, text: str) -> None:
    await store.submit([start("e", input=f'{{"x": "{text}"}}'.encode())])
    try:
        total, _ = await store.search("executions", parse_text(text, ()))
    except Invalid as refused:
        assert "NUL" in str(refused)
    else:
        assert total == 1
