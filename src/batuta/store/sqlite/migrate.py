"""
Migrate: bring a database file to the schema this version knows.

`migrations/NNNN_name.sql` are applied in order, each in a transaction of its own, and written into the ledger table `migrations`. A file
that already holds data is copied first. A released migration is never edited: the next one is a new file.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from batuta.errors import Unavailable


class Migration(NamedTuple):
    """One step of the schema."""

    version: int
    name: str
    sql: str


def known() -> list[Migration]:
    """The migrations this version brings, in order."""
    found = []
    for file in resources.files(__package__).joinpath("migrations").iterdir():
        if named := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name):
            found.append(Migration(int(named[1]), named[2], file.read_text("utf-8")))
    return sorted(found)


def migrate(connection: sqlite3.Connection, path: Path, migrations: list[Migration]) -> Path | None:
    """
    The schema is this version's. The copy made of an older one that held data; None when there was no need for one.

    Raises:
        Unavailable: the file was written by a newer version, or by one with other migrations of the same number.
        sqlite3.Error: a migration failed; the file is as the one before left it.
    """
    applied = _ledger(connection)
    _refuse_newer(applied, migrations, path)
    missing = [m for m in migrations if m.version not in applied]
    if not missing:
        return None
    copy = None
    if applied:
        copy = path.with_name(f"{path.name}.before-{missing[0].version:04}-{time.strftime('%Y%m%dT%H%M%S')}")
        copy_into(connection, copy)
    for migration in missing:
        _apply(connection, migration)
    return copy


def copy_into(connection: sqlite3.Connection, target: Path, *, check: Callable[[Path], None] = lambda made: None) -> None:
    """
    The database as it is now, whole, compact and durable in a new file, for this user alone. Others may write meanwhile.

    *check* sees the file before it has its name, and may raise.

    Raises:
        Unavailable: there is something at the target already, or it cannot be written.
        sqlite3.Error: the copy failed; there is no target then.
    """
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        if target.exists():
            raise Unavailable(f"the copy was not made: {str(target)!r} exists; give another name or move it away")
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        check(unfinished)
        sync(unfinished)
        os.replace(unfinished, target)
        sync(target.parent)
    except OSError as error:
        raise Unavailable(f"the copy {str(target)!r} was not made: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """The file or directory is on the disk."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    """Raises Unavailable when the file was written by a version with migrations that this one does not know."""
    _refuse_newer(_ledger(connection), known(), path)


def _ledger(connection: sqlite3.Connection) -> dict[int, str]:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").fetchone() is None:
        return {}
    return dict(connection.execute("SELECT version, name FROM migrations"))


def _refuse_newer(applied: dict[int, str], migrations: list[Migration], path: Path) -> None:
    names = {m.version: m.name for m in migrations}
    for version, name in applied.items():
        if names.get(version) == name:
            continue
        newest = migrations[-1]
        raise Unavailable(
            f"store {str(path)!r} was written by another version of Batuta: it has migration {version:04}_{name}, and this version ends at "
            f"{newest.version:04}_{newest.name}. Run that version again, or go back to the copy made before the upgrade ({path.name}.before-…)"
        )


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    version, name, sql = migration
    now_ms = int(time.time() * 1000)
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {sql}\n; INSERT INTO migrations VALUES ({version}, '{name}', {now_ms}); COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
