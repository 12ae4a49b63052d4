"""
Changes: what moved, for whoever watches the server from outside (the console).

Every durable commit leaves a note: which execution, its status, its revision. Notes of one execution replace each other, so a watcher that looks four times
a second is told of each execution once, however often it moved, and the memory is bounded by KEPT_MAX notes whatever the load and however slow a
watcher reads. Watchers have positions instead of buffers; one whose position is older than the oldest note learns that it missed something.

Costs one attribute look-up a commit while nobody watches. Notes are kept LINGER_S after the last watcher left, so that one who lost the
connection can go on where it was.
Not here: server-sent events (api/live.py), waiting for one execution inside the server (watches.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from batuta.store.protocol import Commit

KEPT_MAX = 8192
LINGER_S = 60.0
REMOVED = "REMOVED"  # in place of a status


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """An execution as it stands after its latest durable commit."""

    id: str
    name: str
    status: str
    revision: int
    updated_at: int


class Changes:
    """The notes of one server. `is_heard` says whether a commit must be told at all."""

    def __init__(self, *, kept_max: int = KEPT_MAX, linger_s: float = LINGER_S) -> None:
        self.is_heard = False
        self.position = 0  # grows by one with every note
        self.watching = 0
        self._era = secrets.token_hex(4)  # positions of another process, or from before a silence, mean nothing
        self._lost = 0  # notes up to this position may be gone
        self._notes: OrderedDict[str, tuple[int, Change]] = OrderedDict()  # by execution, oldest note first
        self._waiting: set[asyncio.Future[None]] = set()
        self._kept_max, self._linger_s = kept_max, linger_s
        self._forgetting: asyncio.TimerHandle | None = None

    # -- told by the engine -----------------------------------------------------------------------------------------------------

    def tell(self, commit: Commit) -> None:
        """A commit is durable."""
        head = commit.head
        if head is not None:
            self._note(Change(commit.execution_id, head.name, head.status, head.revision, head.updated_at))
        elif commit.removed:
            self._note(Change(commit.execution_id, "", REMOVED, commit.expected + 1, 0))

    def _note(self, change: Change) -> None:
        self.position += 1
        self._notes[change.id] = (self.position, change)
        self._notes.move_to_end(change.id)
        if len(self._notes) > self._kept_max:
            self._lost = self._notes.popitem(last=False)[1][0]
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    # -- asked by watchers ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Changes are noted while anybody is inside."""
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None
        self.watching += 1
        self.is_heard = True
        try:
            yield
        finally:
            self.watching -= 1
            if not self.watching:
                self._forgetting = asyncio.get_running_loop().call_later(self._linger_s, self._forget)

    def _forget(self) -> None:
        self.is_heard = False
        self._forgetting = None
        self._notes.clear()
        self._era = secrets.token_hex(4)

    def mark(self, position: int) -> str:
        """A position as a text to come back with."""
        return f"{self._era}.{position}"

    def place(self, mark: str) -> int | None:
        """The position of a mark; None when what came after it is not known any more."""
        era, _, number = mark.partition(".")
        if era != self._era or not number.isdecimal() or len(number) > 18:
            return None
        position = int(number)
        return position if self._lost <= position <= self.position else None

    def since(self, position: int, most: int) -> list[Change] | None:
        """What moved after the position, oldest first; None when that is not known any more, or is more than *most*."""
        if position < self._lost:
            return None
        found: list[Change] = []
        for at, change in reversed(self._notes.values()):
            if at <= position:
                break
            if len(found) >= most:
                return None
            found.append(change)
        return found[::-1]

    def next(self) -> asyncio.Future[None]:
        """Done when something moves."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        waiter.add_done_callback(self._waiting.discard)
        return waiter
