"""What returning and raising mean for the task."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest

from batuta.client import Failed, FailedForGood, InProgress, Task, TaskContext, TaskResult, worker
from batuta.client.models import LOGS_PER_REPORT_MAX
from batuta.client.running import packed, perform
from batuta.client.threads import DaemonPool

TASK = Task(id="t", type="w", ref="r", status="IN_PROGRESS", execution_id="e", input={"x": 1})


def raising(error: BaseException) -> Any:
    def function() -> None:
        raise error

    return function


def returning(value: Any) -> Any:
    return lambda: value


#    what the function does                                       status                        output        reason
OUTCOMES = [
    (returning(None),                                             "COMPLETED",                  {},           None),
    (returning({"a": 1}),                                         "COMPLETED",                  {"a": 1},     None),
    (returning(7),                                                "COMPLETED",                  {"result": 7}, None),
    (returning(object()),                                         "FAILED_WITH_TERMINAL_ERROR", {},           "the return value is not JSON"),
    (returning(TaskResult(status="CANCELED", reason="r")),        "CANCELED",                   {},           "r"),
    (returning(TaskResult(status="COMPLETED", output={"a": {1}})), "COMPLETED",                 {"a": [1]},   None),
    (returning(TaskResult(status="COMPLETED", output={"a": print})), "FAILED_WITH_TERMINAL_ERROR", {},        "the return value is not JSON"),
    (returning(InProgress(5, {"at": 1})),                         "IN_PROGRESS",                {"at": 1},    None),
    (returning(InProgress()),                                     "IN_PROGRESS",                {},           None),
    (raising(Failed("busy")),                                     "FAILED",                     {},           "busy"),
    (raising(Failed("busy", output={"a": 1})),                    "FAILED",                     {"a": 1},     "busy"),
    (raising(Failed("busy", output={"a": print})),                "FAILED",                     {},           r"busy \(its output is left out"),
    (raising(FailedForGood("no", output={"a": 1})),               "FAILED_WITH_TERMINAL_ERROR", {"a": 1},     "no"),
    (raising(ValueError("odd")),                                  "FAILED",                     {},           "ValueError: odd"),
    (raising(SystemExit(2)),                                      "FAILED",                     {},           "SystemExit: 2"),
    (raising(StopIteration("s")),                                 "FAILED",                     {},           "StopIteration"),
]  # fmt: skip


@pytest.mark.parametrize("thread", [None, False])
@pytest.mark.parametrize(("function", "status", "output", "reason"), OUTCOMES)
def test_an_outcome_is_reported_as_what_it_is(function: Any, status: str, output: dict[str, Any], reason: str | None, thread: bool | None) -> None:
    async def coroutine() -> Any:
        return function()

    for one in (worker("w", thread=thread)(function), worker("w")(coroutine), worker("w", thread=True)(coroutine)):
        result, _ = run(one)
        assert (result.status, result.output) == (status, output)
        if reason is None:
            assert result.reason is None
        else:
            assert re.search(reason, result.reason or "")


def run(one: Any, task: Task = TASK) -> tuple[TaskResult, TaskContext]:
    context = TaskContext(task)
    return asyncio.run(perform(one, task, context, DaemonPool(1, "test"))), context


@pytest.mark.parametrize("error", [KeyboardInterrupt("k"), asyncio.CancelledError("c"), GeneratorExit("g")])
def test_what_would_end_the_event_loop_only_fails_the_task(error: BaseException) -> None:
    result, _ = run(worker("w")(raising(error)))
    assert (result.status, result.reason) == ("FAILED", f"RuntimeError: {type(error).__name__} in a thread: {error}")


def test_an_exception_leaves_its_traceback_in_the_log() -> None:
    result, context = run(worker("w")(raising(ValueError("odd"))))
    text = "\n".join(context.take_lines())
    assert "Traceback" in text and "ValueError: odd" in text and "in function" in text
    assert result.logs == ()


def test_a_failure_said_on_purpose_leaves_none() -> None:
    for error in (Failed("x"), FailedForGood("x")):
        assert run(worker("w")(raising(error)))[1].take_lines() == []


def test_input_that_does_not_fit_fails_for_good_before_the_function_runs() -> None:
    ran: list[int] = []

    @worker("w")
    def function(y: int) -> None:
        ran.append(y)

    result, _ = run(function)
    assert result.status == "FAILED_WITH_TERMINAL_ERROR"
    assert result.reason == "argument 'y' of worker 'w' is missing: found inputs ['x'], expected int"
    assert not ran


def test_where_a_function_runs() -> None:
    def where() -> str:
        return threading.current_thread().name

    async def a_where() -> str:
        return where()

    main = threading.current_thread().name
    #    function   thread   runs in
    for function, thread, expected in (
        (where,     None,    "test-1"),
        (where,     False,   main),
        (a_where,   None,    main),
        (a_where,   True,    "test-1"),
    ):  # fmt: skip
        assert run(worker("w", thread=thread)(function))[0].output == {"result": expected}  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25, 1000])
def test_log_lines_fit_into_one_report(count: int) -> None:
    lines = [str(n) for n in range(count)]
    entries = packed(lines)
    assert len(entries) <= LOGS_PER_REPORT_MAX
    assert "\n".join(entries).split("\n") == (lines or [""])
    if count <= LOGS_PER_REPORT_MAX:
        assert entries == lines


def test_a_log_has_its_bounds_and_says_what_it_dropped() -> None:
    context = TaskContext(TASK)
    for n in range(2500):
        context.log(f"line {n}")
    lines = context.take_lines()
    assert (lines[0], lines[1], lines[-1], len(lines)) == ("(500 lines dropped)", "line 500", "line 2499", 2001)
    context.log("x" * 100_000)
    assert len(context.take_lines()[0]) == 16_384
    context.log("after")
    context.put_back(["before"])
    assert context.take_lines() == ["before", "after"]


def test_progress_that_is_not_json_is_refused_where_it_is_given() -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        TaskContext(TASK).progress({"a": print})


def test_the_context_tells_attempts_and_polls_apart() -> None:
    task = Task(id="t", type="w", ref="r", status="", execution_id="e", retry_count=2, poll_count=5)
    context = TaskContext(task)
    assert (context.attempt, context.poll_count, context.is_cancelled, context.is_draining) == (3, 5, False, False)
