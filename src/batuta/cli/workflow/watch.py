"""
`batuta workflow watch`: follow an execution to its end.

On a screen it is redrawn in place; through a pipe there is a line for each thing that happens, as JSON when asked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from batuta.cli import terminal, words
from batuta.cli.connection import connect, json_option, url_option
from batuta.cli.failure import Command, Exit, Failure
from batuta.cli.workflow import view

if TYPE_CHECKING:
    from batuta.client import SyncClient

PAUSE_S: Final = 0.25  # between two looks at an execution that moves
PAUSE_S_MAX: Final = 1.0  # at one that stands still: its clocks are redrawn all the same
TERMINAL: Final = frozenset({"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"})
OUTAGE_S_MAX: Final = 60.0  # how long a server that has answered once may be away, for a restart or an upgrade
LOOK_SHARE: Final = 4  # a look that takes long, at an execution of thousands of tasks, is followed by so many times its length of rest
_UP: Final = "\x1b[{}A\r"
_CLEAR_BELOW: Final = "\x1b[J"


@click.command(cls=Command)
@click.argument("execution_id")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Stop watching after this long; exit 1.")
@url_option
@json_option
def watch(execution_id: str, timeout_s: float | None, url: str, as_json: bool) -> None:
    """
    Follow an execution to its end; exit 0 only when it completed.

    With --json: one object a line for each change of the execution or of one of its tasks.
    """
    with connect(url) as client:
        follow(client, execution_id, as_json=as_json, timeout_s=timeout_s)


def follow(client: SyncClient, execution_id: str, *, as_json: bool = False, timeout_s: float | None = None) -> None:
    """
    Show the execution until it has ended.

    Raises:
        Failure: it did not complete, or not within *timeout_s*.
    """
    live = terminal.can_redraw() and not as_json
    screen: _Screen | _Lines | _JsonLines = _Screen() if live else _JsonLines() if as_json else _Lines()
    last: dict[str, Any] = {}
    for last in _looks(client, execution_id, timeout_s):
        screen.show(last)
    if (status := last["status"]) != "COMPLETED":
        raise Failure(f"execution {execution_id} is {status}", Exit.FAILED)


def _looks(client: SyncClient, execution_id: str, timeout_s: float | None) -> Iterator[dict[str, Any]]:
    """The execution, looked at until it has ended; an outage of the server in between is waited out, up to a limit, and told."""
    from batuta.client import Unavailable

    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    pause_s, seen = PAUSE_S / 4, ""
    answered: float | None = None  # when the server last did
    is_away = False
    while True:
        began = time.monotonic()
        try:
            execution = client.get_workflow(execution_id).json
        except Unavailable:
            if answered is None or began - answered > OUTAGE_S_MAX:
                raise
            if not is_away:
                terminal.note(f"The server does not answer; waiting up to {OUTAGE_S_MAX:.0f} s for it to come back …")
            execution, is_away = None, True
        if execution is not None:
            if is_away:
                terminal.note("It is back.")
            answered, is_away = time.monotonic(), False
            yield execution
            if execution["status"] in TERMINAL:
                return
            mark = repr([(task.get("taskId"), task.get("status")) for task in execution.get("tasks") or ()])
            pause_s = PAUSE_S / 4 if mark != seen else min(pause_s * 1.5, PAUSE_S_MAX)
            seen = mark
            pause_s = max(pause_s, LOOK_SHARE * (time.monotonic() - began))
        if deadline is not None and time.monotonic() >= deadline:
            state = execution["status"] if execution is not None else "not known: the server does not answer"
            raise Failure(f"execution {execution_id} is {state} after {timeout_s:g} s; it goes on")
        time.sleep(pause_s if deadline is None else max(0.0, min(pause_s, deadline - time.monotonic())))


class _Screen:
    """The execution drawn over its last drawing, cut to the height of the screen so that nothing scrolls away."""

    def __init__(self) -> None:
        self._drawn = 0

    def show(self, execution: dict[str, Any]) -> None:
        within, ended = terminal.width(), execution["status"] in TERMINAL
        head, tasks = view.heading(execution), view.tree(execution, within=within)
        tail = ["", *view.payloads({"output": execution.get("output")}, within)] if ended and execution.get("output") else []
        room = terminal.height() - len(head) - len(tail) - 3
        if not ended and len(tasks) > room:
            tasks = [terminal.dim(f"  … {len(tasks) - room + 1} lines above"), *tasks[len(tasks) - room + 1 :]]
        lines = [*head, "", *tasks, *tail]
        text = "\n".join(terminal.cut_styled(line, within) for line in lines)
        # Not by click.echo: without colour it would take the movements out too.
        sys.stdout.write((_UP.format(self._drawn) if self._drawn else "") + _CLEAR_BELOW)
        click.echo(text)
        self._drawn = len(lines)


class _Lines:
    """One line for each thing that happened since the last look."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def show(self, execution: dict[str, Any]) -> None:
        changed, ended = self._is_news("", execution["status"]), execution["status"] in TERMINAL
        if changed and not ended:
            self.execution(execution)
        for task in sorted(execution.get("tasks") or (), key=_moved_at):
            if self._is_news(task["taskId"], task["status"]):
                self.task(execution, task)
        if changed and ended:
            self.execution(execution)
        sys.stdout.flush()

    def _is_news(self, key: str, status: str) -> bool:
        before = self._seen.get(key)
        self._seen[key] = status
        return before != status

    def task(self, execution: dict[str, Any], task: dict[str, Any]) -> None:
        status = task["status"]
        # A retry that waits still carries the reason of the attempt before it.
        said = task.get("reasonForIncompletion") if status not in view.OPEN else None
        attempt = f" (attempt {task['retryCount'] + 1})" if task.get("retryCount") else ""
        what = f"{words.sign(status).shown()} {task['referenceTaskName']}{attempt} {words.spoken(status)}"
        click.echo(f"{words.clock_time(_moved_at(task))}  {what}{f': {terminal.cut(said, 300)}' if said else ''}")

    def execution(self, execution: dict[str, Any]) -> None:
        if execution["status"] in TERMINAL or execution["status"] == "PAUSED":
            for line in view.heading(execution):
                click.echo(line)
        else:
            click.echo(f"{words.clock_time(execution.get('startTime') or 0)}  {words.sign(execution['status']).shown()} {execution['workflowId']} running")


def _moved_at(task: dict[str, Any]) -> int:
    """When the task took its present status, as far as the server tells."""
    return int(task.get("endTime") or task.get("startTime") or task.get("scheduledTime") or 0)


class _JsonLines(_Lines):
    """The same as an object a line."""

    def task(self, execution: dict[str, Any], task: dict[str, Any]) -> None:
        keys = ("taskId", "referenceTaskName", "taskType", "status", "retryCount", "workerId", "updateTime", "reasonForIncompletion")
        terminal.print_json_line({"workflowId": execution["workflowId"], **{key: task[key] for key in keys if key in task}})

    def execution(self, execution: dict[str, Any]) -> None:
        keys = ("workflowId", "workflowName", "status", "output", "reasonForIncompletion", "startTime", "endTime")
        terminal.print_json_line({key: execution[key] for key in keys if key in execution})
