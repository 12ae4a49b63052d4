"""
FORK_JOIN: start every branch side by side, and the JOIN that must stand next to it.

Source: conductor-semantics.md §4.3.
"""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.nodes import join
from batuta.core.turn import Stop, Turn

NO_JOIN = "Fork task definition is not followed by a join task.  Check the blueprint"


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    from batuta.core.decide import open_node

    fork = turn.draft(node, suffix, kind="FORK", def_name="FORK", status=TaskStatus.COMPLETED)
    fork.input = turn.input_of(node, None)
    fork.started_at = fork.updated_at = turn.now
    rows = [fork]
    for branch in node.branches:
        if branch:
            rows += open_node(turn, branch[0], suffix)
    joining = node.following
    if joining is None or joining.type != "JOIN":
        raise Stop(NO_JOIN)
    return [*rows, *join.open(turn, joining, suffix)]
