"""DO_WHILE: turns one after the other, what is kept of them, and reruns into the middle of one."""

from __future__ import annotations

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import revival
from batuta.core.model.status import WorkflowStatus
from batuta.core.model.task import Json

LOOPS = {f"{name} < {n}": (lambda d, name=name, n=n: d[name]["iteration"] < n) for name in ("loop", "inner", "outer") for n in (1, 2, 3)}


@pytest.fixture
def stage() -> Stage:
    s = Stage(LOOPS)
    for name in "abcd":
        s.taskdef(name)
    return s


def loop(ref: str, body: list[Json], times: int, given: Json | None = None) -> Json:
    return node(ref, "DO_WHILE", given, loopCondition=f"{ref} < {times}", loopOver=body)


def test_the_outer_loop_waits_for_what_follows_the_inner_one(stage: Stage) -> None:
    x = stage.run([loop("outer", [loop("inner", [node("n", "NOOP")], 1), simple("a")], 2)])
    assert [ref for ref, _ in rows(x)] == ["outer", "inner__1", "n__1__1", "a__1"]
    stage.report(x, "a__1")
    assert "a__2" in x.by_ref
    stage.report(x, "a__2")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_keep_last_forgets_the_rows_of_inner_loops_too(stage: Stage) -> None:
    x = stage.run([loop("outer", [loop("inner", [node("n", "NOOP")], 2), simple("a")], 3, {"keepLastN": 1})])
    for turn in (1, 2):
        stage.report(x, f"a__{turn}")
    assert [ref for ref, _ in rows(x)] == ["outer", "inner__2", "n__2__1", "n__2__2", "a__2", "inner__3", "n__3__1", "n__3__2", "a__3"]


def test_a_failed_turn_is_retried_in_its_turn(stage: Stage) -> None:
    x = stage.run([loop("loop", [simple("a"), simple("b")], 2), simple("d")])
    stage.report(x, "a__1")
    stage.report(x, "b__1")
    stage.report(x, "a__2", "FAILED")
    assert rows(x)[0] == ("loop", "CANCELED")
    stage.verb(revival.retry, x)
    assert (x.by_ref["loop"].status, x.by_ref["loop"].iteration) == ("IN_PROGRESS", 2)
    stage.report(x, "a__2")
    stage.report(x, "b__2")
    stage.report(x, "d")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_a_rerun_inside_a_loop_turns_it_back(stage: Stage) -> None:
    x = stage.run([loop("loop", [simple("a"), simple("b")], 3), simple("d")])
    for turn in (1, 2, 3):
        stage.report(x, f"a__{turn}", output={"t": turn})
        stage.report(x, f"b__{turn}")
    stage.report(x, "d")
    assert x.head.status is WorkflowStatus.COMPLETED
    again = x.by_ref["a__2"].id
    stage.verb(revival.rerun, x, from_task=again, task_input=None, workflow_input=None, correlation_id=None)
    assert rows(x) == [("loop", "IN_PROGRESS"), ("a__1", "COMPLETED"), ("b__1", "COMPLETED"), ("a__2", "SCHEDULED")]
    assert sorted(k for k in x.by_ref["loop"].output if k.isdigit()) == ["1", "2"]
    for ref in ("a__2", "b__2", "a__3", "b__3", "d"):
        stage.report(x, ref)
    assert x.head.status is WorkflowStatus.COMPLETED
    assert x.by_ref["loop"].output["iteration"] == 3


def test_a_loop_cancelled_before_its_first_turn_begins_when_retried(stage: Stage) -> None:
    malformed = fork("f", [simple("a")])  # no join beside it: opening it stops the execution
    x = stage.run([fork("g", [loop("outer", [malformed], 1)], [loop("loop", [simple("b")], 1)]), join("j", "outer", "loop")])
    assert x.head.status is WorkflowStatus.FAILED
    assert x.by_ref["loop"].iteration == 0
    x.definition.by_ref["f"].type = "NOOP"  # what cannot be opened, mended by hand
    stage.verb(revival.retry, x)
    stage.report(x, "b__1")
    assert x.head.status is WorkflowStatus.COMPLETED
