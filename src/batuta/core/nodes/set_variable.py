"""
SET_VARIABLE: overwrite workflow variables, whole values, all or none.

Source: conductor-semantics.md §4.18.
"""

from __future__ import annotations

import msgspec

from batuta.core.model.definition import Node
from batuta.core.model.execution import VARIABLES
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="SET_VARIABLE", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, None)
    return [task]


def run(turn: Turn, task: Task) -> None:
    head = turn.x.head
    variables = {**head.variables, **task.input}
    size, most = len(msgspec.json.encode(variables)), turn.tools.variables_bytes_max
    if size > most:
        reason = f"The variables payload size: {size} of workflow: {head.id} is greater than the permissible limit: {most} bytes"
        turn.fail(task, reason, for_good=True)
        return
    head.variables = variables
    turn.x.touch_head(VARIABLES)
    turn.complete(task)
