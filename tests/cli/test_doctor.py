"""`batuta doctor`: what it finds, and what it says to do."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from clistage import NOBODY, Batuta, single

from batuta.cli import checks, checks_server
from batuta.cli.failure import Exit
from batuta.settings import Settings
from batuta.testing import EmbeddedServer, embedded


def findings(batuta: Batuta, *options: str) -> dict[str, dict[str, Any]]:
    report = batuta("doctor", *options, "--json").json
    return {one["check"]: one for one in report["findings"]}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store that a server has written."""
    path = tmp_path / "batuta.db"
    with embedded(store=f"sqlite:///{path}") as server:
        server.client.register_workflow(single())
        server.client.start_workflow("single")
    return path


def test_a_healthy_machine_is_told_so_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = Batuta(NOBODY)("doctor", env={"BATUTA_URL": ""})
    assert ran.code == 0, ran.out
    assert [line for line in ran.lines if line and not line.startswith(" ")][:3] == ["This machine", "Store", "Server"]
    assert "JavaScript and jq run in their sandbox" in ran.out
    nobody = ran.lines[-1].endswith("No server is running, so none was looked at.")
    assert nobody or "8080 is taken" in ran.out or "http://127.0.0.1:8080/api  version" in ran.out  # whoever runs the tests may run a server
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_looked_at_without_being_touched(store: Path) -> None:
    before = store.read_bytes()
    found = findings(Batuta(NOBODY), "--store", f"sqlite:///{store}")
    assert (found["Store"]["level"], found["Integrity"]["level"]) == ("ok", "ok")
    assert store.read_bytes() == before


def test_a_store_in_use_is_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "batuta.db"
    with embedded(store=f"sqlite:///{path}") as server:
        server.client.register_workflow(single())
        found = findings(Batuta(server.url), "--store", f"sqlite:///{path}")
        assert (found["Integrity"]["level"], found["Server"]["level"]) == ("ok", "ok")
        assert server.client.start_workflow("single")


def test_a_damaged_store_fails(store: Path) -> None:
    content = bytearray(store.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    store.write_bytes(bytes(content))
    for leftover in (store.with_name(store.name + "-wal"), store.with_name(store.name + "-shm")):
        leftover.unlink(missing_ok=True)
    ran = Batuta(NOBODY)("doctor", "--store", f"sqlite:///{store}")
    assert ran.code == Exit.FAILED and "restore the last backup" in ran.out and "1 failed" in ran.lines[-1]


def test_something_else_than_a_store_fails(tmp_path: Path) -> None:
    (tmp_path / "batuta.db").write_text("no database, but long enough to be looked at" * 100)
    assert findings(Batuta(NOBODY), "--data", str(tmp_path))["Integrity"]["level"] == "fail"


def settings(**values: Any) -> Settings:
    return Settings(**values)


def only(found: Iterable[checks.Finding]) -> checks.Finding:
    return next(iter(found))


def test_a_place_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    found = only(checks.store(settings(data=str(tmp_path / "var")), in_full=False))
    assert found.level == "fail" and f"{tmp_path} is not writable" in found.found and "--data" in found.advice


#       free bytes     level
DISKS = [(100_000_000, "fail"), (1_000_000_000, "warn"), (50_000_000_000, "ok")]


@pytest.mark.parametrize(("free", "level"), DISKS)
def test_a_disk_that_fills_up_is_noticed_in_time(free: int, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"total": 10**12, "used": 10**12 - free, "free": free})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = {one.check: one for one in checks.store(settings(data=str(tmp_path)), in_full=False)}
    assert found["Disk"].level == level and bool(found["Disk"].advice) == (level != "ok")


def test_a_log_that_does_not_shrink_is_noticed(store: Path) -> None:
    wal = store.with_name(store.name + "-wal")
    wal.touch()
    os.truncate(wal, checks.WAL_BYTES_WARN + 1)  # sparse: takes no room
    found = {one.check: one for one in checks.store(settings(store=f"sqlite:///{store}"), in_full=False)}
    assert found["Log (WAL)"].level == "warn"


def test_a_large_store_is_read_through_only_when_asked(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "QUICK_CHECK_BYTES_MAX", 10)
    for in_full, level in ((False, "note"), (True, "ok")):
        found = {one.check: one for one in checks.store(settings(store=f"sqlite:///{store}"), in_full=in_full)}
        assert found["Integrity"].level == level


def test_a_store_written_in_the_future_means_a_clock_set_back(store: Path) -> None:
    later = time.time() + 3600
    os.utime(store, (later, later))
    found = checks.clock(settings(store=f"sqlite:///{store}"))
    assert found.level == "fail" and ("was written in 59m" in found.found or "was written in 1h" in found.found)


def test_scripts_that_do_not_run_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys, "executable", "/bin/false")  # what script processes are started with
    assert checks.sandbox(settings()).level == "fail"
    monkeypatch.undo()
    assert checks.sandbox(settings()).level == "ok"


#       settings                                                   level    part of the text
GUARDS = [
    ({}, "ok", "listens on loopback only"),
    ({"host": "0.0.0.0"}, "ok", "public addresses only"),
    ({"host": "0.0.0.0", "http_private_allow": "build.lan"}, "ok", "except build.lan"),
    ({"host": "0.0.0.0", "http_private": "yes"}, "warn", "though the server listens on 0.0.0.0"),
    ({"http_private": "yes"}, "ok", "listens on loopback only"),
    ({"http_private": "no"}, "ok", "public addresses only"),
]


