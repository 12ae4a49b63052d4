"""
Fields: what a search may ask about executions and tasks, by Conductor's names, and where each stands in a row.

Here: one table a kind, for every backend: a value of the record, and the SQL of SQLite; what may be asked of them. Not here: the languages
(core/query.py, core/freetext.py).
Source: conductor-rest-api.md §5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from batuta.core.freetext import TEXT
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.query import All, Any_, Compare, Not, Query, Sort, instant, whole
from batuta.errors import Invalid
from batuta.store.protocol import HeadRow, TaskRow

TEXT_BYTES_MAX: Final = 16_384  # of each payload: what comes after is not found by text (the same in the views of store/sqlite/migrations)
_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Record(NamedTuple):
    """An execution, or a task of it, as a search sees it."""

    execution_id: str
    head: HeadRow
    task: TaskRow | None
    definition: bytes

    def said(self, name: str, default: Any = None) -> Any:
        """A member of the row's document."""
        return _decode(self.task.doc if self.task is not None else self.head.doc).get(name, default)


class Field(NamedTuple):
    """How to read a field of a record, and the SQL expression for it (`e`: executions, `t`: tasks, `d`: definition snapshots)."""

    read: Callable[[Record], Any]
    sql: str
    column: str = ""  # the same for comparing with text that is not empty, where an index needs the bare column
    parts: tuple[str, ...] = ()  # what is part of the text and read at a third of the price: what stands there need not be looked for in the whole


def _doc(table: str, name: str, default: str) -> str:
    return f"coalesce(json_extract(CAST({table}.doc AS TEXT), '$.{name}'), {default})"


def _words(kind: str, column: str = "words") -> str:
    table = {"execution": "e", "task": "t"}[kind]
    return f"(SELECT {column} FROM {kind}_words w WHERE w.key = {table}.key)"


def _at_hand(table: str, name: str) -> tuple[str, ...]:
    """The name and the payloads that stand in the row itself, as SQL; never NULL."""
    payloads = (f"{table}.{column}" for column in ("input", "output"))
    return (f"{table}.{name}", *(f"CASE typeof({payload}) WHEN 'blob' THEN CAST({payload} AS TEXT) ELSE '' END" for payload in payloads))


def _text(payload: bytes | None) -> str:
    return (payload or b"{}")[:TEXT_BYTES_MAX].decode(errors="replace")


def _listed(names: list[str]) -> str:
    return _encode(names).decode() if names else ""


def _classifier(record: Record) -> str:
    metadata = _decode(record.definition).get("metadata") or {}
    named = metadata.get("classifier")
    return named if isinstance(named, str) else "agent" if "agent_sdk" in metadata or "agentDef" in metadata else "workflow"


def _between(start: str, end: str) -> str:
    first, last = _doc("t", start, "0"), _doc("t", end, "0")
    return f"CASE WHEN {first} > 0 THEN max({last} - {first}, 0) ELSE 0 END"


def _span(record: Record, start: str, end: str) -> int:
    first = record.said(start, 0)
    return max(record.said(end, 0) - first, 0) if first else 0


