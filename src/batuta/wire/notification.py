"""
Notifications: what a status listener is told of a workflow or a task. A summary, and which change it was.

The members are those of the bodies that Conductor's workflow_publisher and task_publisher post (StatusChangeNotification, TaskNotification), and one of
ours: `eventType`, since a status alone does not tell a resumed workflow from a started one. Its words are those of Conductor's Kafka publisher, and a
task's status. Not here: who is told, and how (engine/listeners.py, engine/webhooks.py).
"""

from __future__ import annotations

from typing import Final

import msgspec

from batuta.core.model.definition import Definition
from batuta.core.model.execution import Execution, Head
from batuta.core.model.task import Json, Task
from batuta.wire.summary import execution_summary, task_summary

TEXT_MAX: Final = 32 * 1024
"""Characters of any one text, which `input` and `output` may exceed. A workflow's inputSize and outputSize say how long they are."""


def workflow_notification(head: Head, definition: Definition, change: str) -> Json:
    """The body that tells of a workflow's change: `completed`, `resumed` …"""
    summary: Json = msgspec.to_builtins(execution_summary(head, definition))
    return {**_told(summary), "eventType": change}


def task_notification(x: Execution, task: Task, now: int) -> Json:
    """The body that tells of a task's new status."""
    summary: Json = msgspec.to_builtins(task_summary(x, task, now))
    node = x.node_of(task).raw
    more: Json = {"workflowTaskType": node.get("type", "SIMPLE"), "referenceTaskName": task.ref, "retryCount": task.attempt}
    if node.get("description") is not None:
        more["taskDescription"] = node["description"]
    return {**_told(summary), **_told(more), "eventType": task.status.lower()}


def _told(summary: Json) -> Json:
    """Texts of a bounded length that can be written as UTF-8: scripts make halves of surrogate pairs."""
    return {name: value[:TEXT_MAX].encode("utf-8", "replace").decode() if isinstance(value, str) else value for name, value in summary.items()}
