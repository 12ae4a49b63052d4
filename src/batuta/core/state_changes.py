"""
State changes: a node may ask that each change of its tasks' state is published, as an event of a type of its own.

Told at the end of a decision, so that whatever moved a task is seen; the last state told is kept with the task, and the messages leave in the decision's
own commit: each change is told once. A task that goes through several states in one decision tells them all, in order.
Source: WorkflowTask.onStateChange, which Conductor OSS stores and ignores; states and payloads are Orkes', whose events are worker tasks instead.
"""

from __future__ import annotations

from typing import Any, Final

from batuta.core.model.decision import Publish
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.nodes.event import PROVIDERS
from batuta.core.turn import Turn, View, task_document

SCHEDULED: Final = "onScheduled"
STARTED: Final = "onStart"
_ENDS: Final = {
    TaskStatus.COMPLETED: "onSuccess",
    TaskStatus.COMPLETED_WITH_ERRORS: "onFailed",
    TaskStatus.FAILED: "onFailed",
    TaskStatus.FAILED_WITH_TERMINAL_ERROR: "onFailed",
    TaskStatus.TIMED_OUT: "onFailed",
    TaskStatus.CANCELED: "onCancelled",
    TaskStatus.SKIPPED: "onCancelled",
}
_MEANWHILE: Final = {SCHEDULED: TaskStatus.SCHEDULED, STARTED: TaskStatus.IN_PROGRESS}  # what the task was when only its end is left to see


class _OwnView(View):
    """The execution as expressions see it, where the task's own reference means this attempt, in this state."""

    __slots__ = ("_shown", "_task")

    def __init__(self, turn: Turn, task: Task, status: TaskStatus) -> None:
        super().__init__(turn.x, turn.tools, task.id)
        self._task, self._shown = task, {**task_document(turn.x, task), "status": str(status)}

    def root(self, name: str) -> Any:
        return self._shown if name == (self._task.base_ref or self._task.ref) else super().root(name)


def tell(turn: Turn) -> None:
    """Publish what has become of the tasks that this decision changed, where their nodes ask for it."""
    x = turn.x
    for n in sorted(x.changes.tasks):
        task = x.tasks.get(n)
        node = x.node_of(task) if task is not None else None
        if task is None or node is None or not node.on_change or (task.status is TaskStatus.SKIPPED and not task.seq):
            continue
        for state in _untold(task):
            task.told = state
            for kind, payload in node.on_change.get(state, ()):
                task.tellings += 1
                asked = payload.evaluate(_OwnView(turn, task, _status(task, state)))
                turn.send(Publish(f"{task.id}-{task.tellings}", queue_of(kind), _payload(turn, task, state, asked)))


def _untold(task: Task) -> list[str]:
    """The states that the task has come to since it was last told of; all of them when it begins anew."""
    states = [SCHEDULED]
    if task.status is TaskStatus.IN_PROGRESS or (task.status.is_terminal and task.started_at):
        states.append(STARTED)
    if task.status.is_terminal:
        states.append(_ENDS[task.status])
    return states[states.index(task.told) + 1 :] if task.told in states else states


def _status(task: Task, state: str) -> TaskStatus:
    return _MEANWHILE.get(state, task.status)


def queue_of(kind: str) -> str:
    """Where events of this type go: the queue it names, `kafka:audit`, else the internal event of this name."""
    provider, colon, _ = kind.partition(":")
    return kind if colon and provider in PROVIDERS else f"conductor:{kind}"


def _payload(turn: Turn, task: Task, state: str, asked: Json | None) -> Json:
    """Which task of which execution it is about; and what the node's payload says, which goes before."""
    h = turn.x.head
    return {
        "workflowInstanceId": h.id, "workflowType": h.name, "workflowVersion": h.definition_version, "correlationId": h.correlation_id, "taskId": task.id,
        "taskType": task.type, "taskDefName": task.def_name, "referenceTaskName": task.ref, "retryCount": task.attempt,
        "taskStatus": str(_status(task, state)), "stateChange": state, "changedAt": turn.now, **(asked or {}),
    }  # fmt: skip
