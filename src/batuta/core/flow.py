"""
Flow: what comes after a task, the rows that come into being there, and running those that need nobody.

Here: the way through the definition. Not here: when it is gone (decide.py), what a node type means (nodes/, which come back here for what they hold).
Source: conductor-semantics.md §5.
"""

from __future__ import annotations

from batuta.core.cache import took_over
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.table import BEGINS, BY_TYPE, RUNS, speaker
from batuta.core.turn import Turn, suffix_of
from batuta.errors import SecretUnreadable

_STAY_OPEN = frozenset({"DO_WHILE", "HUMAN", "EXCLUSIVE_JOIN"})


def follow(turn: Turn, task: Task, node: Node) -> list[Task]:
    """The rows of what comes after this task."""
    if task.type in ("FORK", "TERMINATE") or (task.type in ("SWITCH", "DECISION") and task.input.get("hasChildren")):
        return []
    suffix = suffix_of(task)
    after = next_node(node)
    while after is not None:
        there = turn.x.by_ref.get(after.ref + suffix)
        if there is None:
            return open_node(turn, after, suffix)
        if there.status is not TaskStatus.SKIPPED:
            return []
        after = next_node(after)
    return []


def next_node(node: Node) -> Node | None:
    """What follows in the definition: the next sibling, or what follows the switch it ends a case of; nothing at the end of a branch or loop body."""
    while True:
        if node.following is not None:
            return node.following
        parent = node.parent
        if parent is None or parent.type not in ("SWITCH", "DECISION"):
            return None
        node = parent


def open_node(turn: Turn, node: Node, suffix: str) -> list[Task]:
    """The rows that come into being when the flow reaches this node; a skipped one is stepped over."""
    current: Node | None = node
    while current is not None:
        there = turn.x.by_ref.get(current.ref + suffix)
        if there is None or there.status is not TaskStatus.SKIPPED:
            rows: list[Task] = speaker(current.type).open(turn, current, suffix)
            return rows
        current = next_node(current)
    return []


def schedule(turn: Turn, rows: list[Task]) -> None:
    """
    Make the rows part of the execution, then run those that need nobody.

    Conductor does not stamp its workflow row when the last thing it did was to start an operator that stays open.
    """
    added = [task for task in rows if turn.add(task)]
    turn.stamps = _STAY_OPEN.isdisjoint([task.type for task in added])
    for task in added:
        if task.status.is_terminal:
            continue
        if turn.x.has_contracts and (misfit := misfit_of(turn, task)) is not None:
            turn.fail(task, misfit, for_good=True)  # the same input would come of another attempt
            continue
        if turn.x.definition.caches and took_over(turn, task, turn.x.node_of(task)):
            continue
        if turn.x.join_missing.get(task.n) == 0:
            turn.joins[task.n] = task  # all it waits for has ended before it came
        elif task.type in BEGINS and task.status is TaskStatus.SCHEDULED:
            if task.due_at <= turn.now:
                turn.begins.append(task)
        elif task.type in RUNS and not turn.ended:
            task.status = TaskStatus.IN_PROGRESS
            task.started_at = task.updated_at = turn.now
            _run(turn, task)


def _run(turn: Turn, task: Task) -> None:
    try:
        BY_TYPE[task.type].run(turn, task)
    except SecretUnreadable as unreadable:
        turn.fail(task, str(unreadable))
    if turn.x.secrets:  # a script may have put out what it was given
        task.output, task.reason = turn.masked(task.output), turn.masked_text(task.reason)


def misfit_of(turn: Turn, task: Task) -> str | None:
    """Why the task may not run with its input: it breaks the task definition's contract."""
    contract = turn.x.node_of(task).input_contract
    return None if contract is None else contract.misfit(task.input, turn.definition.masked)
