"""
EXCLUSIVE_JOIN: take the output of the one branch that ran.

The first of joinOn that exists and was not skipped counts; while it runs, the first existing defaultExclusiveJoinTask does.
Source: conductor-semantics.md §4.6.
"""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn, suffix_of


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="EXCLUSIVE_JOIN", def_name="EXCLUSIVE_JOIN", status=TaskStatus.IN_PROGRESS)
    defaults = node.raw.get("defaultExclusiveJoinTask") or []
    task.input = {**turn.input_of(node, None), "joinOn": [r + suffix for r in node.join_on], "defaultExclusiveJoinTask": defaults}
    return [task]


def run(turn: Turn, task: Task) -> None:
    look(turn, task)


def look(turn: Turn, task: Task) -> None:
    x = turn.x
    refs = task.input["joinOn"]
    chosen = next((t for t in map(x.by_ref.get, refs) if t is not None and t.status is not TaskStatus.SKIPPED), None)
    if chosen is None or not chosen.status.is_terminal:
        defaults = task.input["defaultExclusiveJoinTask"]
        chosen = next((t for t in (x.by_ref.get(r + suffix_of(task)) for r in defaults) if t is not None and t.status.is_terminal), None)
    if chosen is None or chosen.retried:
        return
    if chosen.status.is_successful:
        turn.complete(task, chosen.output)
    elif not x.node_of(chosen).permissive or all((t := x.by_ref.get(r)) is None or t.status.is_terminal for r in refs):
        turn.fail(task, chosen.reason or f"{chosen.ref} is {chosen.status}")
