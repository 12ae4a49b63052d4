"""
TERMINATE: end the workflow with a status, a reason and an output of the definition's choosing.

The row completes; the decider ends the execution when it takes that into account (`verdict`).
Source: conductor-semantics.md §4.19.
"""

from __future__ import annotations

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.core.turn import Turn

STATUSES = ("COMPLETED", "FAILED", "TERMINATED")


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="TERMINATE", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    status = task.input.get("terminationStatus")
    if status not in STATUSES:
        turn.fail(task, f"task {task.ref!r}: terminationStatus is {status!r}; expected one of {', '.join(STATUSES)}")
        return
    output = task.input.get("workflowOutput")
    turn.complete(task, {} if output is None else output if isinstance(output, dict) else {"output": output})


def verdict(task: Task) -> tuple[WorkflowStatus, str, Json]:
    """What a completed TERMINATE makes of its workflow: status, reason, output."""
    status = WorkflowStatus(task.input["terminationStatus"])
    reason = task.input.get("terminationReason") or f"Workflow is {status} by TERMINATE task: {task.id}"
    return status, str(reason), task.output
