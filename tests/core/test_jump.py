"""Jumps and upgrades: an execution goes on from elsewhere, or with another version of what it runs."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core.jump import jump
from batuta.core.lifecycle import pause, terminate
from batuta.core.model.definition import Definition, digest, resolve
from batuta.core.model.execution import Execution
from batuta.core.upgrade import upgrade
from batuta.errors import Conflict, NotFound

A, B, C, D = (simple(name) for name in "abcd")


def test_a_jump_forward_steps_over_what_is_open_and_what_lies_between() -> None:
    stage = Stage()
    x = stage.run([A, B, C, D])
    stage.claim(x, "a")
    stage.verb(jump, x, "c", {"k": 1})
    assert rows(x) == [("b", "SKIPPED"), ("a", "SKIPPED"), ("c", "SCHEDULED")]
    assert x.by_ref["c"].input == {"k": 1} and x.by_ref["a"].reason == "stepped over by a jump to c"
    for ref in "cd":
        stage.report(stage.reload(x), ref)
        x = stage.runs[x.head.id]
    assert x.head.status == "COMPLETED"


def test_a_jump_back_plays_again_what_came_after() -> None:
    stage = Stage()
    x = stage.run([A, B, C])
    for ref in "ab":
        stage.report(x, ref)
    stage.verb(jump, x, "a", {})
    assert rows(x) == [("a", "SCHEDULED")]
    for ref in "abc":
        stage.report(x, ref)
    assert (x.head.status, [r for r, _ in rows(x)]) == ("COMPLETED", ["a", "b", "c"])


def test_a_jump_to_what_is_open_begins_it_anew() -> None:
    stage = Stage()
    x = stage.run([A, B])
    first = stage.claim(x, "a").id
    stage.verb(jump, x, "a", {})
    assert rows(x) == [("a", "SCHEDULED")] and x.by_ref["a"].id != first


def test_a_jump_out_of_a_fork_leaves_its_branches() -> None:
    stage = Stage()
    x = stage.run([fork("f", [A], [B]), join("j", "a", "b"), C])
    stage.verb(jump, x, "c", {})
    assert rows(x) == [("f", "COMPLETED"), ("a", "SKIPPED"), ("b", "SKIPPED"), ("j", "SKIPPED"), ("c", "SCHEDULED")]
    stage.report(x, "c")
    assert x.head.status == "COMPLETED"
    assert stage.runs[x.head.id].open_count == 0


def test_a_jump_back_to_a_fork_opens_it_again() -> None:
    stage = Stage()
    x = stage.run([fork("f", [A], [B]), join("j", "a", "b"), C])
    for ref in "ab":
        stage.report(x, ref)
    stage.verb(jump, x, "f", {})
    assert rows(x) == [("f", "COMPLETED"), ("a", "SCHEDULED"), ("b", "SCHEDULED"), ("j", "IN_PROGRESS")]
    for ref in "abc":
        stage.report(x, ref)
    assert x.head.status == "COMPLETED"


def test_a_jump_into_a_case_goes_on_after_the_switch() -> None:
    stage = Stage()
    switch = node("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v", decisionCases={"x": [B], "y": [C]})
    x = stage.run([A, switch, D])
    stage.verb(jump, x, "c", {})
    assert rows(x) == [("s", "SKIPPED"), ("a", "SKIPPED"), ("c", "SCHEDULED")]
    stage.report(x, "c")
    assert rows(x)[-1] == ("d", "SCHEDULED")


def test_children_that_were_waited_for_end() -> None:
    stage = Stage()
    stage.workflow("inner", [B])
    x = stage.run([node("c", "SUB_WORKFLOW", subWorkflowParam={"name": "inner", "version": 1}), D])
    child = stage.runs[x.by_ref["c"].sub_execution_id]
    stage.verb(jump, x, "d", {})
    assert child.head.status == "TERMINATED"
    stage.report(x, "d")
    assert x.head.status == "COMPLETED"


LOOP = node("l", "DO_WHILE", loopCondition="never", loopOver=[B])
NOT_THERE: list[tuple[str, type[Exception], str]] = [
    ("nowhere", NotFound, "'nowhere' does not exist"),
    ("a", Conflict, "'a' stands inside 'f', a FORK_JOIN"),
    ("j", Conflict, "'j' waits for other tasks, which would never come"),
    ("b", Conflict, "'b' stands inside 'l', a DO_WHILE"),
]


@pytest.mark.parametrize(("ref", "error", "words"), NOT_THERE)
def test_where_nobody_can_jump_to(ref: str, error: type[Exception], words: str) -> None:
    stage = Stage({"never": lambda _: False})
    x = stage.run([C, fork("f", [A]), join("j", "a"), LOOP])
    with pytest.raises(error, match=words):
        jump(x, stage.now, stage, ref, {})
    assert rows(x) == [("c", "SCHEDULED")]


@pytest.mark.parametrize("verb", [pause, lambda x, now, tools: terminate(x, now, tools, "enough")])
def test_only_what_runs_can_jump(verb: Any) -> None:
    stage = Stage()
    x = stage.run([A, B])
    stage.verb(verb, x)
    with pytest.raises(Conflict, match="is not running, so there is no jump to 'b'"):
        jump(x, stage.now, stage, "b", {})


# -- upgrades -------------------------------------------------------------------------------------------------------------------------


def ready(stage: Stage, tasks: list[dict[str, Any]], name: str = "flow0", version: int = 2, **fields: Any) -> Definition:
    stage.workflow(name, tasks, version, **fields)
    full = resolve(stage.workflows[name][version], stage.task_definition, lambda n: 1)
    return Definition(full, digest(full)[0])


def upgraded(stage: Stage, x: Execution, tasks: list[dict[str, Any]], given: Any = None, outputs: Any = None, **fields: Any) -> None:
    stage.verb(upgrade, x, ready(stage, tasks, x.head.name, **fields), given or {}, outputs or {})


def test_it_goes_on_with_the_new_version_and_what_it_never_ran_is_skipped() -> None:
    stage = Stage()
    x = stage.run([A, B, C], {"old": 1})
    stage.report(x, "a")
    new = simple("n")
    last = simple("e", inputParameters={"n": "${n.output.v}", "i": "${workflow.input.fresh}"})
    upgraded(stage, x, [new, A, B, D, last], {"fresh": 2}, {"n": {"v": 5}})
    assert rows(x) == [("n", "SKIPPED"), ("a", "COMPLETED"), ("b", "SCHEDULED")]
    assert (x.head.definition_version, x.head.input) == (2, {"old": 1, "fresh": 2})
    for ref in "bd":
        stage.report(stage.reload(x), ref)
        x = stage.runs[x.head.id]
    assert x.by_ref["e"].input == {"n": 5, "i": 2}
    stage.report(x, "e")
    assert x.head.status == "COMPLETED"


def test_what_the_new_version_lacks_keeps_its_rows() -> None:
    stage = Stage()
    x = stage.run([A, B, C])
    stage.report(x, "a")
    upgraded(stage, x, [B, D])
    x = stage.reload(x)
    assert rows(x) == [("a", "COMPLETED"), ("b", "SCHEDULED")] and x.node_of(x.by_ref["a"]).name == "a"
    stage.report(x, "b")
    stage.report(x, "d")
    assert x.head.status == "COMPLETED"


def test_branches_and_cases_are_looked_into() -> None:
    stage = Stage()
    x = stage.run([fork("f", [A], [B]), join("j", "a", "b")])
    upgraded(stage, x, [fork("f", [simple("before"), A], [B, D]), join("j", "a", "d")])
    assert rows(x)[0] == ("before", "SKIPPED")
    for ref in "abd":
        stage.report(x, ref)
    assert x.head.status == "COMPLETED"


OPEN_ELSEWHERE: list[list[dict[str, Any]]] = [
    [B],
    [node("a", "WAIT"), B],
    [fork("f", [A]), join("j", "a")],
]


@pytest.mark.parametrize("tasks", OPEN_ELSEWHERE)
def test_what_is_open_must_stand_where_it_stood(tasks: list[dict[str, Any]]) -> None:
    stage = Stage()
    x = stage.run([A, B])
    before = x.definition
    with pytest.raises(Conflict, match="version 2 of 'flow0' does not have, at the same place and of the same type, what is open: a"):
        upgrade(x, stage.now, stage, ready(stage, tasks), {}, {})
    assert x.definition is before


def test_an_ended_one_is_not_upgraded() -> None:
    stage = Stage()
    x = stage.run([A])
    stage.report(x, "a")
    with pytest.raises(Conflict, match="has ended with status COMPLETED"):
        upgrade(x, stage.now, stage, ready(stage, [A]), {}, {})
