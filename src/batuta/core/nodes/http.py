"""
HTTP: a task for the worker that lives in our process. What the call means is builtin/http.py's.

Source: conductor-semantics.md §4.14. System tasks have no domain.
"""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="HTTP", def_name=node.name, status=TaskStatus.SCHEDULED)
    task.input = turn.input_of(node, task.id)
    if node.async_complete:
        task.input = {**task.input, "asyncComplete": True}
    task.queue = "HTTP"
    task.start_delay_s = node.start_delay_s
    task.due_at = turn.now + node.start_delay_s * 1000
    return [task]
