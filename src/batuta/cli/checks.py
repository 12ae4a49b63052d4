"""
What `batuta doctor` looks at on this machine: Python, SQLite, the store's file, the disk, the clock, the script sandbox, settings, the broker, tools.

Here: checks that need no server; each returns findings and raises nothing. Not here: checks of a running server (checks_server.py), printing (doctor.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from batuta.cli import words
from batuta.errors import BatutaError, Invalid
from batuta.store import open_store

if TYPE_CHECKING:
    from batuta.settings import Settings

GB: Final = 1_000_000_000
QUICK_CHECK_BYTES_MAX: Final = 1 * GB  # a larger store is read through only when asked for: it takes a second a gigabyte on a good disk
WAL_BYTES_WARN: Final = 256_000_000  # a server keeps it below 64 MB; more means that a reader holds it or that checkpoints fail
FREE_BYTES_WARN: Final = 2 * GB
FREE_BYTES_FAIL: Final = 200_000_000
FUTURE_S_MAX: Final = 60.0
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
TOOLS: Final = (("git", "firmware sources"), ("pio", "firmware builds"), ("esptool", "flashing over a cable"))

Level = Literal["ok", "warn", "fail", "note"]


class Finding(NamedTuple):
    """One line of the report. A note is a fact that is neither good nor bad."""

    check: str
    level: Level
    found: str
    advice: str = ""


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", "ok", f"{version}  {sys.executable}")


def sqlite() -> Finding:
    """Whether a store works with the SQLite of this Python: one is made in a temporary directory and thrown away."""

    async def tried() -> None:
        opened = open_store(f"sqlite:///{directory}/store.db")
        await opened.open()
        await opened.close()

    with tempfile.TemporaryDirectory(prefix="batuta-doctor-") as directory:
        try:
            asyncio.run(tried())
        except BatutaError as error:
            return Finding("SQLite", "fail", str(error), "Use a newer Python: SQLite comes with it.")
    return Finding("SQLite", "ok", sqlite3.sqlite_version)


def store(settings: Settings, *, in_full: bool) -> Iterator[Finding]:
    """The store's file, its write-ahead log, its integrity, the disk below it."""
    path = store_path(settings)
    if path is None:
        yield Finding("Store", "note", settings.store_url, "" if settings.store_url == "memory://" else "Expected sqlite:///PATH or memory://.")
        return
    if not path.exists():
        yield _not_there_yet(path)
    else:
        size = path.stat().st_size
        yield Finding("Store", "ok", f"{path}  {words.size(size)}")
        yield _write_ahead_log(path)
        yield _integrity(path, size, in_full)
    yield _disk(path)


def store_path(settings: Settings) -> Path | None:
    """The file of an SQLite store; None for any other."""
    scheme, _, rest = settings.store_url.partition(":///")
    return Path(rest) if scheme == "sqlite" and rest else None


def _existing_parent(path: Path) -> Path:
    return next((parent for parent in path.absolute().parents if parent.is_dir()), Path("/"))


def _not_there_yet(path: Path) -> Finding:
    parent = _existing_parent(path)
    if not os.access(parent, os.W_OK | os.X_OK):
        return Finding("Store", "fail", f"{path} cannot be made: {parent} is not writable for this user", "Choose another place with --data or --store.")
    return Finding("Store", "note", f"{path}  not there yet: the first start of the server makes it")


def _write_ahead_log(path: Path) -> Finding:
    wal = path.with_name(path.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > WAL_BYTES_WARN:
        advice = "It should shrink by itself: look for a program that holds the store open, such as a backup or a sqlite3 shell."
        return Finding("Log (WAL)", "warn", words.size(size), advice)
    return Finding("Log (WAL)", "ok", words.size(size))


def _integrity(path: Path, size: int, in_full: bool) -> Finding:
    if size > QUICK_CHECK_BYTES_MAX and not in_full:
        found = f"not checked: the store is larger than {words.size(QUICK_CHECK_BYTES_MAX)}"
        return Finding("Integrity", "note", found, "Check it with `batuta doctor --full`.")
    began = time.perf_counter()
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            problems = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        advice = "Start the server once: it recovers what a crash left. If that does not help, restore the last backup."
        return Finding("Integrity", "fail", f"the store cannot be read: {error}", advice)
    if problems != ["ok"]:
        return Finding("Integrity", "fail", "; ".join(problems), "The file is damaged: stop the server, keep a copy of it, restore the last backup.")
    return Finding("Integrity", "ok", f"quick check passed in {words.duration((time.perf_counter() - began) * 1000)}")


def _disk(path: Path) -> Finding:
    usage = shutil.disk_usage(_existing_parent(path))
    found = f"{words.size(usage.free)} free of {words.size(usage.total)}"
    if usage.free < FREE_BYTES_FAIL:
        return Finding("Disk", "fail", found, "The server will soon be unable to write: free some space now.")
    if usage.free < FREE_BYTES_WARN:
        return Finding("Disk", "warn", found, "Free some space, or have old executions deleted with --retention-days.")
    return Finding("Disk", "ok", found)


def clock(settings: Settings) -> Finding:
    """Timers are as right as this clock. A store written in the future means that it was set back."""
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now))
    path = store_path(settings)
    written = max((p.stat().st_mtime for p in (path, path.with_name(path.name + "-wal")) if p.exists()), default=0.0) if path else 0.0
    if written > now + FUTURE_S_MAX:
        found = f"{shown}, but the store was written {words.ago(written * 1000, now * 1000)}"
        return Finding("Clock", "fail", found, "Set the clock, and keep it with NTP: timers wait for its time.")
    return Finding("Clock", "ok", shown)


