"""
File: opening the database file safely. One server a file, ours and nobody else's, and connections set up alike.

Here: the lock, what is refused, the pragmas. Not here: the schema and its versions (migrate.py), any row.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from batuta.errors import Unavailable

APPLICATION_ID = 0x62617475  # "batu", set by the first migration
SQLITE_MIN = (3, 35, 0)
PAGE_BYTES = 4096
BUSY_MS = 5_000  # another program may hold the write lock for this long (a backup tool, someone's sqlite3 shell)
WRITER_CACHE_KIB = 8_192
READER_CACHE_KIB = 2_048
STATEMENTS_CACHED = 64
_MAGIC = b"SQLite format 3\0"


class Lock:
    """The right to be the only server on a database file. The system takes it back when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            Unavailable: another process (or another store in this one) has it.
        """
        self._path = path.with_name(path.name + ".lock")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise Unavailable(
                f"store {str(path)!r} is in use by another server (process {holder}); one server a file: stop that one, or give this one its own file"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Somebody else may have it. The lock file stays: removing it would let two servers lock two files of one name."""
        os.close(self._file)


def prepare(path: Path) -> None:
    """
    There is a file to open, with its directory, readable by this user alone if it is new: payloads may hold secrets.

    Raises:
        Unavailable: something else than a database is there, or nothing can be made there.
    """
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        needed = ".".join(map(str, SQLITE_MIN))
        raise Unavailable(f"this Python has SQLite {sqlite3.sqlite_version}; the store needs {needed} or newer")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            start = os.read(file, len(_MAGIC))
        finally:
            os.close(file)
    except OSError as error:
        raise Unavailable(f"store {str(path)!r} cannot be opened: {error.strerror}") from error
    if start and start != _MAGIC:
        raise Unavailable(f"store {str(path)!r} is not a SQLite database (it starts with {start!r}); give the path of a new file or of a Batuta store")


def connect_writer(path: Path) -> sqlite3.Connection:
    """
    The one connection that writes; a new file gets its format from it.

    Raises:
        Unavailable: the database belongs to another program.
        sqlite3.Error: the file cannot be used.
    """
    connection = _connect(path, WRITER_CACHE_KIB)
    try:
        refuse_foreign(connection, path)
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # this and page_size count for a new file only
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise Unavailable(f"store {str(path)!r} is on a file system without shared memory (journal mode {mode}); give it a local disk")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # upkeep.py does that, beside the commits
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees what is durable and can change nothing."""
    connection = _connect(path, READER_CACHE_KIB)
    connection.execute("PRAGMA query_only = ON")
    return connection


def connect_checkpointer(path: Path) -> sqlite3.Connection:
    """A connection for moving the write-ahead log into the file."""
    connection = _connect(path, 64)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _connect(path: Path, cache_kib: int) -> sqlite3.Connection:
    url = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(
        url, uri=True, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_CACHED
    )
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    return connection


def connect_unchanging(path: Path) -> sqlite3.Connection:
    """A connection to a file that nobody writes to, such as a backup; it leaves no files beside it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raises Unavailable when this is a database of another program."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if owner == APPLICATION_ID:
        return
    found = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' LIMIT 3")]
    if owner or found:
        raise Unavailable(f"store {str(path)!r} is a database of another program (application id {owner}, tables {found}); give the path of a new file")
