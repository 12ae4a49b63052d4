"""Rerun from a task: what came after it is gone and comes again, what ran beside it stays, what waits for it waits again."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import lifecycle, revival
from batuta.core.model.execution import Execution
from batuta.core.model.status import WorkflowStatus
from batuta.core.model.task import Json
from batuta.errors import Conflict, Invalid


@pytest.fixture
def stage() -> Stage:
    s = Stage()
    for name in "abcde":
        s.taskdef(name)
    return s


def rerun(s: Stage, x: Execution, ref: str, **fields: Any) -> None:
    wish: dict[str, Any] = {"from_task": x.by_ref[ref].id, "task_input": None, "workflow_input": None, "correlation_id": None, **fields}
    s.verb(revival.rerun, x, **wish)


def listed(ref: str, *branches: Json) -> Json:
    given = {"branches": list(branches), "inputs": {b["taskReferenceName"]: {} for b in branches}}
    return node(ref, "FORK_JOIN_DYNAMIC", given, dynamicForkTasksParam="branches", dynamicForkTasksInputParamName="inputs")


def switch(ref: str, cases: dict[str, Any], default: list[Any] | None = None) -> Json:
    return node(ref, "SWITCH", {"on": "x"}, evaluatorType="value-param", expression="on", decisionCases=cases, defaultCase=default or [])


ROW = [simple("a"), simple("b"), simple("c")]
FORKED = [fork("f", [simple("a"), simple("b")], [simple("c"), simple("d")]), join("j", "b", "d"), simple("e")]
DYNAMIC = [listed("f", simple("a"), simple("c")), node("j", "JOIN"), simple("e")]
CHOSEN = [switch("s", {"x": [simple("a"), simple("b")]}), simple("c")]
NESTED = [fork("f", [fork("g", [simple("a")], [simple("b")]), join("k", "a", "b")], [simple("c")]), join("j", "k", "c"), simple("e")]
DONE, OPEN, WAITS = "COMPLETED", "SCHEDULED", "IN_PROGRESS"
#   workflow  all of these completed    rerun from   then there
RERUNS = [
    (ROW,     "a b c",                  "b",         [("a", DONE), ("b", OPEN)]),
    (ROW,     "a b c",                  "a",         [("a", OPEN)]),
    (FORKED,  "a c b d e",              "a",         [("f", DONE), ("a", OPEN), ("c", DONE), ("j", WAITS), ("d", DONE)]),
    (FORKED,  "a c b d e",              "d",         [("f", DONE), ("a", DONE), ("c", DONE), ("j", WAITS), ("b", DONE), ("d", OPEN)]),
    (FORKED,  "a c b d e",              "f",         [("f", DONE), ("a", OPEN), ("c", OPEN), ("j", WAITS)]),
    (FORKED,  "a c b d e",              "j",         [("f", DONE), ("a", DONE), ("c", DONE), ("j", DONE), ("b", DONE), ("d", DONE), ("e", OPEN)]),
    (FORKED,  "a c b d e",              "e",         [("f", DONE), ("a", DONE), ("c", DONE), ("j", DONE), ("b", DONE), ("d", DONE), ("e", OPEN)]),
    (DYNAMIC, "a c e",                  "a",         [("f", DONE), ("a", OPEN), ("c", DONE), ("j", WAITS)]),
    (DYNAMIC, "a c e",                  "f",         [("f", DONE), ("a", OPEN), ("c", OPEN), ("j", WAITS)]),
    (CHOSEN,  "a b c",                  "a",         [("s", DONE), ("a", OPEN)]),
    (CHOSEN,  "a b c",                  "s",         [("s", DONE), ("a", OPEN)]),
    (NESTED,  "a b c e",                "a",         [("f", DONE), ("g", DONE), ("a", OPEN), ("b", DONE), ("k", WAITS), ("c", DONE), ("j", WAITS)]),
    (NESTED,  "a b c e",                "c",         [("f", DONE), ("g", DONE), ("a", DONE), ("b", DONE), ("k", DONE), ("c", OPEN), ("j", WAITS)]),
]  # fmt: skip


@pytest.mark.parametrize(("flow", "completed", "ref", "there"), RERUNS)
def test_what_came_after_is_gone_and_comes_again(stage: Stage, flow: list[Json], completed: str, ref: str, there: list[tuple[str, str]]) -> None:
    x = stage.run(flow)
    refs = completed.split()
    for done in refs:
        stage.report(x, done)
    assert x.head.status is WorkflowStatus.COMPLETED
    rerun(stage, x, ref)
    assert rows(x) == there
    while x.head.status is WorkflowStatus.RUNNING:
        stage.report(x, next(t.ref for t in x.ordered() if t.status == OPEN))
    assert x.head.status is WorkflowStatus.COMPLETED
    assert set(refs) <= set(x.by_ref), "nothing was left out"


def test_what_was_cancelled_beside_it_is_offered_again(stage: Stage) -> None:
    x = stage.run(FORKED)
    stage.report(x, "a", "FAILED")
    assert ("c", "CANCELED") in rows(x)
    rerun(stage, x, "a")
    assert rows(x) == [("f", DONE), ("a", OPEN), ("c", OPEN), ("j", "IN_PROGRESS")]


def test_an_earlier_attempt_replaces_the_later_ones(stage: Stage) -> None:
    stage.taskdef("r", retryCount=1)
    x = stage.run([simple("r"), simple("b")])
    first = x.by_ref["r"]
    stage.report(x, "r", "FAILED")
    stage.report(x, "r")
    stage.report(x, "b")
    rerun(stage, x, "r", from_task=first.id)
    assert [(t.ref, t.attempt, str(t.status)) for t in x.ordered()] == [("r", 0, OPEN)]


def test_a_switch_of_a_second_attempt_is_opened_again(stage: Stage) -> None:
    x = stage.run([node("s", "SWITCH", {"on": "x"}, evaluatorType="javascript", expression="boom", decisionCases={"x": [simple("a")]})])
    x.definition.by_ref["s"].raw["evaluatorType"] = "value-param"
    x.definition.by_ref["s"].raw["expression"] = "on"
    stage.verb(revival.retry, x)
    stage.report(x, "a")
    rerun(stage, x, "s")
    assert [(t.ref, t.attempt, str(t.status)) for t in x.ordered()] == [("s", 0, "FAILED"), ("s", 1, DONE), ("a", 0, OPEN)]


def test_a_sub_workflow_is_played_again_by_itself(stage: Stage) -> None:
    stage.workflow("child", [simple("c")])
    x = stage.run([node("sub", "SUB_WORKFLOW", {"k": 1}, subWorkflowParam={"name": "child", "version": 1}), simple("b")])
    old = x.by_ref["sub"].sub_execution_id
    stage.report(stage.runs[old], "c")
    stage.report(x, "b")
    rerun(stage, x, "sub")
    fresh = x.by_ref["sub"].sub_execution_id
    assert fresh != old and rows(stage.runs[fresh]) == [("c", OPEN)]
    assert rows(x) == [("sub", "IN_PROGRESS"), ("b", DONE)]
    stage.report(stage.runs[fresh], "c")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_the_input_given_replaces_the_task_s_own(stage: Stage) -> None:
    x = stage.run([simple("a", inputParameters={"v": 1})])
    stage.report(x, "a")
    rerun(stage, x, "a", task_input={"v": 2}, workflow_input={"w": 3}, correlation_id="again")
    assert (x.by_ref["a"].input, x.head.input, x.head.correlation_id) == ({"v": 2}, {"w": 3}, "again")


def test_what_was_skipped_or_is_unknown_cannot_be_run_again(stage: Stage) -> None:
    x = stage.run(ROW)
    stage.verb(lifecycle.skip_task, x, "b", None, None)
    stage.report(x, "a")
    stage.report(x, "c")
    with pytest.raises(Conflict, match="skipped"):
        rerun(stage, x, "b")
    with pytest.raises(Invalid):
        rerun(stage, x, "a", from_task="no such task")
    assert x.head.status is WorkflowStatus.COMPLETED
