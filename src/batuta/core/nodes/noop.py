"""NOOP: nothing, at once. Source: conductor-semantics.md §4.21."""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    return [turn.draft(node, suffix, kind="NOOP", def_name=node.name, status=TaskStatus.IN_PROGRESS)]


def run(turn: Turn, task: Task) -> None:
    turn.complete(task)
