"""
An event loop for simulations: one thread, no clock but its own, nothing left to chance.

Its time moves only when nothing is ready to run, straight to the next timer; a loop with nothing ready and no timer would wait for ever, and
says so. `SimulatedClock` is the engine's clock over it, which can jump besides. `Inline` is an executor that runs what it is given at once.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class NothingToDo(RuntimeError):
    """Everything waits for something that will never come."""


class _Selector(selectors.SelectSelector):
    """Asks the files that are ready and never waits for one."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            raise NothingToDo("nothing is ready and no timer is set")
        if not found and timeout is not None and timeout > 0:
            self.loop.passed += timeout
        return found


class SimulatedLoop(asyncio.SelectorEventLoop):
    """See above. `passed` is its time in seconds."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.passed = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.passed


class _Planned:
    def __init__(self, at: int, call: Callable[[], None]) -> None:
        self.at, self.call = at, call
        self.timer: asyncio.Handle | None = None

    def cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.at = 0


class SimulatedClock:
    """The engine's clock: the loop's time, plus the jumps made. Belongs to one running engine; after a crash a new one is made."""

    def __init__(self, loop: SimulatedLoop, start: int = 1_700_000_000_000) -> None:
        self._loop = loop
        self._start = start
        self._planned: list[_Planned] = []

    def now(self) -> int:
        return self._start + int(self._loop.passed * 1000 + 1e-6)

    def call_at(self, at: int, call: Callable[[], None]) -> _Planned:
        planned = _Planned(at, call)
        self._plan(planned)
        self._planned = [p for p in self._planned if p.at] + [planned]
        return planned

    def _plan(self, planned: _Planned) -> None:
        def ring() -> None:
            if planned.at:
                planned.at = 0
                planned.call()

        if planned.timer is not None:
            planned.timer.cancel()
        left = planned.at - self.now()
        planned.timer = self._loop.call_soon(ring) if left <= 0 else self._loop.call_later(left / 1000, ring)

    def jump(self, ms: int) -> None:
        """The machine's clock is set ahead; whatever that makes due rings."""
        self._start += ms
        for planned in self._planned:
            if planned.at:
                self._plan(planned)


class Inline(Executor):
    """Runs at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future
