"""Failures, retries and timeouts: what an attempt becomes, what follows it, and what becomes of the workflow."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, rows, simple

from batuta.core import retry
from batuta.core.model.definition import Policy
from batuta.core.model.event import Claimed, LeaseExtended, Reported, Ticked
from batuta.core.model.status import TaskStatus, WorkflowStatus

#    reported                      retries  marked        task becomes                    workflow     attempts
FAILURES = [
    ("FAILED",                     0,       {},           "FAILED",                       "FAILED",     1),
    ("FAILED",                     1,       {},           "FAILED",                       "RUNNING",    2),
    ("FAILED_WITH_TERMINAL_ERROR", 3,       {},           "FAILED_WITH_TERMINAL_ERROR",   "FAILED",     1),
    ("CANCELED",                   3,       {},           "CANCELED",                     "TERMINATED", 1),
    ("FAILED",                     0,       {"optional": True},   "COMPLETED_WITH_ERRORS", "RUNNING",   1),
    ("CANCELED",                   0,       {"optional": True},   "COMPLETED_WITH_ERRORS", "RUNNING",   1),
    ("FAILED",                     0,       {"permissive": True}, "FAILED",               "RUNNING",    1),
    ("FAILED",                     0,       {"retryCount": 1},    "FAILED",               "RUNNING",    2),
    ("FAILED",                     3,       {"retryCount": 0},    "FAILED",               "FAILED",     1),
    ("COMPLETED",                  3,       {},           "COMPLETED",                    "RUNNING",    1),
]  # fmt: skip


@pytest.mark.parametrize(("status", "retries", "marks", "becomes", "workflow", "attempts"), FAILURES)
def test_a_failure_is_retried_tolerated_or_final(status: str, retries: int, marks: dict[str, Any], becomes: str, workflow: str, attempts: int) -> None:
    s = Stage()
    s.taskdef("a", retryCount=retries)
    s.taskdef("b")
    x = s.run([simple("a", **marks), simple("b")])
    s.report(x, "a", status, reason="it broke")
    first = next(t for t in x.ordered() if t.ref == "a")
    assert (str(first.status), str(x.head.status), sum(t.ref == "a" for t in x.tasks.values())) == (becomes, workflow, attempts)


def test_the_next_attempt_is_a_new_row_with_the_old_reason() -> None:
    s = Stage()
    s.taskdef("a", retryCount=1)
    x = s.run([simple("a", inputParameters={"me": "${CPEWF_TASK_ID}"})])
    s.report(x, "a", "FAILED", {"half": 1}, reason="it broke")
    first, second = x.ordered()
    assert (first.retried, second.retry_of, second.attempt, second.reason, second.output) == (True, first.id, 1, "it broke", {})
    assert first.input["me"] == first.id and second.input["me"] == second.id


def test_a_permissive_failure_fails_the_workflow_at_its_end() -> None:
    s = Stage()
    for n in "ab":
        s.taskdef(n)
    x = s.run([simple("a", permissive=True), simple("b")])
    s.report(x, "a", "FAILED", reason="no luck")
    s.report(x, "b")
    reason = f"Task {x.by_ref['a'].id} failed with status: FAILED and reason: 'no luck'"
    assert (x.head.status, x.head.reason, x.head.failed_refs) == (WorkflowStatus.FAILED, reason, ["a"])


def test_a_failing_branch_cancels_the_others() -> None:
    s = Stage()
    for n in "ab":
        s.taskdef(n)
    x = s.run([fork("f", [simple("a")], [simple("b")]), join("j", "a", "b")])
    s.report(x, "b", "FAILED", reason="no luck")
    assert rows(x) == [("f", "COMPLETED"), ("a", "CANCELED"), ("b", "FAILED"), ("j", "CANCELED")]
    assert x.head.reason == f"Task {x.by_ref['b'].id} failed with status: FAILED and reason: 'no luck'"
    assert x.open_count == 0


def test_a_repeated_report_changes_nothing() -> None:
    s = Stage()
    for n in "ab":
        s.taskdef(n)
    x = s.run([simple("a"), simple("b")])
    s.report(x, "a", output={"v": 1})
    before = x.head.updated_at, rows(x)
    assert not s.play(x, Reported(n=x.by_ref["a"].n, status=TaskStatus.FAILED, output={"v": 2})).changed
    assert (x.head.updated_at, rows(x)) == before


def test_a_second_claim_of_the_same_task_is_refused() -> None:
    s = Stage()
    s.taskdef("a")
    x = s.run([simple("a")])
    task = s.claim(x, "a")
    assert not s.play(x, Claimed(task.n, "w2")).changed
    assert (task.worker, task.poll_count) == ("w1", 1)


#    logic                  delay  scale  cap   waits after attempts 0, 1, 2
DELAYS = [
    ("FIXED",               5,     1,     0,    [5, 5, 5]),
    ("FIXED",               5,     1,     3,    [3, 3, 3]),
    ("LINEAR_BACKOFF",      2,     2,     5,    [4, 5, 5]),
    ("LINEAR_BACKOFF",      1,     2,     0,    [2, 4, 6]),
    ("EXPONENTIAL_BACKOFF", 2,     1,     3,    [2, 3, 3]),
    ("EXPONENTIAL_BACKOFF", 1,     1,     0,    [1, 2, 4]),
]  # fmt: skip


@pytest.mark.parametrize(("logic", "delay", "scale", "cap", "waits"), DELAYS)
def test_the_wait_before_a_retry(logic: str, delay: int, scale: int, cap: int, waits: list[int]) -> None:
    policy = Policy(retry_logic=logic, retry_delay_seconds=delay, backoff_scale_factor=scale, max_retry_delay_seconds=cap)
    assert [retry.delay_s(policy, attempt) for attempt in range(3)] == waits


def test_no_wait_overflows() -> None:
    assert retry.delay_s(Policy(retry_logic="EXPONENTIAL_BACKOFF", retry_delay_seconds=60), 10_000) == retry.SECONDS_MAX


#    definition of the task                                           claimed  late by   task becomes  workflow     attempts
TIMEOUTS = [
    ({"timeoutSeconds": 10, "responseTimeoutSeconds": 10, "timeoutPolicy": "RETRY", "retryCount": 1},        True,  11, "TIMED_OUT",   "RUNNING",   2),
    ({"timeoutSeconds": 10, "responseTimeoutSeconds": 10, "timeoutPolicy": "RETRY", "retryCount": 0},        True,  11, "TIMED_OUT",   "TIMED_OUT", 1),
    ({"timeoutSeconds": 10, "responseTimeoutSeconds": 10, "timeoutPolicy": "TIME_OUT_WF", "retryCount": 3},  True,  11, "TIMED_OUT",   "TIMED_OUT", 1),
    ({"responseTimeoutSeconds": 10, "retryCount": 1},                                                        True,  11, "TIMED_OUT",   "RUNNING",   2),
    ({"responseTimeoutSeconds": 10},                                                                         True,  11, "TIMED_OUT",   "TIMED_OUT", 1),
    ({"responseTimeoutSeconds": 10, "timeoutPolicy": "ALERT_ONLY"},                                          True,  11, "TIMED_OUT",   "TIMED_OUT", 1),
    ({"responseTimeoutSeconds": 10},                                                                         False, 99, "SCHEDULED",   "RUNNING",   1),
    ({"responseTimeoutSeconds": 10},                                                                         True,   9, "IN_PROGRESS", "RUNNING",   1),
    ({"pollTimeoutSeconds": 10, "timeoutPolicy": "RETRY", "retryCount": 1},                                  False, 11, "TIMED_OUT",   "RUNNING",   2),
    ({"pollTimeoutSeconds": 10, "timeoutPolicy": "TIME_OUT_WF"},                                             False, 11, "TIMED_OUT",   "TIMED_OUT", 1),
    ({"pollTimeoutSeconds": 10, "timeoutPolicy": "ALERT_ONLY"},                                              False, 11, "SCHEDULED",   "RUNNING",   1),
    ({"pollTimeoutSeconds": 10, "timeoutPolicy": "TIME_OUT_WF"},                                             True,  11, "IN_PROGRESS", "RUNNING",   1),
    ({"totalTimeoutSeconds": 10, "timeoutPolicy": "RETRY", "retryCount": 5},                                 False, 11, "TIMED_OUT",   "TIMED_OUT", 1),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "claimed", "late", "becomes", "workflow", "attempts"), TIMEOUTS)
def test_time_ends_an_attempt(fields: dict[str, Any], claimed: bool, late: int, becomes: str, workflow: str, attempts: int) -> None:
    s = Stage()
    s.taskdef("a", **fields)
    x = s.run([simple("a")])
    first = x.by_ref["a"]
    if claimed:
        s.claim(x, "a")
    s.pass_time(late)
    assert (str(first.status), str(x.head.status), len(x.tasks)) == (becomes, workflow, attempts)


def test_a_heartbeat_starts_the_response_clock_anew() -> None:
    s = Stage()
    s.taskdef("a", responseTimeoutSeconds=10)
    x = s.run([simple("a")])
    task = s.claim(x, "a")
    for _ in range(5):
        s.pass_time(8)
        assert s.play(x, LeaseExtended(task.n)).changed
    assert task.status is TaskStatus.IN_PROGRESS
    s.pass_time(11)
    assert task.status is TaskStatus.TIMED_OUT


def test_a_worker_may_hand_its_task_back_for_a_while() -> None:
    s = Stage()
    s.taskdef("a")
    x = s.run([simple("a")])
    s.report(x, "a", "IN_PROGRESS", {"half": 1}, callback_after_s=30)
    task = x.by_ref["a"]
    assert (task.status, task.due_at - s.now, task.output) == (TaskStatus.SCHEDULED, 30_000, {"half": 1})
    s.claim(x, "a")
    assert (task.poll_count, task.callback_after_s) == (2, 0)


def test_total_time_counts_from_the_first_attempt() -> None:
    s = Stage()
    s.taskdef("a", totalTimeoutSeconds=10, retryCount=9, timeoutPolicy="ALERT_ONLY")
    x = s.run([simple("a")])
    s.report(x, "a", "FAILED")
    s.claim(x, "a")
    s.pass_time(11)
    s.report(x, "a", "FAILED")
    assert x.head.status is WorkflowStatus.FAILED
    assert "exceeded total timeout of 10 seconds" in (x.head.reason or "")


#    timeoutPolicy   workflow becomes
WORKFLOW_TIMEOUTS = [("TIME_OUT_WF", "TIMED_OUT"), ("ALERT_ONLY", "RUNNING")]


@pytest.mark.parametrize(("policy", "becomes"), WORKFLOW_TIMEOUTS)
def test_a_workflow_runs_out_of_time(policy: str, becomes: str) -> None:
    s = Stage()
    s.taskdef("a")
    x = s.run([simple("a")], timeoutSeconds=60, timeoutPolicy=policy)
    s.pass_time(61)
    assert str(x.head.status) == becomes
    assert not s.play(x, Ticked()).changed or becomes == "RUNNING"


def test_an_early_alarm_changes_nothing() -> None:
    s = Stage()
    s.taskdef("a", responseTimeoutSeconds=10)
    x = s.run([simple("a")])
    task = s.claim(x, "a")
    wake = x.head.wake_at
    s.play(x, Ticked())
    assert (task.status, x.head.wake_at) == (TaskStatus.IN_PROGRESS, wake)
