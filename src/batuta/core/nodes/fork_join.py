"""
FORK_JOIN: start every branch side by side, and the JOIN that must stand next to it.

Source: conductor-semantics.md §4.3.
"""

from __future__ import annotations

from batuta.core.flow import open_node
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.nodes import join
from batuta.core.turn import Stop, Turn

NO_JOIN = "Fork task definition is not followed by a join task.  Check the blueprint"


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    fork = turn.draft(node, suffix, kind="FORK", def_name="FORK", status=TaskStatus.COMPLETED)
    fork.input = turn.input_of(node, None)
    fork.started_at = fork.updated_at = turn.now
    rows = [fork]
    for branch in node.branches:
        if branch:
            rows += open_node(turn, branch[0], suffix)
    return [*rows, *joined(turn, node, suffix)]


def joined(turn: Turn, fork: Node, suffix: str, *, given: Json | None = None, refs: list[str] | None = None) -> list[Task]:
    """The rows of the JOIN next to the fork (`given` and `refs` as join.open takes them); of what follows it, when it was skipped ahead."""
    joining = fork.following
    if joining is None or joining.type != "JOIN":
        raise Stop(NO_JOIN)
    there = turn.x.by_ref.get(joining.ref + suffix)
    if there is not None and there.status is TaskStatus.SKIPPED:
        return open_node(turn, joining, suffix)
    return join.open(turn, joining, suffix, given=given, refs=refs)
