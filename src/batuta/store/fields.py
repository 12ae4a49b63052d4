"""
Fields: what a search may ask about executions and tasks, by Conductor's names, and where each stands in a row.

Here: one table a kind, for every backend: a value of the record, and the SQL of SQLite. Not here: the language (core/query.py).
Source: conductor-rest-api.md §5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from batuta.store.protocol import HeadRow, TaskRow

_decode = msgspec.json.decode


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


def _doc(table: str, name: str, default: str) -> str:
    return f"coalesce(json_extract(CAST({table}.doc AS TEXT), '$.{name}'), {default})"


def _classifier(record: Record) -> str:
    metadata = _decode(record.definition).get("metadata") or {}
    named = metadata.get("classifier")
    return named if isinstance(named, str) else "agent" if "agent_sdk" in metadata or "agentDef" in metadata else "workflow"


_METADATA = "json_extract(CAST(d.json AS TEXT), '$.metadata.{}')"
_CLASSIFIER = (
    f"coalesce({_METADATA.format('classifier')}, CASE WHEN {_METADATA.format('agent_sdk')} IS NOT NULL OR {_METADATA.format('agentDef')} IS NOT NULL "
    "THEN 'agent' ELSE 'workflow' END)"
)

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
    "classifier": Field(_classifier, _CLASSIFIER),
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
}
NUMBERS: Final = frozenset({"startTime", "endTime", "updateTime", "scheduledTime", "executionTime", "version", "priority"})


def _task(record: Record) -> TaskRow:
    assert record.task is not None, "a task's field was asked of an execution"
    return record.task


def words_of(record: Record) -> str:
    """The text that free text is looked for in."""
    head, task = record.head, record.task
    if task is not None:
        parts: tuple[bytes | None, ...] = (task.doc, task.input, task.output)
    else:
        parts = (head.doc, head.input, head.output)
    return "\n".join(part.decode(errors="replace") for part in parts if part)
