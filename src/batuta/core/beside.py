"""
Tasks beside the flow: work that somebody does outside of the definition and shows in the execution all the same, and its end.

An agent's SDK records the tools it calls this way. Such a task is optional: nothing follows it, and its failure fails nothing; but an execution does not
complete while one is open.
Source: conductor-rest-api.md §1.11 (POST /api/agent/{executionId}/tasks, /api/agent/execution/{executionId}/complete).
"""

from __future__ import annotations

from batuta.core.decide import Outcome, conclude
from batuta.core.ending import finish
from batuta.core.model.definition import lone
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json
from batuta.core.places import refuse_while_held
from batuta.core.turn import Tools, Turn
from batuta.errors import Conflict


def add(x: Execution, now: int, tools: Tools, raw: Json, given: Json, *, child: str = "") -> Outcome:
    """
    A task in progress that only whoever added it will end; *raw* is its place as a definition would have it, *child* the execution it stands for.

    Raises:
        Conflict: the execution has ended, or has a task of this reference.
    """
    refuse_while_held(x)
    head, ref = x.head, raw["taskReferenceName"]
    if head.status.is_terminal:
        raise Conflict(f"Workflow {head.id} has ended with status {head.status}; no task can be added")
    if ref in x.by_ref or ref in x.definition.by_ref:
        raise Conflict(f"Workflow {head.id} has a task {ref!r}; a task that is added needs a reference of its own")
    turn = Turn(x, now, tools)
    task = turn.draft(lone(raw, None), "", kind=raw["type"], def_name=raw["name"], status=TaskStatus.IN_PROGRESS)
    task.node, task.input = raw, given
    if child:
        task.sub_execution_id, task.output = child, {"subWorkflowId": child}
    turn.add(task)
    return conclude(turn)


def end(x: Execution, now: int, tools: Tools, output: Json) -> Outcome:
    """Everything that is open is completed, and so is the execution, with this output."""
    turn = Turn(x, now, tools)
    for task in x.ordered():
        if not task.status.is_terminal:
            turn.complete(task)
            task.executed = True
    finish(turn, WorkflowStatus.COMPLETED, None, output=output)
    return conclude(turn)
