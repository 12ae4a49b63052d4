"""
Limits: how many tasks of a definition may run at once, and how many may be handed out within a time.

Counted at hand-out, exactly, in this process. Source: conductor-semantics.md §9 (there SQL stores never enforce the rate).
Instants are epoch milliseconds.
"""

from __future__ import annotations

from collections import deque

from batuta.core.model.definition import Policy

Key = tuple[str, int]


class Limits:
    """Who runs now, and who was handed out lately; only for definitions that have a limit."""

    def __init__(self) -> None:
        self._running: dict[str, set[Key]] = {}
        self._handed: dict[str, deque[int]] = {}

    def wait_until(self, name: str, policy: Policy, now: int) -> int:
        """0: may be handed out now. -1: when a running one ends. Else: not before this instant."""
        limit = policy.concurrent_exec_limit or 0
        if limit > 0 and len(self._running.get(name, ())) >= limit:
            return -1
        rate = policy.rate_limit_per_frequency
        if rate > 0:
            span = max(policy.rate_limit_frequency_in_seconds, 1) * 1000
            handed = self._handed.get(name)
            while handed and handed[0] <= now - span:
                handed.popleft()
            if handed and len(handed) >= rate:
                return handed[0] + span
        return 0

    def taken(self, name: str, policy: Policy, key: Key, now: int) -> None:
        """A task was handed out."""
        if policy.concurrent_exec_limit:
            self._running.setdefault(name, set()).add(key)
        if policy.rate_limit_per_frequency > 0:
            self._handed.setdefault(name, deque()).append(now)

    def runs(self, name: str, policy: Policy, key: Key) -> None:
        """A task is with a worker, whenever it was handed out."""
        if policy.concurrent_exec_limit:
            self._running.setdefault(name, set()).add(key)

    def left(self, name: str, key: Key) -> bool:
        """A task is no longer with a worker; whether that frees a place."""
        running = self._running.get(name)
        if running is None or key not in running:
            return False
        running.discard(key)
        return True
