"""Workflows in code: what each constructor writes, and what is refused before a server sees it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from batuta.client import task_def, workflow
from batuta.client.builder import DefinitionError, Expr, Flow


def task(type: str, ref: str, input: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": type, "inputParameters": input or {}, **fields}


def new(**options: Any) -> Flow:
    return workflow("w", **options)


def child() -> Flow:
    flow = workflow("child", version=4)
    flow.noop("n")
    return flow


X = Expr("workflow.input.x")
IX = "${workflow.input.x}"

#    made by                                                                  written as
TASKS: list[tuple[Callable[[Flow], Any], dict[str, Any]]] = [
    (lambda w: w.task("resize"),                                              task("SIMPLE", "resize")),
    (lambda w: w.task("resize", ref="r", size=3, of=X),                       {**task("SIMPLE", "r", {"size": 3, "of": IX}), "name": "resize"}),
    (lambda w: w.task("make it 2", input={"ref": 1, "a b": [X]}),
     {**task("SIMPLE", "make_it_2", {"ref": 1, "a b": [IX]}), "name": "make it 2"}),
    (lambda w: w.task("t").optional().retries(2).delayed(5).described("d"),
     task("SIMPLE", "t", optional=True, retryCount=2, startDelay=5, description="d")),
    (lambda w: w.task("t").permissive().async_complete(),                     task("SIMPLE", "t", permissive=True, asyncComplete=True)),
    (lambda w: w.task("t").defined_as({"name": "t", "retryCount": 0}),        task("SIMPLE", "t", taskDefinition={"name": "t", "retryCount": 0})),
    (lambda w: w.task("t", a=1).with_input(b=X).with_fields(cacheConfig={"key": X, "ttlInSecond": 5}),
     task("SIMPLE", "t", {"a": 1, "b": IX}, cacheConfig={"key": IX, "ttlInSecond": 5})),
    (lambda w: w.system("LLM_TEXT_COMPLETE", "ask", prompt=X),                task("LLM_TEXT_COMPLETE", "ask", {"prompt": IX})),
    (lambda w: w.http("h", "https://example.com"),
     task("HTTP", "h", {"http_request": {"uri": "https://example.com", "method": "GET"}})),
    (lambda w: w.http("h", X, method="POST", headers={"A": "b"}, body={"x": X}, connect_timeout_ms=1, read_timeout_ms=2, accept="a", content_type="c"),
     task("HTTP", "h", {"http_request": {"uri": IX, "method": "POST", "headers": {"A": "b"}, "body": {"x": IX},
                                         "connectionTimeOut": 1, "readTimeOut": 2, "accept": "a", "contentType": "c"}})),
    (lambda w: w.inline("i", "$.a + 1", a=X),
     task("INLINE", "i", {"a": IX, "evaluatorType": "javascript", "expression": "$.a + 1"})),
    (lambda w: w.jq("j", ".a", a=X),                                          task("JSON_JQ_TRANSFORM", "j", {"a": IX, "queryExpression": ".a"})),
    (lambda w: w.pull_messages("m"),                                          task("PULL_WORKFLOW_MESSAGES", "m")),
    (lambda w: w.pull_messages("m", batch_size=X, blocking=False),
     task("PULL_WORKFLOW_MESSAGES", "m", {"batchSize": IX, "blocking": False})),
    (lambda w: w.wait("p"),                                                   task("WAIT", "p")),
    (lambda w: w.wait("p", seconds=90),                                       task("WAIT", "p", {"duration": "90 seconds"})),
    (lambda w: w.wait("p", duration="1 day 2h 30 MIN 5 secs"),                task("WAIT", "p", {"duration": "1 day 2h 30 MIN 5 secs"})),
    (lambda w: w.wait("p", duration=f"{X} s"),                                task("WAIT", "p", {"duration": "${workflow.input.x} s"})),
    (lambda w: w.wait("p", until="2030-01-31 08:00 UTC"),                     task("WAIT", "p", {"until": "2030-01-31 08:00 UTC"})),
    (lambda w: w.human("h", form="f"),                                        task("HUMAN", "h", {"form": "f"})),
    (lambda w: w.event("e", "conductor:done", a=X),                           task("EVENT", "e", {"a": IX}, sink="conductor:done")),
    (lambda w: w.kafka_publish("k", servers="s", topic="t", value=X, headers={"a": 1}),
     task("KAFKA_PUBLISH", "k", {"kafka_request": {"bootStrapServers": "s", "topic": "t", "value": IX, "headers": {"a": 1}}})),
    (lambda w: w.noop("n"),                                                   task("NOOP", "n")),
    (lambda w: w.dynamic("d", X, a=1),
     task("DYNAMIC", "d", {"a": 1, "taskToExecute": IX}, dynamicTaskNameParam="taskToExecute")),
    (lambda w: w.set_variable("v", a=X, ref=2),                               task("SET_VARIABLE", "v", {"a": IX, "ref": 2})),
    (lambda w: w.terminate("t"),                                              task("TERMINATE", "t", {"terminationStatus": "COMPLETED"})),
    (lambda w: w.terminate("t", "FAILED", reason=f"no {X}", output={"a": X}),
     task("TERMINATE", "t", {"terminationStatus": "FAILED", "terminationReason": "no ${workflow.input.x}", "workflowOutput": {"a": IX}})),
    (lambda w: w.sub_workflow("s", "child", a=X),
     task("SUB_WORKFLOW", "s", {"a": IX}, subWorkflowParam={"name": "child"})),
    (lambda w: w.sub_workflow("s", "child", version=2, task_to_domain={"*": "d"}),
     task("SUB_WORKFLOW", "s", subWorkflowParam={"name": "child", "version": 2, "taskToDomain": {"*": "d"}})),
    (lambda w: w.sub_workflow("s", child()),
     task("SUB_WORKFLOW", "s", subWorkflowParam={"name": "child", "version": 4, "workflowDefinition": child().to_dict()})),
    (lambda w: w.start_workflow("s", "other", version=1, correlation_id=X, input={"a": X}),
     task("START_WORKFLOW", "s", {"startWorkflow": {"name": "other", "version": 1, "correlationId": IX, "input": {"a": IX}}})),
    (lambda w: w.start_workflow("s", "other"),
     task("START_WORKFLOW", "s", {"startWorkflow": {"name": "other", "input": {}}})),
]  # fmt: skip


@pytest.mark.parametrize(("make", "written"), TASKS)
def test_a_task_is_written_as_conductor_reads_it(make: Callable[[Flow], Any], written: dict[str, Any]) -> None:
    flow = new()
    made = make(flow)
    assert flow.to_dict()["tasks"] == [written]
    assert made.ref == written["taskReferenceName"]


def test_a_workflow_has_the_fields_a_server_wants() -> None:
    flow = new()
    flow.noop("n")
    assert flow.to_dict() == {
        "name": "w", "version": 1, "schemaVersion": 2, "ownerEmail": "batuta@localhost", "inputParameters": [], "timeoutSeconds": 0,
        "timeoutPolicy": "ALERT_ONLY", "restartable": True, "tasks": [task("NOOP", "n")], "outputParameters": {},
    }  # fmt: skip


def test_a_workflow_takes_all_its_options() -> None:
    flow = new(
        version=3, description="d", input={"x": 1, "y": None}, variables={"v": []}, timeout_s=60, failure_workflow="f", restartable=False,
        owner_email="me@example.com", maskedFields=["y"], rateLimitConfig={"rateLimitKey": "${workflow.input.x}", "concurrentExecLimit": 2},
    )  # fmt: skip
    flow.noop("n")
    flow.output({"a b": flow.input.x}, n=1).output(v=flow.variables.v)
    definition = flow.to_dict()
    assert definition["inputParameters"] == ["x", "y"] and definition["inputTemplate"] == {"x": 1, "y": None}
    assert definition["timeoutPolicy"] == "TIME_OUT_WF" and definition["timeoutSeconds"] == 60
    assert definition["variables"] == {"v": []} and definition["maskedFields"] == ["y"]
    assert definition["outputParameters"] == {"a b": "${workflow.input.x}", "n": 1, "v": "${workflow.variables.v}"}
    assert json.loads(json.dumps(definition)) == definition


def test_a_definition_is_new_at_each_call() -> None:
    flow = new()
    flow.task("t", a=[1])
    first = flow.to_dict()
    first["tasks"][0]["inputParameters"]["a2"] = 1
    first["tasks"].append(1)
    assert flow.to_dict()["tasks"] == [task("SIMPLE", "t", {"a": [1]})]


# ---- references

a = new().task("a")

#    written in Python                          means
REFERENCES = [
    (a.output,                                  "${a.output}"),
    (a.output.x,                                "${a.output.x}"),
    (a.output.x.y[0][-1].z,                     "${a.output.x.y[0][-1].z}"),
    (a.output["x"]["odd name"]["2"],            "${a.output.x['odd name']['2']}"),
    (a.output.items.keys.output,                "${a.output.items.keys.output}"),
    (a.input.x,                                 "${a.input.x}"),
    (a.status,                                  "${a.status}"),
    (a.task_id,                                 "${a.taskId}"),
    (new().input.x,                             "${workflow.input.x}"),
    (new().variables.x,                         "${workflow.variables.x}"),
    (new().secrets.x,                           "${workflow.secrets.x}"),
    (new().env.x,                               "${workflow.env.x}"),
    (new().execution_id,                        "${workflow.workflowId}"),
    (new().correlation_id,                      "${workflow.correlationId}"),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "means"), REFERENCES)
def test_a_reference_is_written_as_its_expression(reference: Expr, means: str) -> None:
    assert str(reference) == f"{reference}" == means


@pytest.mark.parametrize("use", [
    lambda e: bool(e), lambda e: e == 1, lambda e: e != 1, lambda e: e < 1, lambda e: 1 in e, lambda e: list(e), lambda e: len(e), lambda e: e + "x",
    lambda e: "x" + e, lambda e: f"{e:>5}", lambda e: int(e), lambda e: e[1.5], lambda e: e["it's"],
])  # fmt: skip
def test_a_reference_has_no_value_while_the_workflow_is_built(use: Callable[[Expr], Any]) -> None:
    with pytest.raises(DefinitionError, match=r"\$\{workflow.input.x\}"):
        use(X)


def test_values_of_python_types_become_json() -> None:
    @dataclasses.dataclass
    class Size:
        width: int

    flow = new()
    flow.task("t", a=(1, 2), b=Size(3), c={"d": None})
    assert flow.to_dict()["tasks"][0]["inputParameters"] == {"a": [1, 2], "b": {"width": 3}, "c": {"d": None}}


# ---- tasks that hold others


def test_a_switch_has_its_cases_and_the_flow_goes_on() -> None:
    flow = new()
    route = flow.switch("route", flow.input.kind)
    with route.case("hot"):
        flow.noop("a")
        flow.noop("b")
    with route.case(3), flow.switch("inner", script="$.x", x=1).case(True):
        flow.noop("c")
    with route.case("nothing"):
        pass
    with route.default():
        flow.noop("d")
    flow.noop("e")
    switch, after = flow.to_dict()["tasks"]
    assert after == task("NOOP", "e")
    assert switch == task(
        "SWITCH", "route", {"switchOn": "${workflow.input.kind}"}, evaluatorType="value-param", expression="switchOn",
        decisionCases={
            "hot": [task("NOOP", "a"), task("NOOP", "b")],
            "3": [task("SWITCH", "inner", {"x": 1}, evaluatorType="javascript", expression="$.x", decisionCases={"true": [task("NOOP", "c")]}, defaultCase=[])],
            "nothing": [],
        },
        defaultCase=[task("NOOP", "d")],
    )  # fmt: skip


def test_a_fork_is_followed_by_a_join_on_the_ends_of_its_branches() -> None:
    flow = new()
    both = flow.fork("both")
    with both.branch():
        flow.noop("a")
        flow.noop("b")
    with both.branch():
        flow.noop("c")
    flow.task("after", b=both.output.b.x, all=both.join.output)
    fork, join, after = flow.to_dict()["tasks"]
    assert fork == task("FORK_JOIN", "both", forkTasks=[[task("NOOP", "a"), task("NOOP", "b")], [task("NOOP", "c")]])
    assert join == task("JOIN", "both_join", joinOn=["b", "c"])
    assert after["inputParameters"] == {"b": "${both_join.output.b.x}", "all": "${both_join.output}"}


def test_a_branch_that_ends_in_a_switch_is_joined_after_what_the_switch_chose() -> None:
    """A SWITCH itself ends as soon as it has chosen: a join on it would not wait for the chosen tasks."""
    flow = new()
    both = flow.fork("both")
    with both.branch(), flow.switch("s", 1).case("1"):
        flow.task("slow")
    with both.branch():
        inner = flow.fork("inner")
        with inner.branch():
            flow.noop("n")
    fork, join = flow.to_dict()["tasks"]
    assert [one["taskReferenceName"] for one in fork["forkTasks"][0]] == ["s", "s_end"]
    assert join["joinOn"] == ["s_end", "inner_join"]


def test_a_join_can_wait_for_less() -> None:
    flow = new()
    both = flow.fork("both", join_on=["a"])
    for ref in ("a", "b"):
        with both.branch():
            flow.noop(ref)
    both.join.optional()
    assert flow.to_dict()["tasks"][1] == task("JOIN", "both_join", optional=True, joinOn=["a"])


def test_a_dynamic_fork_has_its_three_forms() -> None:
    flow = new()
    flow.dynamic_fork("one", over=X, task="work")
    flow.dynamic_fork("two", over=[1, 2], workflow="child")
    flow.task("t", all=flow.dynamic_fork("three", tasks=X, inputs={"a": {}}).output)
    one, one_join, two, _, three, three_join, after = flow.to_dict()["tasks"]
    assert one == task("FORK_JOIN_DYNAMIC", "one", {"forkTaskName": "work", "forkTaskInputs": "${workflow.input.x}"})
    assert one_join == task("JOIN", "one_join", joinOn=[])
    assert two["inputParameters"] == {"forkTaskWorkflow": "child", "forkTaskInputs": [1, 2]}
    assert three == task(
        "FORK_JOIN_DYNAMIC", "three", {"dynamicTasks": "${workflow.input.x}", "dynamicTasksInput": {"a": {}}},
        dynamicForkTasksParam="dynamicTasks", dynamicForkTasksInputParamName="dynamicTasksInput",
    )  # fmt: skip
    assert after["inputParameters"] == {"all": "${three_join.output}"} and three_join["type"] == "JOIN"


def test_loops_hold_their_body() -> None:
    flow = new()
    with flow.do_while("more", "$.step.again == true", keep_last=2, limit=X):
        flow.task("step")
    with flow.repeat("thrice", 3) as turn:
        flow.task("ping", n=turn.iteration)
    with flow.for_each("each", flow.input.lines) as line, flow.switch("kind", line.item.kind).case("a"):
        flow.task("do", line=line.item, nr=line.index)
    with flow.for_each("fixed", ["x", "y"]):
        flow.noop("n")
    more, thrice, each, fixed = flow.to_dict()["tasks"]
    body = [task("SIMPLE", "step")]
    assert more == task("DO_WHILE", "more", {"limit": IX, "keepLastN": 2}, loopCondition="$.step.again == true", loopOver=body)
    assert thrice == task(
        "DO_WHILE", "thrice", {"times": 3}, loopCondition="$['thrice']['iteration'] < $.times",
        loopOver=[task("SIMPLE", "ping", {"n": "${thrice.output.iteration}"})],
    )  # fmt: skip
    assert each["items"] == "${workflow.input.lines}" and each["loopCondition"] == "true"
    assert each["loopOver"][0]["decisionCases"]["a"][0]["inputParameters"] == {"line": "${each.output.loopItem}", "nr": "${each.output.loopIndex}"}
    assert fixed["inputParameters"] == {"_items": ["x", "y"]} and "items" not in fixed


def test_an_exclusive_join_names_tasks_of_a_switch() -> None:
    flow = new()
    route = flow.switch("route", 1)
    with route.case("1"):
        warm = flow.task("warm")
    with route.default():
        flow.task("ice")
    first = flow.exclusive_join("first", [warm, "ice"], default=["route"])
    flow.output(got=first.output)
    assert flow.to_dict()["tasks"][1] == task("EXCLUSIVE_JOIN", "first", joinOn=["warm", "ice"], defaultExclusiveJoinTask=["route"])


# ---- refusals


def two_of_a_name(flow: Flow) -> None:
    flow.task("a")
    flow.http("a", "http://x")


def taken_by_what_is_added(flow: Flow) -> None:
    both = flow.fork("both")
    with both.branch(), flow.switch("s", 1).case("1"):
        flow.noop("n")
    flow.noop("s_end")


def in_a_loop(make: Callable[[Flow], Any]) -> Callable[[Flow], Any]:
    def build(flow: Flow) -> None:
        with flow.repeat("loop", 2):
            make(flow)

    return build


def nested(flow: Flow) -> None:
    with flow.repeat("inner", 2):
        flow.noop("n")


def unfilled(flow: Flow) -> None:
    flow.switch("s", 1).case("1")
    flow.noop("n")


def twice(flow: Flow) -> None:
    loop = flow.repeat("loop", 2)
    for _ in range(2):
        with loop:
            flow.noop("n")


def two_defaults(flow: Flow) -> None:
    route = flow.switch("s", 1)
    for ref in "ab":
        with route.default():
            flow.noop(ref)


#    made by                                                          what is said
REFUSALS: list[tuple[Callable[[Flow], Any], str]] = [
    (lambda w: None,                                                  "workflow 'w' has no task"),
    (two_of_a_name,                                                   "two tasks with the reference 'a': SIMPLE 'a' and HTTP 'a'"),
    (taken_by_what_is_added,                                          "two tasks have the reference 's_end'"),
    (lambda w: w.task("t", x="${a.output.y}"),                        r"workflow 'w': task 't', inputParameters.x: \$\{a.output.y\} names no task.*found 't'"),
    (lambda w: w.task("t", x={"y": ["- ${ghost} -"]}),                r"inputParameters.x.y\[0\]: \$\{ghost\} names no task"),
    (lambda w: w.task("t", x="${map.${ghost.output.x}}"),             r"\$\{(map.|ghost)"),
    (lambda w: w.task("t", x="${ workflow.input.x}"),                 r"\$\{ workflow.input.x\} names no task"),
    (lambda w: (w.noop("n"), w.output(x="${ghost.output}")),          r"the workflow's output.x: \$\{ghost.output\}"),
    (lambda w: w.inline("i", "`${x}`"),                               r"inputParameters.expression: \$\{x\} names no task"),
    (lambda w: w.task("t", x=w.input.typo),                           r"\$\{workflow.input.typo\} names no declared input; found 'x'"),
    (lambda w: w.task("t", x=w.input["odd typo"]),                    "names no declared input"),
    (lambda w: w.sub_workflow("s", "c", task_to_domain={"*": "${no.x}"}), r"subWorkflowParam.taskToDomain.\*: \$\{no.x\}"),
    (lambda w: w.exclusive_join("e", ["ghost"]),                      "task 'e', joinOn: there is no task 'ghost'"),
    (lambda w: w.task("t", ref="a.b"),                                "task reference 'a.b' cannot be used in expressions"),
    (lambda w: w.task("t", ref="workflow"),                           "task reference 'workflow'"),
    (lambda w: w.task(""),                                            "has no name"),
    (lambda w: w.task("t", x=object()),                               "input of task 't'.x is object"),
    (lambda w: w.task("t", x={1: 2}),                                 "has the key 1"),
    (lambda w: w.task("t", x=w.task("a")),                            "is the task 'a' itself; give its .output"),
    (lambda w: w.task("t").retries(-1),                               "retries is -1"),
    (lambda w: w.task("t").delayed(-1),                               "the delay is -1 s"),
    (lambda w: w.wait("p", seconds=1, until="2030-01-31"),            "wait 'p' has seconds and until; give one"),
    (lambda w: w.wait("p", duration="10"),                            "duration is '10'; expected whole numbers with units"),
    (lambda w: w.wait("p", duration="1.5 hours"),                     "duration is '1.5 hours'"),
    (lambda w: w.wait("p", duration="5 s 3 m"),                       "duration is '5 s 3 m'"),
    (lambda w: w.wait("p", duration=" "),                             "duration is ' '"),
    (lambda w: w.wait("p", until="tomorrow"),                         "until is 'tomorrow'"),
    (lambda w: w.terminate("t", "DONE"),  # type: ignore[arg-type]
                                                                      "status is 'DONE'; expected COMPLETED, FAILED or TERMINATED"),
    (lambda w: w.set_variable("v"),                                   "sets no variable"),
    (lambda w: w.switch("s"),                                         "needs either a value to switch on or a script; found neither"),
    (lambda w: w.switch("s", 1, script="x"),                          "found both"),
    (lambda w: w.switch("s", 1),                                      "switch 's' has no case"),
    (unfilled,                                                        "the branch '1' of switch 's' was never filled"),
    (two_defaults,                                                    "switch 's' has two default branches"),
    (lambda w: w.fork("f"),                                           "fork 'f' has 0 branches"),
    (lambda w: w.fork("f").branch(),                                  "fork 'f' has 1 branches, one without a task"),
    (lambda w: w.dynamic_fork("d", over=X),                           "dynamic fork 'd': give over= and task="),
    (lambda w: w.dynamic_fork("d", over=X, task="a", workflow="b"),   "dynamic fork 'd': give"),
    (lambda w: w.do_while("l", " "),                                  "loop 'l' has no condition"),
    (lambda w: w.repeat("l", 2),                                      "loop 'l' has no task"),
    (twice,                                                           "the body of loop 'loop' is filled twice"),
    (in_a_loop(nested),                                               "loop 'inner' is inside loop 'loop'"),
    (in_a_loop(lambda w: w.noop("a__b")),                             "task 'a__b' in loop 'loop' has __ in its reference"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "said"), REFUSALS)
def test_a_workflow_that_would_not_do_is_refused(make: Callable[[Flow], Any], said: str) -> None:
    flow = new(input=["x"])
    with pytest.raises(DefinitionError, match=said):
        make(flow)
        flow.to_dict()


def test_a_case_named_twice_is_refused() -> None:
    route = new().switch("s", 1)
    route.case(True)
    with pytest.raises(DefinitionError, match="case 'true' twice"):
        route.case("true")


def test_what_servers_resolve_themselves_is_left_alone() -> None:
    flow = new()
    flow.task("t", id="${CPEWF_TASK_ID}", literal="$${not.an.expression}", secret=flow.secrets.key, deep=f"${{t.input.map.{X}}}")
    flow.to_dict()


def test_a_head_that_would_not_do_is_refused() -> None:
    for make, said in (
        (lambda: workflow(""), "has no name"),
        (lambda: workflow("w", version=0), "version is 0"),
        (lambda: workflow("w", timeout_s=-1), "timeout_s is -1"),
    ):
        with pytest.raises(DefinitionError, match=said):
            make()


# ---- task definitions


def test_a_task_definition_has_timeouts_a_server_accepts() -> None:
    #    given                                                      timeout  response
    for given, timeout_s, response_s in (
        ({},                                                        0,       3600),
        ({"timeout_s": 60},                                         60,      60),
        ({"timeout_s": 7200},                                       7200,    3600),
        ({"timeout_s": 60, "response_timeout_s": 10},               60,      10),
        ({"timeout_s": 60, "total_timeout_s": 60},                  60,      60),
    ):  # fmt: skip
        definition = task_def("t", **given)
        assert (definition["timeoutSeconds"], definition["responseTimeoutSeconds"]) == (timeout_s, response_s)


def test_a_task_definition_takes_all_its_options() -> None:
    definition = task_def(
        "t", description="d", retries=5, retry_delay_s=2, retry_logic="EXPONENTIAL_BACKOFF", backoff_factor=2, retry_delay_s_max=60, retry_jitter_ms=100,
        poll_timeout_s=30, timeout_policy="RETRY", concurrency=4, rate=(10, 60), input_keys=["a"], output_keys=["b"], input_template={"a": 1},
        owner_email="me@example.com", isolationGroupId="g",
    )  # fmt: skip
    assert definition == {
        "name": "t", "description": "d", "retryCount": 5, "retryDelaySeconds": 2, "retryLogic": "EXPONENTIAL_BACKOFF", "backoffScaleFactor": 2,
        "maxRetryDelaySeconds": 60, "backoffJitterMs": 100, "timeoutSeconds": 0, "responseTimeoutSeconds": 3600, "pollTimeoutSeconds": 30,
        "totalTimeoutSeconds": 0, "timeoutPolicy": "RETRY", "concurrentExecLimit": 4, "rateLimitPerFrequency": 10, "rateLimitFrequencyInSeconds": 60,
        "inputKeys": ["a"], "outputKeys": ["b"], "inputTemplate": {"a": 1}, "ownerEmail": "me@example.com", "isolationGroupId": "g",
    }  # fmt: skip


#    given                                                what is said
WRONG_DEFINITIONS = [
    ({"name": ""},                                        "has no name"),
    ({"retries": -1},                                     "task definition 't': retries is -1; it must be at least 0"),
    ({"response_timeout_s": 0},                           "response_timeout_s is 0; it must be at least 1"),
    ({"timeout_s": 10, "response_timeout_s": 11},         "response_timeout_s is 11; it cannot exceed timeout_s, which is 10"),
    ({"timeout_s": 10, "total_timeout_s": 5},             "timeout_s is 10; it cannot exceed total_timeout_s, which is 5"),
    ({"concurrency": 0},                                  "concurrency is 0"),
    ({"backoff_factor": 0},                               "backoff_factor is 0"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "said"), WRONG_DEFINITIONS)
def test_a_task_definition_that_would_not_do_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        task_def(**{"name": "t", **given})
