"""
Event handlers on the wire: a posted EventHandler as it is stored and given back, and what became of a message.

Here: the tables, the rules between fields, the two structures of history. Not here: what a handler does (engine/events.py, engine/actions.py).
Source: conductor-rest-api.md §1.4, §3.10, §4.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from batuta.errors import Invalid, Violation
from batuta.wire.schedule import TAG
from batuta.wire.shape import Json, ListOf, Record, Table, Text, choice, flag, integer, listing, optional, table, text

ACTIONS: Final = ("start_workflow", "complete_task", "fail_task", "terminate_workflow", "update_workflow_variables", "start_agent")
_NO_ACTIONS: Final = "No actions specified. Please specify at-least one action"

START_WORKFLOW: Final = Record(
    "StartWorkflow", text("name"), integer("version"), text("correlationId"), table("input"), optional("taskToDomain", Table(Text()))
)
TASK_DETAILS: Final = Record("TaskDetails", text("workflowId"), text("taskRefName"), table("output"), text("taskId"), text("reasonForIncompletion"))
TERMINATE_WORKFLOW: Final = Record("TerminateWorkflow", text("workflowId"), text("terminationReason"))
UPDATE_VARIABLES: Final = Record("UpdateWorkflowVariables", text("workflowId"), table("variables"), flag("appendArray", False))
EVENT_ACTION: Final = Record(
    "EventAction",
    choice("action", *ACTIONS),
    optional("start_workflow", START_WORKFLOW),
    optional("complete_task", TASK_DETAILS),
    optional("fail_task", TASK_DETAILS),
    flag("expandInlineJSON", False),
    optional("terminate_workflow", TERMINATE_WORKFLOW),
    optional("update_workflow_variables", UPDATE_VARIABLES),
    optional("start_agent", Table()),
    required=("action",),
)
EVENT_HANDLER: Final = Record(
    "EventHandler",
    text("name"),
    text("event"),
    text("condition"),
    listing("actions", EVENT_ACTION),
    flag("active", False),
    text("evaluatorType"),
    text("description"),
    optional("tags", ListOf(TAG)),
    required=("name", "event", "actions"),
)
RECORDS: Final = (EVENT_HANDLER, EVENT_ACTION, START_WORKFLOW, TASK_DETAILS, TERMINATE_WORKFLOW, UPDATE_VARIABLES)

ExecutionStatus = Literal["COMPLETED", "FAILED", "SKIPPED"]


class EventExecution(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action of a handler for one message. Conductor's EventExecution; `id` is the message's id, `_` and the action's number."""

    id: str
    messageId: str
    name: str
    event: str
    created: int
    status: ExecutionStatus
    action: str
    output: Json


class Failure(msgspec.Struct, frozen=True):
    """Who could not do what with a message, and why. `handler` is empty when it could not be handed to a broker."""

    handler: str
    action: str
    reason: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a message that could not be published yet: how often it was tried, and why the last time failed."""

    attempts: int
    reason: str


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of an EVENT task on its way: with its handlers, or kept until its broker is there. Without a reason nothing has gone wrong so far."""

    messageId: str
    event: str
    payload: Any
    created: int
    attempts: int = 0
    reason: str = ""


class DeadMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message set aside because something failed for good. `attempts` counts how often it was tried, redeliveries included."""

    id: str
    messageId: str
    event: str
    payload: Any
    created: int
    attempts: int
    failures: list[Failure]


def read_handler(value: Any, at: str = "") -> Json:
    """
    An event handler in its stored form.

    Raises:
        Invalid: a member cannot be meant; the message gives its path, what was found and what was expected.
    """
    return EVENT_HANDLER.read(value, at)


def read_handlers(value: list[Any]) -> list[Json]:
    """Event handlers in their stored form, one at least. Raises Invalid as `read_handler` does."""
    if not value:
        raise Invalid("the body is an empty list; expected an event handler, or a list of them")
    read: list[Json] = ListOf(EVENT_HANDLER).read(value, "")
    return read


def problems(handler: Json, at: str) -> list[Violation]:
    """Every rule that a handler in its stored form breaks; *at* is its path, as `addEventHandler.arg0`."""
    broken = []
    if not handler.get("name"):
        broken.append(Violation(f"{at}.name", "Missing event handler name"))
    if not handler.get("event"):
        broken.append(Violation(f"{at}.event", "Missing event location"))
    if not handler["actions"]:
        broken.append(Violation(f"{at}.actions", _NO_ACTIONS))
    for n, action in enumerate(handler["actions"]):
        kind, place = action.get("action"), f"{at}.actions[{n}]"
        if kind is None:
            broken.append(Violation(f"{place}.action", f"action is missing; expected one of {', '.join(ACTIONS)}"))
        elif kind not in action:
            broken.append(Violation(f"{place}.{kind}", f"{kind} is missing; an action of this kind is described by it"))
        elif kind == "start_workflow" and not action[kind].get("name"):
            broken.append(Violation(f"{place}.{kind}.name", "name is missing; expected the name of a workflow"))
    return broken
