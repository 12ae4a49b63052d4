"""
Words: keeps the free-text index `words` up with the executions, in pieces small enough for a commit to wait for.

A commit only notes that an execution is to be indexed (`words_due`) or taken out again (`words_gone`; the triggers are in the migration), which costs it next
to nothing. The rest is for quiet times: it takes 0.15 ms an execution of three tasks. Should quiet times never come, it goes on between commits once too much
waits. An execution is indexed when it has come to rest: it ended, or nothing happened to it for some minutes.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable

log = logging.getLogger("batuta.store")
AT_ONCE = 32  # executions: some 5 ms
BYTES_AT_ONCE = 128 * 1024  # of their text
BYTES_MAX = 256 * 1024  # of one execution's text; more is looked through by each search instead
SEEN_AT_ONCE = 512  # executions looked at for whether they have come to rest
REST_MS = 600_000
BACKLOG_MAX = 20_000  # executions that a search may have to look through: some 0.1 s
PACE_WEIGHT = 256  # rows written between two pieces when the backlog is longer; a workflow of three tasks is some 20 rows
MERGE_EVERY = 4  # pieces: FTS5 merges no fewer parts than that
MERGE_PAGES = 64  # of the index's own upkeep: its parts become fewer and larger, a few pages at a time
WEIGHT = 64  # what a piece puts into the write-ahead log, in rows as a checkpoint counts

_NEXT = """
WITH seen AS MATERIALIZED (
    SELECT d.key, e.ended_at > 0 OR e.updated_at < :rested AS is_at_rest FROM words_due d CROSS JOIN executions e ON e.key = d.key
    WHERE d.key > :after AND d.is_large = 0 ORDER BY d.key LIMIT :seen
), chosen AS (SELECT key FROM seen WHERE is_at_rest ORDER BY key LIMIT :count)
SELECT (SELECT max(key) FROM seen), (SELECT count(*) FROM seen), (
    SELECT json_group_array(json_array(e.key, {row} + coalesce((
        SELECT sum({row}) FROM tasks e WHERE e.key BETWEEN c.key << 32 AND (c.key << 32) + 4294967295), 0)))
    FROM chosen c CROSS JOIN executions e ON e.key = c.key)
""".format(row="200 + min(16384, CASE typeof(e.input) WHEN 'integer' THEN e.input ELSE coalesce(length(e.input), 2) END)"
           " + min(16384, CASE typeof(e.output) WHEN 'integer' THEN e.output ELSE coalesce(length(e.output), 2) END)")  # fmt: skip
_LARGE = "UPDATE words_due SET is_large = 1 WHERE key IN (SELECT value FROM json_each(?))"
_INDEX = "INSERT INTO words (rowid, body) SELECT key, words FROM all_words WHERE key IN (SELECT value FROM json_each(?))"
_INDEXED = "DELETE FROM words_due WHERE key IN (SELECT value FROM json_each(?))"
_LEFT = "SELECT count(*) FROM (SELECT 1 FROM words_gone LIMIT ?)"
_LEAVING = f"""
SELECT key FROM (SELECT key, sum(length(words)) OVER (ORDER BY key) - length(words) AS before FROM words_gone ORDER BY key LIMIT {AT_ONCE})
WHERE before < {BYTES_AT_ONCE}
"""
_TAKE_OUT = f"INSERT INTO words (words, rowid, body) SELECT 'delete', key, words FROM words_gone WHERE key IN ({_LEAVING})"
_TAKEN_OUT = f"DELETE FROM words_gone WHERE key IN ({_LEAVING})"
_MERGE = "INSERT INTO words (words, rank) VALUES ('merge', ?)"


class Words:
    """Where indexing stands. Belongs to the writer's thread."""

    def __init__(self) -> None:
        self.is_due = True
        self._after = 0  # the round has come so far
        self._is_again = False  # something was written during the round
        self._is_merging = True
        self._pieces = 0
        self._since = 0  # rows written since the backlog was last looked at
        self._look_after = PACE_WEIGHT  # so many rows later it is looked at again

    def wrote(self, weight: int, writer: sqlite3.Connection) -> int:
        """So much was written. Does a piece of work if there has been no quiet for too long; what that put into the log."""
        self.is_due = self._is_again = True
        self._since += weight
        if self._since < self._look_after:
            return 0
        self._since = 0
        return self._tried(writer, self._catch_up)

    def work(self, writer: sqlite3.Connection) -> int:
        """One piece of what is due; what it put into the log."""
        return self._tried(writer, self._piece)

    def _tried(self, writer: sqlite3.Connection, work: Callable[[sqlite3.Connection], int]) -> int:
        """A failure is logged, and then nothing is due until something is written: searches do without."""
        try:
            return work(writer)
        except sqlite3.Error as error:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            log.warning("free text could not be indexed, searches look through more executions instead: %s", error)
            self.is_due = False
            return 0

    def _catch_up(self, writer: sqlite3.Connection) -> int:
        (waiting,) = writer.execute("SELECT count(*) FROM (SELECT 1 FROM words_due WHERE is_large = 0 LIMIT ?)", (BACKLOG_MAX,)).fetchone()
        (leaving,) = writer.execute(_LEFT, (BACKLOG_MAX,)).fetchone()
        backlog = max(waiting, leaving)
        self._look_after = max(PACE_WEIGHT, BACKLOG_MAX - backlog)  # before so many rows it cannot be full
        return self._piece(writer) if backlog == BACKLOG_MAX else 0

    def _piece(self, writer: sqlite3.Connection) -> int:
        if self._is_merging:
            return self._merge(writer)
        # First what is gone: under its key something else may be indexed next.
        return self._take_out(writer) if writer.execute(_LEFT, (1,)).fetchone() == (1,) else self._index(writer)

    def _take_out(self, writer: sqlite3.Connection) -> int:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(_TAKE_OUT)
        writer.execute(_TAKEN_OUT)
        writer.execute("COMMIT")
        return self._did_a_piece()

    def _did_a_piece(self) -> int:
        self._pieces += 1
        self._is_merging = self._pieces % MERGE_EVERY == 0
        return WEIGHT

    def _index(self, writer: sqlite3.Connection) -> int:
        asked = {"rested": time.time() * 1000 - REST_MS, "after": self._after, "seen": SEEN_AT_ONCE, "count": AT_ONCE}
        last, seen, found = writer.execute(_NEXT, asked).fetchone()
        if not seen:
            self._after, self.is_due, self._is_again = 0, self._is_again, False
            return 0
        chosen = sorted(json.loads(found))
        keys, large, room = list[int](), list[int](), BYTES_AT_ONCE
        for key, size in chosen:
            if size > BYTES_MAX:
                large.append(key)
            elif keys and size > room:
                break
            else:
                keys.append(key)
                room -= size
            self._after = key
        else:
            if len(chosen) < AT_ONCE:
                self._after = last
        if not chosen:
            return 0
        writer.execute("BEGIN IMMEDIATE")
        for statement, of in ((_LARGE, large), (_INDEX, keys), (_INDEXED, keys)):
            if of:
                writer.execute(statement, (json.dumps(of),))
        writer.execute("COMMIT")
        return self._did_a_piece()

    def _merge(self, writer: sqlite3.Connection) -> int:
        before = writer.total_changes
        writer.execute(_MERGE, (MERGE_PAGES,))
        self._is_merging = writer.total_changes - before >= 2  # as FTS5 tells that it did something
        return WEIGHT if self._is_merging else 0
