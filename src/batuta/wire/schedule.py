"""
Schedules on the wire: a posted WorkflowSchedule as it is stored and given back, and one firing of it.

Here: the tables, the rules between fields, the structure of history. Not here: when a schedule fires (core/cron.py, engine/schedules.py).
Source: conductor-rest-api.md §1.9, §3.11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

import msgspec

from batuta.errors import Invalid, InvalidFields, Violation
from batuta.wire.requests import PRIORITY_MAX, START_REQUEST
from batuta.wire.shape import Field, Json, ListOf, Record, Text, flag, integer, listing, optional, text

UTC: Final = "UTC"

CRON_SCHEDULE: Final = Record("CronSchedule", text("cronExpression"), Field("zoneId", Text(), UTC, UTC), required=("cronExpression",))
TAG: Final = Record("Tag", text("key"), text("value"), text("type"), required=("key", "value"))
SCHEDULE: Final = Record(
    "WorkflowSchedule",
    text("name"),
    text("cronExpression"),
    Field("zoneId", Text(), UTC, UTC),
    listing("cronSchedules", CRON_SCHEDULE),
    flag("runCatchupScheduleInstances", False),
    flag("paused", False),
    text("pausedReason"),
    optional("startWorkflowRequest", START_REQUEST),
    integer("scheduleStartTime", bits=64),
    integer("scheduleEndTime", bits=64),
    integer("createTime", bits=64),
    integer("updatedTime", bits=64),
    text("createdBy"),
    text("updatedBy"),
    text("description"),
    optional("tags", ListOf(TAG)),
    required=("name", "startWorkflowRequest"),
)
RECORDS: Final = (SCHEDULE, CRON_SCHEDULE, TAG)

FiringState = Literal["POLLED", "FAILED", "EXECUTED"]


class Firing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tick of a schedule and what came of it. Conductor's WorkflowScheduleExecutionModel."""

    executionId: str
    scheduleName: str
    scheduledTime: int
    executionTime: int
    workflowName: str
    workflowId: str = ""
    reason: str = ""
    startWorkflowRequest: Json
    state: FiringState
    zoneId: str


class Entry(NamedTuple):
    """One cron expression of a schedule, with its zone."""

    cron: str
    zone: str

    def __str__(self) -> str:
        return f"{self.cron} {self.zone}"


def read_schedule(value: Any, at: str = "") -> Json:
    """
    A schedule in its stored form.

    Raises:
        Invalid: a member cannot be meant; the message gives its path, what was found and what was expected.
    """
    return SCHEDULE.read(value, at)


def read_tags(value: Any) -> list[Json]:
    """A list of tags, each with a key and a value. Raises Invalid as `read_schedule` does."""
    read: list[Json] = ListOf(TAG).read(value, "")
    for n, tag in enumerate(read):
        for name in TAG.required:
            if name not in tag:
                raise Invalid(f"[{n}].{name} is missing; expected a text")
    return read


def entries_of(schedule: Json) -> list[Entry]:
    """The expressions that a schedule fires by: its list, else its single one."""
    if schedule["cronSchedules"]:
        return [Entry(one.get("cronExpression", ""), one["zoneId"]) for one in schedule["cronSchedules"]]
    return [Entry(schedule.get("cronExpression", ""), schedule["zoneId"])]


def check(schedule: Json, readable: Callable[[Entry], object], at: str = "saveSchedule.arg0") -> None:
    """
    Raise InvalidFields with every rule that a schedule in its stored form breaks. *readable* raises Invalid for an expression or zone nobody knows.

    Conductor stores nearly anything and logs what is wrong when it would fire.
    """
    broken = []
    if not schedule.get("name"):
        broken.append(Violation(f"{at}.name", "schedule name cannot be null or empty"))
    listed = bool(schedule["cronSchedules"])
    for n, entry in enumerate(entries_of(schedule)):
        try:
            readable(entry)
        except Invalid as error:
            broken.append(Violation(f"{at}.cronSchedules[{n}]" if listed else f"{at}.cronExpression", str(error), entry.cron))
    request = schedule.get("startWorkflowRequest")
    if request is None or not request.get("name"):
        broken.append(Violation(f"{at}.startWorkflowRequest", "startWorkflowRequest.name is missing; expected the name of a workflow"))
    elif not 0 <= request["priority"] <= PRIORITY_MAX:
        broken.append(Violation(f"{at}.startWorkflowRequest.priority", f"priority: {request['priority']} should be 0 to {PRIORITY_MAX}"))
    start, end = schedule.get("scheduleStartTime"), schedule.get("scheduleEndTime")
    if start and end and end < start:
        broken.append(Violation(f"{at}.scheduleEndTime", f"scheduleEndTime {end} is before scheduleStartTime {start}"))
    if broken:
        raise InvalidFields(broken)
