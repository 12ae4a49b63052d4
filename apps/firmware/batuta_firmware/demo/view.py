"""
Showing progress: a block that redraws itself on a terminal, single lines anywhere else.

Here: marks, columns, escape codes. Not here: what is shown (trace.py).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import Protocol, TextIO

from batuta_firmware.demo.trace import OPEN, Row

LABEL_WIDTH = 42
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
GOOD, BAD, BUSY = "COMPLETED", "FAILED", "IN_PROGRESS"
_COLORS = {GOOD: "32", BAD: "31", BUSY: "36"}


class View(Protocol):
    def headline(self, text: str) -> None: ...
    def show(self, rows: Sequence[Row]) -> None: ...
    def settle(self) -> None: ...
    def line(self, text: str) -> None: ...


def view_for(stream: TextIO, *, plain: bool) -> View:
    """The view that suits *stream*: live on a terminal, unless *plain*."""
    if plain or not stream.isatty():
        return LineView(stream)
    return LiveView(stream)


class LineView:
    """One line for each thing that has ended: for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: set[str] = set()

    def headline(self, text: str) -> None:
        self.line(f"\n{text}")

    def show(self, rows: Sequence[Row]) -> None:
        ended = [row for row in rows if row.status not in OPEN and row.key not in self._told]
        for row in sorted(ended, key=lambda row: -row.depth):  # a workflow has ended after its tasks
            self._told.add(row.key)
            self.line(_plain(row))

    def settle(self) -> None:
        pass

    def line(self, text: str) -> None:
        encoding = self._stream.encoding or "ascii"
        self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()


class LiveView:
    """A block of lines that is redrawn in place until it is settled."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0
        self._last: Sequence[Row] = ()

    def headline(self, text: str) -> None:
        self.settle()
        self._write(f"\n\x1b[1m{text}\x1b[0m\n")

    def show(self, rows: Sequence[Row]) -> None:
        columns, lines = shutil.get_terminal_size()
        drawn = [_colored(row, columns) for row in rows]
        visible = drawn[-(lines - 2) :] if len(drawn) > lines - 2 else drawn  # what has scrolled away cannot be redrawn
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._write(up + "".join(f"\r\x1b[2K{line}\n" for line in visible) + "\x1b[J")
        self._drawn, self._last = len(visible), rows

    def settle(self) -> None:
        """Leave the block as it is; what comes next stands below it."""
        self._drawn = 0

    def line(self, text: str) -> None:
        self.settle()
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _mark(status: str) -> tuple[str, str]:
    """A sign for *status*, and the kind that colours it."""
    if status in ("COMPLETED", "COMPLETED_WITH_ERRORS"):
        return "✓", GOOD
    if status in OPEN:
        return SPINNER[int(time.monotonic() * 10) % len(SPINNER)], BUSY
    return "✗", BAD


def _text(row: Row) -> tuple[str, str]:
    label = "  " * row.depth + row.label
    seconds = f"{row.seconds:5.1f} s" if row.seconds is not None else " " * 7
    note = " ".join(row.note.split())
    return f"{label:<{LABEL_WIDTH}}", f"{seconds}  {note}"


def _plain(row: Row) -> str:
    label, rest = _text(row)
    return f"  {row.status:<28}{label} {rest}".rstrip()


def _colored(row: Row, columns: int) -> str:
    sign, kind = _mark(row.status)
    label, rest = _text(row)
    room = max(0, columns - LABEL_WIDTH - 6)
    cut = rest if len(rest) <= room else rest[: max(0, room - 1)] + "…"
    return f" \x1b[{_COLORS[kind]}m{sign}\x1b[0m {label} \x1b[2m{cut}\x1b[0m"
