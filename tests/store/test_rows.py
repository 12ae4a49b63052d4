"""
Rows: an execution comes back as it went in, and a commit holds what changed and nothing else.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as any_
from storekit import letter, lines

from batuta.core.model.definition import Definition
from batuta.core.model.execution import INPUT, OUTPUT, VARIABLES, Execution, Head
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Task
from batuta.store.protocol import Stored
from batuta.store.rows import commit_of, encode, execution_of, head_of, payload_of, row_of_head, row_of_task, task_of

TEXT = any_.text(any_.characters(codec=None), max_size=8)  # halves of surrogate pairs included
NUMBER = any_.integers(0, 2**53)
LEAF = any_.none() | any_.booleans() | any_.integers(-(2**70), 2**70) | any_.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUE = any_.recursive(LEAF, lambda inner: any_.lists(inner, max_size=3) | any_.dictionaries(TEXT, inner, max_size=3), max_leaves=8)
JSON = any_.dictionaries(TEXT, VALUE, max_size=4)
TASKS = any_.builds(
    Task, id=TEXT, n=NUMBER, ref=TEXT, type=TEXT, def_name=TEXT, status=any_.sampled_from(TaskStatus), seq=NUMBER, base_ref=TEXT, retried=any_.booleans(),
    queue=TEXT, priority=any_.integers(-99, 99), due_at=NUMBER, reason=any_.none() | TEXT, node=any_.none() | JSON, machine=any_.none() | JSON,
    external_input=TEXT, input=JSON, output=JSON,
)  # fmt: skip
HEADS = any_.builds(
    Head, id=TEXT, name=TEXT, definition_version=NUMBER, definition_hash=TEXT, status=any_.sampled_from(WorkflowStatus), revision=NUMBER,
    previous_status=any_.none() | any_.sampled_from(WorkflowStatus), correlation_id=any_.none() | TEXT,
    task_to_domain=any_.dictionaries(TEXT, TEXT, max_size=2), failed_refs=any_.lists(TEXT, max_size=2),
    wake_at=NUMBER, reason=any_.none() | TEXT, input=JSON, output=JSON, variables=JSON,
)  # fmt: skip


@given(TASKS)
def test_a_task_comes_back_as_it_went_in(task: Task) -> None:
    before = dict.fromkeys(("input", "output"), 0) | {"input": task.input, "output": task.output}
    row = row_of_task(task, INPUT | OUTPUT)
    assert task_of(row) == task
    assert {"input": task.input, "output": task.output} == before
    assert (row.n, row.task_id, row.status, row.queue, row.due_at) == (task.n, task.id, task.status.value, task.queue, task.due_at)
    assert type(row.status) is str


@given(HEADS)
def test_a_head_comes_back_as_it_went_in(head: Head) -> None:
    row = row_of_head(head, INPUT | OUTPUT | VARIABLES)
    assert head_of(row) == head
    assert (row.revision, row.status, row.name, row.correlation_id) == (head.revision, head.status.value, head.name, head.correlation_id)


@given(JSON)
def test_a_payload_is_json_text_in_utf_8(payload: dict[str, Any]) -> None:
    text = encode(payload)
    text.decode("utf-8")
    assert payload_of(text) == payload


def test_numbers_that_json_does_not_have_become_null() -> None:
    assert payload_of(encode({"a": float("nan"), "b": "\ud800", "c": [float("inf")]})) == {"a": None, "b": "\ud800", "c": [None]}


@pytest.mark.parametrize("text", [None, b"{}"])
def test_nothing_stored_is_a_new_empty_payload(text: bytes | None) -> None:
    assert payload_of(text) == {}
    assert payload_of(text) is not payload_of(text)


def an_execution(revision: int) -> Execution:
    head = Head("e", "demo", 1, "hash", WorkflowStatus.RUNNING, revision=revision, input={"i": 1}, variables={"v": 1})
    tasks = [Task(f"t{n}", n, f"ref{n}", "SIMPLE", "simple", TaskStatus.SCHEDULED, input={"n": n}, output={"o": n}) for n in (1, 2, 3)]
    return Execution(head, Definition({"name": "demo", "tasks": []}, "hash"), tasks)


def test_a_first_commit_holds_the_whole_head() -> None:
    x = an_execution(0)
    x.touch_head()
    commit = commit_of(x)
    assert (commit.execution_id, commit.expected, x.head.revision) == ("e", 0, 1)
    assert commit.head is not None
    assert (commit.head.revision, commit.head.input, commit.head.output, commit.head.variables) == (1, b'{"i":1}', b"{}", b'{"v":1}')
    assert list(commit.tasks) == []


def test_a_later_commit_holds_the_parts_that_changed() -> None:
    x = an_execution(4)
    x.touch(x.tasks[1])
    x.touch(x.tasks[2], OUTPUT)
    x.touch_head(VARIABLES)
    commit = commit_of(x, outbox=[letter("l")], delivered=["d"], logs=lines("t1", "line"))
    assert commit.head is not None
    assert (commit.expected, commit.head.revision, x.head.revision) == (4, 5, 5)
    assert (commit.head.input, commit.head.output, commit.head.variables) == (None, None, b'{"v":1}')
    assert [(row.n, row.input, row.output) for row in commit.tasks] == [(1, None, None), (2, None, b'{"o":2}')]
    assert (list(commit.outbox), list(commit.delivered), len(commit.logs)) == ([letter("l")], ["d"], 1)


def test_a_new_task_is_written_whole_and_a_gone_one_is_named() -> None:
    x = an_execution(4)
    x.changes.made.add(1)
    x.touch(x.tasks[1])
    x.touch(x.tasks[3])
    x.forget(x.tasks[3])
    commit = commit_of(x)
    assert [(row.n, row.input, row.output) for row in commit.tasks] == [(1, b'{"n":1}', b'{"o":1}')]
    assert list(commit.gone) == [3]


def test_changes_start_anew_after_a_commit() -> None:
    x = an_execution(4)
    x.touch(x.tasks[1], INPUT)
    commit_of(x)
    again = commit_of(x)
    assert (again.expected, list(again.tasks), list(again.gone), x.head.revision) == (5, [], [], 6)


def test_an_execution_is_read_back_from_its_rows() -> None:
    x = an_execution(4)
    whole = INPUT | OUTPUT | VARIABLES
    stored = Stored("e", row_of_head(x.head, whole), [row_of_task(task, whole) for task in x.tasks.values()], b"{}")
    assert execution_of(stored) == (x.head, list(x.tasks.values()))
