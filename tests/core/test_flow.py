"""What follows what: sequences, switches, forks and joins, loops, the end. One row, one truth."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import decide, lifecycle
from batuta.core.model.event import Ticked
from batuta.core.model.status import WorkflowStatus

NAMES = ("a", "b", "c", "d")
SCRIPTS = {
    "$.loop.iteration < 3": lambda d: d["loop"]["iteration"] < 3,
    "$.outer.iteration < 2": lambda d: d["outer"]["iteration"] < 2,
    "$.inner.iteration < 2": lambda d: d["inner"]["iteration"] < 2,
    "boom": lambda d: 1 / 0,
    "yes": lambda d: True,
}


@pytest.fixture
def stage() -> Stage:
    s = Stage(SCRIPTS)
    for name in NAMES:
        s.taskdef(name)
    return s


def switch(ref: str, cases: dict[str, Any], default: list[Any] | None = None, value: str = "${workflow.input.k}") -> dict[str, Any]:
    return node(ref, "SWITCH", {"on": value}, evaluatorType="value-param", expression="on", decisionCases=cases, defaultCase=default or [])


NOOP = node("n", "NOOP")
AFTER = simple("d")
#    what stands before `d`                                                          input       references there once started
OPENED = [
    ([simple("a")],                                                                  {},         ["a"]),
    ([NOOP],                                                                         {},         ["n", "d"]),
    ([switch("s", {"x": [simple("a")]})],                                            {"k": "x"}, ["s", "a"]),
    ([switch("s", {"x": [simple("a")]})],                                            {"k": "y"}, ["s", "d"]),
    ([switch("s", {"x": [simple("a")]}, [simple("b")])],                             {"k": "y"}, ["s", "b"]),
    ([switch("s", {"x": []}, [simple("b")])],                                        {"k": "x"}, ["s", "d"]),
    ([switch("s", {"true": [simple("a")]})],                                         {"k": True}, ["s", "a"]),
    ([switch("s", {"null": [simple("a")]})],                                         {},         ["s", "a"]),
    ([switch("s", {"x": [switch("t", {"x": [simple("a")]})]})],                      {"k": "x"}, ["s", "t", "a"]),
    ([switch("s", {"x": [switch("t", {"z": [simple("a")]})]})],                      {"k": "x"}, ["s", "t", "d"]),
    ([fork("f", [simple("a")], [simple("b")]), join("j", "a", "b")],                 {},         ["f", "a", "b", "j"]),
    ([fork("f", [NOOP, simple("a")], [simple("b")]), join("j", "a", "b")],           {},         ["f", "n", "b", "j", "a"]),
    ([fork("f", [NOOP], [node("m", "NOOP")]), join("j", "n", "m")],                  {},         ["f", "n", "m", "j", "d"]),
    ([fork("f", [simple("a")]), join("j")],                                          {},         ["f", "a", "j", "d"]),
    ([node("l", "DO_WHILE", loopCondition="yes", loopOver=[simple("a")])],           {},         ["l", "a__1"]),
    ([node("h", "HUMAN")],                                                           {},         ["h"]),
    ([node("w", "WAIT", {"duration": "1h"})],                                        {},         ["w"]),
    ([node("w", "WAIT", {"until": "2001-01-01"})],                                   {},         ["w", "d"]),
    ([node("v", "SET_VARIABLE", {"x": 1})],                                          {},         ["v", "d"]),
    ([node("dy", "DYNAMIC", {"t": "a"}, dynamicTaskNameParam="t")],                  {},         ["dy"]),
    ([node("dy", "DYNAMIC", {"t": "NOOP"}, dynamicTaskNameParam="t")],               {},         ["dy", "d"]),
    ([node("e", "EVENT", {"x": 1}, sink="conductor")],                               {},         ["e", "d"]),
    ([node("x", "EXOTIC")],                                                          {},         ["x"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "given", "refs"), OPENED)
def test_the_flow_opens_what_follows(stage: Stage, before: list[Any], given: dict[str, Any], refs: list[str]) -> None:
    # The clock of the stage starts in 1970, before every date that is past for people.
    stage.now = 1_700_000_000_000
    x = stage.run([*before, AFTER], given)
    assert [t.ref for t in x.ordered()] == refs
    assert x.head.status is WorkflowStatus.RUNNING


def test_a_branch_after_a_switch_falls_through_to_what_stands_after_it(stage: Stage) -> None:
    x = stage.run([switch("s", {"x": [simple("a"), simple("b")]}), AFTER], {"k": "x"})
    stage.report(x, "a")
    assert [t.ref for t in x.ordered()] == ["s", "a", "b"]
    stage.report(x, "b")
    assert [t.ref for t in x.ordered()] == ["s", "a", "b", "d"]


def test_a_join_is_decided_with_its_last_branch(stage: Stage) -> None:
    x = stage.run([fork("f", [simple("a")], [simple("b"), simple("c")]), join("j", "a", "c"), AFTER])
    stage.report(x, "a", output={"v": 1})
    stage.report(x, "b", output={"v": 2})
    assert x.output_of(x.by_ref["j"]) == {"a": {"v": 1}}
    stage.report(x, "c", output={"v": 3})
    assert x.by_ref["j"].output == {"a": {"v": 1}, "c": {"v": 3}}
    assert "d" in x.by_ref


def test_a_terminate_that_was_skipped_is_stepped_over(stage: Stage) -> None:
    """Simulation, core seed 3072176: the rest of its branch never came, and the join waited for ever."""
    stop = node("t", "TERMINATE", {"terminationStatus": "FAILED"})
    x = stage.run([simple("c"), fork("f", [stop, simple("a")], [simple("b")]), join("j", "a", "b"), AFTER])
    stage.verb(lifecycle.skip_task, x, "t", None, None)
    stage.report(x, "c")
    stage.report(x, "a")
    stage.report(x, "b")
    assert "d" in x.by_ref


def test_a_branch_outside_join_on_holds_the_end_but_not_the_flow(stage: Stage) -> None:
    x = stage.run([fork("f", [simple("a")], [simple("b")]), join("j", "a"), AFTER])
    stage.report(x, "a")
    stage.report(x, "d")
    assert x.head.status is WorkflowStatus.RUNNING
    stage.report(x, "b")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_a_join_inside_a_loop_waits_for_its_own_turn(stage: Stage) -> None:
    body = [fork("f", [simple("a")], [simple("b")]), join("j", "a", "b")]
    x = stage.run([node("loop", "DO_WHILE", loopCondition="$.loop.iteration < 3", loopOver=body)])
    for turn in (1, 2, 3):
        stage.report(x, f"a__{turn}", output={"t": turn})
        stage.report(x, f"b__{turn}")
        assert x.by_ref[f"j__{turn}"].output == {f"a__{turn}": {"t": turn}}
    assert x.head.status is WorkflowStatus.COMPLETED
    assert x.by_ref["loop"].output["iteration"] == 3


def test_a_loop_inside_a_loop_counts_its_own_turns(stage: Stage) -> None:
    inner = node("inner", "DO_WHILE", loopCondition="$.inner.iteration < 2", loopOver=[simple("a")])
    x = stage.run([node("outer", "DO_WHILE", loopCondition="$.outer.iteration < 2", loopOver=[inner])])
    for suffix in ("__1__1", "__1__2", "__2__1", "__2__2"):
        stage.report(x, f"a{suffix}", output={"at": suffix})
    assert x.head.status is WorkflowStatus.COMPLETED
    assert x.by_ref["inner__2"].output["2"] == {"a": {"at": "__2__2"}}


def test_a_loop_over_a_list_needs_no_condition(stage: Stage) -> None:
    body = [simple("a", inputParameters={"v": "${loop.output.loopItem}"})]
    x = stage.run([node("loop", "DO_WHILE", items="${workflow.input.xs}", loopOver=body)], {"xs": ["p", "q"]})
    assert x.by_ref["a__1"].input == {"v": "p"}
    stage.report(x, "a__1")
    assert x.by_ref["a__2"].input == {"v": "q"}
    stage.report(x, "a__2")
    assert x.head.status is WorkflowStatus.COMPLETED


def test_an_empty_list_runs_nothing(stage: Stage) -> None:
    x = stage.run([node("loop", "DO_WHILE", items="${workflow.input.xs}", loopOver=[simple("a")]), AFTER], {"xs": []})
    assert [t.ref for t in x.ordered()] == ["loop", "d"]


def test_a_condition_that_throws_ends_the_loop_for_good(stage: Stage) -> None:
    x = stage.run([node("loop", "DO_WHILE", loopCondition="boom", loopOver=[NOOP])])
    assert rows(x)[0] == ("loop", "FAILED_WITH_TERMINAL_ERROR")
    assert x.head.status is WorkflowStatus.FAILED


def test_a_long_loop_without_a_worker_takes_several_decisions(stage: Stage) -> None:
    stage.scripts._known["many"] = lambda d: d["loop"]["iteration"] < 12_000
    x = stage.run([node("loop", "DO_WHILE", {"keepLastN": 2}, loopCondition="many", loopOver=[NOOP])])
    decisions = 0
    while x.head.status is WorkflowStatus.RUNNING:
        assert x.head.wake_at == stage.now, "an unfinished decision must wake itself"
        stage.play(x, Ticked())
        decisions += 1
    assert x.by_ref["loop"].output["iteration"] == 12_000
    assert decisions >= 2
    assert len(x.tasks) == 3


def test_a_definition_without_tasks_completes_at_once(stage: Stage) -> None:
    x = stage.run([])
    assert x.head.status is WorkflowStatus.COMPLETED
    assert not x.tasks


def test_a_fork_without_its_join_fails_before_a_row_is_made(stage: Stage) -> None:
    x = stage.run([fork("f", [simple("a")]), simple("b")])
    assert x.head.status is WorkflowStatus.FAILED
    assert not x.tasks
    assert "not followed by a join" in (x.head.reason or "")


#    terminationStatus  output given        workflow becomes  output becomes
STOPS = [
    ("COMPLETED",       {"v": 1},           "COMPLETED",      {"v": 1}),
    ("FAILED",          {"v": 1},           "FAILED",         {"v": 1}),
    ("TERMINATED",      None,               "TERMINATED",     {}),
    ("COMPLETED",       [1, 2],             "COMPLETED",      {"output": [1, 2]}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "output", "becomes", "shows"), STOPS)
def test_terminate_ends_the_workflow_as_it_says(stage: Stage, status: str, output: Any, becomes: str, shows: Any) -> None:
    stop = node("t", "TERMINATE", {"terminationStatus": status, "workflowOutput": output})
    x = stage.run([fork("f", [simple("a")], [stop]), join("j", "a", "t")], outputParameters={"not": "this"})
    assert (str(x.head.status), x.head.output) == (becomes, shows)
    assert ("a", "CANCELED") in rows(x)
    assert x.by_ref["t"].status == "COMPLETED"


def test_an_exclusive_join_takes_the_branch_that_ran(stage: Stage) -> None:
    flow = [switch("s", {"x": [simple("a")], "y": [simple("b")]}), node("j", "EXCLUSIVE_JOIN", joinOn=["a", "b"]), AFTER]
    x = stage.run(flow, {"k": "y"})
    stage.report(x, "b", output={"v": 2})
    assert x.by_ref["j"].output == {"v": 2}
    assert "d" in x.by_ref


def test_variables_are_replaced_whole_or_not_at_all(stage: Stage) -> None:
    x = stage.run([node("v", "SET_VARIABLE", {"m": {"new": 1}}), AFTER], variables={"m": {"old": 1}, "k": 1})
    assert x.head.variables == {"m": {"new": 1}, "k": 1}
    stage.variables_bytes_max = 10
    x = stage.run([node("v", "SET_VARIABLE", {"m": "x" * 20}), AFTER], variables={"k": 1})
    assert x.head.variables == {"k": 1}
    assert rows(x) == [("v", "FAILED_WITH_TERMINAL_ERROR")]


def test_an_event_is_published_once(stage: Stage) -> None:
    x = stage.run([node("e", "EVENT", {"x": 1}, sink="conductor:news"), AFTER])
    assert [(p.queue, p.payload["x"]) for p in stage.published] == [(f"conductor:{x.head.name}:news", 1)]
    stage.report(x, "d")
    assert len(stage.published) == 1


def test_what_a_decision_left_for_the_next_breath_survives_a_report_between_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "ROWS_PER_TURN", 4)
    row = [node(f"n{i}", "NOOP") for i in range(19)]
    x = stage.run([fork("f", row, [simple("a")]), join("j", "n18", "a"), AFTER])
    assert (x.head.wake_at, "n18" in x.by_ref) == (stage.now, False)
    stage.report(x, "a")
    assert x.head.wake_at == stage.now, "the rest of the row still has to come"
    while "d" not in x.by_ref:
        stage.play(x, Ticked())
    assert ("j", "COMPLETED") in rows(x)


def test_a_loop_begins_no_turn_while_a_row_of_this_one_is_out_of_breath(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "ROWS_PER_TURN", 3)
    body = [fork("f", [node(f"n{i}", "NOOP") for i in range(9)], [simple("a")]), join("j", "a")]
    x = stage.run([node("loop", "DO_WHILE", loopCondition="$.loop.iteration < 3", loopOver=body)])
    stage.report(x, "a__1")
    while x.head.wake_at:
        stage.play(x, Ticked())
    order = [t.ref for t in x.ordered()]
    assert order.index("n8__1") < order.index("f__2")
