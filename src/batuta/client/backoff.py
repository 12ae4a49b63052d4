"""
Waiting longer after each failure, and saying once that the server is away and once that it is back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable

from batuta.client.errors import ClientError
from batuta.client.metrics import Family

log = logging.getLogger("batuta.client.worker")


class Backoff:
    """Pauses that double from *first_s* to *longest_s*, each shortened by chance to as little as half, so that many callers spread out."""

    def __init__(self, first_s: float = 0.1, longest_s: float = 5.0) -> None:
        self.first_s, self.longest_s = first_s, longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """The pause after one more failure."""
        pause_s = self._next_s * random.uniform(0.5, 1.0)
        self._next_s = min(self.longest_s, self._next_s * 2)
        return pause_s

    def reset(self) -> None:
        """Begin at *first_s* again: something succeeded."""
        self._next_s = self.first_s


class Reachability:
    """Whether the server answers, as all calls of a host found it; one log line for each change, and *when_back* called."""

    def __init__(self, url: str, up: Family) -> None:
        self._url, self._up = url, up
        self._away_since: float | None = None
        self.when_back: Callable[[], None] = lambda: None
        self.back = asyncio.Event()  # set while the server is not known to be away
        self.back.set()

    @property
    def is_away(self) -> bool:
        """Whether the last call got no answer."""
        return self._away_since is not None

    def lost(self, error: ClientError) -> None:
        """A call got no answer."""
        self._up.set(0)
        if self._away_since is None:
            self._away_since = time.monotonic()
            self.back.clear()
            log.warning("server %s is away, trying again until it is back: %s", self._url, error)

    def found(self) -> None:
        """A call was answered, with whatever status."""
        self._up.set(1)
        if self._away_since is not None:
            log.warning("server %s is back after %.1f s", self._url, time.monotonic() - self._away_since)
            self._away_since = None
            self.back.set()
            self.when_back()


async def is_set_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for *event* up to *timeout_s*; whether it is set."""
    if not event.is_set() and timeout_s > 0:
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
        except TimeoutError:
            pass
    return event.is_set()


async def first_of(*events: asyncio.Event, timeout_s: float | None = None) -> None:
    """Return once one of *events* is set, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
