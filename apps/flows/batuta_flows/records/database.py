"""
The file: its schema, its connections, and how several processes write to it without losing anything.

Every thread has a connection of its own. A transaction takes the write lock when it begins, so what it has read is still true when it writes.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from batuta_flows.errors import FlowError

WAIT_S: Final = 30.0

# One entry a version of the schema; entries are only ever added. Instants are epoch milliseconds.
_MIGRATIONS: Final = (
    """
    CREATE TABLE submissions (
        key TEXT PRIMARY KEY,            -- run, node and item
        run_id TEXT NOT NULL,
        node_id TEXT NOT NULL,
        provider TEXT NOT NULL,
        task_id TEXT NOT NULL,           -- the attempt that announced it
        phase TEXT NOT NULL,             -- announced (perhaps sent), open (the provider has it), ended
        state TEXT NOT NULL,             -- JSON: what the adapter remembers
        updated_at INTEGER NOT NULL
    );
    CREATE INDEX submissions_open ON submissions (run_id) WHERE phase <> 'ended';
    CREATE TABLE results (
        key TEXT PRIMARY KEY,            -- hash of type, version, provider, model, seed and inputs
        output TEXT NOT NULL,            -- JSON
        run_id TEXT NOT NULL,
        node_id TEXT NOT NULL,
        made_at INTEGER NOT NULL
    );
    CREATE TABLE spend (
        key TEXT PRIMARY KEY,            -- of the submission
        run_id TEXT NOT NULL,
        provider TEXT NOT NULL,
        usd REAL NOT NULL,
        is_final INTEGER NOT NULL,       -- 0: estimated, the job is under way
        at INTEGER NOT NULL
    );
    CREATE INDEX spend_by_run ON spend (run_id);
    CREATE INDEX spend_by_time ON spend (at);
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        flow_id TEXT NOT NULL,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,       -- 0: under way
        nodes INTEGER NOT NULL,
        document TEXT NOT NULL,          -- JSON: the flow as it ran
        results TEXT NOT NULL,           -- JSON: as /results shows them, once it has ended
        error TEXT NOT NULL
    );
    CREATE INDEX runs_by_start ON runs (started_at DESC);
    CREATE INDEX runs_open ON runs (run_id) WHERE ended_at = 0;
    CREATE TABLE flows (
        flow_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,        -- the newest
        updated_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE flow_versions (
        flow_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        document TEXT NOT NULL,
        saved_at INTEGER NOT NULL,
        PRIMARY KEY (flow_id, version)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE submissions ADD COLUMN holder TEXT NOT NULL DEFAULT '';  -- the process that announced it (alive.py)
    ALTER TABLE runs ADD COLUMN looked_at INTEGER NOT NULL DEFAULT 0;  -- when the orchestrator was asked for what stands here
    """,
    """
    CREATE TABLE starts (
        token TEXT PRIMARY KEY,          -- the correlation id that the orchestrator is asked to start with
        definition TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        name TEXT NOT NULL,
        nodes INTEGER NOT NULL,
        document TEXT NOT NULL,          -- as in runs
        at INTEGER NOT NULL
    );
    """,
    """
    ALTER TABLE runs ADD COLUMN orchestrator TEXT NOT NULL DEFAULT '';  -- its address; '': written before it was kept
    ALTER TABLE starts ADD COLUMN orchestrator TEXT NOT NULL DEFAULT '';
    CREATE INDEX runs_of_flow ON runs (flow_id, started_at DESC);
    ALTER TABLE submissions DROP COLUMN task_id;  -- nobody asked for it
    DROP INDEX submissions_open;
    CREATE INDEX submissions_by_run ON submissions (run_id);
    CREATE INDEX submissions_by_phase ON submissions (phase, provider);
    """,
)


class NewerFile(FlowError):
    """The file was written by a newer version of the Flow Builder."""

    code = "newer_file"


class Database:
    """The file at *path*, made when it is not there. Safe for any number of threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._local = path, threading.local()
        self._migrate()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that holds the write lock; committed at the end, rolled back on any exception."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def rows(self, sql: str, *parameters: Any) -> list[sqlite3.Row]:
        """What a query finds."""
        return self._connection().execute(sql, parameters).fetchall()

    def row(self, sql: str, *parameters: Any) -> sqlite3.Row | None:
        """The first row a query finds."""
        found = self._connection().execute(sql, parameters).fetchone()
        return found if isinstance(found, sqlite3.Row) else None

    def write(self, sql: str, *parameters: Any) -> None:
        """One statement, durable when this returns."""
        with self.transaction() as connection:
            connection.execute(sql, parameters)

    def write_soon(self, sql: str, *parameters: Any) -> None:
        """One statement that outlives this process at once, and a power cut as soon as anything durable was written after it."""
        connection = self._connection()
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            connection.execute(sql, parameters)
        finally:
            connection.execute("PRAGMA synchronous = FULL")

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=WAIT_S, isolation_level=None)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA journal_mode = WAL")
            found.execute("PRAGMA synchronous = FULL")
            self._local.connection = found
        return found

    def _migrate(self) -> None:
        with self.transaction() as connection:
            (there,) = connection.execute("PRAGMA user_version").fetchone()
            if there > len(_MIGRATIONS):
                raise NewerFile(f"{self._path} has schema {there}, this version knows {len(_MIGRATIONS)}; use the newer version, or another FLOWS_DATA")
            for step in _MIGRATIONS[there:]:
                for statement in re.sub(r"--.*", "", step).split(";"):
                    if statement.strip():
                        connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
