"""
A bounded pool of daemon threads that never holds up the end of the process.

Here: the threads that HTTP calls and plain worker functions run on. `concurrent.futures.ThreadPoolExecutor` is not used
because the interpreter joins its threads at exit: one stuck function would keep a worker process from leaving.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_Work = tuple["Future[Any]", Callable[[], Any]]


class DaemonPool:
    """
    Up to *size* threads, started as they are needed and kept for the next call.

    Work beyond *size* waits its turn. A thread that is still busy when the process ends is abandoned.
    """

    def __init__(self, size: int, name: str) -> None:
        if size < 1:
            raise ValueError(f"pool {name!r} has size {size}; it needs at least 1 thread")
        self.size = size
        self._name = name
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._threads = 0
        self._unfinished = 0
        self._is_closed = False

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """
        A future of what *function* returns or raises, run with a copy of the caller's context variables.

        Raises:
            RuntimeError: the pool is closed.
        """
        future: Future[T] = Future()
        context = contextvars.copy_context()
        with self._guard:
            if self._is_closed:
                raise RuntimeError(f"pool {self._name!r} is closed")
            self._work.put((future, lambda: context.run(function)))
            self._unfinished += 1
            if self._threads < min(self._unfinished, self.size):
                self._threads += 1
                threading.Thread(target=self._serve, name=f"{self._name}-{self._threads}", daemon=True).start()
        return future

    def close(self) -> None:
        """No more work is taken; what is queued is still done, and then the threads end. Does not wait."""
        with self._guard:
            if not self._is_closed:
                self._is_closed = True
                for _ in range(self._threads):
                    self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            future, function = work
            result: Any = None
            error: BaseException | None = None
            is_wanted = future.set_running_or_notify_cancel()
            if is_wanted:
                try:
                    result = function()
                except BaseException as caught:  # handed to whoever waits, whatever it is
                    error = caught
            with self._guard:
                self._unfinished -= 1  # before the result is known, so that its receiver finds this thread free
            if error is not None:
                future.set_exception(error)
            elif is_wanted:
                future.set_result(result)
            del work, future, function, result, error  # an idle thread keeps no result alive
