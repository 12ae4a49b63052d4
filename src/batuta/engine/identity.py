"""
Identity: ids of new executions, UUIDs of version 7. They begin with the time, so the ids of a store grow at the end of their index: random ones land
anywhere in it, which halves the starts a second of a store of a million executions.

Random bytes are fetched for many ids at once: a system call for each start gives the interpreter away in the middle of it (20 to 100 µs on a busy server).
"""

from __future__ import annotations

import os
from collections.abc import Callable

IDS_AT_ONCE = 256
_COUNTER_BITS = 12
_COUNTER_HALF = 0x7FF


class Ids:
    """
    A source of fresh ids, each greater than the one before.

    A task's id carries the first 18 characters of its execution's: 48 bits of time and a counter of 12, which no two ids of one source share. The counter
    begins somewhere in its lower half each millisecond, and what does not fit into one millisecond borrows from the next.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._last = 0
        self._bytes = b""
        self._at = 0

    def next(self) -> str:
        """An id nobody has had."""
        if self._at >= len(self._bytes):
            self._bytes, self._at = os.urandom(10 * IDS_AT_ONCE), 0
        chance = int.from_bytes(self._bytes[self._at : self._at + 10], "big")
        self._at += 10
        self._last = last = max(self._now() << _COUNTER_BITS | chance & _COUNTER_HALF, self._last + 1)
        text = f"{last:015x}{chance >> 16 & 0x3FFFFFFFFFFFFFFF | 0x8000000000000000:016x}"
        return f"{text[:8]}-{text[8:12]}-7{text[12:15]}-{text[15:19]}-{text[19:]}"
