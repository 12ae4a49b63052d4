"""
Clock: what time it is, for everything that decides or waits.

`SystemClock` follows the wall clock but never runs backwards: while the process lives it goes by the monotonic clock, and takes over a jump
ahead of the wall clock (what is due then fires, once). `ManualClock` moves when told to; tests advance it instead of sleeping.
Instants are epoch milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

JUMP_MS = 1_000  # the wall clock ahead by more than this has been set, not slewed


class Clock(Protocol):
    """The present, and a way to be called at an instant."""

    def now(self) -> int:
        """This instant; never earlier than one answered before."""
        ...

    def call_at(self, at: int, call: Callable[[], None]) -> Handle:
        """Call once when the instant has come, on the event loop; at once, but not from within, when it is past."""
        ...


class Handle(Protocol):
    """Something that can be called off."""

    def cancel(self) -> None: ...


class SystemClock:
    """The machine's time."""

    def __init__(self) -> None:
        self._ahead = _ahead()
        self._seen = (0, 0)  # by the monotonic clock, and what was answered then

    def now(self) -> int:
        monotonic = time.monotonic_ns() // 1_000_000
        seen, now = self._seen
        if monotonic != seen:  # once a millisecond: a step of the engine asks several times
            now = monotonic + self._ahead
            if time.time_ns() // 1_000_000 > now + JUMP_MS:
                self._ahead = _ahead()  # anew, and nothing is added: another thread may be doing the same
                now = monotonic + self._ahead
            self._seen = monotonic, now
        return now

    def call_at(self, at: int, call: Callable[[], None]) -> Handle:
        # At most a minute ahead: a wall clock set ahead is noticed by then.
        delay_s = min(max(at - self.now(), 0), 60_000) / 1000
        return asyncio.get_running_loop().call_later(delay_s, call)


def _ahead() -> int:
    """How far the wall clock is ahead of the monotonic one."""
    return (time.time_ns() - time.monotonic_ns()) // 1_000_000


class _Planned:
    __slots__ = ("at", "call", "cancelled")

    def __init__(self, at: int, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """Time that stands still until it is moved."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self._now = now
        self._planned: list[_Planned] = []

    def now(self) -> int:
        return self._now

    def call_at(self, at: int, call: Callable[[], None]) -> Handle:
        planned = _Planned(at, call)
        if at <= self._now:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: None if planned.cancelled else call())
        else:
            self._planned.append(planned)
        return planned

    def advance(self, ms: int) -> None:
        """Move the time; what was planned up to then is called in its order, each at its own instant."""
        end = self._now + ms
        while True:
            self._planned = [p for p in self._planned if not p.cancelled]
            due = min((p for p in self._planned if p.at <= end), key=lambda p: p.at, default=None)
            if due is None:
                break
            self._planned.remove(due)
            self._now = max(self._now, due.at)
            due.call()
        self._now = end
