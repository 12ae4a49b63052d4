"""
Copies: a whole, consistent copy of a database file, and putting one in its place.

Here: what may be copied over what, in which order, so that a crash at any instant leaves one whole store or the other. Not here: words for people
(cli/backup.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from batuta.errors import Conflict, Invalid, Unavailable
from batuta.store.sqlite import file, migrate

LOOK_S = 0.2  # between two looks at how far a copy has come
PROBLEMS_MAX = 3
Told = Callable[[int, int], None]  # bytes done, bytes in all


class Copy(NamedTuple):
    """What a copy holds."""

    path: Path
    bytes: int
    executions: int


def backup(source: Path, target: Path, told: Told = lambda done, total: None) -> Copy:
    """
    Copy the store at *source* as it is now, whether or not a server is at work on it, into the new file *target*, and read all of it once more to be sure.

    Raises:
        Invalid: there is no store at the source.
        Conflict: there is something at the target.
        Unavailable: the copy could not be made or is not whole; there is nothing at the target then.
    """
    if not source.exists():
        raise Invalid(f"there is no store at {str(source)!r}")
    if target.exists():
        raise Conflict(f"{str(target)!r} exists; give another name or move it away")
    try:
        with contextlib.closing(file.connect_reader(source)) as connection:
            file.refuse_foreign(connection, source)
            total = _bytes_used(connection)
            _room_for(total, target)
            unfinished = target.with_name(target.name + ".unfinished")
            with _watched(unfinished, total, told):
                connection.execute("PRAGMA query_only = OFF")  # making another file counts as writing
                migrate.copy_into(connection, target, check=lambda made: _whole(made))
        return _described(target)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"the store {str(source)!r} was not copied: {error}") from error


def restore(source: Path, target: Path, told: Told = lambda done, total: None) -> tuple[Copy, Path | None]:
    """
    Put the backup *source* in the place of the store *target*. What was there is kept under another name, which is returned with what is there now.

    Raises:
        Invalid: the source is no whole store of this version or an older one.
        Unavailable: a server has the target, or a file could not be written; the store is as it was.
    """
    if not source.exists():
        raise Invalid(f"there is no backup at {str(source)!r}")
    if source.resolve() == target.resolve():
        raise Invalid(f"{str(source)!r} is the store itself")
    log = source.with_name(source.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise Invalid(f"{str(source)!r} is no backup but a store with a log beside it: make a backup of it with `batuta backup`")
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = file.Lock(target)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with contextlib.closing(file.connect_unchanging(source)) as connection:
            file.refuse_foreign(connection, source)
            migrate.refuse_newer(connection, source)
            total = _bytes_used(connection)
        _room_for(total, target)
        with _watched(unfinished, total, told):
            shutil.copyfile(source, unfinished)
        os.chmod(unfinished, 0o600)
        _whole(unfinished)
        migrate.sync(unfinished)
        kept = _put_aside(target)
        os.replace(unfinished, target)
        migrate.sync(target.parent)
        return _described(target), kept
    except sqlite3.Error as error:
        raise Invalid(f"{str(source)!r} is no backup that can be restored: {error}") from error
    except OSError as error:
        raise Unavailable(f"{str(source)!r} was not restored: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
        lock.release()


def _put_aside(path: Path) -> Path | None:
    """
    A second name for the store at the path, which stays where it is until something takes its place; None when there is none.

    Its log is moved into the file first. Where that cannot be done, because the store is damaged, its log goes along under the new name.
    """
    log, index = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    if not path.exists():
        return None
    kept = path.with_name(f"{path.name}.before-restore-{time.strftime('%Y%m%dT%H%M%S')}")
    try:
        with contextlib.closing(file.connect_checkpointer(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        if log.exists():
            os.link(log, kept.with_name(kept.name + "-wal"))
    os.link(path, kept)
    log.unlink(missing_ok=True)
    index.unlink(missing_ok=True)
    return kept


def _whole(path: Path) -> None:
    """Raises Invalid when the file is not a whole database."""
    with contextlib.closing(file.connect_unchanging(path)) as connection:
        problems = [row[0] for row in connection.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})")]
    if problems != ["ok"]:
        raise Invalid(f"{str(path)!r} is damaged: {'; '.join(problems)}")


def _described(path: Path) -> Copy:
    with contextlib.closing(file.connect_unchanging(path)) as connection:
        (executions,) = connection.execute("SELECT coalesce(sum(value), 0) FROM tallies WHERE name LIKE 'executions.%'").fetchone()
    return Copy(path, path.stat().st_size, executions)


def _bytes_used(connection: sqlite3.Connection) -> int:
    pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
    return int((pages - free) * size)


def _room_for(total: int, target: Path) -> None:
    if not target.parent.is_dir():
        raise Invalid(f"there is no directory {str(target.parent)!r}")
    free = shutil.disk_usage(target.parent).free
    if free < total:
        raise Unavailable(f"{str(target.parent)!r} has {free:,} bytes left, and the copy takes {total:,}")


@contextlib.contextmanager
def _watched(growing: Path, total: int, told: Told) -> Iterator[None]:
    """While this is entered, *told* hears how far the file has grown."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_S):
            with contextlib.suppress(OSError):
                told(min(growing.stat().st_size, total), total)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
