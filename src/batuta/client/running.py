"""
One call of a worker function: from a task to the result to report, whatever the function does.

Here: what returning and raising mean. Not here: leases and logs meanwhile (keeper.py), slots (poller.py), reporting
(reports.py). `perform` raises nothing but the cancellation of the coroutine that awaits it.
"""

from __future__ import annotations

import asyncio
import functools
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from batuta.client.context import TaskContext
from batuta.client.decorator import AnyWorker, Failed, FailedForGood, InProgress
from batuta.client.models import LOGS_PER_REPORT_MAX, ReportStatus, Task, TaskResult
from batuta.client.outputs import Mismatch, output_of
from batuta.client.threads import DaemonPool

TRACEBACK_CHARS_MAX = 16_384


async def perform(worker: AnyWorker, task: Task, context: TaskContext, threads: DaemonPool) -> TaskResult:
    """
    The result of running *worker* on *task*, without the log lines and ids that the host adds.

    Input that does not fit, `FailedForGood` and output that is not JSON fail the task for good; `Failed` and any other
    exception fail this attempt, the latter with its traceback in the task's log.
    """
    try:
        arguments = worker.signature.bind(task, context)
        return result_of(await _called(worker, arguments, threads))
    except Mismatch as error:
        return TaskResult(status="FAILED_WITH_TERMINAL_ERROR", reason=str(error))
    except FailedForGood as error:
        return _failure("FAILED_WITH_TERMINAL_ERROR", error)
    except Failed as error:
        return _failure("FAILED", error)
    except (Exception, SystemExit) as error:
        context.log(_trace(error))
        return TaskResult(status="FAILED", reason=f"{type(error).__name__}: {error}")


def result_of(value: Any) -> TaskResult:
    """
    What a return value reports.

    Raises:
        Mismatch: its output is not JSON.
    """
    match value:
        case TaskResult():
            return msgspec.structs.replace(value, output=output_of(dict(value.output)))
        case InProgress(callback_after_s=after_s, output=output):
            return TaskResult(status="IN_PROGRESS", callback_after_s=after_s, output=output_of(dict(output)))
        case _:
            return TaskResult(status="COMPLETED", output=output_of(value))


def packed(lines: Sequence[str], entries_max: int = LOGS_PER_REPORT_MAX) -> list[str]:
    """*lines* in at most *entries_max* log entries, in their order: one a line while they fit, joined by newlines when not."""
    size = -(-len(lines) // entries_max) if lines else 1
    return ["\n".join(lines[start : start + size]) for start in range(0, len(lines), size)]


async def _called(worker: AnyWorker, arguments: Mapping[str, Any], threads: DaemonPool) -> Any:
    call: Callable[[], Any] = functools.partial(worker.function, **arguments)
    if not worker.runs_in_thread:
        return await call() if worker.is_coroutine else call()
    if worker.is_coroutine:
        coroutine = call
        call = lambda: asyncio.run(coroutine())  # noqa: E731  (a loop of its own, in the thread)
    value, error = await asyncio.wrap_future(threads.submit(functools.partial(_caught, call)))
    if error is None:
        return value
    if isinstance(error, (Exception, SystemExit)):
        raise error
    raise RuntimeError(f"{type(error).__name__} in a thread: {error}") from error  # as itself it would end the event loop


def _caught(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What *call* returned or raised, as a value: a future passes on neither StopIteration nor SystemExit unchanged."""
    try:
        return call(), None
    except BaseException as error:
        return None, error


def _failure(status: ReportStatus, error: Failed) -> TaskResult:
    try:
        return TaskResult(status=status, reason=error.reason, output=output_of(dict(error.output or {})))
    except Mismatch as mismatch:
        return TaskResult(status=status, reason=f"{error.reason} (its output is left out: {mismatch})")


def _trace(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))
    return text if len(text) <= TRACEBACK_CHARS_MAX else "…" + text[-TRACEBACK_CHARS_MAX:]
