"""
Identity: ids of new executions, UUIDs of version 4.

Random bytes are fetched for many ids at once: a system call for each start gives the interpreter away in the middle of it (20 to 100 µs on a busy server).
"""

from __future__ import annotations

import os
import uuid

IDS_AT_ONCE = 256


class Ids:
    """A source of fresh ids."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def next(self) -> str:
        """An id nobody has had."""
        if self._at >= len(self._bytes):
            self._bytes, self._at = os.urandom(16 * IDS_AT_ONCE), 0
        self._at += 16
        return str(uuid.UUID(bytes=self._bytes[self._at - 16 : self._at], version=4))
