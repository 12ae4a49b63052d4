"""
The looks of an execution: a heading, the tree of its tasks, why it failed, what went in and came out.

Here: lines of text from the server's JSON. Not here: the tree (outline.py), fetching (look.py), redrawing (watch.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import click

from batuta.cli import terminal, words
from batuta.cli.workflow.outline import Branch, outline

Json = Mapping[str, Any]
Children = Callable[[str], Json | None]

OPEN: Final = frozenset({"SCHEDULED", "IN_PROGRESS"})
LOST: Final = frozenset({"FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT"})
_DEPTH_MAX: Final = 8
_REASON_LINES_MAX: Final = 6
_EARLIER_MAX: Final = 3


class _Line(NamedTuple):
    """One line of the tree: what leads to it, its sign, and its columns. A line without a sign belongs to the one before it."""

    lead: str
    sign: terminal.Cell | None
    ref: terminal.Cell
    kind: str = ""
    took: str = ""
    notes: str = ""


def heading(execution: Json, now_ms: float | None = None) -> list[str]:
    """Name, status and length; then who it is and since when; then why it failed."""
    now = time.time() * 1000 if now_ms is None else now_ms
    status = str(execution.get("status", "?"))
    began, ended = execution.get("startTime") or execution.get("createTime") or 0, execution.get("endTime") or 0
    took = words.duration((ended or now) - began) if began else ""
    name = terminal.bold(terminal.printable(f"{execution.get('workflowName') or execution.get('workflowType')}"))
    version = terminal.dim(f"v{execution.get('workflowVersion') or execution.get('version') or '?'}")
    first = f"{words.sign(status).shown()} {name} {version}  {words.status_cell(status).shown()}  {('in ' if ended else 'for ') + took if took else ''}"
    facts = [f"id {execution.get('workflowId')}"]
    named = (("correlation", "correlationId"), ("priority", "priority"), ("by", "createdBy"))
    facts += [f"{word} {execution[key]}" for word, key in named if execution.get(key)]
    facts += [f"started {words.clock_time(began, now)} ({words.ago(began, now)})"] if began else []
    facts += [f"parent {execution['parentWorkflowId']}"] if execution.get("parentWorkflowId") else []
    lines = [first.rstrip(), terminal.dim("  " + terminal.printable(" · ".join(facts)))]
    return lines + [f"  {click.style(line, fg='red')}" for line in _why(execution)]


def _why(execution: Json) -> list[str]:
    """Why it failed; only where, when the task itself says why."""
    reason = str(execution.get("reasonForIncompletion") or "")
    told = [task for task in execution.get("tasks") or () if (said := task.get("reasonForIncompletion")) and said in reason]
    if told and execution.get("status") != "RUNNING":
        return [f"{words.spoken(str(told[-1].get('status')))} at {told[-1].get('referenceTaskName')}"]
    return _reason_lines(reason)


def tree(execution: Json, *, children: Children | None = None, now_ms: float | None = None, within: int | None = None) -> list[str]:
    """
    A line a task, nested as in the definition. *children* gives a child execution by its id, to be shown inside its task.
    *within* columns the notes and reasons are cut; None: nothing is cut.
    """
    now = time.time() * 1000 if now_ms is None else now_ms
    lines = list(_lines(outline(execution), "", children, now, 0))
    ref_wide = max((len(line.lead) + terminal.columns_of(line.ref.text) for line in lines if line.sign), default=0)
    kind_wide = max((len(line.kind) for line in lines), default=0)
    took_wide = max((len(line.took) for line in lines), default=0)
    return ["  " + _laid_out(line, ref_wide, kind_wide, took_wide, within) for line in lines]


def payloads(execution: Json, within: int | None) -> list[str]:
    """Input, output and variables on a line each, as far as there are any."""
    shown = []
    for word, key in (("input", "input"), ("output", "output"), ("variables", "variables")):
        if value := execution.get(key):
            text = words.short_json(value, (within or 10_000) - 13)
            shown.append(f"  {terminal.dim(word.ljust(10))} {text}")
    return shown


def _lines(places: Sequence[Branch], lead: str, children: Children | None, now: float, depth: int) -> Iterator[_Line]:
    bars = ("├─ ", "└─ ", "│  ") if terminal.speaks_unicode() else ("|- ", "`- ", "|  ")
    for index, place in enumerate(places):
        is_last = index == len(places) - 1
        own = lead + (bars[1] if is_last else bars[0]) if depth else ""
        below = lead + ("   " if is_last else bars[2]) if depth else ""
        inside = place.inside or _child_places(place.task, children, depth)
        yield _task_line(place, own, now)
        stem = below + (bars[2] if inside else "  ")
        for attempt, task in enumerate(place.earlier[-_EARLIER_MAX:], max(1, len(place.earlier) - _EARLIER_MAX + 1)):
            yield _Line(stem, None, terminal.Cell(_earlier(attempt, task), dim=True))
        for line in _reason_lines(_reason_of(place)):
            yield _Line(stem, None, terminal.Cell(line, fg="yellow" if place.task.get("status") == "COMPLETED_WITH_ERRORS" else "red"))
        yield from _lines(inside, below, children, now, depth + 1)


def _earlier(attempt: int, task: Json) -> str:
    status, reason = str(task.get("status", "?")), _reason_lines(task.get("reasonForIncompletion"))
    took = _took(task, status, 0)
    return f"attempt {attempt} {words.spoken(status)}{' after ' + took if took else ''}{': ' + reason[0] if reason else ''}"


def _child_places(task: Json, children: Children | None, depth: int) -> list[Branch]:
    child_id = task.get("subWorkflowId")
    if children is None or not child_id or task.get("taskType") != "SUB_WORKFLOW" or depth >= _DEPTH_MAX:
        return []
    child = children(str(child_id))
    return outline(child) if child is not None else []


def _task_line(place: Branch, lead: str, now: float) -> _Line:
    task = place.task
    status, kind, name = str(task.get("status", "?")), str(task.get("taskType", "")), str(task.get("taskDefName") or "")
    waits = status == "IN_PROGRESS" and kind in ("WAIT", "HUMAN")
    shown_kind = kind if kind == place.ref or name in ("", kind, place.ref) else f"{kind} {name}" if kind in words.BUILT_IN else name
    look = terminal.Cell(place.ref, dim=status in ("SKIPPED", "CANCELED"), bold=status in LOST)
    notes = ", ".join(_notes(place, status, kind, now))
    return _Line(lead, words.sign("WAITING" if waits else status), look, "" if shown_kind == place.ref else shown_kind, _took(task, status, now), notes)


def _took(task: Json, status: str, now: float) -> str:
    began = task.get("startTime") or 0
    if status == "SCHEDULED" or not began:
        return ""
    end = now if status in OPEN else task.get("endTime") or began
    return words.duration(end - began)


def _notes(place: Branch, status: str, kind: str, now: float) -> Iterator[str]:
    task = place.task
    if place.earlier:
        yield f"attempt {len(place.earlier) + 1}"
    if status not in ("COMPLETED", "SCHEDULED", "IN_PROGRESS", "FAILED"):
        yield words.spoken(status)
    if status == "SCHEDULED":
        yield from _waiting(task, kind, now)
    elif status == "IN_PROGRESS" and task.get("workerId"):
        yield f"with {task['workerId']}"
    elif (queued := task.get("queueWaitTime") or 0) >= 1000 and kind not in words.BUILT_IN:
        yield f"queued {words.duration(queued)}"
    if kind == "DO_WHILE" and (turns := (task.get("outputData") or {}).get("iteration")):
        yield words.count(int(turns), "turn")
    if kind == "SUB_WORKFLOW" and task.get("subWorkflowId"):
        yield f"child {task['subWorkflowId']}"


def _waiting(task: Json, kind: str, now: float) -> Iterator[str]:
    since = task.get("updateTime") or task.get("scheduledTime") or now
    due = since + 1000 * ((task.get("callbackAfterSeconds") or 0) or (task.get("startDelayInSeconds") or 0))
    if due > now:
        yield f"due {words.ago(due, now)}"
    elif kind in words.BUILT_IN:
        yield "scheduled"
    else:
        queue = f"{task['domain']}:{kind}" if task.get("domain") else kind
        yield f"waiting {words.duration(round(now - since, -3) if now - since > 1000 else now - since)} for a worker of {queue}"


def _reason_of(place: Branch) -> str | None:
    task = place.task
    # A retry that waits still carries the reason of the attempt before it.
    return task.get("reasonForIncompletion") if task.get("status") not in ("COMPLETED", "SKIPPED", *OPEN) else None


def _reason_lines(reason: Any) -> list[str]:
    lines = [click.unstyle(line).rstrip() for line in terminal.printable(str(reason or "")).splitlines() if line.strip()]
    if len(lines) > _REASON_LINES_MAX:
        lines = [*lines[: _REASON_LINES_MAX - 1], f"({len(lines) - _REASON_LINES_MAX + 1} more lines: --json)"]
    return lines


def _laid_out(line: _Line, ref_wide: int, kind_wide: int, took_wide: int, within: int | None) -> str:
    lead = terminal.dim(line.lead)
    if line.sign is None:
        left = None if within is None else max(10, within - len(line.lead) - 4)
        return f"{lead}{line.ref.shown(left)}"
    pad = " " * (ref_wide - len(line.lead) - terminal.columns_of(line.ref.text))
    text = f"{lead}{line.sign.shown()} {line.ref.shown()}{pad}  {terminal.dim(line.kind.ljust(kind_wide))}  {line.took.rjust(took_wide)}"
    if not line.notes:
        return text.rstrip() if not line.took else text
    left = None if within is None else max(10, within - terminal.columns_of(text) - 4)
    return f"{text}  {terminal.dim(terminal.printable(line.notes) if left is None else terminal.cut(line.notes, left))}"
