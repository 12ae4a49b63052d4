"""
Timeline: all tasks of an execution without their payloads, in columns.

Ten thousand tasks are some 700 KB this way (and a third of that compressed), where Conductor's list of tasks is 20 MB and more. One entry in each column is
one task, in Conductor's order. Texts that repeat (references, types, names, workers, statuses) stand in `words`, and their columns hold indices into it;
instants are milliseconds after `createTime`, -1 for none; what few tasks have stands in maps by row number. A task's id follows from its row number
(core/model/ids.py) and is in `ids` only where it does not.

Not here: tasks as Conductor shows them (execution.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from batuta.core.model.execution import Execution
from batuta.core.model.ids import task_id
from batuta.core.model.status import WorkflowStatus

REASON_LENGTH_MAX = 400


class Timeline(msgspec.Struct, kw_only=True, rename="camel"):
    """The tasks of an execution as of one revision. `whole`: all of them are here, and not only those that changed."""

    workflow_id: str
    status: WorkflowStatus
    revision: int
    create_time: int
    update_time: int
    end_time: int
    wake_at: int
    at: int
    total: int
    whole: bool
    words: list[str]
    n: list[int]
    ref: list[int]
    base: list[int]
    type: list[int]
    name: list[int]
    status_of: list[int]
    worker: list[int]
    loop: list[int]
    fork: list[int]
    queue: list[int]
    seq: list[int]
    attempt: list[int]
    iteration: list[int]
    polls: list[int]
    scheduled: list[int]
    started: list[int]
    ended: list[int]
    updated: list[int]
    retried: list[int]
    ids: dict[str, str]
    retry_of: dict[str, str]
    due: dict[str, int]
    until: dict[str, int]
    reasons: dict[str, str]
    children: dict[str, str]


class _Words:
    """Numbers for texts."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {"": 0}

    def of(self, texts: Sequence[str]) -> list[int]:
        known = self.known
        return [known.setdefault(text, len(known)) for text in texts]


def timeline(execution: Execution, now: int, since: int = 0, known: int | None = None) -> Timeline:
    """
    All tasks, or those that something happened to at or after *since* (an `updateTime` seen before); none when *known* is
    the revision it had then, and has still.

    Cost: 3 µs a task (Python 3.11).
    """
    head = execution.head
    found = [] if (head.revision, head.updated_at) == (known, since) else execution.ordered()
    tasks = [t for t in found if not since or max(t.updated_at, t.scheduled_at, t.started_at, t.ended_at) >= since]
    words, zero = _Words(), head.created_at
    open_ones = [t for t in tasks if not t.status.is_terminal]
    return Timeline(
        workflow_id=head.id, status=head.status, revision=head.revision, create_time=zero, update_time=head.updated_at, end_time=head.ended_at,
        wake_at=head.wake_at, at=now, total=len(execution.tasks), whole=len(tasks) == len(execution.tasks),
        n=[t.n for t in tasks],
        ref=words.of([t.ref for t in tasks]),
        base=words.of([t.base_ref or t.ref for t in tasks]),
        type=words.of([t.type for t in tasks]),
        name=words.of([t.def_name for t in tasks]),
        status_of=words.of([t.status._value_ for t in tasks]),
        worker=words.of([t.worker for t in tasks]),
        loop=words.of([execution.loop_ref(t) for t in tasks]),
        fork=words.of([t.fork for t in tasks]),
        queue=words.of([t.queue for t in tasks]),
        seq=[t.seq for t in tasks],
        attempt=[t.attempt for t in tasks],
        iteration=[t.iteration for t in tasks],
        polls=[t.poll_count for t in tasks],
        scheduled=[t.scheduled_at - zero if t.scheduled_at else -1 for t in tasks],
        started=[t.started_at - zero if t.started_at else -1 for t in tasks],
        ended=[t.ended_at - zero if t.ended_at else -1 for t in tasks],
        updated=[t.updated_at - zero if t.updated_at else -1 for t in tasks],
        retried=[int(t.retried) for t in tasks],
        ids={str(t.n): t.id for t in tasks if t.id != task_id(head.id, t.n)},
        retry_of={str(t.n): t.retry_of for t in tasks if t.retry_of},
        due={str(t.n): t.due_at - zero for t in tasks if t.due_at > t.scheduled_at},
        until={str(t.n): t.wait_until - zero for t in open_ones if t.wait_until},
        reasons={str(t.n): _cut(t.reason) for t in tasks if t.reason},
        children={str(t.n): t.sub_execution_id for t in tasks if t.sub_execution_id},
        words=list(words.known),
    )  # fmt: skip


def _cut(text: str) -> str:
    return text if len(text) <= REASON_LENGTH_MAX else text[: REASON_LENGTH_MAX - 1] + "…"
