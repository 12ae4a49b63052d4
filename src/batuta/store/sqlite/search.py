"""
Search: a query as SQL, its page and its total, as of one commit.

Free text is a substring, whatever the case of ASCII letters, of ids, names, reason, input and output; it is looked for row by row, on a reader's thread, so
a search without other conditions over a million executions takes seconds and holds nobody up.
Not here: the language (core/query.py), which fields there are (store/fields.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from batuta.core.query import All, Any_, Query, Sort, instant, like
from batuta.store.fields import EXECUTION, NUMBERS, TASK, Field

_FROM = {
    "executions": "FROM executions e JOIN definition_snapshots d ON d.key = e.definition",
    "tasks": "FROM tasks t JOIN executions e ON e.key = t.execution JOIN definition_snapshots d ON d.key = e.definition",
}
_KEYS = {"executions": "e.id, 0", "tasks": "e.id, t.n"}
_NEWEST = {"executions": "e.created_at DESC, e.key DESC", "tasks": "t.updated_at DESC, t.execution DESC, t.n DESC"}
_FIELDS = {"executions": EXECUTION, "tasks": TASK}


def search(
    connection: sqlite3.Connection, kind: str, query: Query | None, words: str, sort: Sequence[Sort], start: int, size: int
) -> tuple[int, list[tuple[str, int]]]:
    """How many match, and of the page the execution ids with row numbers (0 for an execution)."""
    fields = _FIELDS[kind]
    values: list[Any] = []
    conditions = [condition for condition in (_sql(query, fields, values), _words(kind, words, values)) if condition]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = [f"{fields[s.field].sql} {'DESC' if s.descending else 'ASC'}" for s in sort if s.field in fields]
    connection.execute("BEGIN")
    try:
        (total,) = connection.execute(f"SELECT count(*) {_FROM[kind]}{where}", values).fetchone()
        page = f"SELECT {_KEYS[kind]} {_FROM[kind]}{where} ORDER BY {', '.join([*order, _NEWEST[kind]])} LIMIT ? OFFSET ?"
        return total, list(connection.execute(page, [*values, size, start]))
    finally:
        connection.execute("COMMIT")


def _words(kind: str, words: str, values: list[Any]) -> str:
    if not words:
        return ""
    t, n = ("e", "-1") if kind == "executions" else ("t", "t.n")
    places = [f"CAST({t}.{column} AS TEXT) LIKE ? ESCAPE '\\'" for column in ("doc", "input", "output")]
    long = f"SELECT 1 FROM payloads p WHERE p.execution = e.key AND p.n = {n} AND CAST(p.body AS TEXT) LIKE ? ESCAPE '\\'"
    values += [f"%{like(words)}%"] * 4
    return f"({' OR '.join(places)} OR EXISTS ({long}))"


def _sql(query: Query | None, fields: dict[str, Field], values: list[Any]) -> str:
    """The condition in SQL; its parameters are added to *values*. A field that does not exist excludes nothing, as with Conductor on SQLite."""
    match query:
        case None:
            return ""
        case All(parts):
            return " AND ".join(f"({sql})" for part in parts if (sql := _sql(part, fields, values)))
        case Any_(parts):
            return " OR ".join(f"({sql})" for part in parts if (sql := _sql(part, fields, values)))
    if query.field not in fields:
        return ""
    expression, op = fields[query.field].sql, query.op
    if op.startswith("IS"):
        return f"coalesce({expression}, '') {'=' if op == 'IS NULL' else '<>'} ''"
    if op == "STARTS_WITH" or (op == "=" and "*" in query.values[0] and query.field not in NUMBERS):
        values.append(like(query.values[0]) + ("%" if op == "STARTS_WITH" else ""))
        return f"{expression} LIKE ? ESCAPE '\\'"
    given = [instant(v, query.field) if query.field in NUMBERS else v for v in query.values]
    values += given
    if op.endswith("IN"):
        return f"{expression} {op} ({', '.join('?' * len(given))})"
    return f"{expression} BETWEEN ? AND ?" if op == "BETWEEN" else f"{expression} {op} ?"
