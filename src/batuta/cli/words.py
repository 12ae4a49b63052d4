"""
How things read: signs and colours of statuses, lengths of time, sizes, short JSON.

Here: words for people. Not here: laying them out (terminal.py). Status has colour and shape, so that neither is needed alone.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any, Final, NamedTuple

from batuta.cli.terminal import Cell, Colour, cut, speaks_unicode


class Sign(NamedTuple):
    """What a status looks like: a shape, its ASCII twin, a colour (None: the terminal's own, dimmed)."""

    shape: str
    plain: str
    colour: Colour


_SIGNS: Final = {
    "SCHEDULED": Sign("○", "o", None),
    "RUNNING": Sign("●", "*", "blue"),
    "IN_PROGRESS": Sign("●", "*", "blue"),
    "WAITING": Sign("◷", "~", "magenta"),
    "COMPLETED": Sign("✓", "+", "green"),
    "COMPLETED_WITH_ERRORS": Sign("✓", "+", "yellow"),
    "FAILED": Sign("✗", "x", "red"),
    "FAILED_WITH_TERMINAL_ERROR": Sign("✗", "x", "red"),
    "TIMED_OUT": Sign("⧖", "!", "bright_red"),
    "TERMINATED": Sign("■", "#", None),
    "CANCELED": Sign("■", "#", None),
    "PAUSED": Sign("‖", "=", "yellow"),
    "SKIPPED": Sign("→", ">", None),
}
_TASK_FAILED: Final = re.compile(r"Task \S+ failed with status: \w+ and reason: '(.*)'", re.DOTALL)
_UNKNOWN: Final = Sign("?", "?", None)

# Types of tasks the server does itself: a scheduled one waits for no worker.
BUILT_IN: Final = frozenset({
    "FORK", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN", "SWITCH", "DECISION", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW", "TERMINATE",
    "SET_VARIABLE", "INLINE", "LAMBDA", "JSON_JQ_TRANSFORM", "WAIT", "HUMAN", "NOOP", "EVENT", "HTTP", "DYNAMIC",
})  # fmt: skip

# Conductor's words for a task's state, as a person would say them.
_SPOKEN: Final = {
    "FAILED_WITH_TERMINAL_ERROR": "failed for good",
    "COMPLETED_WITH_ERRORS": "completed with errors",
    "IN_PROGRESS": "in progress",
    "TIMED_OUT": "timed out",
}


def sign(status: str) -> Cell:
    """The shape of a status, in its colour; a status nobody knows gets a question mark."""
    found = _SIGNS.get(status, _UNKNOWN)
    return Cell(found.shape if speaks_unicode() else found.plain, fg=found.colour, dim=found.colour is None)


def status_cell(status: str) -> Cell:
    """The word of a status, in its colour."""
    found = _SIGNS.get(status, _UNKNOWN)
    return Cell(status, fg=found.colour, dim=found.colour is None)


def spoken(status: str) -> str:
    """The status in lower case, as in a sentence."""
    return _SPOKEN.get(status, status.lower().replace("_", " "))


def duration(ms: float) -> str:
    """A length of time in at most two units: `8ms`, `1.24s`, `41s`, `1m 12s`, `2h 05m`, `3d 4h`."""
    ms = max(ms, 0)
    if ms < 1000:
        return f"{ms:.0f}ms"
    if ms < 9_995:
        return f"{ms / 1000:.2f}s"
    seconds = round(ms / 1000)
    if seconds < 60:
        return f"{seconds}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m {seconds:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h {minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h"


def ago(at_ms: float, now_ms: float | None = None) -> str:
    """How long ago an instant (epoch milliseconds) was, in one unit: `just now`, `41s ago`, `2h ago`; `in 5m` when it is to come."""
    passed_s = round((time.time() * 1000 if now_ms is None else now_ms) / 1000 - at_ms / 1000)
    if passed_s == 0:
        return "just now"
    units = next(((name, length) for name, length in (("d", 172_800), ("h", 3_600), ("m", 60)) if abs(passed_s) >= length), ("s", 1))
    amount = f"{abs(passed_s) // (86_400 if units[0] == 'd' else units[1])}{units[0]}"
    return f"{amount} ago" if passed_s > 0 else f"in {amount}"


def clock_time(at_ms: float, now_ms: float | None = None) -> str:
    """An instant in local time; with its date when that is not today's."""
    at, now = time.localtime(at_ms / 1000), time.localtime(time.time() if now_ms is None else now_ms / 1000)
    return time.strftime("%H:%M:%S" if at[:3] == now[:3] else "%Y-%m-%d %H:%M:%S", at)


def size(count: float) -> str:
    """A number of bytes: `812 B`, `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def count(number: int, one: str, many: str = "") -> str:
    """`1 task`, `3 tasks`, `12,400 executions`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def reason(text: str | None) -> str:
    """Why an execution failed, without Conductor's sentence around what its task said."""
    found = _TASK_FAILED.fullmatch(text or "")
    return found[1] if found else text or ""


def short_json(value: Any, columns: int) -> str:
    """JSON on one line, cut to fit."""
    return cut(json.dumps(value, ensure_ascii=False, default=str), columns)
