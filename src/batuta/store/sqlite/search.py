"""
Search: a query as SQL, its page and its total, as of one commit.

Conditions on text begin with the index `words`, which knows where trigrams stand: it names executions that may be meant, the rows themselves decide. Beside
those it names, every execution is looked at that it does not know yet (`words_due`), so what is found does not depend on how far indexing has come.
Not here: the languages (core/query.py, core/freetext.py), which fields there are (store/fields.py), filling the index (words.py).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from batuta.core.freetext import TEXT
from batuta.core.query import All, Any_, Compare, Not, Query, Sort, instant, like
from batuta.store.fields import EXECUTION, NUMBERS, TASK, TEXTS, Field, checked

_KEYS = {"executions": "e.id, 0", "tasks": "e.id, t.n"}
_NEWEST = {"executions": "e.created_at DESC, e.key DESC", "tasks": "t.key DESC"}
_FIELDS = {"executions": EXECUTION, "tasks": TASK}
_NAMED = "(SELECT rowid AS key FROM words WHERE words MATCH ? AND rowid NOT IN (SELECT key FROM words_due) UNION ALL SELECT key FROM words_due)"
# Fields without an index of their own whose text is part of what `words` knows.
_IN_WORDS: Final = frozenset({TEXT, "jsonData", "input", "output", "reasonForIncompletion", "event", "createdBy", "idempotencyKey", "domain"})
_COLUMN: Final = re.compile(r"[et]\.\w+")
TRIGRAMS_MAX: Final = 24  # of one value: more make no difference to what is named


def search(connection: sqlite3.Connection, kind: str, query: Query | None, sort: Sequence[Sort], start: int, size: int) -> tuple[int, list[tuple[str, int]]]:
    """How many match, and of the page the execution ids with row numbers (0 for an execution)."""
    query, sort = checked(kind, query, sort)
    fields, values = _FIELDS[kind], list[Any]()
    query = _classified(connection, query, fields)
    condition, trigrams = _sql(query, fields, values), _trigrams(query)
    where = f" WHERE {condition}" if condition else ""
    order = ", ".join([*(f"{fields[s.field].sql} {'DESC' if s.descending else 'ASC'}" for s in sort), _NEWEST[kind]])
    if trigrams:
        values.insert(0, trigrams)
    tables = _from(kind, where + order + _KEYS[kind], bool(trigrams))
    connection.execute("BEGIN")
    try:
        if _reads_text(query):  # each row that may be meant is read: once, for the page and the total
            page = connection.execute(f"SELECT {_KEYS[kind]}, count(*) OVER () {tables}{where} ORDER BY {order} LIMIT ? OFFSET ?", [*values, size, start])
            found = page.fetchall()
            if found or (start == 0 and size):
                return found[0][2] if found else 0, [(id, n) for id, n, _ in found]
        counted = _tallied(connection, kind, query)
        if counted is None:
            (counted,) = connection.execute(f"SELECT count(*) {_from(kind, where, bool(trigrams))}{where}", values).fetchone()
        return counted, list(connection.execute(f"SELECT {_KEYS[kind]} {tables}{where} ORDER BY {order} LIMIT ? OFFSET ?", [*values, size, start]))
    finally:
        connection.execute("COMMIT")


def _classified(connection: sqlite3.Connection, query: Query | None, fields: dict[str, Field]) -> Query | None:
    """The query without a condition on the classifier that every definition meets: mostly there is but one class, and then nothing has to be looked at."""
    kept = []
    for part in _conjuncts(query):
        if isinstance(part, Compare) and part.field == "classifier" and "classifier" in fields:
            values = list[Any]()
            others = f"SELECT 1 FROM definition_snapshots d WHERE NOT {_compared(part, fields['classifier'], values)} LIMIT 1"
            if connection.execute(others, values).fetchone() is None:
                continue
        kept.append(part)
    return None if not kept else kept[0] if len(kept) == 1 else All(tuple(kept))


def _conjuncts(query: Query | None) -> list[Query]:
    """The conditions that all have to hold."""
    if isinstance(query, All):
        return [conjunct for part in query.parts for conjunct in _conjuncts(part)]
    return [] if query is None else [query]


def _tallied(connection: sqlite3.Connection, kind: str, query: Query | None) -> int | None:
    """The total, where the store keeps count: of everything, and of executions by status, all or those without a parent."""
    if kind == "tasks":
        return int(connection.execute("SELECT value FROM tallies WHERE name = 'tasks'").fetchone()[0]) if query is None else None
    counted, statuses = "executions", None
    for part in _conjuncts(query):
        match part:
            case Compare("parentWorkflowId", "=", ("",)) | Compare("parentWorkflowId", "IS NULL"):
                counted = "top"
            case Compare("status", "=" | "IN", asked) if statuses is None and not any("*" in status for status in asked):
                statuses = set(asked)
            case _:
                return None
    every: dict[str, int] = dict(connection.execute("SELECT substr(name, length(?) + 2), value FROM tallies WHERE name LIKE ? || '.%'", (counted, counted)))
    return sum(value for status, value in every.items() if statuses is None or status in statuses)


def _from(kind: str, used: str, is_named: bool) -> str:
    """The tables that the SQL *used* speaks of: without the others, an index may hold all that a count needs. CROSS JOIN means: in this order."""
    snapshots = " JOIN definition_snapshots d ON d.key = e.definition" if "d.classifier" in used else ""
    if kind == "executions":
        return f"FROM {_NAMED} named CROSS JOIN executions e ON e.key = named.key{snapshots}" if is_named else f"FROM executions e{snapshots}"
    executions = " JOIN executions e ON e.key = t.execution" if "e." in used else ""
    if is_named:
        return f"FROM {_NAMED} named CROSS JOIN tasks t ON t.key BETWEEN named.key << 32 AND (named.key << 32) + 4294967295{executions}"
    return f"FROM tasks t{executions}"


def _sql(query: Query | None, fields: dict[str, Field], values: list[Any]) -> str:
    """The condition in SQL, ready to stand beside others; its parameters are added to *values*."""
    match query:
        case None:
            return ""
        case All(parts) | Any_(parts):
            joint = " AND " if isinstance(query, All) else " OR "
            return f"({joint.join(_sql(part, fields, values) for part in parts)})"
        case Not(part):
            return f"NOT {_sql(part, fields, values)}"
    condition = _compared(query, fields[query.field], values)
    if "d.classifier" in condition:  # a few definitions are judged, not all their executions
        return f"e.definition IN (SELECT s.key FROM definition_snapshots s WHERE {condition.replace('d.classifier', 's.classifier')})"
    return condition


def _compared(query: Compare, field: Field, values: list[Any]) -> str:
    expression, op = field.sql, query.op
    is_column = _COLUMN.fullmatch(expression) is not None  # then an index of it serves, and it is never NULL
    if op.startswith("IS"):
        given_or_empty = expression if is_column else f"coalesce({expression}, '')"
        return f"({given_or_empty} {'=' if op == 'IS NULL' else '<>'} '')"
    if op == "STARTS_WITH":
        (start,) = query.values
        column = field.column or (expression if is_column and query.field not in NUMBERS else "")
        if column and start:
            values += [start, f"{start}\U0010ffff"]
            return f"({column} >= ? AND {column} < ?)"
        values += [start] * 2
        return f"(substr({expression}, 1, length(?)) = ?)"
    is_text = query.field in TEXTS and op in ("=", "!=")
    if is_text or (op == "=" and "*" in query.values[0] and query.field not in NUMBERS):
        pattern = like(f"*{query.values[0]}*" if is_text else query.values[0])
        looked_at = (*field.parts, expression)
        values += [pattern] * len(looked_at)
        found = " OR ".join(f"{text} LIKE ? ESCAPE '\\'" for text in looked_at)
        return f"(NOT ({found}))" if op == "!=" else f"({found})"
    given = [instant(v, query.field) if query.field in NUMBERS else v for v in query.values]
    values += given
    if op in ("=", "IN") and all(given):
        expression = field.column or expression
    if op.endswith("IN"):
        return f"({expression} {op} ({', '.join('?' * len(given))}))"
    return f"({expression} BETWEEN ? AND ?)" if op == "BETWEEN" else f"({expression} {op} ?)"


def _reads_text(query: Query | None) -> bool:
    match query:
        case All(parts) | Any_(parts):
            return any(map(_reads_text, parts))
        case Not(part):
            return _reads_text(part)
        case Compare(field):
            return field in _IN_WORDS
    return False


def _trigrams(query: Query | None) -> str:
    """What `words` has to be asked, so that it names everything that may meet the query; empty when it cannot help."""
    match query:
        case All(parts):
            return " AND ".join(f"({asked})" for part in parts if (asked := _trigrams(part)))
        case Any_(parts):
            each = [_trigrams(part) for part in parts]
            return " OR ".join(f"({asked})" for asked in each) if all(each) else ""
        case Compare(field, "=", (value,)) if field in _IN_WORDS:
            found = dict.fromkeys(piece[at : at + 3] for piece in value.split("*") for at in range(len(piece) - 2))
            usable = [gram.replace('"', '""') for gram in found if "\0" not in gram]
            step = len(usable) // TRIGRAMS_MAX + 1
            return " AND ".join(f'"{gram}"' for gram in usable[::step])
    return ""
