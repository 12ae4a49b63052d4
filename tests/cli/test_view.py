"""The picture of an execution: which task stands inside which, and what its line says."""

from __future__ import annotations

from typing import Any

import click
import pytest

from batuta.cli import terminal, words
from batuta.cli.workflow import view
from batuta.cli.workflow.outline import Branch, outline

NOW = 1_700_000_100_000
BEGAN = NOW - 100_000


@pytest.fixture(autouse=True)
def unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "speaks_unicode", lambda: True)
    monkeypatch.setattr(words, "speaks_unicode", lambda: True)


def task(ref: str, status: str = "COMPLETED", kind: str | None = None, **more: Any) -> dict[str, Any]:
    kind = kind or ref
    began = {"startTime": BEGAN, "endTime": BEGAN + 1500} if status not in ("SCHEDULED", "IN_PROGRESS") else {}
    began = {"startTime": BEGAN} if status == "IN_PROGRESS" else began
    return {"taskId": ref, "referenceTaskName": ref, "taskType": kind, "taskDefName": kind, "status": status, "scheduledTime": BEGAN, **began, **more}


def node(ref: str, kind: str = "SIMPLE", **more: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **more}


def execution(tasks: list[dict[str, Any]], nodes: list[dict[str, Any]], status: str = "RUNNING", **more: Any) -> dict[str, Any]:
    head = {"workflowId": "e1", "workflowName": "w", "workflowVersion": 3, "status": status, "startTime": BEGAN, "tasks": tasks}
    return {**head, "workflowDefinition": {"name": "w", "tasks": nodes}, **more}


def shape(places: list[Branch]) -> list[Any]:
    return [[place.ref, *shape(place.inside)] if place.inside else place.ref for place in places]


def test_branches_stand_under_their_fork() -> None:
    nodes = [node("f", "FORK_JOIN", forkTasks=[[node("a"), node("b")], [node("c")]]), node("j", "JOIN"), node("end")]
    tasks = [task(ref) for ref in ("f", "a", "c", "j", "b", "end")]
    assert shape(outline(execution(tasks, nodes))) == [["f", "a", "c", "b"], "j", "end"]


def test_the_taken_case_stands_under_its_switch() -> None:
    nodes = [node("s", "SWITCH", decisionCases={"x": [node("a")]}, defaultCase=[node("b")])]
    assert shape(outline(execution([task("s"), task("b")], nodes))) == [["s", "b"]]


def test_turns_stand_under_their_loop_and_what_they_hold_in_the_same_turn() -> None:
    inner = node("s", "SWITCH", decisionCases={"x": [node("a")]})
    nodes = [node("loop", "DO_WHILE", loopOver=[inner, node("b")])]
    tasks = [task(ref) for ref in ("loop", "s__1", "a__1", "b__1", "s__2", "a__2")]
    assert shape(outline(execution(tasks, nodes))) == [["loop", ["s__1", "a__1"], "b__1", ["s__2", "a__2"]]]


def test_what_was_forked_at_run_time_stands_under_its_fork() -> None:
    nodes = [node("f", "FORK_JOIN_DYNAMIC"), node("j", "JOIN")]
    tasks = [task("f", kind="FORK", inputData={"forkedTasks": ["_a_0", "_a_1"]}), task("_a_0"), task("_a_1"), task("j")]
    assert shape(outline(execution(tasks, nodes))) == [["f", "_a_0", "_a_1"], "j"]


def test_attempts_are_one_place() -> None:
    places = outline(execution([task("a", "FAILED"), task("b"), task("a", "FAILED"), task("a")], [node("a"), node("b")]))
    assert shape(places) == ["a", "b"]
    assert [attempt["status"] for attempt in places[0].earlier] == ["FAILED", "FAILED"] and places[0].task["status"] == "COMPLETED"


def test_tasks_without_a_definition_are_a_plain_list() -> None:
    assert shape(outline({"tasks": [task("a"), task("b__2")]})) == ["a", "b__2"]
    assert outline({}) == []


def plain(lines: list[str]) -> list[str]:
    return [click.unstyle(line).rstrip() for line in lines]


