"""Parents and children: who learns of whose end, and what a revival does to the rest of the family."""

from __future__ import annotations

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import lifecycle, revival
from batuta.core.model.execution import Execution
from batuta.core.model.status import WorkflowStatus
from batuta.core.model.task import Json


@pytest.fixture
def stage() -> Stage:
    s = Stage({"boom": lambda d: 1 / 0})
    for name in "abcd":
        s.taskdef(name)
    s.workflow("child", [simple("a")])
    return s


def child(ref: str, name: str = "child", **fields: object) -> Json:
    return node(ref, "SUB_WORKFLOW", {"k": 1}, subWorkflowParam={"name": name, "version": 1}, **fields)


def of(s: Stage, x: Execution, ref: str) -> Execution:
    return s.runs[x.by_ref[ref].sub_execution_id]


def twins(s: Stage, **fields: object) -> Execution:
    return s.run([fork("f", [child("one", **fields)], [child("two")]), join("j", "one", "two"), simple("d")])


#    the child's end   the task becomes   the parent becomes
ENDS = [
    ("COMPLETED",      "COMPLETED",       "RUNNING"),
    ("FAILED",         "FAILED",          "FAILED"),
    ("TERMINATED",     "CANCELED",        "TERMINATED"),
    ("TIMED_OUT",      "TIMED_OUT",       "TIMED_OUT"),
]  # fmt: skip


@pytest.mark.parametrize(("end", "task", "parent"), ENDS)
def test_a_child_s_end_ends_the_task_that_waits_for_it(stage: Stage, end: str, task: str, parent: str) -> None:
    stage.workflow("child", [simple("a")], timeoutSeconds=60, timeoutPolicy="TIME_OUT_WF")
    x = stage.run([child("sub"), simple("d")])
    c = of(stage, x, "sub")
    match end:
        case "TERMINATED":
            stage.verb(lifecycle.terminate, c, "enough")
        case "TIMED_OUT":
            stage.pass_time(61)
        case _:
            stage.report(c, "a", end)
    assert (str(c.head.status), str(x.by_ref["sub"].status), str(x.head.status)) == (end, task, parent)


def test_a_child_that_fails_while_its_parent_is_paused_fails_it_afterwards(stage: Stage) -> None:
    x = stage.run([child("sub"), simple("d")])
    stage.verb(lifecycle.pause, x)
    stage.report(of(stage, x, "sub"), "a", "FAILED")
    assert x.head.status is WorkflowStatus.PAUSED
    stage.verb(lifecycle.resume, x)
    assert x.head.status is WorkflowStatus.FAILED


def test_terminating_goes_down_the_line(stage: Stage) -> None:
    stage.workflow("middle", [child("sub")])
    x = stage.run([child("top", "middle")])
    middle = of(stage, x, "top")
    leaf = of(stage, middle, "sub")
    stage.verb(lifecycle.terminate, x, "enough")
    assert [r.head.status for r in (x, middle, leaf)] == [WorkflowStatus.TERMINATED] * 3
    assert "enough" in (leaf.head.reason or "")


def test_retrying_a_child_revives_its_ancestors_with_the_same_rows(stage: Stage) -> None:
    stage.workflow("middle", [child("sub")])
    x = stage.run([child("top", "middle")])
    middle = of(stage, x, "top")
    leaf = of(stage, middle, "sub")
    stage.report(leaf, "a", "FAILED")
    assert x.head.status is WorkflowStatus.FAILED
    stage.verb(revival.retry, leaf)
    assert (rows(x), rows(middle)) == ([("top", "IN_PROGRESS")], [("sub", "IN_PROGRESS")])
    assert (x.head.status, x.head.reason, middle.head.status) == (WorkflowStatus.RUNNING, None, WorkflowStatus.RUNNING)
    stage.report(leaf, "a")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_reviving_a_child_retries_its_sibling_in_place(stage: Stage) -> None:
    x = twins(stage)
    one, two = of(stage, x, "one"), of(stage, x, "two")
    stage.report(one, "a", "FAILED")
    assert two.head.status is WorkflowStatus.TERMINATED
    stage.verb(revival.retry, one)
    assert rows(x) == [("f", "COMPLETED"), ("one", "IN_PROGRESS"), ("two", "IN_PROGRESS"), ("j", "IN_PROGRESS")]
    assert of(stage, x, "two") is two and rows(two) == [("a", "CANCELED"), ("a", "SCHEDULED")]
    stage.report(one, "a")
    stage.report(two, "a")
    stage.report(x, "d")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_a_sibling_that_completed_meanwhile_says_so_again(stage: Stage) -> None:
    x = twins(stage)
    one, two = of(stage, x, "one"), of(stage, x, "two")
    stage.verb(lifecycle.pause, x)
    stage.report(x, "two", "FAILED")  # by hand, while the child still runs
    stage.verb(lifecycle.resume, x)
    stage.report(two, "a")
    assert (x.head.status, two.head.status) == (WorkflowStatus.FAILED, WorkflowStatus.COMPLETED)
    stage.verb(revival.retry, one)
    assert ("two", "COMPLETED") in rows(x)
    stage.report(one, "a")
    assert "d" in x.by_ref


def test_a_sibling_that_can_never_run_fails_its_parent_again(stage: Stage) -> None:
    stage.workflow("broken", [fork("g", [simple("a")])])  # no join: it fails before it has a task to retry
    x = stage.run([fork("f", [child("one")], [child("two", "broken", permissive=True)]), join("j", "one", "two")])
    stage.report(of(stage, x, "one"), "a", "FAILED")
    assert x.head.status is WorkflowStatus.FAILED
    stage.verb(revival.retry, of(stage, x, "one"))
    assert (x.head.status, dict(rows(x))["two"]) == (WorkflowStatus.RUNNING, "FAILED")
    stage.report(of(stage, x, "one"), "a")
    assert x.head.status is WorkflowStatus.FAILED


