"""
Rows: how an execution and its tasks become rows of the store, and back.

A row is a few columns that are searched or sorted by, payloads, and `doc`: everything else of the struct as JSON. What did not change is
not written; what is written is encoded here, once, whatever the backend.

Here: both directions, and `commit_of`, which turns an execution's remembered changes into a commit. Not here: what a commit promises
(protocol.py), how it is made durable (memory.py, sqlite/).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from batuta.core.model.execution import INPUT, OUTPUT, VARIABLES, Changes, Execution, Head, Pushed
from batuta.core.model.task import Json, Task
from batuta.store.protocol import Commit, HeadRow, LogRow, OutboxRow, PushedRow, Stored, TaskRow

PAYLOADS = INPUT | OUTPUT | VARIABLES
APART_BYTES = 3072 * 1024  # taskInput/OutputPayloadSizeThreshold of Conductor
WORKFLOW_APART_BYTES = 5120 * 1024  # workflowInput/OutputPayloadSizeThreshold
_EMPTY: Json = {}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_task = msgspec.json.Decoder(Task).decode
_decode_head = msgspec.json.Decoder(Head).decode
_decode_pushed = msgspec.json.Decoder(Pushed).decode


def commit_of(execution: Execution, *, outbox: Sequence[OutboxRow] = (), delivered: Sequence[str] = (), logs: Sequence[LogRow] = ()) -> Commit:
    """
    All that changed since the last commit. The head's revision grows by one, and the execution's changes start anew.

    Rows that are new (the head of revision 0, tasks in `changes.made`) are written whole; of others, the parts marked as changed.
    """
    changes, head, tasks = execution.changes, execution.head, execution.tasks
    expected, parts = head.revision, changes.head
    if expected == 0:
        parts |= PAYLOADS
    head.revision = expected + 1
    made = changes.made
    rows = [row_of_task(tasks[n], parts | PAYLOADS if n in made else parts) for n, parts in changes.tasks.items() if n in tasks]
    execution.changes = Changes()
    commit = Commit(head.id, expected, row_of_head(head, parts), rows, changes.gone, outbox, delivered, logs)
    if changes.pushed or changes.taken:
        commit.pushed = [PushedRow(message.n, encode(message)) for message in changes.pushed if message.n > changes.taken]
        commit.taken = changes.taken
    return commit


def execution_of(stored: Stored) -> tuple[Head, list[Task]]:
    """The head and the tasks, by row number, as they were when they were last committed."""
    return head_of(stored.head), [task_of(row) for row in stored.tasks]


def inbox_of(stored: Stored) -> list[Pushed]:
    """The messages that wait in its inbox, oldest first."""
    return [decode(row.doc, _decode_pushed, Pushed) for row in stored.inbox]


def row_of_task(task: Task, parts: int) -> TaskRow:
    """
    The task's row with the payloads that *parts* (INPUT, OUTPUT) ask for; the others are left as stored.

    A payload above APART_BYTES gets a path, by which the API shows it instead of in place (Conductor's external payload storage);
    it is stored in the row like any other.
    """
    given, result = task.input, task.output
    given_text = encode(given) if parts & INPUT else None
    result_text = encode(result) if parts & OUTPUT else None
    if given_text is not None:
        task.external_input = f"task/input/{task.id}.json" if len(given_text) > APART_BYTES else ""
    if result_text is not None:
        task.external_output = f"task/output/{task.id}.json" if len(result_text) > APART_BYTES else ""
    task.input = task.output = _EMPTY  # omitted from doc, where the default is
    try:
        doc = encode(task)
    finally:
        task.input, task.output = given, result
    return TaskRow(
        task.n,
        task.id,
        task.status._value_,  # exactly a str: a database driver binds that faster than an enum's member
        task.type,
        task.def_name,
        task.ref,
        task.queue,
        task.priority,
        task.due_at,
        task.updated_at,
        doc,
        given_text,
        result_text,
    )


def task_of(row: TaskRow) -> Task:
    """The task as it was when the row was written."""
    task: Task = decode(row.doc, _decode_task, Task)
    task.input = payload_of(row.input)
    task.output = payload_of(row.output)
    return task


def row_of_head(head: Head, parts: int) -> HeadRow:
    """
    The head's row with the payloads that *parts* (INPUT, OUTPUT, VARIABLES) ask for; the others are left as stored.

    An input or output above WORKFLOW_APART_BYTES gets a path, as a task's does.
    """
    given, result, variables = head.input, head.output, head.variables
    given_text = encode(given) if parts & INPUT else None
    result_text = encode(result) if parts & OUTPUT else None
    if given_text is not None:
        head.external_input = f"workflow/input/{head.id}.json" if len(given_text) > WORKFLOW_APART_BYTES else ""
    if result_text is not None:
        head.external_output = f"workflow/output/{head.id}.json" if len(result_text) > WORKFLOW_APART_BYTES else ""
    head.input = head.output = head.variables = _EMPTY
    try:
        doc = encode(head)
    finally:
        head.input, head.output, head.variables = given, result, variables
    return HeadRow(
        head.revision,
        head.status._value_,
        head.name,
        head.definition_version,
        head.definition_hash,
        head.correlation_id,
        head.parent_id,
        head.created_at,
        head.updated_at,
        head.ended_at,
        head.wake_at,
        doc,
        given_text,
        result_text,
        encode(variables) if parts & VARIABLES else None,
    )


def head_of(row: HeadRow) -> Head:
    """The head as it was when the row was written."""
    head: Head = decode(row.doc, _decode_head, Head)
    head.input = payload_of(row.input)
    head.output = payload_of(row.output)
    head.variables = payload_of(row.variables)
    return head


def payload_of(text: bytes | None) -> Json:
    """The payload as parsed JSON; a new empty one when nothing was ever written."""
    if text is None or text == b"{}":
        return {}
    found: Json = decode(text, _decode, None)
    return found


def encode(value: Any) -> bytes:
    """
    JSON text of the value, in UTF-8.

    A string with half of a surrogate pair has no UTF-8. Scripts and HTTP answers do produce such strings, so they are written escaped.
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value))
        return json.dumps(json.loads(text, parse_constant=lambda _: None), separators=(",", ":")).encode()  # NaN as null, as above


def decode(text: bytes, fast: Any, type_: Any) -> Any:
    """What the JSON text stands for, of the struct type asked for (None: any value). The other half of `encode`."""
    try:
        return fast(text)
    except msgspec.DecodeError:
        value = json.loads(text)
        return value if type_ is None else msgspec.convert(value, type_)
