"""
Listeners: which changes of a decision somebody wants to be told of, and what they are told.

A change is what one commit makes of a status: what came and went within one decision was never true of anything stored. So it is told from the
statuses that were told before (`Heard`), and leaves in the very commit that makes it true: as a row of the outbox for the webhook, as a message for the sink
that a definition names. Nothing is remembered or computed for an execution that nobody listens to.

Here: what is told. Not here: the body of it (wire/notification.py), delivering it (webhooks.py; events.py for sinks).
Source: conductor-semantics.md §10.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Final

from batuta.core.decide import Outcome
from batuta.core.model.decision import Publish
from batuta.core.model.definition import Definition
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.core.nodes.event import queue_of
from batuta.engine.live import Heard, Live
from batuta.errors import Invalid
from batuta.store.protocol import OutboxRow
from batuta.wire.codec import encode
from batuta.wire.notification import task_notification, workflow_notification

log = logging.getLogger("batuta.engine")
WEBHOOK: Final = {"workflow": "webhook-workflow", "task": "webhook-task"}
"""The kinds of outbox rows that are for the webhook, by what they tell of; the body of such a row is the body that is posted."""
CHANGES: Final = ("STARTED", "PAUSED", "RESUMED", "RESTARTED", "RETRIED", "RERAN", "COMPLETED", "TERMINATED", "FINALIZED")
UNASKED: Final = frozenset({"COMPLETED", "TERMINATED"})  # the webhook is told of these whether or not the definition enables listeners, as Conductor's is
TASK_CHANGES: Final = tuple(str(status) for status in TaskStatus)
_REVIVED: Final = {"restarted": "RESTARTED", "retried": "RETRIED", "rerun": "RERAN"}
_BEGAN: Final = frozenset(CHANGES[:6])


class Listeners:
    """Who listens on this server: the webhook to these changes of workflows and tasks, and the sinks that definitions name."""

    def __init__(self, *, workflows: Collection[str] = (), tasks: Collection[str] = ()) -> None:
        self._workflows, self._tasks = frozenset(workflows), frozenset(tasks)

    def meet(self, live: Live) -> None:
        """Remember how it stands, before it is decided on for the first time; nothing of one that nobody listens to."""
        if self._workflows or self._tasks or live.x.definition.status_sink:
            live.heard = self._as_it_stands(live)

    def _as_it_stands(self, live: Live) -> Heard:
        head, tasks = live.x.head, live.x.tasks.values() if self._tasks else ()
        return Heard(head.status if head.revision else None, {task.n: task.status for task in tasks})

    def hear(self, live: Live, outcome: Outcome, now: int) -> None:
        """
        Add what this decision changed to what leaves with the next commit: rows to `live.heard`, messages to the outcome.

        A fault here is logged and the rest not told: nobody's workflow fails for want of a listener.
        """
        if live.heard is None:
            live.heard = self._as_it_stands(live)  # it was restarted with a definition that has a sink; whatever it was, it is told by its revival
        try:
            self._hear(live, live.heard, outcome, now)
        except Exception:
            log.exception("the listeners were not told of a change of execution %s", live.x.head.id)

    def _hear(self, live: Live, heard: Heard, outcome: Outcome, now: int) -> None:
        x = live.x
        changes = list(_changes(heard.status, outcome.revived, x.head.status))
        heard.status = x.head.status
        for change in changes:
            if change in _BEGAN:
                self._tell(live, heard, outcome, now, change)
        if self._tasks:
            for n in x.changes.tasks:
                task = x.tasks.get(n)
                if task is not None and heard.tasks.get(n) is not task.status:
                    heard.tasks[n] = task.status
                    self._tell_of_task(live, heard, task, now)
        for change in changes:
            if change not in _BEGAN:
                self._tell(live, heard, outcome, now, change)

    def _tell(self, live: Live, heard: Heard, outcome: Outcome, now: int, change: str) -> None:
        definition, head = live.x.definition, live.x.head
        is_enabled = definition.raw.get("workflowStatusListenerEnabled") is True
        for_webhook = change in self._workflows and (is_enabled or change in UNASKED)
        if not for_webhook and not definition.status_sink:
            return
        body = workflow_notification(head, definition, change.lower())
        if for_webhook:
            self._post(live, heard, "workflow", body, now)
        if definition.status_sink:
            id = f"{head.id}/{head.revision + 1}/{now}/{change.lower()}"
            outcome.messages.append(Publish(id, _queue(definition), body))

    def _tell_of_task(self, live: Live, heard: Heard, task: Task, now: int) -> None:
        if task.status not in self._tasks or task.type == "SUB_WORKFLOW":
            return
        made_by: Json = live.x.node_of(task).task_definition_raw or {}
        if made_by.get("taskStatusListenerEnabled", True):
            self._post(live, heard, "task", task_notification(live.x, task, now), now)

    def _post(self, live: Live, heard: Heard, kind: str, body: Json, now: int) -> None:
        """
        One more for the webhook. Its id is told to the receiver, who knows a repeated one by it.

        It holds the instant, since an execution may be removed and another one started under its id (an idempotency key makes the id).
        """
        head = live.x.head
        heard.rows.append(OutboxRow(f"{head.id}/{head.revision + 1}/{now}/{len(heard.rows)}", WEBHOOK[kind], now, encode(body)))


def _changes(was: WorkflowStatus | None, revived: str, status: WorkflowStatus) -> Iterator[str]:
    """What a decision did to a workflow, in the order in which Conductor tells of it."""
    if was is None:
        yield "STARTED"
    elif revived:
        yield _REVIVED[revived]
    elif was is WorkflowStatus.PAUSED and status in (WorkflowStatus.RUNNING, WorkflowStatus.COMPLETED, WorkflowStatus.FAILED):
        yield "RESUMED"
    if status is was and not revived:
        return
    if status is WorkflowStatus.PAUSED:
        yield "PAUSED"
    elif status is WorkflowStatus.COMPLETED:
        yield from ("COMPLETED", "FINALIZED")
    elif status.is_terminal:
        yield from ("FINALIZED", "TERMINATED")


def _queue(definition: Definition) -> str:
    """The queue of the sink, as for an EVENT task of the workflow. A sink that names none is taken as it is: who publishes will say what is wrong with it."""
    try:
        return queue_of(definition.status_sink, definition.name, "status")
    except ValueError:
        return definition.status_sink


def read_changes(text: str, known: Collection[str], setting: str) -> frozenset[str]:
    """
    The words of a setting, separated by commas. `RUNNING` is Conductor's word for STARTED.

    Raises:
        Invalid: one is not among *known*.
    """
    words = {"STARTED" if word == "RUNNING" else word for word in (part.strip().upper() for part in text.split(",")) if word}
    if unknown := sorted(words - set(known)):
        raise Invalid(f"setting {setting}: found {unknown[0]!r}, expected some of {', '.join(known)}, separated by commas")
    return frozenset(words)
