"""
What a worker function may ask and tell while it runs.

Here: the object a parameter annotated `TaskContext` receives, the same for coroutines and for plain functions in threads:
nothing in it blocks. Not here: who sends what it collects (keeper.py).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from batuta.client.models import Task
from batuta.client.outputs import output_of, printable

LOG_LINES_MAX = 2000
LOG_LINE_CHARS_MAX = 16_384


class TaskContext:
    """
    The running task's line to its host.

    ``is_cancelled`` becomes true when the server has ended the task meanwhile (its workflow was terminated, its time is
    over): a result would be ignored, so stop. ``is_draining`` becomes true when this process was asked to leave: finish, or
    raise, before the host's drain time is over.
    """

    def __init__(self, task: Task, wake: Callable[[], None] = lambda: None) -> None:
        self.task = task
        self.is_cancelled = False
        self.is_draining = False
        self._wake = wake
        self._guard = threading.Lock()
        self._lines: deque[str] = deque()
        self._lines_dropped = 0
        self._progress: dict[str, Any] | None = None
        self._wants_lease = False

    @property
    def attempt(self) -> int:
        """1 for the first attempt, 2 for the first retry."""
        return self.task.retry_count + 1

    @property
    def poll_count(self) -> int:
        """How often this attempt was handed out: 1, and more after `InProgress` or a lost worker."""
        return self.task.poll_count

    def log(self, text: str) -> None:
        """
        Append *text* to the task's log on the server.

        Sent within about a second while the task runs, the rest with its result. At most 2,000 lines wait to be sent; past
        that the oldest are dropped, and the log says how many.
        """
        with self._guard:
            for line in printable(str(text)).splitlines() or [""]:
                self._lines.append(line[:LOG_LINE_CHARS_MAX])
            while len(self._lines) > LOG_LINES_MAX:
                self._lines.popleft()
                self._lines_dropped += 1
        self._wake()

    def heartbeat(self) -> None:
        """Extend the task's lease now: its response timeout counts anew. The host does so by itself unless told otherwise."""
        self._wants_lease = True
        self._wake()

    def progress(self, output: Mapping[str, Any]) -> None:
        """
        Store *output* with the running task: the server shows it, and whoever runs the task next finds it in ``task.output``.

        The task reads SCHEDULED on the server from then on (Conductor knows no other way to take an output before the
        end); it is offered to another worker only if this one stops renewing it. Only the latest output is sent.

        Raises:
            ValueError: *output* holds something JSON has no form for.
        """
        plain = output_of(dict(output))
        with self._guard:
            self._progress = plain
        self._wake()

    def take_lines(self) -> list[str]:
        """The log lines collected since the last call, for the host to send."""
        with self._guard:
            lines = list(self._lines)
            if self._lines_dropped:
                lines.insert(0, f"({self._lines_dropped} lines dropped)")
            self._lines.clear()
            self._lines_dropped = 0
        return lines

    def put_back(self, lines: list[str]) -> None:
        """Lines that could not be sent, before those collected meanwhile."""
        with self._guard:
            self._lines.extendleft(reversed(lines))
            while len(self._lines) > LOG_LINES_MAX:
                self._lines.popleft()
                self._lines_dropped += 1

    def take_progress(self) -> dict[str, Any] | None:
        """The output given to `progress` since the last call, for the host to send."""
        with self._guard:
            progress, self._progress = self._progress, None
        return progress

    def take_heartbeat(self) -> bool:
        """Whether a heart-beat was asked for since the last call."""
        wanted, self._wants_lease = self._wants_lease, False
        return wanted