def test_two_children_that_fail_at_once_do_not_revive_each_other_for_ever(stage: Stage) -> None:
    stage.workflow("doomed", [node("i", "INLINE", {"expression": "boom"})])
    x = stage.run([fork("f", [child("one")], [child("two", "doomed", permissive=True)], [child("three", "doomed")]), join("j", "one", "two", "three")])
    assert x.head.status is WorkflowStatus.FAILED
    stage.verb(revival.retry, of(stage, x, "one"))
    assert x.head.status is WorkflowStatus.FAILED
    assert all(len(run.tasks) < 10 for run in stage.runs.values())


def test_a_failed_task_beside_the_revived_child_fails_the_parent_again(stage: Stage) -> None:
    x = stage.run([fork("f", [child("one")], [simple("b")]), join("j", "one", "b")])
    stage.report(x, "b", "FAILED", reason="it broke")
    one = of(stage, x, "one")
    stage.verb(revival.retry, one)
    assert (x.head.status, one.head.status) == (WorkflowStatus.FAILED, WorkflowStatus.TERMINATED), "else its join would wait for b in vain"


#    the parent's task         after a retry of the failed child the parent is
UNTOUCHED = [
    ({"optional": True},       "COMPLETED"),
    ({"retryCount": 1},        "RUNNING"),
]  # fmt: skip


@pytest.mark.parametrize(("marks", "status"), UNTOUCHED)
def test_a_parent_that_has_gone_on_without_the_child_is_left_alone(stage: Stage, marks: Json, status: str) -> None:
    x = stage.run([child("sub", **marks)])
    old = of(stage, x, "sub")
    stage.report(old, "a", "FAILED")
    before = rows(x)
    stage.verb(revival.retry, old)
    assert (str(x.head.status), rows(x)) == (status, before)
    stage.report(old, "a")
    assert (str(x.head.status), rows(x)) == (status, before)


def test_a_parent_that_was_restarted_is_left_alone(stage: Stage) -> None:
    x = stage.run([child("sub")])
    old = of(stage, x, "sub")
    stage.report(old, "a", "FAILED")
    stage.verb(revival.restart, x, None)
    stage.verb(revival.retry, old)
    assert of(stage, x, "sub") is not old and rows(x) == [("sub", "IN_PROGRESS")]
    stage.report(old, "a")
    assert x.head.status is WorkflowStatus.RUNNING


def test_a_parent_that_ended_by_its_own_terminate_is_left_alone(stage: Stage) -> None:
    x = stage.run([child("sub"), node("t", "TERMINATE", {"terminationStatus": "COMPLETED", "workflowOutput": {"v": 1}})])
    c = of(stage, x, "sub")
    stage.report(c, "a")
    stage.verb(revival.restart, c, None)
    assert (x.head.status, x.head.output, c.head.status) == (WorkflowStatus.COMPLETED, {"v": 1}, WorkflowStatus.RUNNING)


def test_restarting_a_completed_child_revives_a_completed_parent(stage: Stage) -> None:
    x = stage.run([child("sub"), simple("d")])
    c = of(stage, x, "sub")
    stage.report(c, "a")
    stage.report(x, "d")
    stage.verb(revival.restart, c, None)
    assert (x.head.status, rows(x)) == (WorkflowStatus.RUNNING, [("sub", "IN_PROGRESS"), ("d", "COMPLETED")])
    stage.report(c, "a")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_what_is_cancelled_beside_a_revived_child_comes_back_in_place(stage: Stage) -> None:
    flow = [fork("f", [child("one")], [simple("b")], [node("h", "HUMAN")], [node("w", "WAIT", {"duration": "1h"})]), join("j", "one", "b", "h", "w")]
    x = stage.run(flow)
    stage.report(of(stage, x, "one"), "a", "FAILED")
    stage.verb(revival.retry, of(stage, x, "one"))
    assert rows(x) == [("f", "COMPLETED"), ("one", "IN_PROGRESS"), ("b", "SCHEDULED"), ("h", "IN_PROGRESS"), ("w", "IN_PROGRESS"), ("j", "IN_PROGRESS")]
    assert [x.by_ref[ref].attempt for ref in ("one", "b", "h", "w")] == [0, 1, 1, 1]


def again(stage: Stage, x: Execution, verb: str) -> None:
    if verb == "retry":
        stage.verb(revival.retry, x)
    else:
        target = x.ordered()[0].id
        stage.verb(revival.rerun, x, from_task=target, task_input=None, workflow_input=None, correlation_id=None)


@pytest.mark.parametrize("verb", ["retry", "rerun"])
def test_a_child_that_fails_again_at_once_fails_its_parent_again(stage: Stage, verb: str) -> None:
    stage.workflow("doomed", [node("i", "INLINE", {"expression": "boom"})])
    x = stage.run([child("sub", "doomed")])
    again(stage, of(stage, x, "sub"), verb)
    assert (x.head.status, rows(x)) == (WorkflowStatus.FAILED, [("sub", "FAILED")])


def test_an_ancestor_hears_of_the_revival_before_the_second_end(stage: Stage) -> None:
    stage.workflow("doomed", [node("i", "INLINE", {"expression": "boom"})])
    stage.workflow("middle", [child("sub", "doomed")])
    x = stage.run([child("top", "middle")])
    again(stage, of(stage, of(stage, x, "top"), "sub"), "retry")
    assert (x.head.status, rows(x)) == (WorkflowStatus.FAILED, [("top", "FAILED")])
