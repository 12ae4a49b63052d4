"""
WAIT: hold this branch until an instant, for a duration, or for a signal.

Here: what WAIT means and how its two parameters read. Not here: the alarm (deadlines.py), the report that ends it (api/tasks.py).
Source: conductor-semantics.md §4.12.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn

_DURATION = re.compile(
    r"\s*(?:(\d+)\s*d(?:ays?)?)?\s*(?:(\d+)\s*h(?:(?:ou)?rs?)?)?\s*(?:(\d+)\s*m(?:in(?:ute)?s?)?)?\s*(?:(\d+)\s*s(?:ec(?:ond)?s?)?)?\s*",
    re.IGNORECASE | re.ASCII,
)
_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d")


def parse_duration(text: str) -> int | None:
    """Seconds of `1d 2h 3m 4s` (any part may be missing, not all); None when it does not read so."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    d, h, m, s = (int(g or 0) for g in found.groups())
    return ((d * 24 + h) * 60 + m) * 60 + s


def parse_until(text: str, zone: tzinfo = UTC) -> int | None:
    """Epoch milliseconds of `yyyy-MM-dd HH:mm [zone]` or `yyyy-MM-dd`, in *zone* when it names none; None when it does not read so."""
    text = text.strip()
    head, _, name = text.rpartition(" ")
    candidates = [(text, zone)]
    if head and name:
        try:
            candidates.append((head, ZoneInfo(_ABBREVIATED.get(name, name))))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    for written, where in candidates:
        for form in _FORMATS:
            try:
                return int(datetime.strptime(written, form).replace(tzinfo=where).timestamp() * 1000)
            except ValueError:
                continue
    return None


_ABBREVIATED = {"EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago", "MST": "America/Denver",
                "MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "CET": "Europe/Paris", "CEST": "Europe/Paris",
                "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "Z": "UTC"}  # fmt: skip


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="WAIT", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    duration, until = task.input.get("duration"), task.input.get("until")
    if duration and until:
        turn.fail(task, "Both 'duration' and 'until' specified. Please provide only one input", for_good=True)
    elif duration:
        seconds = parse_duration(str(duration))
        if seconds is None:
            turn.fail(task, f"Not valid duration: {duration!r}; expected for example '1d 2h 3m 4s'", for_good=True)
        else:
            _wait(turn, task, turn.now + seconds * 1000)
    elif until:
        at = parse_until(str(until))
        if at is None:
            turn.fail(
                task,
                f"Invalid/Unsupported Wait Until format.  Provided: {until}; expected 'yyyy-MM-dd HH:mm z', 'yyyy-MM-dd HH:mm' or 'yyyy-MM-dd'",
                for_good=True,
            )
        else:
            _wait(turn, task, at)


def _wait(turn: Turn, task: Task, at: int) -> None:
    task.wait_until = at
    turn.x.touch(task)
    if at <= turn.now:
        turn.complete(task)


def begin(turn: Turn, task: Task) -> None:
    """A retried WAIT starts its time anew."""
    task.wait_until = 0
    turn.move(task, TaskStatus.IN_PROGRESS)
    task.started_at = turn.now
    run(turn, task)
