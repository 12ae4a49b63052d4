"""The operator's verbs on one execution: pause, resume, terminate, retry, restart, skip, callbacks. Reruns: test_rerun.py; families: test_families.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import lifecycle, revival
from batuta.core.model.event import Reported, Ticked
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.errors import BatutaError, Conflict, Invalid, NotFound


@pytest.fixture
def stage() -> Stage:
    s = Stage({"boom": lambda d: 1 / 0, "x": lambda d: "x"})
    for name in "abcd":
        s.taskdef(name)
    return s


def terminate(s: Stage, x: Execution, reason: str | None = "enough") -> None:
    s.verb(lifecycle.terminate, x, reason)


def rerun(s: Stage, x: Execution) -> None:
    s.verb(revival.rerun, x, from_task=None, task_input=None, workflow_input=None, correlation_id=None)


def restart(s: Stage, x: Execution) -> None:
    s.verb(revival.restart, x, None)


def skip(s: Stage, x: Execution, ref: str = "b") -> None:
    s.verb(lifecycle.skip_task, x, ref, None, None)


def plain(act: Callable[..., Any]) -> Callable[[Stage, Execution], None]:
    return lambda s, x: s.verb(act, x) and None


PAUSE, RESUME, RETRY, RESET = map(plain, (lifecycle.pause, lifecycle.resume, revival.retry, lifecycle.reset_callbacks))
#   verb        RUNNING        PAUSED        COMPLETED    FAILED        TERMINATED
WHERE = [
    (PAUSE,     "PAUSED",      "PAUSED",     Conflict,    Conflict,     Conflict),
    (RESUME,    Conflict,      "RUNNING",    Conflict,    Conflict,     Conflict),
    (terminate, "TERMINATED",  "TERMINATED", Conflict,    "TERMINATED", "TERMINATED"),
    (restart,   Conflict,      Conflict,     "RUNNING",   "RUNNING",    "RUNNING"),
    (RETRY,     NotFound,      NotFound,     Conflict,    "RUNNING",    "RUNNING"),
    (rerun,     Conflict,      Conflict,     "RUNNING",   "RUNNING",    "RUNNING"),
    (skip,      "RUNNING",     Conflict,     Conflict,    Conflict,     Conflict),
    (RESET,     "RUNNING",     "PAUSED",     Conflict,    Conflict,     Conflict),
]  # fmt: skip
STATES = ("RUNNING", "PAUSED", "COMPLETED", "FAILED", "TERMINATED")


def bring_to(s: Stage, x: Execution, state: str) -> None:
    match state:
        case "PAUSED":
            s.verb(lifecycle.pause, x)
        case "COMPLETED":
            s.report(x, "a"), s.report(x, "b")
        case "FAILED":
            s.report(x, "a", "FAILED")
        case "TERMINATED":
            terminate(s, x)


@pytest.mark.parametrize("row", WHERE, ids=lambda row: getattr(row[0], "__name__", "verb"))
@pytest.mark.parametrize("state", STATES)
def test_a_verb_works_or_is_refused_by_the_state(stage: Stage, row: tuple[Any, ...], state: str) -> None:
    x = stage.run([simple("a"), simple("b")])
    bring_to(stage, x, state)
    assert str(x.head.status) == state
    verb, becomes = row[0], row[1 + STATES.index(state)]
    before = rows(x), x.head.status, x.head.updated_at
    if isinstance(becomes, str):
        verb(stage, x)
        assert str(x.head.status) == becomes
    else:
        with pytest.raises(becomes):
            verb(stage, x)
        assert (rows(x), x.head.status, x.head.updated_at) == before


@pytest.mark.parametrize("verb", [PAUSE, terminate])
def test_saying_it_twice_changes_nothing(stage: Stage, verb: Callable[[Stage, Execution], None]) -> None:
    x = stage.run([simple("a")])
    verb(stage, x)
    stage.now += 5_000
    before = rows(x), x.head.updated_at, x.head.ended_at, x.head.reason
    verb(stage, x)
    assert (rows(x), x.head.updated_at, x.head.ended_at, x.head.reason) == before


# -- pause and resume -----------------------------------------------------------------------------------------------------------------

#    reported while paused          after resume: workflow   a              is b there
WHILE_PAUSED = [
    ("COMPLETED",                   "RUNNING",    "COMPLETED",                  True),
    ("FAILED",                      "FAILED",     "FAILED",                     False),
    ("FAILED_WITH_TERMINAL_ERROR",  "FAILED",     "FAILED_WITH_TERMINAL_ERROR", False),
    ("CANCELED",                    "TERMINATED", "CANCELED",                   False),
]  # fmt: skip


@pytest.mark.parametrize(("status", "workflow", "task", "goes_on"), WHILE_PAUSED)
def test_what_ended_during_a_pause_counts_when_it_is_over(stage: Stage, status: str, workflow: str, task: str, goes_on: bool) -> None:
    x = stage.run([simple("a"), simple("b")])
    stage.verb(lifecycle.pause, x)
    stage.report(x, "a", status)
    assert (x.head.status, len(x.tasks)) == (WorkflowStatus.PAUSED, 1)
    stage.verb(lifecycle.resume, x)
    assert (str(x.head.status), str(x.by_ref["a"].status), "b" in x.by_ref) == (workflow, task, goes_on)


@pytest.mark.parametrize("marks", [{"optional": True}, {"retryCount": 1}])
def test_a_failure_during_a_pause_is_tolerated_or_retried_when_it_is_over(stage: Stage, marks: dict[str, Any]) -> None:
    x = stage.run([simple("a", **marks), simple("b")])
    stage.verb(lifecycle.pause, x)
    stage.report(x, "a", "FAILED")
    stage.verb(lifecycle.resume, x)
    if "optional" in marks:
        assert rows(x) == [("a", "COMPLETED_WITH_ERRORS"), ("b", "SCHEDULED")]
    else:
        assert rows(x) == [("a", "FAILED"), ("a", "SCHEDULED")]


def test_a_pause_lets_no_time_run_out_and_resuming_starts_the_clock_anew(stage: Stage) -> None:
    x = stage.run([simple("a")], timeoutSeconds=60, timeoutPolicy="TIME_OUT_WF")
    stage.pass_time(50)
    stage.verb(lifecycle.pause, x)
    stage.pass_time(100)
    assert (x.head.status, x.head.wake_at) == (WorkflowStatus.PAUSED, 0)
    stage.verb(lifecycle.resume, x)
    stage.pass_time(59)
    assert x.head.status is WorkflowStatus.RUNNING
    stage.pass_time(2)
    assert x.head.status is WorkflowStatus.TIMED_OUT


def test_a_paused_workflow_that_is_looked_at_runs_out_of_time(stage: Stage) -> None:
    x = stage.run([simple("a")], timeoutSeconds=60, timeoutPolicy="TIME_OUT_WF")
    stage.verb(lifecycle.pause, x)
    stage.now += 61_000
    stage.play(x, Ticked())
    assert x.head.status is WorkflowStatus.TIMED_OUT


# -- terminate ------------------------------------------------------------------------------------------------------------------------


def test_terminating_cancels_what_is_open_and_starts_no_failure_workflow(stage: Stage) -> None:
    stage.workflow("after", [simple("d")])
    x = stage.run([fork("f", [simple("a")], [node("h", "HUMAN")]), join("j", "a", "h")], failureWorkflow="after")
    stage.claim(x, "a")
    terminate(stage, x, "changed my mind")
    assert rows(x) == [("f", "COMPLETED"), ("a", "CANCELED"), ("h", "CANCELED"), ("j", "CANCELED")]
    assert (x.head.reason, x.head.output.get("conductor.failure_workflow"), len(stage.runs)) == ("changed my mind", None, 1)
    assert x.head.wake_at == 0


@pytest.mark.parametrize("how", ["time", "task", "stop"])
def test_the_engine_itself_starts_the_failure_workflow(stage: Stage, how: str) -> None:
    stage.workflow("after", [simple("d")])
    first = node("t", "TERMINATE", {"terminationStatus": "FAILED"}) if how == "stop" else simple("a")
    x = stage.run([first], failureWorkflow="after", timeoutSeconds=60, timeoutPolicy="TIME_OUT_WF")
    if how == "time":
        stage.pass_time(61)
    elif how == "task":
        stage.report(x, "a", "FAILED")
    started = stage.runs[x.head.output["conductor.failure_workflow"]]
    assert (started.head.name, started.head.input["workflowId"], started.head.parent_id) == ("after", x.head.id, "")


# -- retry ----------------------------------------------------------------------------------------------------------------------------


def test_what_ended_together_with_a_failure_goes_on_after_a_retry(stage: Stage) -> None:
    x = stage.run([fork("f", [simple("a"), simple("b")], [simple("c")]), join("j", "b", "c")])
    stage.verb(lifecycle.pause, x)
    stage.report(x, "a")
    stage.report(x, "c", "FAILED")
    stage.verb(lifecycle.resume, x)
    assert x.head.status is WorkflowStatus.FAILED
    stage.verb(revival.retry, x)
    assert "b" in x.by_ref, "a completed in the same breath in which c failed"
    stage.report(x, "b")
    stage.report(x, "c")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_a_retry_that_was_due_with_another_failure_is_not_lost(stage: Stage) -> None:
    stage.taskdef("r", retryCount=1)
    x = stage.run([fork("f", [simple("r")], [simple("c")]), join("j", "r", "c")])
    stage.verb(lifecycle.pause, x)
    stage.report(x, "r", "FAILED")
    stage.report(x, "c", "FAILED")
    stage.verb(lifecycle.resume, x)
    assert all(not t.retried for t in x.tasks.values())
    stage.verb(revival.retry, x)
    stage.report(x, "r")
    stage.report(x, "c")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_a_switch_that_failed_chooses_again(stage: Stage) -> None:
    choice = node("s", "SWITCH", evaluatorType="javascript", expression="boom", decisionCases={"x": [simple("a")]}, defaultCase=[])
    x = stage.run([choice, simple("b")])
    assert rows(x) == [("s", "FAILED")]
    x.definition.by_ref["s"].raw["expression"] = "x"
    stage.verb(revival.retry, x)
    assert rows(x) == [("s", "FAILED"), ("s", "COMPLETED"), ("a", "SCHEDULED")]
    assert (x.by_ref["s"].attempt, x.by_ref["s"].retry_of) == (1, x.ordered()[0].id)


def test_a_retried_human_task_waits_for_somebody_again(stage: Stage) -> None:
    x = stage.run([node("h", "HUMAN")])
    terminate(stage, x)
    stage.verb(revival.retry, x)
    assert rows(x) == [("h", "CANCELED"), ("h", "IN_PROGRESS")]
    stage.report(x, "h")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_a_join_out_of_time_is_open_again_after_a_retry(stage: Stage) -> None:
    stage.taskdef("j", responseTimeoutSeconds=10)
    x = stage.run([fork("f", [simple("a")]), join("j", "a"), simple("b")])
    stage.pass_time(11)
    assert ("j", "TIMED_OUT") in rows(x)
    stage.verb(revival.retry, x)
    assert ("j", "IN_PROGRESS") in rows(x)
    stage.report(x, "a")
    assert "b" in x.by_ref


def test_a_join_does_not_end_on_an_attempt_that_is_played_again(stage: Stage) -> None:
    x = stage.run([fork("f", [simple("a", permissive=True)], [simple("b")]), join("j", "a", "b"), simple("d")])
    stage.report(x, "a", "FAILED")
    stage.report(x, "b", "FAILED")
    stage.verb(revival.retry, x)
    stage.report(x, "b")
    assert x.by_ref["j"].status == "IN_PROGRESS"
    stage.report(x, "a")
    assert "d" in x.by_ref


def test_a_retry_after_a_terminate_task_ends_again(stage: Stage) -> None:
    stop = [node("t", "TERMINATE", {"terminationStatus": "FAILED"}), simple("c")]
    x = stage.run([fork("f", [simple("a")], stop), join("j", "a", "c")])
    assert x.head.status is WorkflowStatus.FAILED
    stage.verb(revival.retry, x)
    assert x.head.status is WorkflowStatus.FAILED, "its join would wait for c in vain"


# -- restart --------------------------------------------------------------------------------------------------------------------------


def test_a_restart_forgets_the_tasks_and_keeps_the_input(stage: Stage) -> None:
    x = stage.run([simple("a"), simple("b")], {"x": 5})
    stage.report(x, "a", output={"k": 1})
    stage.report(x, "b", "FAILED", reason="it broke")
    numbers = [t.n for t in x.ordered()]
    stage.now += 1_000
    restart(stage, x)
    assert rows(x) == [("a", "SCHEDULED")]
    assert (x.head.input, x.head.output, x.head.reason, x.head.created_at) == ({"x": 5}, {}, None, stage.now)
    assert x.by_ref["a"].n > max(numbers), "a row number is never used twice"


@pytest.mark.parametrize(("state", "allowed"), [("COMPLETED", False), ("FAILED", True)])
def test_what_is_not_restartable_may_be_restarted_only_when_it_failed(stage: Stage, state: str, allowed: bool) -> None:
    x = stage.run([simple("a"), simple("b")], restartable=False)
    bring_to(stage, x, state)
    if allowed:
        restart(stage, x)
        assert x.head.status is WorkflowStatus.RUNNING
    else:
        with pytest.raises(NotFound):
            restart(stage, x)


# -- skip -----------------------------------------------------------------------------------------------------------------------------

ROW = [simple("a"), simple("b"), simple("c")]
DONE = "COMPLETED"
FORKED = [fork("f", [simple("a"), simple("b")], [simple("c")]), join("j", "b", "c"), simple("d")]
#   workflow   skipped        reported           then there (SKIPPED rows first)
SKIPS = [
    (ROW,      ["b"],         ["a"],             [("b", "SKIPPED"), ("a", "COMPLETED"), ("c", "SCHEDULED")]),
    (ROW,      ["b", "c"],    ["a"],             [("b", "SKIPPED"), ("c", "SKIPPED"), ("a", "COMPLETED")]),
    (FORKED,   ["b"],         ["c"],             [("b", "SKIPPED"), ("f", DONE), ("a", "SCHEDULED"), ("c", DONE), ("j", DONE), ("d", "SCHEDULED")]),
    (FORKED,   ["d"],         ["a", "b", "c"],   [("d", "SKIPPED"), ("f", DONE), ("a", DONE), ("c", DONE), ("j", DONE), ("b", DONE)]),
]  # fmt: skip


@pytest.mark.parametrize(("flow", "skipped", "reported", "there"), SKIPS)
def test_a_skipped_task_is_stepped_over(stage: Stage, flow: list[Any], skipped: list[str], reported: list[str], there: list[tuple[str, str]]) -> None:
    x = stage.run(flow)
    for ref in skipped:
        skip(stage, x, ref)
    for ref in reported:
        stage.report(x, ref)
    assert rows(x) == there


def test_a_join_ends_when_the_last_task_it_waits_for_is_skipped(stage: Stage) -> None:
    x = stage.run(FORKED)
    stage.report(x, "c")
    skip(stage, x, "b")
    assert "d" in x.by_ref


def test_a_join_ends_when_all_it_waits_for_was_skipped_before_it_came(stage: Stage) -> None:
    x = stage.run([simple("a"), fork("f", [simple("b")], [simple("c")]), join("j", "b", "c"), simple("d")])
    skip(stage, x, "b")
    skip(stage, x, "c")
    stage.report(x, "a")
    assert "d" in x.by_ref


def test_a_skipped_join_lets_the_flow_pass(stage: Stage) -> None:
    x = stage.run([simple("a"), fork("f", [simple("b")]), join("j", "b"), simple("d")])
    skip(stage, x, "j")
    stage.report(x, "a")
    assert [ref for ref, _ in rows(x)] == ["j", "a", "f", "b", "d"]


@pytest.mark.parametrize(("ref", "error"), [("a", Conflict), ("nothing", Invalid)])
def test_what_has_begun_or_does_not_exist_cannot_be_skipped(stage: Stage, ref: str, error: type[BatutaError]) -> None:
    x = stage.run(ROW)
    with pytest.raises(error):
        skip(stage, x, ref)


# -- callbacks, and words from elsewhere ----------------------------------------------------------------------------------------------


def test_resetting_callbacks_makes_a_delayed_task_claimable_now(stage: Stage) -> None:
    x = stage.run([simple("a")])
    stage.report(x, "a", "IN_PROGRESS", callback_after_s=3600)
    assert x.by_ref["a"].due_at == stage.now + 3_600_000
    stage.verb(lifecycle.reset_callbacks, x)
    assert (x.by_ref["a"].due_at, x.by_ref["a"].callback_after_s) == (stage.now, 0)


def test_in_progress_said_of_a_child_that_has_not_begun_begins_nothing(stage: Stage) -> None:
    stage.workflow("child", [simple("a")])
    x = stage.run([node("c", "SUB_WORKFLOW", subWorkflowParam={"name": "child", "version": 1}, startDelay=5)])
    stage.play(x, Reported(n=x.by_ref["c"].n, status=TaskStatus.IN_PROGRESS, output={}))
    assert x.by_ref["c"].status is TaskStatus.SCHEDULED
    stage.pass_time(6)
    assert (x.by_ref["c"].status, len(stage.runs)) == (TaskStatus.IN_PROGRESS, 2)
