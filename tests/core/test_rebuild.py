"""An execution that leaves memory and comes back goes on as if it had stayed."""

from __future__ import annotations

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import lifecycle
from batuta.core.model.status import WorkflowStatus


@pytest.fixture
def stage() -> Stage:
    s = Stage({"twice": lambda d: d["loop"]["iteration"] < 2})
    s.taskdef("a", retryCount=2)
    for name in "bcd":
        s.taskdef(name)
    return s


@pytest.mark.parametrize("last", ["a", "b"])
def test_a_join_waits_for_the_attempt_that_runs_not_for_the_one_that_failed(stage: Stage, last: str) -> None:
    x = stage.run([fork("f", [simple("a")], [simple("b")]), join("j", "a", "b"), simple("d")])
    stage.report(x, "a", "FAILED")
    x = stage.reload(x)
    stage.report(x, "b" if last == "a" else "a")
    assert x.by_ref["j"].status == "IN_PROGRESS", "one branch still runs"
    stage.report(x, last)
    assert "d" in x.by_ref


def test_a_join_counts_a_second_attempt_that_ended_before_the_reload(stage: Stage) -> None:
    x = stage.run([fork("f", [simple("a")], [simple("b")]), join("j", "a", "b"), simple("d")])
    stage.report(x, "a", "FAILED")
    stage.report(x, "a")
    x = stage.reload(x)
    stage.report(x, "b")
    assert "d" in x.by_ref


def test_a_task_skipped_ahead_is_not_what_expressions_see(stage: Stage) -> None:
    body = [simple("a"), simple("b")]
    x = stage.run([node("loop", "DO_WHILE", loopCondition="twice", loopOver=body)])
    stage.verb(lifecycle.skip_task, x, "a", None, {"v": "skipped"})
    for y in (x, stage.reload(x)):
        assert y.by_base["a"].ref == "a__1"


def test_an_unfinished_loop_goes_on_after_a_reload(stage: Stage) -> None:
    x = stage.run([node("loop", "DO_WHILE", loopCondition="twice", loopOver=[fork("f", [simple("a")], [simple("b")]), join("j", "a", "b")])])
    for turn in (1, 2):
        stage.report(x, f"a__{turn}", "FAILED")
        x = stage.reload(x)
        stage.report(x, f"b__{turn}")
        x = stage.reload(x)
        stage.report(x, f"a__{turn}")
    assert x.head.status is WorkflowStatus.COMPLETED
    assert ("j__2", "COMPLETED") in rows(x)