def sandbox(settings: Settings) -> Finding:
    """Whether scripts run: one of each language, within the limits of the settings."""
    from batuta.core.expr.script import Script, ScriptFailed
    from batuta.sandbox import Sandbox

    began = time.perf_counter()
    engine = Sandbox(time_limit_s=settings.script_time_s, memory_bytes_max=settings.script_memory_bytes_max, children=1)
    try:
        for script, expected in ((Script("javascript", "$.a + 1", {"a": 1}), 2), (Script("jq", ".a + 1", {"a": 1}), [2])):
            result = engine.evaluate(script)
            if isinstance(result, ScriptFailed):
                advice = "INLINE, SWITCH, DO_WHILE and JSON_JQ_TRANSFORM tasks will fail: reinstall batuta, or lift the limit of processes."
                return Finding("Scripts", "fail", f"{script.language}: {result.reason}", advice)
            if result.value != expected:
                found = f"{script.language}: found {result.value!r}, expected {expected!r}"
                return Finding("Scripts", "fail", found, "Reinstall batuta: quickjs-ng or jq does not work here.")
    finally:
        engine.close()
    return Finding("Scripts", "ok", f"JavaScript and jq run in their sandbox, {words.duration((time.perf_counter() - began) * 1000)} with its start")


def kept(settings: Settings) -> Finding:
    if settings.retention_days:
        return Finding("Retention", "ok", f"ended executions are deleted after {settings.retention_days:g} days")
    return Finding("Retention", "note", "off: nothing is ever deleted", "To keep the store small: --retention-days 90, or BATUTA_RETENTION_DAYS=90.")


def secrets(settings: Settings) -> Finding:
    """Whether the stored secrets open with the key that is here, and nobody else reads that key."""
    from batuta.app import keyring
    from batuta.engine.secrets import read_stored

    path = store_path(settings)
    rows: list[tuple[str, bytes]] = []
    if path is not None and path.exists():
        try:
            with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
                rows = connection.execute("SELECT key, body FROM documents WHERE kind = 'secret' ORDER BY key").fetchall()
        except sqlite3.Error:
            return Finding("Secrets", "note", "the store cannot be read")
    if not rows:
        return Finding("Secrets", "ok", "none are stored")
    try:
        ring = keyring(settings)
    except BatutaError as error:
        return Finding("Secrets", "fail", str(error), "Tasks that use a stored secret fail.")
    closed = {name: why for name, body in rows if (why := ring.why_closed(read_stored(body).sealed.key))}
    if closed:
        found = f"{len(closed)} of {len(rows)} cannot be read, {next(iter(closed))} among them: {next(iter(closed.values()))}"
        return Finding("Secrets", "fail", found, "Bring that key back from where its copy is kept, or set the secrets again; tasks that use them fail.")
    found = f"{len(rows)} stored, sealed with key {ring.current} of {ring.place}"
    if ring.path is not None and (mode := stat.S_IMODE(ring.path.stat().st_mode)) & 0o077:
        return Finding("Secrets", "warn", f"{found}, which others may read (mode {mode:04o})", f"chmod 600 {ring.path}")
    return Finding("Secrets", "ok", found, "" if ring.is_given else "No backup of the store holds that key: keep a copy of the file elsewhere.")


def guard(settings: Settings) -> Finding:
    if settings.guards_private:
        allowed = f", except {settings.http_private_allow}" if settings.http_private_allow else ""
        return Finding("HTTP tasks", "ok", f"call public addresses only{allowed}")
    if settings.host in LOOPBACK:
        return Finding("HTTP tasks", "ok", "call any address: the server listens on loopback only")
    advice = "Whoever may start a workflow reaches your private network: --http-private no."
    return Finding("HTTP tasks", "warn", f"call any address, though the server listens on {settings.host}", advice)


def broker(settings: Settings) -> Iterator[Finding]:
    """Whether the broker of the settings answers this machine; nothing when there is none."""
    if not settings.nats_url:
        return
    from batuta.brokers.nats import Connection, reach

    connection = Connection(settings.nats_url, credentials=settings.nats_credentials)
    try:
        found = asyncio.run(reach(connection))
    except ImportError:
        yield Finding("NATS", "fail", "its client is not installed", "pip install 'batuta[nats]'")
    except BatutaError as error:
        yield Finding("NATS", "fail", str(error), "The server starts without it; EVENT messages wait in the outbox until it answers.")
    else:
        yield Finding("NATS", "ok", f"{connection.shown}  {found}")


def webhook(settings: Settings) -> Iterator[Finding]:
    """Whether the server would take the settings of its webhook; nothing when it has none."""
    from batuta.builtin.webhook import read_secrets
    from batuta.engine.listeners import CHANGES, TASK_CHANGES, read_changes

    if not settings.webhook_url:
        return
    try:
        secrets = read_secrets(settings.webhook_secret)
        workflows = read_changes(settings.webhook_workflows, CHANGES, "webhook_workflows")
        tasks = read_changes(settings.webhook_tasks, TASK_CHANGES, "webhook_tasks")
    except Invalid as error:
        yield Finding("Webhook", "fail", str(error), "Mend the setting; the server does not start with it.")
        return
    what = f"is told of {', '.join(sorted(workflows | tasks)) or 'nothing'}"
    if secrets:
        yield Finding("Webhook", "ok", f"{what}; signed")
    else:
        yield Finding("Webhook", "warn", f"{what}; not signed", "A receiver cannot tell who posts: BATUTA_WEBHOOK_SECRET=whsec_$(openssl rand -base64 32).")


def tools() -> Iterator[Finding]:
    """Programs that some applications need; none is needed by the server."""
    for program, purpose in TOOLS:
        place = shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))
        yield Finding(program, "ok" if place else "note", f"{place or 'not found'}  ({purpose})")
