"""Contracts: what becomes of tasks and workflows whose payloads do not fit the schema of their definition."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, simple

from batuta.core import lifecycle, revival
from batuta.core.contract import contract_of, settled
from batuta.core.model.execution import Execution
from batuta.errors import Invalid

NUMBER = {"name": "numbered", "data": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}
INPUT, OUTPUT = {"inputSchema": NUMBER, "enforceSchema": True}, {"outputSchema": NUMBER, "enforceSchema": True}


def statuses(x: Execution) -> list[str]:
    return [str(task.status) for task in x.ordered()]


def test_a_task_whose_input_does_not_fit_is_never_offered_and_never_retried() -> None:
    s = Stage()
    s.taskdef("a", retryCount=3, **INPUT)
    x = s.run([simple("a", inputParameters={"n": "${workflow.input.n}"})], {"n": "one"})
    assert (str(x.head.status), statuses(x)) == ("FAILED", ["FAILED_WITH_TERMINAL_ERROR"])
    task = x.ordered()[0]
    assert task.reason == "input does not fit schema 'numbered' version 1: at 'n': found 'one', expected type integer" and task.started_at == 0
    assert "does not fit" in (x.head.reason or "")
    assert statuses(s.start(x.head.name, {"n": 1})) == ["SCHEDULED"]


def test_a_completion_whose_output_does_not_fit_is_a_failure_like_any_other() -> None:
    s = Stage()
    s.taskdef("a", retryCount=1, **OUTPUT)
    x = s.run([simple("a")])
    s.report(x, "a", "COMPLETED", {"n": "one"})
    assert (str(x.head.status), statuses(x)) == ("RUNNING", ["FAILED", "SCHEDULED"])
    first = x.ordered()[0]
    assert first.reason == "output does not fit schema 'numbered' version 1: at 'n': found 'one', expected type integer" and first.output == {"n": "one"}
    s.report(x, "a", "COMPLETED", {"n": 1})
    assert (str(x.head.status), x.head.output) == ("COMPLETED", {"n": 1})


@pytest.mark.parametrize("status", ["FAILED", "IN_PROGRESS", "FAILED_WITH_TERMINAL_ERROR"])
def test_only_a_completion_has_to_fit(status: str) -> None:
    s = Stage()
    s.taskdef("a", retryCount=0, **OUTPUT)
    x = s.run([simple("a")])
    s.report(x, "a", status, {"n": "one"}, reason="because")
    assert x.ordered()[0].reason == "because"


def test_tasks_that_run_in_the_server_have_contracts_too() -> None:
    s = Stage({"$.n": lambda given: given["n"]})
    s.taskdef("calc", retryCount=0, outputSchema={"data": {"properties": {"result": {"type": "integer"}}}}, enforceSchema=True)
    flow = [node("i", "INLINE", {"evaluatorType": "javascript", "expression": "$.n", "n": "${workflow.input.n}"}, name="calc")]
    assert statuses(s.run(flow, {"n": 1})) == ["COMPLETED"]
    assert statuses(s.run(flow, {"n": "one"})) == ["FAILED"]


def test_an_optional_task_may_break_its_contract() -> None:
    s = Stage()
    s.taskdef("a", **INPUT)
    x = s.run([simple("a", optional=True), simple("b")])
    assert statuses(x) == ["COMPLETED_WITH_ERRORS", "SCHEDULED"]


def test_a_branch_that_breaks_its_contract_ends_its_join() -> None:
    s = Stage()
    s.taskdef("a", **INPUT)
    x = s.run([fork("f", [simple("a")], [simple("b")]), join("j", "a", "b")])
    assert str(x.head.status) == "FAILED"


def test_branches_of_a_dynamic_fork_have_the_contracts_of_their_definitions() -> None:
    s = Stage()
    s.taskdef("a", **INPUT)
    s.taskdef("b", **OUTPUT)
    branches = {"tasks": [simple("a", "x"), simple("b", "y")], "inputs": {"x": {"n": 1}, "y": {}}}
    dynamic = node("f", "FORK_JOIN_DYNAMIC", branches, dynamicForkTasksParam="tasks", dynamicForkTasksInputParamName="inputs")
    x = s.run([dynamic, node("j", "JOIN")])
    assert x.has_contracts and str(x.by_ref["x"].status) == "SCHEDULED"
    s.report(x := s.reload(x), "y", "COMPLETED", {"n": "one"})
    assert str(x.by_ref["y"].status) == "FAILED"


def test_a_workflow_whose_output_does_not_fit_fails_and_shows_it() -> None:
    s = Stage()
    s.workflow("sorry", [simple("z")])
    flow: dict[str, Any] = {"outputParameters": {"n": "${a.output.n}"}, "outputSchema": NUMBER, "failureWorkflow": "sorry"}
    x = s.run([simple("a")], **flow)
    s.report(x, "a", "COMPLETED", {"n": "one"})
    assert (str(x.head.status), x.head.output["n"]) == ("FAILED", "one")
    assert x.head.reason == "output does not fit schema 'numbered' version 1: at 'n': found 'one', expected type integer"
    assert [run.head.name for run in s.runs.values()].count("sorry") == 1
    other = s.run([simple("a")], **flow)
    s.report(other, "a", "COMPLETED", {"n": 1})
    assert str(other.head.status) == "COMPLETED"


def test_a_parent_hears_that_its_child_failed_over_its_output() -> None:
    s = Stage()
    s.workflow("child", [simple("a")], outputSchema=NUMBER)
    x = s.run([node("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "child"})])
    child = next(run for run in s.runs.values() if run.head.name == "child")
    s.report(child, "a", "COMPLETED", {})
    assert statuses(x) == ["FAILED"] and "output does not fit" in (x.head.reason or "")


def test_an_operators_new_input_must_fit() -> None:
    s = Stage()
    s.taskdef("a", **INPUT)
    x = s.run([simple("a", inputParameters={"n": 1})], inputSchema={"data": {"required": ["who"]}})
    s.verb(lifecycle.terminate, x, "enough")
    task, before = x.ordered()[0].id, x.head.status
    for given in ({"workflow_input": {}, "from_task": None, "task_input": None}, {"workflow_input": None, "from_task": task, "task_input": {"n": ""}}):
        with pytest.raises(Invalid, match="input does not fit"):
            s.verb(lambda x, now, tools, given=given: revival.rerun(x, now, tools, correlation_id=None, **given), x)
    assert x.head.status is before


def test_a_task_that_broke_its_contract_is_not_offered_by_a_rerun_beside_it() -> None:
    s = Stage()
    s.taskdef("a", **INPUT)
    x = s.run([fork("f", [simple("a", inputParameters={"n": "${workflow.input.n}"})], [simple("b")]), join("j", "a", "b")], {"n": "one"})
    assert str(x.head.status) == "FAILED"
    fields = {"from_task": x.by_ref["b"].id, "task_input": None, "workflow_input": None, "correlation_id": None}
    s.verb(lambda x, now, tools: revival.rerun(x, now, tools, **fields), x)
    assert (str(x.by_ref["a"].status), x.by_ref["a"].started_at) == ("FAILED_WITH_TERMINAL_ERROR", 0)


#    of the definition                                                               asks something
ASKING = [
    ({"inputSchema": NUMBER, "enforceSchema": True},                                  True),
    ({"inputSchema": NUMBER, "enforceSchema": False},                                 False),
    ({"inputSchema": {**NUMBER, "type": "JSON"}, "enforceSchema": True},              True),
    ({"inputSchema": {**NUMBER, "type": "AVRO"}, "enforceSchema": True},              False),
    ({"inputSchema": {**NUMBER, "type": "PROTOBUF"}, "enforceSchema": True},          False),
    ({"inputSchema": {"version": 1}, "enforceSchema": True},                          False),
    ({"inputSchema": {"name": "n", "version": 1}, "enforceSchema": True},             True),
    ({"inputSchema": {"externalRef": "n", "version": 1}, "enforceSchema": True},      True),
    ({"enforceSchema": True},                                                         False),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "asks"), ASKING)
def test_what_a_definition_asks(definition: dict[str, Any], asks: bool) -> None:
    assert (contract_of(definition, "input") is not None) is asks


def test_a_schema_by_name_is_the_one_registered_when_the_execution_began() -> None:
    s = Stage()
    s.schemas["numbered", 2] = {"name": "numbered", "version": 2, "data": NUMBER["data"]}
    s.taskdef("a", inputSchema={"name": "numbered", "version": 2}, enforceSchema=True)
    x = s.run([simple("a", inputParameters={"n": "one"})])
    assert "version 2: at 'n'" in (x.ordered()[0].reason or "")
    del s.schemas["numbered", 2]
    assert "version 2: at 'n'" in (s.reload(x).definition.nodes[0].input_contract.misfit({"n": ""}) or "")


def test_a_schema_that_nobody_registered_lets_nothing_pass() -> None:
    s = Stage()
    s.taskdef("a", inputSchema={"name": "gone", "version": 7}, enforceSchema=True)
    x = s.run([simple("a")])
    assert x.ordered()[0].reason.startswith("input does not fit schema 'gone' version 7: it is not registered")


def test_a_name_that_stands_for_an_avro_schema_asks_nothing() -> None:
    known = {"type": "AVRO", "data": {"type": "record"}}
    definition = settled({"inputSchema": {"name": "a", "version": 1}, "enforceSchema": True}, lambda name, version: known)
    assert contract_of(definition, "input") is None
