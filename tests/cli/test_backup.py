"""`batuta backup` and `batuta restore`: while a server runs, over what is there, and when something is wrong."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from pathlib import Path

import pytest
from clistage import Batuta, Program, single

from batuta.cli.failure import Exit
from batuta.client import SyncClient
from batuta.store.sqlite import SqliteStore


def made(data: Path) -> None:
    """A store of a server that never ran."""

    async def once() -> None:
        store = SqliteStore(data / "batuta.db")
        await store.open()
        await store.close()

    data.mkdir(exist_ok=True)
    asyncio.run(once())


def test_a_backup_is_made_beside_a_running_server_and_brings_it_back(tmp_path: Path) -> None:
    tool, data = Batuta(), tmp_path / "data"
    serve = ("server", "--port", "0", "--ui-port", "0", "--data", str(data), "--json")
    with Program(*serve, cwd=tmp_path) as server:
        url = url_of(server)
        with SyncClient(url) as client:
            client.register_workflow(single())
            before = [client.start_workflow("single") for _ in range(20)]
            ran = tool("backup", str(tmp_path / "copy.db"), "--data", str(data))
            assert (ran.code, "20 executions, checked" in ran.out) == (0, True), ran
            after = client.start_workflow("single")
        refused = tool("restore", str(tmp_path / "copy.db"), "--data", str(data))
        assert refused.code != 0
        assert "in use by another server" in refused.err
        server.process.terminate()
        server.ended()
    ran = tool("restore", str(tmp_path / "copy.db"), "--data", str(data), "--json")
    assert (ran.code, ran.json["executions"]) == (0, 20), ran
    with Program(*serve, cwd=tmp_path) as server, SyncClient(url_of(server)) as client:
        assert {one["workflowId"] for one in client.search(size=100)["results"]} == set(before)
    kept = Path(ran.json["kept"])
    assert ".before-restore-" in kept.name
    assert sqlite3.connect(kept).execute("SELECT count(*) FROM executions WHERE id = ?", (after,)).fetchone() == (1,)


def url_of(server: Program) -> str:
    return str(json.loads(server.line())["url"])


def test_where_one_is_everything_may_be_named_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "var")  # where a server keeps its data that is told nothing
    tool = Batuta()
    ran = tool("backup", "copy.db", "--json")
    assert ran.code == 0 and Path(ran.json["path"]).resolve() == tmp_path / "copy.db", ran
    ran = tool("restore", "copy.db", "--json")
    assert ran.code == 0 and Path(ran.json["path"]) == tmp_path / "var" / "batuta.db", ran


def test_a_store_that_a_server_has_is_not_replaced_under_another_name(tmp_path: Path) -> None:
    tool, data = Batuta(), tmp_path / "data"
    made(data)
    assert tool("backup", str(tmp_path / "copy.db"), "--data", str(data)).code == 0
    (tmp_path / "link.db").symlink_to(data / "batuta.db")

    async def while_it_is_open() -> None:
        store = SqliteStore(data / "batuta.db")
        await store.open()
        ran = await asyncio.to_thread(tool, "restore", str(tmp_path / "copy.db"), "--store", f"sqlite:///{tmp_path / 'link.db'}")
        await store.close()
        assert ran.code != 0 and "in use by another" in ran.err, ran

    asyncio.run(while_it_is_open())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    tool, data = Batuta(), tmp_path / "data"
    made(data)
    (tmp_path / "mine").write_text("precious")
    ran = tool("backup", str(tmp_path / "mine"), "--data", str(data))
    assert (ran.code, "exists" in ran.err, (tmp_path / "mine").read_text()) == (Exit.CONFLICT, True, "precious")


def test_a_directory_gets_a_file_named_by_the_time_for_this_user_alone(tmp_path: Path) -> None:
    tool, data, kept = Batuta(), tmp_path / "data", tmp_path / "kept"
    made(data)
    kept.mkdir()
    ran = tool("backup", str(kept), "--data", str(data), "--json")
    (copy,) = kept.iterdir()
    assert (ran.json["path"], ran.json["executions"]) == (str(copy), 0)
    assert copy.name.startswith("batuta-2") and stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["backup", "{tmp}/nowhere/copy.db", "--data", "{tmp}/data"], Exit.USAGE, "no directory"),
        (["backup", "{tmp}/copy.db", "--data", "{tmp}/empty"], Exit.USAGE, "there is no store at"),
        (["backup", "{tmp}/copy.db", "--store", "memory://"], Exit.USAGE, "is no file"),
        (["restore", "{tmp}/missing.db", "--data", "{tmp}/data"], Exit.USAGE, "there is no backup at"),
        (["restore", "{tmp}/text.db", "--data", "{tmp}/data"], Exit.USAGE, "not a database"),
        (["restore", "{tmp}/foreign.db", "--data", "{tmp}/data"], Exit.FAILED, "another program"),
        (["restore", "{tmp}/newer.db", "--data", "{tmp}/data"], Exit.FAILED, "another version"),
        (["restore", "{tmp}/damaged.db", "--data", "{tmp}/data"], Exit.USAGE, ""),
        (["restore", "{tmp}/data/batuta.db", "--data", "{tmp}/data"], Exit.USAGE, "is the store itself"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    tool, data = Batuta(), tmp_path / "data"
    made(data)
    (tmp_path / "text.db").write_text("text " * 1_000)
    sqlite3.connect(tmp_path / "foreign.db").executescript("CREATE TABLE theirs (x)")
    for name in ("newer.db", "damaged.db"):
        assert tool("backup", str(tmp_path / name), "--data", str(data)).code == 0
    sqlite3.connect(tmp_path / "newer.db").executescript("INSERT INTO migrations VALUES (99, 'to_come', 1)")
    with (tmp_path / "damaged.db").open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * 8192)
    before = (data / "batuta.db").read_bytes()
    ran = tool(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert (ran.code, said in ran.err) == (code, True), ran
    assert (data / "batuta.db").read_bytes() == before
    assert not [found for found in [*tmp_path.iterdir(), *data.iterdir()] if "unfinished" in found.name or "before-restore" in found.name]


def test_a_backup_is_restored_where_there_is_no_store_and_over_one_that_is_damaged(tmp_path: Path) -> None:
    tool, data = Batuta(), tmp_path / "data"
    made(data)
    assert tool("backup", str(tmp_path / "copy.db"), "--data", str(data)).code == 0
    assert tool("restore", str(tmp_path / "copy.db"), "--data", str(tmp_path / "new")).code == 0
    assert (tmp_path / "new" / "batuta.db").read_bytes() == (tmp_path / "copy.db").read_bytes()
    (data / "batuta.db").write_bytes(b"\0" * 20_000)
    ran = tool("restore", str(tmp_path / "copy.db"), "--data", str(data))
    assert (ran.code, "What was there before" in ran.out) == (0, True), ran
    assert (data / "batuta.db").read_bytes() == (tmp_path / "copy.db").read_bytes()
    made(data)  # and it opens
