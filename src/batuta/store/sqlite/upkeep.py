"""
Upkeep: what the database file needs besides commits. Checkpoints, the index of free text (words.py), and giving back the room that deletions left.

A checkpoint moves the write-ahead log into the file. It runs beside the commits, on a thread and a connection of its own, so that no
commit waits for it. While commits never pause it cannot quite catch up, and the log grows; then, rarely, the writer does the little that
is left between two groups. A quiet store finishes what is due and then runs no statement at all.
"""

from __future__ import annotations

import logging
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor

from batuta.store.sqlite.words import Words

log = logging.getLogger("batuta.store")
CHECKPOINT_WEIGHT = 2_000  # rows written (a long payload counts by the page) between two checkpoints: some 2,000 to 5,000 pages
LOG_PAGES_MAX = 16_384  # 64 MiB: a longer log is finished off by the writer
QUIET_S = 0.5  # a quiet time begins this long after the last commit
BREATH_S = 0.01  # between two pieces of work in a quiet time
VACUUM_PAGES = 256  # given back at a time: a commit that comes meanwhile waits for a few milliseconds
VACUUM_FREE_MIN = 4_096  # unused pages below this (16 MiB), or below a quarter of the file, stay for reuse


class Upkeep:
    """Owns the checkpointing connection and its thread. The methods belong to the writer's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-checkpoint")
        self._running: Future[int] | None = None
        self._words = Words()
        self._weight = 0  # written since the last checkpoint began
        self._is_vacuum_due = True
        self._is_quiet = False

    def wrote(self, weight: int, writer: sqlite3.Connection) -> None:
        """So much more is in the log. Begins a checkpoint when it is time for one."""
        if not weight:
            return
        self._weight += weight + self._words.wrote(weight, writer)
        self._is_vacuum_due = True
        self._is_quiet = False
        if self._weight < CHECKPOINT_WEIGHT or (self._running is not None and not self._running.done()):
            return
        if self._running is not None and self._running.result() > LOG_PAGES_MAX:
            self._running, self._weight = None, 0
            checkpoint(writer)
        else:
            self._begin()

    @property
    def pause_s(self) -> float | None:
        """How long the store has to be quiet before `work` should be called; None when there is nothing to do."""
        if not self._weight and not self._is_vacuum_due and not self._words.is_due:
            return None
        return BREATH_S if self._is_quiet else QUIET_S

    def work(self, writer: sqlite3.Connection) -> None:
        """One piece of what is due, short enough for a commit to wait for."""
        self._is_quiet = True
        if self._words.is_due and self._weight < CHECKPOINT_WEIGHT:
            self._weight += self._words.work(writer)
        elif self._is_vacuum_due and self._weight < CHECKPOINT_WEIGHT:
            self._is_vacuum_due = vacuum(writer)
            self._weight += VACUUM_PAGES if self._is_vacuum_due else 0
        else:
            self._begin()

    def join(self) -> None:
        """The checkpoint that is under way, if any, has ended. Blocks."""
        if self._running is not None:
            self._running.result()

    def close(self) -> None:
        """The thread has ended and the connection is closed. Blocks."""
        self._thread.shutdown(wait=True)
        self._connection.close()

    def _begin(self) -> None:
        self._weight = 0
        self._running = self._thread.submit(checkpoint, self._connection)


def checkpoint(connection: sqlite3.Connection) -> int:
    """Move what is in the log into the file, as far as no reader is in the way, and wait for nobody. The length of the log in pages."""
    try:
        _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:
        log.warning("a checkpoint failed, it will be tried again: %s", error)
        return 0
    return int(pages)


def vacuum(connection: sqlite3.Connection) -> bool:
    """Give some unused pages back to the file system; whether there are more."""
    try:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if free < VACUUM_FREE_MIN or free * 4 < pages:
            return False
        connection.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")  # execute() would stop after the first page
    except sqlite3.Error as error:
        log.warning("unused pages could not be given back: %s", error)
        return False
    return True