EXECUTION: Final[dict[str, Field]] = {
    "workflowId": Field(lambda r: r.execution_id, "e.id"),
    "workflowType": Field(lambda r: r.head.name, "e.name"),
    "version": Field(lambda r: r.head.definition_version, "e.definition_version"),
    "correlationId": Field(lambda r: r.head.correlation_id or "", "coalesce(e.correlation_id, '')", "e.correlation_id"),
    "status": Field(lambda r: r.head.status, "e.status"),
    "startTime": Field(lambda r: r.head.created_at, "e.created_at"),
    "endTime": Field(lambda r: r.head.ended_at, "e.ended_at"),
    "updateTime": Field(lambda r: r.head.updated_at, "e.updated_at"),
    "executionTime": Field(lambda r: max(r.head.ended_at - r.head.created_at, 0), "max(e.ended_at - e.created_at, 0)"),
    "parentWorkflowId": Field(lambda r: r.head.parent_id, "e.parent_id"),
    "priority": Field(lambda r: r.said("priority", 0), _doc("e", "priority", "0")),
    "reasonForIncompletion": Field(lambda r: r.said("reason") or "", _doc("e", "reason", "''")),
    "event": Field(lambda r: r.said("event") or "", _doc("e", "event", "''")),
    "createdBy": Field(lambda r: r.said("created_by", ""), _doc("e", "created_by", "''")),
    "idempotencyKey": Field(lambda r: r.said("idempotency_key", ""), _doc("e", "idempotency_key", "''")),
    "failedReferenceTaskNames": Field(lambda r: _listed(r.said("failed_refs", [])), _doc("e", "failed_refs", "''")),
    "failedTaskNames": Field(lambda r: _listed(r.said("failed_names", [])), _doc("e", "failed_names", "''")),
    "classifier": Field(_classifier, "d.classifier"),
    "input": Field(lambda r: _text(r.head.input), _words("execution", "input")),
    "output": Field(lambda r: _text(r.head.output), _words("execution", "output")),
    "jsonData": Field(lambda r: words_of(r), _words("execution"), parts=_at_hand("e", "name")),
    TEXT: Field(lambda r: words_of(r), _words("execution"), parts=_at_hand("e", "name")),
}
TASK: Final[dict[str, Field]] = {
    "taskId": Field(lambda r: _task(r).task_id, "t.task_id"),
    "taskType": Field(lambda r: _task(r).type, "t.type"),
    "taskDefName": Field(lambda r: _task(r).def_name, "t.def_name"),
    "referenceTaskName": Field(lambda r: _task(r).ref, "t.ref"),
    "status": Field(lambda r: _task(r).status, "t.status"),
    "updateTime": Field(lambda r: _task(r).updated_at, "t.updated_at"),
    "scheduledTime": Field(lambda r: r.said("scheduled_at", 0), _doc("t", "scheduled_at", "0")),
    "startTime": Field(lambda r: r.said("started_at", 0), _doc("t", "started_at", "0")),
    "endTime": Field(lambda r: r.said("ended_at", 0), _doc("t", "ended_at", "0")),
    "reasonForIncompletion": Field(lambda r: r.said("reason") or "", _doc("t", "reason", "''")),
    "domain": Field(lambda r: r.said("domain", ""), _doc("t", "domain", "''")),
    "workflowId": Field(lambda r: r.execution_id, "e.id"),
    "workflowType": Field(lambda r: r.head.name, "e.name"),
    "correlationId": Field(lambda r: r.head.correlation_id or "", "coalesce(e.correlation_id, '')", "e.correlation_id"),
    "workflowPriority": Field(lambda r: _task(r).priority, "t.priority"),
    "executionTime": Field(lambda r: _span(r, "started_at", "ended_at"), _between("started_at", "ended_at")),
    "queueWaitTime": Field(lambda r: _span(r, "scheduled_at", "started_at"), _between("scheduled_at", "started_at")),
    "input": Field(lambda r: _text(_task(r).input), _words("task", "input")),
    "output": Field(lambda r: _text(_task(r).output), _words("task", "output")),
    "jsonData": Field(lambda r: words_of(r), _words("task"), parts=_at_hand("t", "def_name")),
    TEXT: Field(lambda r: words_of(r), _words("task"), parts=_at_hand("t", "def_name")),
}
INSTANTS: Final = frozenset({"startTime", "endTime", "updateTime", "scheduledTime"})
NUMBERS: Final = INSTANTS | {"executionTime", "queueWaitTime", "version", "priority", "workflowPriority"}
TEXTS: Final = frozenset({TEXT, "jsonData", "input", "output", "failedReferenceTaskNames", "failedTaskNames"})
# Names that Conductor's user interface filters and sorts by, beside those of its index: of the execution or task itself.
_ALSO_CALLED: Final = {
    "executions": {"createTime": "startTime", "modifiedTime": "updateTime", "workflowName": "workflowType", "workflowVersion": "version"},
    "tasks": {
        "inputData": "input", "outputData": "output", "taskReferenceName": "referenceTaskName", "workflowInstanceId": "workflowId",
        "workflowName": "workflowType",
    },
}  # fmt: skip
_NAMED: Final = {kind: fields.keys() - {TEXT} for kind, fields in (("executions", EXECUTION), ("tasks", TASK))}
READABLE: Final = {kind: frozenset(names | _ALSO_CALLED[kind].keys()) for kind, names in _NAMED.items()}  # what may be asked for by name


_STATUSES: Final = {"executions": WorkflowStatus.__members__, "tasks": TaskStatus.__members__}
# Columns that older ones let a person sort by, and that stand in no row here.
_UNSORTED: Final = frozenset({"externalInputPayloadStoragePath", "externalOutputPayloadStoragePath"})


def checked(kind: str, query: Query | None, sort: Sequence[Sort]) -> tuple[Query | None, list[Sort]]:
    """
    What is asked, and what to sort by, in the names of the table.

    Raises:
        Invalid: a condition or a sort on a field that there is not, or a value that its field cannot have.
    """
    asked = None if query is None else _checked(kind, query)
    return asked, [Sort(_field(kind, "sort by", by.field), by.descending) for by in sort if by.field not in _UNSORTED]


def _checked(kind: str, query: Query) -> Query:
    match query:
        case All(parts):
            return All(tuple(_checked(kind, part) for part in parts))
        case Any_(parts):
            return Any_(tuple(_checked(kind, part) for part in parts))
        case Not(part):
            return Not(_checked(kind, part))
        case Compare(asked, op, values):
            field = asked if asked == TEXT else _field(kind, "query field", asked)
            for value in values:
                if field == "status" and op in ("=", "!=", "IN", "NOT IN") and "*" not in value and value not in _STATUSES[kind]:
                    raise Invalid(f"query field {asked!r}: found {value!r}, expected one of {', '.join(_STATUSES[kind])}")
                if field in INSTANTS:
                    instant(value, asked)
                elif field in NUMBERS and whole(value) is None:
                    raise Invalid(f"query field {asked!r}: found {value!r}, expected a whole number")
            return Compare(field, op, values)


def _field(kind: str, what: str, name: str) -> str:
    """The field in the table that is meant."""
    field = _ALSO_CALLED[kind].get(name, name)
    if field not in _NAMED[kind]:
        raise Invalid(f"{what} {name!r}: {kind} have no such field, expected one of {', '.join(sorted(_NAMED[kind]))}")
    return field


def _task(record: Record) -> TaskRow:
    assert record.task is not None, "a task's field was asked of an execution"
    return record.task


def words_of(record: Record) -> str:
    """The text that free text is looked for in. In SQL: the views of store/sqlite/migrations."""
    head, task, said = record.head, record.task, record.said
    if task is not None:
        names = [task.task_id, task.type, task.def_name, task.ref, task.status, said("reason") or "", said("worker", ""), said("domain", "")]
        return "\n".join([*names, _text(task.input), _text(task.output)])
    names = [record.execution_id, head.name, head.status, head.correlation_id or "", head.parent_id, said("reason") or "", said("event") or ""]
    return "\n".join([*names, said("created_by", ""), said("idempotency_key", ""), _text(head.input), _text(head.output)])
