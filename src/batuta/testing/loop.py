"""
An event loop in a thread of its own, for code that has none: tests, and the demo.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

CALL_S: Final = 60.0  # for anything asked of the loop; only a fault takes so long


class LoopThread:
    """An event loop in a daemon thread, from `with` to its end. *new_loop*: makes another than asyncio's own."""

    def __init__(self, name: str, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.call(self._loop.shutdown_default_executor())  # its threads end with it
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_S)
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """What *work* comes to, done in the thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_S)
