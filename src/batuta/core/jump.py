"""
Jump: a running execution goes on from another task, as an operator says; what is open is stepped over, children of it end.

Forward, what was never reached in between shows as SKIPPED; back, the task and what came after it are gone and played again, as with a rerun.
A task inside a fork or a loop cannot be jumped to: the branches beside it, or the turn it would be in, are not there.
Source: POST /workflow/{id}/jump/{ref} of Orkes; Conductor OSS has no such verb.
"""

from __future__ import annotations

from batuta.core.after import around
from batuta.core.decide import Outcome, conclude, settle
from batuta.core.ending import try_step
from batuta.core.flow import open_node, schedule
from batuta.core.lifecycle import reindex, step_over
from batuta.core.model.definition import Node
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json
from batuta.core.nodes import speaker
from batuta.core.places import refuse_while_held
from batuta.core.turn import Tools, Turn
from batuta.errors import Conflict, NotFound

SHAPES_ITSELF = frozenset({"FORK", "SWITCH", "DECISION", "JOIN", "EXCLUSIVE_JOIN", "DO_WHILE", "SUB_WORKFLOW"})  # their input is made, not given


def jump(x: Execution, now: int, tools: Tools, ref: str, given: Json) -> Outcome:
    """
    Go on from the task of this reference; *given* is laid over its input.

    Raises:
        NotFound: the definition has no such task.
        Conflict: the execution does not run, or the task stands inside a fork or a loop, or is a join.
    """
    node = x.definition.by_ref.get(ref)
    if x.head.status is not WorkflowStatus.RUNNING:
        raise Conflict(f"Workflow {x.head.id} is not running, so there is no jump to {ref!r}. status={x.head.status}")
    refuse_while_held(x)
    if node is None:
        raise NotFound(f"The task reference name {ref!r} does not exist in the WorkflowDefinition of {x.head.id}")
    if (holder := _closed_in(node)) is not None:
        raise Conflict(f"task {ref!r} stands inside {holder.ref!r}, a {holder.type}; jump to that one, or to a task outside of it")
    if node.type in ("JOIN", "EXCLUSIVE_JOIN"):
        raise Conflict(f"task {ref!r} waits for other tasks, which would never come; jump to what it waits for, or past it")
    turn = Turn(x, now, tools)
    _leave(turn, ref)
    for earlier in _before(x, node):
        if earlier.ref not in x.by_ref:
            step_over(turn, earlier, {}, {})
    try_step(turn, lambda: _go_on_from(turn, node, given))
    settle(turn)
    return conclude(turn)


def _go_on_from(turn: Turn, node: Node, given: Json) -> None:
    rows = open_node(turn, node, "")
    if given and rows and rows[0].type not in SHAPES_ITSELF:
        rows[0].input = {**rows[0].input, **given}
    schedule(turn, rows)


def _closed_in(node: Node) -> Node | None:
    """The innermost fork or loop around the node; None when there are only switches."""
    parent = node.parent
    while parent is not None and parent.type in ("SWITCH", "DECISION"):
        parent = parent.parent
    return parent


def _leave(turn: Turn, ref: str) -> None:
    """Nothing is open any more, and of the task and what comes after it there is no row."""
    x = turn.x
    for task in x.ordered():
        if not task.status.is_terminal and (hook := getattr(speaker(task.type), "cancel", None)) is not None:
            hook(turn, task, f"jump to {ref}")
    there = x.by_ref.get(ref)
    gone = {t.n: t for t in x.tasks.values() if t.ref == ref} | around(x, there).gone if there is not None else {}
    for task in list(x.tasks.values()):
        if not task.status.is_terminal:
            turn.move(task, TaskStatus.SKIPPED, reason=f"stepped over by a jump to {ref}")
        if task.n in gone:
            x.forget(task)
        elif not task.executed:
            task.executed = True
            x.touch(task)
    turn.ready.clear()
    reindex(x)


def _before(x: Execution, node: Node) -> list[Node]:
    """What stands before the node, in its own list and in those around it."""
    found: list[Node] = []
    at: Node | None = node
    while at is not None:
        parent = at.parent
        row = x.definition.nodes if parent is None else next(row for row in parent.children() if at in row)
        found += row[: row.index(at)]
        if parent is not None:
            found.append(parent)
        at = parent
    return found
