"""
Reader: every question the store is asked, as SQL. Answered on a few threads with connections of their own, which see only what is durable.

Here: SELECT statements and rows made of their results. Not here: any write (batch.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from batuta.core.query import Query, Sort
from batuta.errors import Invalid, Unavailable
from batuta.store.protocol import Alarm, Claimable, Document, Found, HeadRow, LogRow, OutboxRow, PushedRow, Stored, Tally, TaskRow
from batuta.store.sqlite import migrate, search

T = TypeVar("T")
STEPS_BETWEEN_LOOKS = 100_000  # of SQLite's machine, a few milliseconds: how often a limited question looks at the clock
LAST_CHARACTER = "\U0010ffff"  # comes behind every character that a key has
IDS_MAX = 250  # ids asked for in one statement
_HEAD_FIELDS = HeadRow.__struct_fields__
_HEADS = "SELECT e.key, e.id, {} FROM executions e JOIN definition_snapshots d ON d.key = e.definition".format(
    ", ".join("d.hash" if field == "definition_hash" else f"e.{field}" for field in _HEAD_FIELDS)
)
_LEAN_HEADS = re.sub(r"e\.(input|output|variables)", "NULL", _HEADS)
_TASKS = f"SELECT {', '.join(TaskRow.__struct_fields__)} FROM tasks WHERE key BETWEEN ? << 32 AND (? << 32) + 4294967295 ORDER BY key"
_OPEN = "t.status IN ('SCHEDULED', 'IN_PROGRESS') AND t.queue <> ''"  # as the partial index tasks_open says it
_CLAIMABLE = "SELECT t.queue, t.priority, t.due_at, e.id, t.n FROM tasks t JOIN executions e ON e.key = t.key >> 32"
_TASK_PREFIX = 18  # a task's id begins with so many characters of its execution's id
_HEAD_N = -1
# CROSS JOIN where it stands is SQLite's way of saying: in this order.


class Reader:
    """One connection that only reads. Each method is one consistent look at the store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        """The connection is closed."""
        self._connection.close()

    def limit(self, seconds_max: float | None) -> None:
        """From now on a statement ends with an error once this time is over; None: it may take its time."""
        until = time.monotonic() + (seconds_max or 0)
        self._connection.set_progress_handler(None if seconds_max is None else lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)

    def load(self, execution_id: str) -> Stored | None:
        """See protocol.Store."""
        execute = self._connection.execute
        with self._one_look():
            found = execute(f"{_HEADS} WHERE e.id = ?", (execution_id,)).fetchone()
            if found is None:
                return None
            key = found[0]
            head = HeadRow(*found[2:])
            tasks = [TaskRow(*row) for row in execute(_TASKS, (key, key))]
            self._complete(key, head, tasks)
            (definition,) = execute("SELECT json FROM definition_snapshots WHERE hash = ?", (head.definition_hash,)).fetchone()
            inbox = [PushedRow(-1 - n, doc) for n, doc in execute("SELECT n, body FROM payloads WHERE execution = ? AND n < -1 ORDER BY n DESC", (key,))]
            return Stored(execution_id, head, tasks, definition, inbox)

    def search(self, kind: str, query: Query | None, sort: Sequence[Sort], start: int, size: int) -> tuple[int, list[tuple[str, int]]]:
        """See protocol.Store."""
        return search.search(self._connection, kind, query, sort, start, size)

    def heads(self, execution_ids: Sequence[str]) -> list[Found]:
        """See protocol.Store."""
        found: dict[str, Found] = {}
        with self._one_look():
            for start in range(0, len(execution_ids), IDS_MAX):
                some = execution_ids[start : start + IDS_MAX]
                for _, one in self._found(f"{_HEADS} WHERE e.id IN ({','.join('?' * len(some))})", some):
                    found[one.execution_id] = one
        return [found[id] for id in execution_ids if id in found]

    def find(
        self,
        name: str | None,
        definition_version: int | None,
        correlation_id: str | None,
        statuses: Sequence[str],
        created_from: int,
        created_to: int,
        newest_first: bool,
        limit: int,
        payloads: bool = True,
    ) -> list[Found]:
        """See protocol.Store."""
        conditions: list[tuple[str, Any]] = [
            ("e.name = ?", name),
            ("e.definition_version = ?", definition_version),
            ("e.correlation_id = ?", correlation_id),
            ("e.created_at >= ?", created_from or None),
            ("e.created_at <= ?", created_to or None),
        ]
        asked = [(condition, value) for condition, value in conditions if value is not None]
        # One question a status, each answered in order by an index; several at once would be sorted as a whole before the limit counts.
        with self._one_look():
            found = [one for status in set(statuses) for one in self._find([("e.status = ?", status), *asked], newest_first, limit, payloads)]
            if not statuses:
                found = self._find(asked, newest_first, limit, payloads)
        found.sort(key=lambda one: one[0], reverse=newest_first)
        return [one for _, one in found[:limit]]

    def _find(self, asked: Sequence[tuple[str, Any]], newest_first: bool, limit: int, payloads: bool) -> list[tuple[tuple[int, int], Found]]:
        """The executions that meet all these conditions, each with what they are ordered by."""
        where = f"WHERE {' AND '.join(condition for condition, _ in asked)}" if asked else ""
        direction = "DESC" if newest_first else "ASC"
        sql = f"{_HEADS if payloads else _LEAN_HEADS} {where} ORDER BY e.created_at {direction}, e.key {direction} LIMIT ?"
        return [((found.head.created_at, key), found) for key, found in self._found(sql, [*(value for _, value in asked), limit], payloads)]

    def tally(self, since: int) -> list[Tally]:
        """See protocol.Store. An index in the order of the answer holds all it needs."""
        rows = self._connection.execute(
            "SELECT name, status, count(*), sum(created_at >= ?) FROM executions INDEXED BY executions_by_name_and_status GROUP BY name, status", (since,)
        )
        return [Tally(*row) for row in rows]

    def holder_of(self, task_id: str) -> str | None:
        """See protocol.Store."""
        prefix = task_id[:_TASK_PREFIX]
        found = self._connection.execute(
            "SELECT e.id FROM executions e CROSS JOIN tasks t ON t.key BETWEEN e.key << 32 AND (e.key << 32) + 4294967295 "
            "WHERE e.id >= ? AND e.id < ? AND t.task_id = ?",
            (prefix, prefix + "\U0010ffff", task_id),
        ).fetchone()
        return found[0] if found is not None else None

    def claimable(self, queue: str | None, limit: int) -> list[Claimable]:
        """See protocol.Store."""
        asked = "" if queue is None else "AND t.queue = ?"
        rows = self._connection.execute(
            f"{_CLAIMABLE} WHERE {_OPEN} AND t.status = 'SCHEDULED' {asked} ORDER BY t.priority DESC, t.due_at, t.key LIMIT ?",
            (limit,) if queue is None else (queue, limit),
        )
        return [Claimable(*row) for row in rows]

    def in_progress(self, task_type: str | None, limit: int) -> list[Claimable]:
        """See protocol.Store."""
        asked = "" if task_type is None else "AND t.type = ?"
        rows = self._connection.execute(
            f"{_CLAIMABLE} WHERE {_OPEN} AND t.status = 'IN_PROGRESS' {asked} LIMIT ?", (limit,) if task_type is None else (task_type, limit)
        )
        return [Claimable(*row) for row in rows]

    def queue_sizes(self) -> dict[str, int]:
        """See protocol.Store."""
        return dict(self._connection.execute(f"SELECT t.queue, count(*) FROM tasks t WHERE {_OPEN} AND t.status = 'SCHEDULED' GROUP BY t.queue"))

    def alarms(self, limit: int) -> list[Alarm]:
        """See protocol.Store."""
        rows = self._connection.execute("SELECT wake_at, id FROM executions WHERE wake_at > 0 ORDER BY wake_at, key LIMIT ?", (limit,))
        return [Alarm(*row) for row in rows]

    def outbox(self, limit: int, kinds: Sequence[str] | None) -> list[OutboxRow]:
        """See protocol.Store."""
        among = "" if kinds is None else f"WHERE kind IN ({','.join('?' * len(kinds))})"
        rows = self._connection.execute(f"SELECT id, kind, due_at, body FROM outbox {among} ORDER BY key LIMIT ?", (*(kinds or ()), limit))
        return [OutboxRow(*row) for row in rows]

    def logs(self, task_id: str) -> list[LogRow]:
        """See protocol.Store."""
        prefix = task_id[:_TASK_PREFIX]
        rows = self._connection.execute(
            "SELECT l.task_id, l.created_at, l.line FROM executions e CROSS JOIN logs l ON l.execution = e.key "
            "WHERE e.id >= ? AND e.id < ? AND l.task_id = ? ORDER BY l.key",
            (prefix, prefix + "\U0010ffff", task_id),
        )
        return [LogRow(*row) for row in rows]

    def expired(self, before: int, limit: int) -> list[str]:
        """See protocol.Store."""
        rows = self._connection.execute("SELECT id FROM executions WHERE ended_at > 0 AND ended_at < ? ORDER BY ended_at, key LIMIT ?", (before, limit))
        return [id for (id,) in rows]

    def documents(self, kind: str, prefix: str, after: str, limit: int | None) -> list[Document]:
        """See protocol.Store."""
        sql, given = "SELECT kind, key, version, body FROM documents WHERE kind = ?", [kind]
        for condition, value in (("key >= ?", prefix), ("key < ?", prefix and f"{prefix}{LAST_CHARACTER}"), ("key > ?", after)):
            if value:
                sql, given = f"{sql} AND {condition}", [*given, value]
        rows = self._connection.execute(f"{sql} ORDER BY key, version LIMIT ?", (*given, -1 if limit is None else limit))
        return [Document(*row) for row in rows]

    def statistics(self) -> dict[str, int]:
        """See protocol.Store, without `bytes`."""
        execute = self._connection.execute
        with self._one_look():
            tallies = execute("SELECT name, value FROM tallies WHERE name NOT LIKE 'top.%'")
            counts: dict[str, int] = {name: value for name, value in tallies if value or "." not in name}
            (counts["documents"],) = execute("SELECT count(*) FROM documents").fetchone()
            letters = {f"outbox.{kind}": count for kind, count in execute("SELECT kind, count(*) FROM outbox GROUP BY kind")}
        counts |= {"outbox": sum(letters.values()), **letters}
        counts["executions"] = sum(value for name, value in counts.items() if name.startswith("executions."))
        return counts

    def copy_into(self, target: Path) -> None:
        """A copy of all that is durable now, in a new file."""
        self._connection.execute("PRAGMA query_only = OFF")  # making another file counts as writing
        try:
            migrate.copy_into(self._connection, target)
        finally:
            self._connection.execute("PRAGMA query_only = ON")

    @contextlib.contextmanager
    def _one_look(self) -> Iterator[None]:
        """All statements within see the store as of one commit."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def _found(self, sql: str, values: Sequence[Any], payloads: bool = True) -> list[tuple[int, Found]]:
        """What a statement that begins with _HEADS, or without *payloads* with _LEAN_HEADS, finds, with the keys."""
        found = []
        for key, id, *fields in self._connection.execute(sql, values).fetchall():
            head = HeadRow(*fields)
            if payloads:
                self._complete(key, head, ())
            found.append((key, Found(id, head)))
        return found

    def _complete(self, key: int, head: HeadRow, tasks: Iterable[TaskRow]) -> None:
        """Fill in the payloads that stand apart, and `{}` for those that were never written."""
        apart: dict[tuple[int, str], bytes] | None = None
        for n, row, parts in ((_HEAD_N, head, ("input", "output", "variables")), *((task.n, task, ("input", "output")) for task in tasks)):
            for part in parts:
                value: bytes | int | None = getattr(row, part)
                if value is None:
                    setattr(row, part, b"{}")
                elif not isinstance(value, bytes):
                    if apart is None:
                        rows = self._connection.execute("SELECT n, part, body FROM payloads WHERE execution = ? AND n >= -1", (key,))
                        apart = {(n_, part_): body for n_, part_, body in rows}
                    setattr(row, part, apart[n, part])


class Readers:
    """A few threads that answer questions, each with a connection of its own."""

    def __init__(self, name: str, readers: Sequence[Reader]) -> None:
        self._threads = ThreadPoolExecutor(len(readers), thread_name_prefix=name)
        self._idle: queue.SimpleQueue[Reader] = queue.SimpleQueue()
        for reader in readers:
            self._idle.put(reader)

    async def ask(self, question: Callable[[Reader], T], *, seconds_max: float | None = None) -> T:
        """
        The answer, from a thread that has nothing else to do.

        Raises:
            Invalid: a value in the question is one that nothing stored can have, or the answer took longer than *seconds_max*.
            Unavailable: the database did not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question, seconds_max)

    def _answer(self, question: Callable[[Reader], T], seconds_max: float | None) -> T:
        reader = self._idle.get()
        try:
            if seconds_max is not None:
                reader.limit(seconds_max)
            return question(reader)
        except (UnicodeEncodeError, OverflowError) as error:
            raise Invalid(f"the store cannot look for such a value: {error}") from error
        except sqlite3.Error as error:
            if seconds_max is not None and "interrupted" in str(error):
                raise Invalid(f"the search took longer than {seconds_max:g} s and was stopped: add conditions, for instance on startTime") from error
            raise Unavailable(f"the store could not be read: {error}") from error
        finally:
            if seconds_max is not None:
                reader.limit(None)
            self._idle.put(reader)

    def close(self) -> None:
        """Questions asked have been answered, the connections are closed. Blocks."""
        self._threads.shutdown(wait=True)
        while not self._idle.empty():
            self._idle.get().close()
