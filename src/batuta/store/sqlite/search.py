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

_KEYS = {"executions": "e.id, 0", "tasks": "e.id, t.n"}
_NEWEST = {"executions": "e.created_at DESC, e.key DESC", "tasks": "t.updated_at DESC, t.execution DESC, t.n DESC"}
_FIELDS = {"executions": EXECUTION, "tasks": TASK}
_ALL = {
    "executions": "SELECT coalesce(sum(value), 0) FROM tallies WHERE name LIKE 'executions.%'",
    "tasks": "SELECT value FROM tallies WHERE name = 'tasks'",
}


def search(
    connection: sqlite3.Connection, kind: str, query: Query | None, words: str, sort: Sequence[Sort], start: int, size: int
) -> tuple[int, list[tuple[str, int]]]:
    """How many match, and of the page the execution ids with row numbers (0 for an execution)."""
    fields = _FIELDS[kind]
    values: list[Any] = []
    conditions = [condition for condition in (_sql(query, fields, values), _words(kind, words, values)) if condition]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = ", ".join([*(f"{fields[s.field].sql} {'DESC' if s.descending else 'ASC'}" for s in sort if s.field in fields), _NEWEST[kind]])
    connection.execute("BEGIN")
    try:
        count = f"SELECT count(*) {_from(kind, where)}{where}" if conditions else _ALL[kind]
        (total,) = connection.execute(count, values).fetchone()
        page = f"SELECT {_KEYS[kind]} {_from(kind, where + order + _KEYS[kind])}{where} ORDER BY {order} LIMIT ? OFFSET ?"
        return total, list(connection.execute(page, [*values, size, start]))
    finally:
        connection.execute("COMMIT")


def _from(kind: str, used: str) -> str:
    """The tables that the SQL *used* speaks of: without the others, an index may hold all that a count needs."""
    snapshots = " JOIN definition_snapshots d ON d.key = e.definition" if "d." in used else ""
    if kind == "executions":
        return f"FROM executions e{snapshots}"
    executions = " JOIN executions e ON e.key = t.execution" if snapshots or "e." in used else ""
    return f"FROM tasks t{executions}{snapshots}"


def _words(kind: str, words: str, values: list[Any]) -> str:
    if not words:
        return ""
    t, n = ("e", "-1") if kind == "executions" else ("t", "t.n")
    places = [f"CAST({t}.{column} AS TEXT) LIKE ? ESCAPE '\\'" for column in ("doc", "input", "output")]
    long = f"SELECT 1 FROM payloads p WHERE p.execution = e.key AND p.n = {n} AND CAST(p.body AS TEXT) LIKE ? ESCAPE '\\'"
    values += [f"%{like(words)}%"] * 4
    return f"({' OR '.join(places)} OR EXISTS ({long}))"


def _sql(query: Query | None, fields: dict[str, Field], values: list[Any]) -> str:
    """The condition in SQL, ready to stand beside others; its parameters are added to *values*. A field that does not exist excludes nothing."""
    match query:
        case None:
            return ""
        case All(parts) | Any_(parts):
            joint = " AND " if isinstance(query, All) else " OR "
            return f"({joint.join(_sql(part, fields, values) for part in parts)})"
    if query.field not in fields:
        return "1"
    expression, op = fields[query.field].sql, query.op
    if op.startswith("IS"):
        return f"coalesce({expression}, '') {'=' if op == 'IS NULL' else '<>'} ''"
    if op == "STARTS_WITH":
        values += [query.values[0]] * 2
        return f"substr({expression}, 1, length(?)) = ?"
    if op == "=" and "*" in query.values[0] and query.field not in NUMBERS:
        values.append(like(query.values[0]))
        return f"{expression} LIKE ? ESCAPE '\\'"
    given = [instant(v, query.field) if query.field in NUMBERS else v for v in query.values]
    values += given
    if op in ("=", "IN") and all(given):
        expression = fields[query.field].column or expression
    if op.endswith("IN"):
        return f"{expression} {op} ({', '.join('?' * len(given))})"
    return f"({expression} BETWEEN ? AND ?)" if op == "BETWEEN" else f"{expression} {op} ?"
