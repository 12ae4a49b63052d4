"""
Messages: what one execution's decision asks of the rest of the world.

They leave in the same commit as the decision (the outbox), are delivered at once and again after a crash; receivers de-duplicate.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from batuta.core.model.task import Json


class StartExecution(msgspec.Struct, frozen=True, tag="start"):
    """
    Start an execution under this id, unless it exists. With a parent it is a sub-workflow and the parent is told of its end.

    `definition` is an inline definition; without it name and version (0: latest) are looked up.
    """

    id: str
    name: str
    version: int
    input: Json
    definition: Json | None = None
    correlation_id: str | None = None
    priority: int = 0
    task_to_domain: dict[str, str] = {}
    parent_id: str = ""
    parent_task_id: str = ""
    created_by: str = ""
    secrets: Sequence[str] = ()  # names the sender may use, and so its follower


class TerminateExecution(msgspec.Struct, frozen=True, tag="terminate"):
    """End this execution, unless it has ended."""

    id: str
    reason: str


class TellParent(msgspec.Struct, frozen=True, tag="ended"):
    """A sub-workflow has ended; for its parent."""

    id: str
    task_id: str
    child_id: str
    status: str
    output: Json
    reason: str | None = None


class ReviveParent(msgspec.Struct, frozen=True, tag="revived"):
    """A sub-workflow was retried, rerun or restarted; for its parent."""

    id: str
    task_id: str
    child_id: str
    verb: str


class ReviveChild(msgspec.Struct, frozen=True, tag="revive"):
    """A sibling sub-workflow is to be retried in place, its parent having come back to life; the parent is told when there is none any more."""

    id: str
    parent_id: str = ""
    parent_task_id: str = ""


class AskChild(msgspec.Struct, frozen=True, tag="ask"):
    """A sub-workflow shall say once more how it ended, should it have: its parent did not listen for a while."""

    id: str


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    """An EVENT task's message for a queue."""

    id: str
    queue: str
    payload: Json


Message = StartExecution | TerminateExecution | TellParent | ReviveParent | ReviveChild | AskChild | Publish