@pytest.mark.parametrize(("values", "level", "text"), GUARDS)
def test_the_guard_of_http_tasks_is_told_as_it_is(values: dict[str, Any], level: str, text: str) -> None:
    found = checks.guard(settings(**values))
    assert found.level == level and text in found.found


#    settings of the webhook                                        level    what is said
WEBHOOKS = [
    ({"webhook_secret": "whsec_" + "A" * 32},                        "ok",    "is told of COMPLETED, TERMINATED; signed"),
    ({"webhook_workflows": "", "webhook_tasks": "FAILED"},           "warn",  "is told of FAILED; not signed"),
    ({"webhook_secret": "sesame"},                                   "fail",  "setting webhook_secret: secret 1 is none"),
    ({"webhook_tasks": "DONE"},                                      "fail",  "setting webhook_tasks: found 'DONE'"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "level", "text"), WEBHOOKS)
def test_the_webhook_is_told_of_before_the_server_starts(values: dict[str, Any], level: str, text: str) -> None:
    [found] = checks.webhook(settings(webhook_url="http://127.0.0.1:9", **values))
    assert found.level == level and found.found.startswith(text) and "sesame" not in str(found)
    assert list(checks.webhook(settings(**values))) == []


def test_retention_is_told() -> None:
    assert "nothing is ever deleted" in checks.kept(settings()).found
    assert "after 30 days" in checks.kept(settings(retention_days=30.0)).found


def test_a_memory_store_has_no_file_to_look_at() -> None:
    assert [one.level for one in checks.store(settings(store="memory://"), in_full=False)] == ["note"]


def test_queues_without_workers_and_lost_executions_are_told(server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_workflow(single())
    server.client.start_workflow("single")
    found = findings(batuta)
    assert found["Workers"]["level"] == "warn" and "nobody takes step (1 waiting, never polled)" in found["Workers"]["found"]
    assert found["Oldest wait"]["level"] == "ok" and "step (step) of execution" in found["Oldest wait"]["found"]
    server.do("step", status="FAILED_WITH_TERMINAL_ERROR", reason="no")
    found = findings(batuta)
    assert found["Workers"] == {**found["Workers"], "level": "ok", "found": "1 queue served, 0 tasks waiting"}
    assert "1 failed" in found["Executions"]["found"] and "Oldest wait" not in found


def test_a_task_that_waits_too_long_is_told() -> None:
    with embedded() as server:
        server.client.register_workflow(single())
        server.client.start_workflow("single")
        in_an_hour = (time.time() + 3600) * 1000
        found = {one.check: one for one in checks_server.server(server.client, in_an_hour)}
        assert found["Oldest wait"].level == "warn" and "for 1h 00m" in found["Oldest wait"].found


def test_whoever_sits_on_the_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        from batuta.cli import ports

        assert f"(pid {os.getpid()})" in ports.listener(port)
        free = socket.create_server(("127.0.0.1", 0))
        nobody = free.getsockname()[1]
        free.close()
        assert ports.listener(nobody) == ""
        ran = Batuta(f"http://127.0.0.1:{nobody}/api")("doctor", "--data", str(tmp_path))
        assert ran.code == 0 and f"port {nobody} is free" in ran.out


def test_what_answers_but_is_no_server_fails(tmp_path: Path) -> None:
    import http.server
    import threading

    class Wrong(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wrong) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        ran = Batuta(f"http://127.0.0.1:{other.server_port}/api")("doctor", "--data", str(tmp_path))
        other.shutdown()
    assert ran.code == Exit.FAILED and "is no Conductor API" in ran.out


def test_a_setting_that_cannot_be_is_named() -> None:
    ran = Batuta()("doctor", env={"BATUTA_PORT": "many"})
    assert ran.code == Exit.USAGE and "port" in ran.err


def test_sqlite_itself_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.sqlite() == checks.Finding("SQLite", "ok", sqlite3.sqlite_version)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 20, 0))
    found = checks.sqlite()
    assert found.level == "fail" and "needs" in found.found


def test_stored_secrets_and_their_key_are_looked_at(tmp_path: Path) -> None:
    key = tmp_path / "secrets.key"

    def found() -> checks.Finding:
        return checks.secrets(settings(data=str(tmp_path)))

    assert (found().level, found().found) == ("ok", "none are stored")
    with embedded(store="", data=str(tmp_path)) as server:
        Batuta(server.url)("secrets", "set", "TOKEN", stdin="0123456789")
        assert found().level == "ok" and "1 stored, sealed with key" in found().found and "No backup of the store holds that key" in found().advice
    key.chmod(0o644)
    assert found().level == "warn" and found().found.endswith("which others may read (mode 0644)") and found().advice == f"chmod 600 {key}"
    key.rename(tmp_path / "elsewhere")
    assert found().level == "fail" and "1 of 1 cannot be read, TOKEN among them: it was sealed with key" in found().found
    assert checks.secrets(settings(data=str(tmp_path), secrets_key="hunter2")).level == "fail"
    assert not key.exists()