def test_the_tree_has_a_line_a_task_with_what_an_operator_asks() -> None:
    nodes = [node("pay"), node("f", "FORK_JOIN", forkTasks=[[node("a")], [node("b")]]), node("j", "JOIN"), node("ok", "HUMAN"), node("next")]
    tasks = [
        task("pay", queueWaitTime=10_000),
        task("f", kind="FORK"),
        task("a", "FAILED", reasonForIncompletion="no paper", retryCount=0),
        task("b", "IN_PROGRESS", workerId="host7"),
        task("j", "IN_PROGRESS", "JOIN"),
        task("a", "SCHEDULED", retryCount=1, updateTime=BEGAN, callbackAfterSeconds=220, reasonForIncompletion="no paper"),
        task("ok", "IN_PROGRESS", "HUMAN"),
        task("next", "SCHEDULED", "ship", domain="north"),
    ]
    assert plain(view.tree(execution(tasks, nodes), now_ms=NOW)) == [
        "  ✓ pay           1.50s  queued 10s",
        "  ✓ f     FORK    1.50s",
        "  ├─ ○ a                 attempt 2, due in 2m",
        "  │    attempt 1 failed after 1.50s: no paper",
        "  └─ ● b         1m 40s  with host7",
        "  ● j     JOIN   1m 40s",
        "  ◷ ok    HUMAN  1m 40s",
        "  ○ next  ship           waiting 1m 40s for a worker of north:ship",
    ]


def test_a_failed_task_says_why_below_it() -> None:
    reason = "first line\n\nsecond line\n" + "\n".join(f"line {n}" for n in range(20))
    lines = plain(view.tree(execution([task("a", "FAILED_WITH_TERMINAL_ERROR", reasonForIncompletion=reason)], [node("a")]), now_ms=NOW))
    assert lines[0].endswith("failed for good")
    assert [line.strip() for line in lines[1:]] == ["first line", "second line", "line 0", "line 1", "line 2", "(17 more lines: --json)"]


def test_what_completed_with_errors_says_which() -> None:
    lines = plain(view.tree(execution([task("a", "COMPLETED_WITH_ERRORS", reasonForIncompletion="half of it")], [node("a")]), now_ms=NOW))
    assert "completed with errors" in lines[0] and lines[1].strip() == "half of it"


def test_children_are_shown_inside_their_tasks_when_asked_for() -> None:
    parent = execution([task("sub", kind="SUB_WORKFLOW", subWorkflowId="e2")], [node("sub", "SUB_WORKFLOW")])
    child = execution([task("inner")], [node("inner")])
    assert len(view.tree(parent, now_ms=NOW)) == 1 and "child e2" in plain(view.tree(parent, now_ms=NOW))[0]
    lines = plain(view.tree(parent, children={"e2": child}.get, now_ms=NOW))
    assert [line.split()[-2] for line in lines[1:]] == ["inner"] and "└─" in lines[1]
    assert len(view.tree(parent, children=lambda _: None, now_ms=NOW)) == 1


def test_a_child_that_contains_itself_ends_somewhere() -> None:
    endless = execution([task("sub", kind="SUB_WORKFLOW", subWorkflowId="e1")], [node("sub", "SUB_WORKFLOW")])
    assert 1 < len(view.tree(endless, children=lambda _: endless, now_ms=NOW)) < 20


def test_lines_fit_the_screen() -> None:
    tasks = [task("a", "FAILED", reasonForIncompletion="very " * 50), task("b", "IN_PROGRESS", workerId="x" * 200)]
    for line in view.tree(execution(tasks, [node("a"), node("b")]), now_ms=NOW, within=60):
        assert terminal.columns_of(line) <= 60


#       status       ended   reason                                                      first line             rest
HEADS = [
    ("RUNNING", 0, None, "● w v3  RUNNING  for 1m 40s", []),
    ("COMPLETED", BEGAN + 1500, None, "✓ w v3  COMPLETED  in 1.50s", []),
    ("TERMINATED", BEGAN + 1500, "stopped by ana", "■ w v3  TERMINATED  in 1.50s", ["stopped by ana"]),
    ("FAILED", BEGAN + 1500, "Task a failed with status: FAILED and reason: 'no paper'", "✗ w v3  FAILED  in 1.50s", ["failed at a"]),
]


@pytest.mark.parametrize(("status", "ended", "reason", "first", "rest"), HEADS)
def test_the_heading_says_how_it_stands(status: str, ended: int, reason: str | None, first: str, rest: list[str]) -> None:
    told = [task("a", "FAILED", reasonForIncompletion="no paper")] if status == "FAILED" else []
    shown = execution(told, [], status, endTime=ended, reasonForIncompletion=reason, startTime=BEGAN, correlationId="c-1")
    lines = plain(view.heading(shown, now_ms=BEGAN + 100_000))
    assert lines[0] == first and [line.strip() for line in lines[2:]] == rest
    assert lines[1].startswith("  id e1 · correlation c-1 · started ") and lines[1].endswith("(1m ago)")


def test_payloads_are_shown_as_far_as_there_are_any() -> None:
    lines = plain(view.payloads({"input": {"id": 7}, "output": {}, "variables": {"a": "x" * 100}}, 60))
    assert lines[0] == '  input      {"id": 7}' and lines[1].startswith("  variables") and len(lines) == 2
    assert all(len(line) <= 60 for line in lines)
