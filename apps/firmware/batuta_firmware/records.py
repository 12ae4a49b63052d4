"""
The records of the artifact store: one SQLite file beside the artifacts, written durably or not at all.

Here: the tables and how they are opened. Not here: what is written to them (artifacts.py, deployments.py, leases.py, notify.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batuta_firmware.errors import Passing

BUSY_WAIT_S = 15.0
SCHEMA = """
create table if not exists artifacts (
  artifact_id text primary key, version text not null, environment text not null, sha256 text not null, size_bytes integer not null,
  elf_sha256 text, chip text not null, metadata text not null, created_at real not null, pinned integer not null default 0,
  unique (version, environment)
);
create table if not exists deployments (
  id integer primary key autoincrement, device text not null, artifact_id text not null, kind text not null, workflow_id text not null,
  started_at real not null, flashed_at real, verified_at real, result text not null, detail text
);
create index if not exists deployments_by_device on deployments (device, id);
create table if not exists leases (device text primary key, holder text not null, until real not null);
create table if not exists notices (key text primary key, at real not null);
create table if not exists failures (workflow_id text primary key, failure_type text not null, reason text, at real not null);
"""


@contextmanager
def transaction(storage: Path) -> Iterator[sqlite3.Connection]:
    """
    One transaction on the records under *storage*: committed to disk when the block ends, undone when it raises.

    Raises:
        Passing: the disk or the database did not answer; nothing was written.
    """
    try:
        storage.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(storage / "records.db", timeout=BUSY_WAIT_S, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _unavailable(storage, error) from error
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("begin immediate")
        if not connection.execute("select 1 from sqlite_master where name = 'failures'").fetchone():
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
        yield connection
        connection.execute("commit")
    except sqlite3.OperationalError as error:
        raise _unavailable(storage, error) from error
    finally:
        connection.close()  # undoes what was not committed


def _unavailable(storage: Path, error: Exception) -> Passing:
    return Passing("records_unavailable", f"the records in {storage} are not to be had: {error}", fix="Check the disk and its permissions")
