"""HUMAN: in progress until somebody reports it. Source: conductor-semantics.md §4.13."""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="HUMAN", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def begin(turn: Turn, task: Task) -> None:
    """A retried one is in progress again, like the first."""
    turn.move(task, TaskStatus.IN_PROGRESS)
    task.started_at = turn.now
