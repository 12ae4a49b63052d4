"""
PULL_WORKFLOW_MESSAGES: take messages that were pushed to this execution, oldest first; wait for one unless told not to.

Here: how many are taken and what they look like. Not here: how they come in (core/inbox.py).
Source: conductor-semantics.md §4.21. Conductor looks once a second; here a message is taken in the commit that brings it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from batuta.core.model.definition import Node
from batuta.core.model.execution import Pushed
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.turn import Turn

BATCH_MAX: Final = 100
_BOOLEANS: Final = {"true": True, "false": False}


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="PULL_WORKFLOW_MESSAGES", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    try:
        most, waits = batch_of(task.input), waits_of(task.input)
    except ValueError as wrong:
        turn.fail(task, str(wrong), for_good=True)
        return
    if turn.x.inbox or not waits:
        taken = [_shown(message, turn.x.head.id) for message in turn.x.take(most)]
        turn.complete(task, {"messages": taken, "count": len(taken)})


def begin(turn: Turn, task: Task) -> None:
    """Another attempt begins."""
    turn.move(task, TaskStatus.IN_PROGRESS)
    task.started_at = turn.now
    run(turn, task)


def offered(turn: Turn) -> None:
    """A message has come: the task that has waited longest takes it."""
    for task in list(turn.x.pulls.values()):
        if turn.x.inbox and task.status is TaskStatus.IN_PROGRESS:
            run(turn, task)


def batch_of(given: Json) -> int:
    """
    How many messages to take at most, kept between 1 and BATCH_MAX as Conductor does; 1 unless said.

    Raises:
        ValueError: what is said is no whole number.
    """
    said = given.get("batchSize")
    if said is None or said == "":
        return 1
    try:
        if isinstance(said, bool) or int(said) != float(said):
            raise ValueError
        return min(max(int(said), 1), BATCH_MAX)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"batchSize is {said!r}; expected a whole number from 1 to {BATCH_MAX}") from None


def waits_of(given: Json) -> bool:
    """
    Whether to wait while there is no message; so unless said.

    Raises:
        ValueError: what is said is neither true nor false.
    """
    said = given.get("blocking")
    if said is None or said == "" or isinstance(said, bool):
        return said is not False
    if isinstance(said, str) and said.lower() in _BOOLEANS:
        return _BOOLEANS[said.lower()]
    raise ValueError(f"blocking is {said!r}; expected true or false")


def _shown(message: Pushed, execution_id: str) -> Json:
    at = datetime.fromtimestamp(message.at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": message.id, "workflowId": execution_id, "payload": message.payload, "receivedAt": at}
