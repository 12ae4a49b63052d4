"""Secrets are put in where a script runs and never where a task is stored; what comes back holds none either."""

from __future__ import annotations

from typing import Any

from stage import SECRETS, Stage, node, simple

from batuta.core import lifecycle
from batuta.core.expr.secrets import resolve_secrets
from batuta.core.inbox import push
from batuta.core.model.definition import Definition, digest, resolve
from batuta.core.model.execution import Execution
from batuta.core.model.task import Json
from batuta.core.upgrade import upgrade
from batuta.core.variables import update_variables
from batuta.wire.metadata import read_workflow

TOKEN, NAMED = SECRETS["TOKEN"], "${workflow.secrets.TOKEN}"


def handed(s: Stage, x: Execution, ref: str) -> Json:
    """The input as a worker gets it."""
    found: Json = resolve_secrets(x.by_ref[ref].input, s.secret, x.secrets)
    return found


def test_a_script_sees_the_secret_and_the_row_does_not() -> None:
    s = Stage({"$.token": lambda d: d["token"] == f"Bearer {TOKEN}"})
    x = s.run([node("i", "INLINE", {"expression": "$.token", "token": f"Bearer {NAMED}"})])
    task = x.by_ref["i"]
    assert task.output == {"result": True}
    assert task.input["token"] == f"Bearer {NAMED}"


def test_what_a_script_puts_out_of_it_is_masked() -> None:
    def fails(data: Any) -> None:
        raise ValueError(data["token"])

    s = Stage({"echo": lambda d: {"said": d["token"]}, "fails": fails})
    x = s.run([node("i", "INLINE", {"expression": "echo", "token": NAMED}), node("l", "LAMBDA", {"scriptExpression": "fails", "token": NAMED})])
    assert x.by_ref["i"].output == {"result": {"said": NAMED}}
    failed = x.by_ref["l"]
    assert failed.reason is not None and TOKEN not in failed.reason and "***" in failed.reason
    assert TOKEN not in str(failed.output) + str(x.head.reason)


def test_a_report_is_masked_before_it_is_kept_and_handed_on_whole() -> None:
    s = Stage()
    x = s.run([simple("a", inputParameters={"auth": NAMED}), simple("b", inputParameters={"again": "${a.output.echo}"})])
    assert handed(s, x, "a") == {"auth": TOKEN}
    s.report(x, "a", output={"echo": f"Bearer {TOKEN}", "list": [TOKEN]})
    assert x.by_ref["a"].output == {"echo": f"Bearer {NAMED}", "list": [NAMED]}
    assert x.by_ref["b"].input == {"again": f"Bearer {NAMED}"} and handed(s, x, "b") == {"again": f"Bearer {TOKEN}"}
    s.report(x, "b", "FAILED_WITH_TERMINAL_ERROR", reason=f"{'x' * 490} {TOKEN}")
    assert x.by_ref["b"].reason == f"{'x' * 490} ***"
    assert TOKEN[:4] not in str(x.head.reason)


def test_variables_are_masked_too() -> None:
    s = Stage()
    x = s.run([simple("a", inputParameters={"auth": NAMED})])
    s.verb(update_variables, x, {"token": TOKEN})
    assert x.head.variables == {"token": NAMED}


def test_what_an_operator_says_is_masked_too() -> None:
    s = Stage()
    x = s.run([simple("a", inputParameters={"auth": NAMED}), simple("b")])
    s.verb(lifecycle.skip_task, x, "b", {"was": TOKEN}, {"echo": TOKEN})
    assert (x.by_ref["b"].input, x.by_ref["b"].output) == ({"was": NAMED}, {"echo": NAMED})
    s.verb(push, x, "m1", {"said": TOKEN}, 10)
    assert x.inbox[0].payload == {"said": NAMED}
    s.verb(lifecycle.terminate, x, f"because of {TOKEN}")
    assert x.head.reason == "because of ***"


def test_an_upgrade_takes_nothing_away_from_tasks_that_are_open() -> None:
    s = Stage()
    x = s.run([simple("a", inputParameters={"auth": NAMED})])
    plain = resolve(read_workflow({"name": "flow", "version": 2, "tasks": [simple("a")], "ownerEmail": "t@example.com"}), s.task_definition, lambda n: None)
    s.verb(upgrade, x, Definition(plain, digest(plain)[0]), {}, {})
    s.report(x, "a", output={"echo": TOKEN})
    assert x.by_ref["a"].output == {"echo": NAMED} and x.definition.secrets == frozenset()


