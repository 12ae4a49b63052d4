"""
A clock that goes by itself and can be moved ahead, or stands still until it is moved.

Here: the clock as the server sees it (engine.clock.Clock). Everything but `now` belongs to the server's event loop; the test's side of it, which
may be used from any thread, is `server.ServerClock`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from batuta.engine.clock import SystemClock


class Planned:
    """A call planned for an instant."""

    def __init__(self, clock: MovableClock, at: int, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._clock = clock

    def cancel(self) -> None:
        self._clock.drop(self)


class MovableClock:
    """
    Epoch milliseconds, never backwards. *stands_still*: only `move_to` moves it; else it goes with the machine's clock, and `move_to` puts it ahead.
    """

    def __init__(self, *, stands_still: bool = False, now: int | None = None) -> None:
        self._machine = SystemClock()
        began = self._machine.now()
        self.stands_still = stands_still
        self._ahead = 0 if now is None else now - began
        self._still_at = began + self._ahead
        self._planned: list[Planned] = []

    def now(self) -> int:
        return self._still_at if self.stands_still else self._machine.now() + self._ahead

    def call_at(self, at: int, call: Callable[[], None]) -> Planned:
        planned = Planned(self, at, call)
        self._planned.append(planned)
        loop, wait_ms = asyncio.get_running_loop(), at - self.now()
        if wait_ms <= 0:
            planned.timer = loop.call_soon(self._fire, planned)
        elif not self.stands_still:
            planned.timer = loop.call_later(wait_ms / 1000, self._fire, planned)
        return planned

    def next_at(self) -> int | None:
        """The earliest instant anything is planned for."""
        return min((planned.at for planned in self._planned), default=None)

    def move_to(self, at: int) -> None:
        """It is *at*, or later already; what was planned up to then is called, in its order."""
        if self.stands_still:
            self._still_at = max(self._still_at, at)
        else:
            self._ahead += max(0, at - self.now())
        for planned in sorted((p for p in self._planned if p.at <= at), key=lambda p: p.at):
            self._fire(planned)
        for planned in self._planned:
            self._plan_anew(planned)

    def drop(self, planned: Planned) -> None:
        """It is not called any more."""
        if planned in self._planned:
            self._planned.remove(planned)
        if planned.timer is not None:
            planned.timer.cancel()

    def _plan_anew(self, planned: Planned) -> None:
        if planned.timer is not None and not self.stands_still:
            planned.timer.cancel()
            planned.timer = asyncio.get_running_loop().call_later(max(0, planned.at - self.now()) / 1000, self._fire, planned)

    def _fire(self, planned: Planned) -> None:
        if planned in self._planned:
            self.drop(planned)
            planned.call()
