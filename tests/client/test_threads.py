"""The pool that HTTP calls and plain worker functions run on."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading

import pytest

from batuta.client.threads import DaemonPool


def test_threads_are_started_as_they_are_needed_and_no_more_than_allowed() -> None:
    pool, names, lock = DaemonPool(3, "pool"), set(), threading.Lock()
    meet = threading.Barrier(3)

    def work() -> None:
        with lock:
            names.add(threading.current_thread().name)
        meet.wait(10)

    for future in [pool.submit(work) for _ in range(9)]:
        future.result(10)
    assert names == {"pool-1", "pool-2", "pool-3"}


def test_an_idle_thread_is_used_again() -> None:
    pool = DaemonPool(5, "pool")
    names = set()
    for _ in range(20):
        names.add(pool.submit(lambda: threading.current_thread().name).result(10))
    assert names == {"pool-1"}


def test_what_is_raised_reaches_who_waits() -> None:
    pool = DaemonPool(1, "pool")
    for error in (ValueError("x"), SystemExit(3), KeyboardInterrupt()):
        future = pool.submit(lambda error=error: (_ for _ in ()).throw(error))  # type: ignore[misc]
        assert future.exception(10) is error
    assert pool.submit(lambda: 1).result(10) == 1


def test_work_cancelled_before_its_turn_is_not_done() -> None:
    pool, gate, done = DaemonPool(1, "pool"), threading.Event(), []
    first = pool.submit(lambda: gate.wait(10))
    second = pool.submit(lambda: done.append(2))
    assert second.cancel()
    gate.set()
    assert first.result(10)
    pool.submit(lambda: done.append(3)).result(10)
    assert done == [3]


def test_context_variables_travel_along() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    variable.set("mine")
    assert DaemonPool(1, "pool").submit(variable.get).result(10) == "mine"


def test_a_closed_pool_finishes_its_work_and_takes_no_more() -> None:
    pool, gate = DaemonPool(1, "pool"), threading.Event()
    first, second = pool.submit(lambda: gate.wait(10)), pool.submit(lambda: "done")
    pool.close()
    pool.close()
    with pytest.raises(RuntimeError, match="pool 'pool' is closed"):
        pool.submit(lambda: None)
    gate.set()
    assert first.result(10) and second.result(10) == "done"


def test_a_stuck_thread_does_not_hold_up_the_end_of_the_process() -> None:
    program = """
import threading
from batuta.client.threads import DaemonPool
started = threading.Event()
DaemonPool(1, "pool").submit(lambda: (started.set(), threading.Event().wait()))
started.wait()
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=20).returncode == 0


def test_a_pool_without_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 thread"):
        DaemonPool(0, "pool")
