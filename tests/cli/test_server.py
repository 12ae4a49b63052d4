"""`batuta server`: from its first line to its last commit, as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clistage import Batuta, Program, single

from batuta.cli.failure import Exit
from batuta.client import SyncClient, Unavailable
from batuta.store.sqlite.store import SqliteStore

QUIET = ("--port", "0", "--ui-port", "0")


def ready(program: Program) -> dict[str, Any]:
    line = program.line()
    assert line, program.ended()
    said: dict[str, Any] = json.loads(line)
    return said


def test_it_says_where_it_is_and_answers_there(tmp_path: Path) -> None:
    with Program("server", *QUIET, "--json", cwd=tmp_path) as program:
        said = ready(program)
        assert said["store"] == "sqlite:///var/batuta.db" and said["pid"] == program.process.pid and said["ui"] is None
        with SyncClient(said["url"]) as client:
            assert client.health()["healthy"] is True
    assert sqlite3.connect(tmp_path / "var" / "batuta.db").execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_the_next_start_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    with Program("server", *QUIET, "--json", cwd=tmp_path) as program, SyncClient(ready(program)["url"]) as client:
        client.register_workflow(single())
        execution_id = client.start_workflow("single")
        program.process.send_signal(number)
        ended = program.ended()
        assert (ended.code, ended.out) == (0, ""), ended
        with pytest.raises(Unavailable):
            client.version()
    with Program("server", *QUIET, "--json", cwd=tmp_path) as program, SyncClient(ready(program)["url"]) as client:
        assert client.get_workflow_status(execution_id) == "RUNNING"
        assert client.queue_sizes("step") == {"step": 1}


def test_a_poll_that_waits_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    import threading
    import time

    with Program("server", *QUIET, "--json", "--store", "memory://", cwd=tmp_path) as program, SyncClient(ready(program)["url"]) as client:
        began, polling = time.monotonic(), threading.Thread(target=lambda: client.poll_tasks("nothing", timeout_s=5.0), daemon=True)
        polling.start()
        while not client.poll_data("nothing"):  # it waits by then
            assert time.monotonic() - began < 10
        program.process.terminate()
        assert program.ended().code == 0 and time.monotonic() - began < 4
        polling.join(10)


def test_the_banner_says_what_is_where_and_what_is_off(tmp_path: Path) -> None:
    env = {"BATUTA_RETENTION_DAYS": "30", "BATUTA_HTTP_PRIVATE": "no", "BATUTA_PORT": "1"}
    with Program("server", *QUIET, "--data", "here", cwd=tmp_path, env=env) as program:
        banner = program.until("Ctrl-C")
        program.process.terminate()
        ended = program.ended()
    assert "\x1b" not in banner  # nobody looks: no colour
    for text in (
        "/api\n",
        "/swagger-ui/index.html",
        "off (--ui-port 0)",
        "sqlite:///here/batuta.db",
        "0 executions, 0 running",
        "30 days",
        "public addresses only",
    ):
        assert text in banner, (text, banner)
    assert "No authentication" not in banner
    assert ended.code == 0 and "Stopping" in ended.err and "everything is on disk" in ended.err


def test_open_to_the_network_it_warns(tmp_path: Path) -> None:
    with Program("server", *QUIET, "--host", "0.0.0.0", "--store", "memory://", cwd=tmp_path) as program:
        banner = program.until("Ctrl-C")
        assert "No authentication: whoever reaches 0.0.0.0:" in banner and "http://localhost:" in banner and "gone when the server stops" in banner


def test_a_port_that_is_taken_is_told_with_by_whom_and_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Program("server", "--port", str(port), "--store", "memory://", cwd=tmp_path) as program:
            ended = program.ended()
    assert (ended.code, ended.out) == (Exit.CONFLICT, "")
    assert f"port {port} is taken: another program listens there" in ended.err and f"(pid {os.getpid()})" in ended.err
    assert f"batuta server --port {port + 1}" in ended.err


def test_a_port_taken_by_a_server_says_so(tmp_path: Path) -> None:
    with Program("server", *QUIET, "--json", "--store", "memory://", cwd=tmp_path) as first:
        port = str(ready(first)["port"])
        with Program("server", *QUIET, "--port", port, "--json", "--store", "memory://", cwd=tmp_path) as second:
            ended = second.ended()
    assert ended.code == Exit.CONFLICT and "a Conductor API (version 0." in json.loads(ended.err)["error"]


def test_a_store_in_use_is_not_opened_twice(tmp_path: Path) -> None:
    with Program("server", *QUIET, "--json", cwd=tmp_path) as first:
        ready(first)
        with Program("server", *QUIET, cwd=tmp_path) as second:
            ended = second.ended()
    assert ended.code == Exit.FAILED and f"in use by another server (process {first.process.pid})" in ended.err


def newer(place: Path) -> None:
    """A store with one migration more than this version knows."""
    asyncio.run(_made(place))
    with contextlib.closing(sqlite3.connect(place)) as shell:
        shell.execute("INSERT INTO migrations VALUES (9999, 'wonders', 0)")
        shell.commit()


async def _made(place: Path) -> None:
    store = SqliteStore(place)
    await store.open()
    await store.close()


#   what is where the store, its directory or the data belong                                          sentence
UNUSABLE: list[tuple[Callable[[Path], object], tuple[str, ...], str]] = [
    (lambda d: (d / "here").touch(), (), "setting data: the directory 'here' cannot be made (File exists); expected one that this user may write to"),
    (lambda d: (d / "here" / "batuta.db").mkdir(parents=True), (), "/here/batuta.db' cannot be opened: Is a directory"),
    (lambda d: None, ("--data", "/proc"), "store '/proc/batuta.db' cannot be opened: "),
    (lambda d: (d / "b.db").write_bytes(b"SQLite format 3\0" * 99), ("--store", "sqlite:///b.db"), "put a backup in its place (`batuta restore`)"),
    (lambda d: newer(d / "b.db"), ("--store", "sqlite:///b.db"), "written by another version of Batuta: it has migration 9999_wonders"),
]


@pytest.mark.parametrize(("occupied", "options", "sentence"), UNUSABLE)
def test_a_place_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, occupied: Callable[[Path], object], options: tuple[str, ...], sentence: str) -> None:
    occupied(tmp_path)
    with Program("server", *QUIET, "--data", "here", *options, cwd=tmp_path) as program:
        ended = program.ended()
    assert (ended.code, ended.out) == (Exit.FAILED, "")
    assert sentence in ended.err and ended.err.startswith("batuta: ") and ended.err.count("\n") <= 2, ended.err


def test_a_ui_port_that_is_taken_is_only_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Program("server", "--port", "0", "--ui-port", str(port), "--store", "memory://", cwd=tmp_path) as program:
            assert f"off: port {port} is taken; --ui-port chooses another" in program.until("Ctrl-C")


#       options                                     complaint
WRONG = [
    (["--store", "nonsense"], "store URL 'nonsense'"),
    (["--port", "99999"], "setting port: found 99999, expected 0 to 65535"),
    (["--port", "many"], "'many' is not a valid integer"),
    (["--http-private", "maybe"], "setting http_private: found 'maybe'"),
    (["--console-links", "Grafana=grafana.lan"], "setting console_links: found 'Grafana=grafana.lan', expected TITLE=https://HOST"),
]


@pytest.mark.parametrize(("options", "complaint"), WRONG)
def test_a_setting_that_cannot_be_is_named(options: list[str], complaint: str) -> None:
    ran = Batuta()("server", *options)
    assert ran.code == Exit.USAGE and complaint in " ".join(ran.err.split())


def test_the_environment_is_read_and_the_option_wins(tmp_path: Path) -> None:
    env = {"BATUTA_STORE": "memory://", "BATUTA_PORT": "0", "BATUTA_UI_PORT": "0", "BATUTA_HOST": "nowhere.invalid"}
    with Program("server", "--json", "--host", "127.0.0.1", cwd=tmp_path, env=env) as program:
        assert ready(program)["store"] == "memory://"
    with Program("server", "--json", cwd=tmp_path, env={**env, "BATUTA_PORT": "x"}) as program:
        ended = program.ended()
        assert ended.code == Exit.USAGE and "port" in ended.err


def test_logs_are_objects_when_asked_and_the_banner_is_one_of_them(tmp_path: Path) -> None:
    with Program("server", *QUIET, "--store", "memory://", "--log-json", cwd=tmp_path) as program:
        assert program.process.stderr is not None
        line = json.loads(program.process.stderr.readline())
        program.process.terminate()
        ended = program.ended()
    assert (line["level"], line["logger"]) == ("info", "batuta") and line["message"].startswith("ready: http://localhost:")
    assert (ended.code, ended.out) == (0, "") and all(json.loads(text) for text in ended.err.splitlines())
