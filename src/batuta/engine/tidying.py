"""
Tidying: what lies on the disk beside the store and belongs to nothing any more goes, at the start and once an hour.

Not here: what that is (payloads.py, files.py), finished executions (retention.py).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from batuta.engine.clock import Handle
from batuta.engine.engine import Engine

LOOK_MS = 3_600_000


class Tidying:
    """Does the jobs given while it runs. A job that fails is logged, and done again at the next look."""

    def __init__(self, engine: Engine, jobs: Sequence[Callable[[], Coroutine[Any, Any, object]]]) -> None:
        self._engine, self._jobs = engine, jobs
        self._planned: Handle | None = None

    def start(self) -> None:
        self._look()

    def stop(self) -> None:
        if self._planned is not None:
            self._planned.cancel()

    def _look(self) -> None:
        clock = self._engine.clock
        self._planned = clock.call_at(clock.now() + LOOK_MS, self._look)
        for job in self._jobs:
            self._engine.spawn(job())
