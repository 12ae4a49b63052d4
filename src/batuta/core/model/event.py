"""
Events: what has happened, in the past tense, as `decide` is told it.

Messages that cross from one execution to another are events too once they arrive; see decision.py for how they leave.
Instants are epoch milliseconds.
"""

from __future__ import annotations

import msgspec

from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json


class Started(msgspec.Struct, frozen=True):
    """The execution has just been made; nothing has run."""


class Ticked(msgspec.Struct, frozen=True):
    """Time has passed, or somebody wants the execution looked at again (PUT /workflow/decide)."""


class Claimed(msgspec.Struct, frozen=True):
    """A worker has been handed this task."""

    n: int
    worker: str


class Reported(msgspec.Struct, frozen=True):
    """
    A worker, or somebody in its place, says how a task stands.

    `merge` keeps the output there is and lays the new one over it (reports by reference, signals); otherwise it is replaced.
    """

    n: int
    status: TaskStatus
    output: Json
    reason: str | None = None
    worker: str | None = None
    callback_after_s: int = 0
    sub_execution_id: str = ""
    merge: bool = False


class InputTooLarge(msgspec.Struct, frozen=True):
    """A task's input, when it was written, came to this size, and no payload may be that large."""

    n: int
    size: int


class LeaseExtended(msgspec.Struct, frozen=True):
    """The worker is still at it; the response timeout starts anew."""

    n: int


class ChildEnded(msgspec.Struct, frozen=True):
    """A sub-workflow has come to its end."""

    task_id: str
    child_id: str
    status: str
    output: Json
    reason: str | None = None


class ChildNotStarted(msgspec.Struct, frozen=True):
    """A sub-workflow could not be started. `for_good`: another attempt could not start it either."""

    task_id: str
    child_id: str
    reason: str
    for_good: bool = False


class ChildRevived(msgspec.Struct, frozen=True):
    """An ended sub-workflow was retried, rerun or restarted; `verb` is the past participle."""

    task_id: str
    child_id: str
    verb: str


Event = Started | Ticked | Claimed | Reported | InputTooLarge | LeaseExtended | ChildEnded | ChildNotStarted | ChildRevived
