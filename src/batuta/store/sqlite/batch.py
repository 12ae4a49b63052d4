"""
Batch: a whole group of commits, written by one SQL statement.

Python's sqlite3 gives up the interpreter lock around every statement it steps through, and while the event loop is busy getting it back
takes up to 5 ms, as often as not far longer. So a group is not a hundred statements but one: all its rows go into the view `batch`, and
the view's triggers, one a kind of row, carry them in order to the tables they belong to. Outside a transaction SQLite makes such a
statement durable as a whole or not at all, so there is no BEGIN and no COMMIT either. (What this was measured against:
docs/decisions/0004-sqlite-store.md.)

Here: the kinds of rows and what each does to the tables. Not here: who waits for a commit, what happens on errors (writer.py).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import astuple

from batuta.store.protocol import Commit, Document, HeadRow, TaskRow

INLINE_BYTES = 4096  # longer payloads stand in a table of their own: the rows around them are rewritten at every step
ROWS_MAX = 256  # rows a statement; statements are prepared for some numbers of rows only, unused rows stay NULL
SIZES = (*range(1, 9), 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, ROWS_MAX)
SNAPSHOTS_MAX = 10_000  # hashes remembered as stored
CONFLICT = "another revision"


class Put(NamedTuple):
    """Documents to be stored and places to be emptied, in one transaction."""

    documents: Sequence[Document]
    forgotten: Sequence[tuple[str, str, int]]


Unit = Commit | Put  # what is written as a whole or not at all


# -- the kinds of rows ----------------------------------------------------------------------------------------------------------

SNAPSHOT, START, MOVE, TASK, GONE, PAYLOAD, LOG, LETTER, DELIVERED, REMOVE, DOCUMENT, FORGET, TAKEN = range(1, 14)
_HEAD = ("execution_id", *HeadRow.__struct_fields__, "expected")
_TASK = ("execution_id", *TaskRow.__struct_fields__)
_KEY = "(SELECT key FROM executions WHERE id = :execution_id)"
_TASK_KEY = "(SELECT (key << 32) + :n FROM executions WHERE id = :execution_id)"
_DEFINITION = "(SELECT key FROM definition_snapshots WHERE hash = :definition_hash)"
_WIDTH = 1 + len(_HEAD)

# What a row of each kind holds, by the names its SQL uses, and what becomes of it.
_KINDS: dict[int, tuple[Sequence[str], str]] = {
    SNAPSHOT: (("hash", "json"), "INSERT INTO definition_snapshots (hash, json) VALUES (:hash, :json) ON CONFLICT (hash) DO NOTHING;"),
    START: (
        _HEAD,
        f"""
        INSERT INTO executions (
            id, revision, status, name, definition_version, definition, correlation_id, parent_id,
            created_at, updated_at, ended_at, wake_at, doc, input, output, variables
        ) VALUES (
            :execution_id, :revision, :status, :name, :definition_version, {_DEFINITION}, :correlation_id, :parent_id,
            :created_at, :updated_at, :ended_at, :wake_at, :doc, :input, :output, :variables
        ) ON CONFLICT (id) DO NOTHING;
        SELECT raise(ABORT, '{CONFLICT}') WHERE changes() <> 1;
        """,
    ),
    # Three updates instead of one: an index is rewritten when a column of it is assigned, changed or not. The first touches none.
    MOVE: (
        _HEAD,
        f"""
        UPDATE executions SET revision = :revision, updated_at = :updated_at, doc = :doc, input = coalesce(:input, input),
            output = coalesce(:output, output), variables = coalesce(:variables, variables)
        WHERE id = :execution_id AND revision = :expected;
        SELECT raise(ABORT, '{CONFLICT}') WHERE changes() <> 1;
        UPDATE executions SET wake_at = :wake_at WHERE id = :execution_id AND wake_at <> :wake_at;
        UPDATE executions SET status = :status, ended_at = :ended_at, name = :name, definition_version = :definition_version,
            definition = {_DEFINITION}, correlation_id = :correlation_id, parent_id = :parent_id, created_at = :created_at
        WHERE id = :execution_id AND (status <> :status OR ended_at <> :ended_at OR name <> :name OR definition_version <> :definition_version
            OR definition IS NOT {_DEFINITION} OR correlation_id IS NOT :correlation_id OR parent_id <> :parent_id OR created_at <> :created_at);
        """,
    ),
    TASK: (
        _TASK,
        f"""
        INSERT INTO tasks (key, task_id, status, type, def_name, ref, queue, priority, due_at, updated_at, doc, input, output) VALUES (
            {_TASK_KEY}, :task_id, :status, :type, :def_name, :ref, :queue, :priority, :due_at, :updated_at, :doc, :input, :output
        ) ON CONFLICT (key) DO UPDATE SET task_id = excluded.task_id, status = excluded.status, type = excluded.type,
            def_name = excluded.def_name, ref = excluded.ref, queue = excluded.queue, priority = excluded.priority, due_at = excluded.due_at,
            updated_at = excluded.updated_at, doc = excluded.doc, input = coalesce(excluded.input, input),
            output = coalesce(excluded.output, output);
        """,
    ),
    GONE: (
        ("execution_id", "n"),
        f"""
        DELETE FROM tasks WHERE key = {_TASK_KEY};
        DELETE FROM payloads WHERE execution = {_KEY} AND n = :n;
        """,
    ),
    PAYLOAD: (
        ("execution_id", "n", "part", "body"),
        f"INSERT INTO payloads VALUES ({_KEY}, :n, :part, :body) ON CONFLICT (execution, n, part) DO UPDATE SET body = excluded.body;",
    ),
    TAKEN: (("execution_id", "n"), f"DELETE FROM payloads WHERE execution = {_KEY} AND n BETWEEN -1 - :n AND -2;"),
    LOG: (
        ("execution_id", "task_id", "created_at", "line"),
        "INSERT INTO logs (execution, task_id, created_at, line) SELECT key, :task_id, :created_at, :line FROM executions WHERE id = :execution_id;",
    ),
    LETTER: (
        ("id", "kind", "due_at", "body"),
        """
        INSERT INTO outbox (id, kind, due_at, body) VALUES (:id, :kind, :due_at, :body)
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at, body = excluded.body;
        """,
    ),
    DELIVERED: (("id",), "DELETE FROM outbox WHERE id = :id;"),
    REMOVE: (
        ("execution_id", "expected"),
        f"""
        DELETE FROM executions WHERE id = :execution_id AND revision = :expected;
        SELECT raise(ABORT, '{CONFLICT}') WHERE changes() <> 1;
        """,
    ),
    DOCUMENT: (
        ("kind", "key", "version", "body"),
        "INSERT INTO documents VALUES (:kind, :key, :version, :body) ON CONFLICT (kind, key, version) DO UPDATE SET body = excluded.body;",
    ),
    FORGET: (("kind", "key", "version"), "DELETE FROM documents WHERE kind = :kind AND key = :key AND version = :version;"),
}


def prepare(connection: sqlite3.Connection) -> None:
    """Give this connection its view `batch` and the triggers; they live and die with it."""
    connection.execute(f"CREATE TEMP VIEW batch AS SELECT {', '.join(f'NULL AS c{i}' for i in range(_WIDTH))}")
    for kind, (names, sql) in _KINDS.items():
        body = re.sub(r":(\w+)", lambda found, names=names: f"new.c{names.index(found[1]) + 1}", sql)  # type: ignore[misc]
        connection.execute(f"CREATE TEMP TRIGGER batch_{kind} INSTEAD OF INSERT ON batch WHEN new.c0 = {kind} BEGIN {body} END")


class Batch:
    """The rows of a group of units, ready to be written."""

    __slots__ = ("_parameters", "_passing", "_stored", "removes", "snapshots", "weight")

    def __init__(self, units: Iterable[Unit], stored_snapshots: set[str]) -> None:
        self._parameters: list[Any] = []
        self._stored = stored_snapshots
        self.snapshots: set[str] = set()  # hashes of the snapshots among the rows
        self.removes = False  # an execution goes, and perhaps a snapshot with it: what was stored need not be any more
        commits = [unit for unit in units if isinstance(unit, Commit)]
        delivered = {id for commit in commits for id in commit.delivered}
        self.weight = 0  # how much all this is: rows, and pages of long payloads
        # Letters that are written and delivered in the same transaction: neither happens.
        self._passing = {row.id for commit in commits for row in commit.outbox if row.id in delivered} if delivered else delivered
        for unit in units:
            if isinstance(unit, Commit):
                self._add_commit(unit)
            else:
                self._add_put(unit)
        self.weight += len(self._parameters) // _WIDTH

    def write(self, connection: sqlite3.Connection) -> None:
        """
        All rows become durable, unless the connection is in a transaction: then they are part of it.

        Raises:
            sqlite3.Error: nothing is durable; what was written before in an open transaction has to be rolled back by the caller.
        """
        parameters = self._parameters
        rows = len(parameters) // _WIDTH
        if rows <= ROWS_MAX:
            if rows:
                _insert(connection, parameters, rows)
            return
        is_ours = not connection.in_transaction
        if is_ours:
            connection.execute("BEGIN IMMEDIATE")
        for start in range(0, rows, ROWS_MAX):
            part = parameters[start * _WIDTH : (start + ROWS_MAX) * _WIDTH]
            _insert(connection, part, len(part) // _WIDTH)
        if is_ours:
            connection.execute("COMMIT")

    def _add(self, kind: int, *values: Any) -> None:
        parameters = self._parameters
        parameters.append(kind)
        parameters.extend(values)
        parameters.extend(_PADDING[len(values)])

    def _add_commit(self, commit: Commit) -> None:
        id = commit.execution_id
        if commit.removed:
            self._add(REMOVE, id, commit.expected)
            self._stored, self.snapshots, self.removes = set(), set(), True
        else:
            if commit.head is not None:
                self._add_execution(id, commit.head, commit)
            for line in commit.logs:
                self._add(LOG, id, *astuple(line))
        for letter in commit.outbox:
            if letter.id not in self._passing:
                self._add(LETTER, *astuple(letter))
        for letter_id in commit.delivered:
            if letter_id not in self._passing:
                self._add(DELIVERED, letter_id)

    def _add_execution(self, id: str, head: HeadRow, commit: Commit) -> None:
        if commit.definition is not None:
            hash, json = commit.definition
            if hash not in self._stored and hash not in self.snapshots:
                self.snapshots.add(hash)
                self._add(SNAPSHOT, hash, json)
        values = astuple(head)
        if len(head.input or b"") > INLINE_BYTES or len(head.output or b"") > INLINE_BYTES or len(head.variables or b"") > INLINE_BYTES:
            self._add(MOVE if commit.expected else START, id, *values[:-3], *map(_in_row, values[-3:]), commit.expected)
            self._add_payloads(id, -1, input=head.input, output=head.output, variables=head.variables)
        else:
            self._add(MOVE if commit.expected else START, id, *values, commit.expected)
        for n in commit.gone:
            self._add(GONE, id, n)
        for row in commit.tasks:
            values = astuple(row)
            if len(row.input or b"") > INLINE_BYTES or len(row.output or b"") > INLINE_BYTES:
                self._add(TASK, id, *values[:-2], *map(_in_row, values[-2:]))
                self._add_payloads(id, row.n, input=row.input, output=row.output)
            else:
                self._add(TASK, id, *values)
        if commit.pushed or commit.taken:
            self._add_messages(id, commit)

    def _add_messages(self, id: str, commit: Commit) -> None:
        """Messages are payloads of the execution with numbers below its own, so that they go away with it: -2 is the first one's."""
        for message in commit.pushed:
            if message.n > commit.taken:
                self._add(PAYLOAD, id, -1 - message.n, "message", message.doc)
                self.weight += len(message.doc) // INLINE_BYTES
        if commit.taken:
            self._add(TAKEN, id, commit.taken)

    def _add_payloads(self, id: str, n: int, **payloads: bytes | None) -> None:
        """The long ones among the payloads of one row."""
        for part, body in payloads.items():
            if body is not None and len(body) > INLINE_BYTES:
                self._add(PAYLOAD, id, n, part, body)
                self.weight += len(body) // INLINE_BYTES

    def _add_put(self, put: Put) -> None:
        for document in put.documents:
            self._add(DOCUMENT, *astuple(document))
        for place in put.forgotten:
            self._add(FORGET, *place)


def _in_row(payload: bytes | None) -> bytes | int | None:
    """What a payload's column holds: the payload, or the length of one that is too long."""
    return len(payload) if payload is not None and len(payload) > INLINE_BYTES else payload


_PADDING = [(None,) * (_WIDTH - 1 - used) for used in range(_WIDTH)]
_STATEMENTS = {size: f"INSERT INTO batch VALUES {','.join(['(' + ','.join('?' * _WIDTH) + ')'] * size)}" for size in SIZES}
_SIZE_FOR = [next(size for size in SIZES if size >= rows) for rows in range(ROWS_MAX + 1)]


def _insert(connection: sqlite3.Connection, parameters: list[Any], rows: int) -> None:
    size = _SIZE_FOR[rows]
    if size != rows:
        parameters = parameters + [None] * ((size - rows) * _WIDTH)
    connection.execute(_STATEMENTS[size], parameters)
