"""
Retention: finished executions older than a set age are deleted, a bounded batch at a time. Off unless an age is set.

The next look is planned, not polled: an hour ahead when nothing was due, at once while there is more.
"""

from __future__ import annotations

from batuta.engine.clock import Handle
from batuta.engine.engine import Engine
from batuta.errors import BatutaError

BATCH = 200
LOOK_MS = 3_600_000
BREATH_MS = 250  # between two batches, so that deleting a million executions does not crowd out the living


class Retention:
    """Deletes what is old, while it runs."""

    def __init__(self, engine: Engine, days: float) -> None:
        self._engine, self._age_ms = engine, int(days * 86_400_000)
        self._planned: Handle | None = None

    def start(self) -> None:
        if self._age_ms > 0:
            self._plan(BREATH_MS)

    def stop(self) -> None:
        if self._planned is not None:
            self._planned.cancel()

    def _plan(self, after_ms: int) -> None:
        clock = self._engine.clock
        self._planned = clock.call_at(clock.now() + after_ms, lambda: self._engine.spawn(self._look()))

    async def _look(self) -> None:
        removed = 0
        try:
            removed = await self.sweep()
        finally:
            self._plan(BREATH_MS if removed == BATCH else LOOK_MS)

    async def sweep(self) -> int:
        """Delete one batch; how many."""
        removed = 0
        for execution_id in await self._engine.store.expired(self._engine.clock.now() - self._age_ms, limit=BATCH):
            try:
                await self._engine.remove(execution_id, archive=True)
                removed += 1
            except BatutaError:
                continue  # removed or revived meanwhile
        return removed
