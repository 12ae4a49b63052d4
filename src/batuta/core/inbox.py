"""
Inbox: a message that somebody pushes to an execution waits in it until a PULL_WORKFLOW_MESSAGES takes it, or the execution ends.

Here: taking a message in. Not here: handing them out (nodes/pull_workflow_messages.py), what is kept of them (model/execution.py).
Source: conductor-rest-api.md §1.1 (POST /workflow/{id}/messages), conductor-semantics.md §4.21.
"""

from __future__ import annotations

from batuta.core.decide import Outcome, conclude, settle
from batuta.core.model.execution import Execution, Pushed
from batuta.core.model.status import WorkflowStatus
from batuta.core.model.task import Json
from batuta.core.nodes import pull_workflow_messages
from batuta.core.turn import Tools, Turn
from batuta.errors import Conflict, TooMany


def push(x: Execution, now: int, tools: Tools, message_id: str, payload: Json, most: int) -> Outcome:
    """
    The message waits behind those that wait already, or is taken at once by a task that waits for it.

    Raises:
        Conflict: the execution is not RUNNING.
        TooMany: *most* messages wait already.
    """
    head = x.head
    if head.status is not WorkflowStatus.RUNNING:
        raise Conflict(f"Workflow {head.id} is not in RUNNING state (current: {head.status})")
    if len(x.inbox) >= most:
        raise TooMany(f"Workflow message queue for workflowId={head.id} has reached the maximum size of {most}")
    turn = Turn(x, now, tools)
    x.push(Pushed(head.pushed + 1, message_id, turn.masked(payload), now))
    x.touch_head()
    pull_workflow_messages.offered(turn)
    settle(turn)
    return conclude(turn)