def test_data_cannot_ask_for_a_secret() -> None:
    s = Stage()
    x = s.run([simple("a", inputParameters={"text": "${workflow.input.message}"})], {"message": f"look: {NAMED}"})
    assert x.secrets == frozenset() and handed(s, x, "a") == {"text": f"look: {NAMED}"}


def test_an_execution_without_secrets_masks_nothing() -> None:
    s = Stage()
    x = s.run([simple("a")])
    s.report(x, "a", output={"echo": TOKEN})
    assert x.by_ref["a"].output == {"echo": TOKEN}  # it was handed to nobody here


def test_a_child_may_use_what_its_parent_may_and_the_parent_not_what_the_child_may() -> None:
    s = Stage()
    s.workflow("child", [simple("c", inputParameters={"auth": "${workflow.input.auth}"})])
    x = s.run([node("sub", "SUB_WORKFLOW", {"auth": NAMED}, subWorkflowParam={"name": "child", "version": 1})])
    child = s.runs[x.by_ref["sub"].sub_execution_id]
    assert child.head.input == {"auth": NAMED} and handed(s, child, "c") == {"auth": TOKEN}
    assert s.reload(child).secrets == {"TOKEN"}
    s.workflow("keeper", [simple("k", inputParameters={"auth": NAMED})])
    y = s.run([node("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "keeper", "version": 1}), simple("d", inputParameters={"x": "${sub.output.echo}"})])
    s.report(s.runs[y.by_ref["sub"].sub_execution_id], "k", output={"echo": TOKEN})
    assert handed(s, y, "d") == {"x": NAMED}


def test_a_failure_workflow_and_one_that_is_started_may_use_what_their_starter_may() -> None:
    s = Stage()
    s.workflow("other", [simple("o")])
    x = s.run([node("st", "START_WORKFLOW", {"startWorkflow": {"name": "other", "input": {"auth": NAMED}}}), simple("a")], failureWorkflow="other")
    s.report(x, "a", "FAILED_WITH_TERMINAL_ERROR")
    assert [run.secrets for run in s.runs.values() if run.head.name == "other"] == [{"TOKEN"}, {"TOKEN"}]


def test_a_task_definition_asks_for_secrets_unless_it_came_as_data() -> None:
    s = Stage()
    s.taskdef("t", runtimeMetadata=["TOKEN"])
    s.taskdef("u", inputTemplate={"auth": NAMED})
    assert s.run([simple("t")]).secrets == {"TOKEN"} == s.run([simple("u")]).secrets
    forked = [
        node("f", "FORK_JOIN_DYNAMIC", {"ts": "${workflow.input.ts}", "in": {}}, dynamicForkTasksParam="ts", dynamicForkTasksInputParamName="in"),
        node("j", "JOIN"),
    ]
    known = s.run(forked, {"ts": [simple("t", "b1")]})
    assert known.secrets == {"TOKEN"} == s.reload(known).secrets
    brought = {"name": "z", "runtimeMetadata": ["TOKEN"], "inputTemplate": {"auth": NAMED}}
    foreign = s.run(forked, {"ts": [simple("z", "b1", taskDefinition=brought, inputParameters={"x": NAMED})]})
    assert foreign.secrets == frozenset()
    assert foreign.node_of(foreign.by_ref["b1"]).task_definition_raw == {"name": "z", "runtimeMetadata": [], "inputTemplate": {}}
    assert handed(s, foreign, "b1") == {"x": NAMED}
    plain = s.run(forked, {"ts": [simple("z", "b1", taskDefinition={"name": "z", "runtimeMetadata": None})]})
    assert plain.node_of(plain.by_ref["b1"]).task_definition_raw == {"name": "z", "runtimeMetadata": []}


def test_a_script_whose_secret_cannot_be_read_fails_and_says_so() -> None:
    s = Stage({"x": lambda d: d})
    x = s.run([node("i", "INLINE", {"expression": "x", "token": "${workflow.secrets.LOST}"})])
    assert (str(x.by_ref["i"].status), x.by_ref["i"].reason) == ("FAILED", "secret 'LOST' cannot be read: its key is not here")
