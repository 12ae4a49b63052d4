"""
JOIN: wait until every task of joinOn has ended, and gather their outputs.

It is looked at when the last of them has (the execution counts them); what it makes of failures: conductor-semantics.md §4.5.
"""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str, *, given: Json | None = None, refs: list[str] | None = None) -> list[Task]:
    """*given* and *refs*: what a dynamic fork hands its join, references with their suffix."""
    task = turn.draft(node, suffix, kind="JOIN", def_name="JOIN", status=TaskStatus.IN_PROGRESS)
    task.input = {**(given or {}), "joinOn": [r + suffix for r in node.join_on] if refs is None else refs}
    return [task]


def look(turn: Turn, task: Task) -> None:
    x = turn.x
    if x.join_missing.get(task.n, 1) > 0:
        return
    refs = task.input["joinOn"]
    output = x.joined(task)
    branches = [x.by_ref[ref] for ref in refs]
    failed = [t for t in branches if not t.status.is_successful]
    fatal = [t for t in failed if not x.node_of(t).optional]
    if fatal:
        status = TaskStatus.CANCELED if all(t.status is TaskStatus.CANCELED for t in fatal) else TaskStatus.FAILED
        turn.move(task, status, output=output, reason=" ".join(t.reason for t in failed if t.reason))
        return
    with_errors = [t for t in branches if t.status is TaskStatus.COMPLETED_WITH_ERRORS]
    if with_errors:
        reason = " ".join(f"{t.def_name}/{t.id} completed with errors" for t in with_errors)
        turn.move(task, TaskStatus.COMPLETED_WITH_ERRORS, output=output, reason=reason)
        return
    turn.complete(task, output)
