"""What registration refuses, in Conductor's words and under Conductor's paths. Sentences and paths were read off a running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batuta.core.validate import RULES, Surroundings, task_problems, workflow_problems
from batuta.wire.metadata import TASK_TYPES, read_task, read_workflow

RECORDED = Path(__file__).parents[1] / "compat" / "golden" / "recorded"
AT = "validateWorkflowDef.arg0"


def syntax_error(source: str) -> str | None:
    return "SyntaxError: unexpected end" if source.endswith("(") else None


TEMPLATES: dict[str, dict[str, Any]] = {"templated_http": {"http_request": {"uri": "http://x"}}, "templated_jq": {"queryExpression": "."}}


def template_of(name: str) -> dict[str, Any]:
    return TEMPLATES.get(name, {})


AROUND = Surroundings(template_of, syntax_error, frozenset({"HOME_OF_ALL"}))


def task(ref: str = "t", **fields: Any) -> dict[str, Any]:
    return {"name": "t", "taskReferenceName": ref, "type": "SIMPLE", **fields}


def workflow(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return read_workflow({"name": "w", "tasks": list(tasks) or [task()], **fields})


def told(definition: dict[str, Any]) -> list[tuple[str, str]]:
    """Paths below the definition and what is said there."""
    return [(v.path.removeprefix(AT), v.message) for v in workflow_problems(definition, AT, AROUND)]


def lacks(field: str, kind: str) -> str:
    return f"{field} field is required for taskType: {kind} taskName: t"


def empty(field: str, kind: str) -> str:
    return f"{field} should have atleast one task for taskType: {kind} taskName: t"


SWITCH = {"type": "SWITCH", "evaluatorType": "javascript", "expression": "$.a", "decisionCases": {"a": []}}
NOT_FORMED = "Expression is not well formatted: SyntaxError: unexpected end, taskType: {} taskName t"
NO_END = "terminate task must have an terminationStatus parameter and must be set to COMPLETED or FAILED, taskName: t"
NO_OPTION = "terminate task cannot be optional, taskName: t"
NO_HTTP = lacks("inputParameters.http_request or inputParameters.uri", "HTTP")
NO_FORK_TASKS = lacks("dynamicForkTasksParam", "FORK_JOIN_DYNAMIC")
NO_FORK_INPUT = lacks("dynamicForkTasksInputParamName", "FORK_JOIN_DYNAMIC")
ONE_OR_PAIR = (
    "dynamicForkJoinTasksParam or combination of dynamicForkTasksInputParamName and dynamicForkTasksParam cam be used for "
    "taskType: FORK_JOIN_DYNAMIC taskName: t"
)
BOTH_ENDS = "Both 'duration' and 'until' specified. Please provide only one input"
NO_DURATION = "Either date or duration is passed as null "
NO_DATE = "Unable to parse date "


def given(**parameters: Any) -> dict[str, Any]:
    return {"inputParameters": parameters}


#   type                 fields                                                           what is said of it
TYPES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("EVENT",             {},                                                             [lacks("sink", "EVENT")]),
    ("EVENT",             {"sink": ""},                                                   []),
    ("DECISION",          {},                                                             [lacks("caseValueParam or caseExpression", "DECISION"),
                                                                                           empty("decisionCases", "DECISION")]),
    ("DECISION",          {"caseExpression": "if (", "decisionCases": {"a": []}},         [NOT_FORMED.format("DECISION")]),
    ("DECISION",          {"caseValueParam": "", "decisionCases": {"a": []}},             []),
    ("SWITCH",            {},                                                             [lacks("evaluatorType", "SWITCH"), empty("decisionCases", "SWITCH")]),
    ("SWITCH",            {"evaluatorType": "x", "decisionCases": {"a": []}},             [lacks("expression", "SWITCH")]),
    ("SWITCH",            {**SWITCH, "expression": "if ("},                               [NOT_FORMED.format("SWITCH")]),
    ("SWITCH",            {**SWITCH, "expression": "if (", "evaluatorType": "graaljs"},   []),
    ("SWITCH",            {**SWITCH, "expression": ""},                                   []),
    ("DYNAMIC",           {},                                                             [lacks("dynamicTaskNameParam", "DYNAMIC")]),
    ("FORK_JOIN",         {},                                                             [empty("forkTasks", "FORK_JOIN")]),
    ("FORK_JOIN",         {"forkTasks": [[]]},                                            []),
    ("FORK_JOIN_DYNAMIC", {},                                                             [NO_FORK_TASKS, NO_FORK_INPUT]),
    ("FORK_JOIN_DYNAMIC", given(forkTaskName="x"),                                        [NO_FORK_TASKS, NO_FORK_INPUT]),
    ("FORK_JOIN_DYNAMIC", given(forkTaskInputs=None),                                     []),
    ("FORK_JOIN_DYNAMIC", {"dynamicForkTasksParam": "a"},                                 [NO_FORK_INPUT]),
    ("FORK_JOIN_DYNAMIC", {"dynamicForkJoinTasksParam": "", "dynamicForkTasksParam": ""},   [ONE_OR_PAIR]),
    ("FORK_JOIN_DYNAMIC", {"dynamicForkJoinTasksParam": "a"},                             []),
    ("HTTP",              {},                                                             [NO_HTTP]),
    ("HTTP",              given(uri=None),                                                []),
    ("HTTP",              given(method="GET"),                                            []),
    ("HTTP",              given(http_request={}),                                         []),
    ("HTTP",              {"taskDefinition": {"inputTemplate": {"http_request": {}}}},    []),
    ("HTTP",              {"taskDefinition": {"inputTemplate": {"uri": "x"}}},            [NO_HTTP]),
    ("KAFKA_PUBLISH",     {},                                                             [lacks("inputParameters.kafka_request", "KAFKA_PUBLISH")]),
    ("KAFKA_PUBLISH",     given(kafka_request=None),                                      []),
    ("JSON_JQ_TRANSFORM", {},                                                             [lacks("inputParameters.queryExpression", "JSON_JQ_TRANSFORM")]),
    ("JSON_JQ_TRANSFORM", {"taskDefinition": {"inputTemplate": {"queryExpression": "."}}}, []),
    ("TERMINATE",         {},                                                             [NO_END]),
    ("TERMINATE",         given(terminationStatus="TERMINATED"),                          []),
    ("TERMINATE",         given(terminationStatus="completed"),                           [NO_END]),
    ("TERMINATE",         given(terminationStatus="${workflow.input.how}"),               [NO_END]),
    ("TERMINATE",         given(terminationStatus=["COMPLETED"]),                         [NO_END]),
    ("TERMINATE",         {"optional": True},                                             [NO_OPTION, NO_END]),
    ("DO_WHILE",          {},                                                             [lacks("loopCondition", "DO_WHILE"), lacks("loopOver", "DO_WHILE")]),
    ("DO_WHILE",          {"items": "${workflow.input.list}", "loopOver": [task("in")]},  [lacks("loopCondition", "DO_WHILE")]),
    ("DO_WHILE",          {"loopCondition": "if (", "loopOver": [task("in")]},            []),
    ("SUB_WORKFLOW",      {},                                                             [lacks("subWorkflowParam", "SUB_WORKFLOW")]),
    ("SUB_WORKFLOW",      {"subWorkflowParam": {}},                                       []),
    ("WAIT",              given(duration="1 s", until="2030-01-01"),                      [BOTH_ENDS]),
    ("WAIT",              given(duration="1 s", until=None),                              []),
    ("WAIT",              given(duration="soon"),                                         [NO_DURATION]),
    ("WAIT",              given(duration=5),                                              [NO_DURATION]),
    ("WAIT",              given(duration=""),                                             []),
    ("WAIT",              given(duration="2 days 3 hours"),                               []),
    ("WAIT",              given(duration="${workflow.input.n} s"),                        []),
    ("WAIT",              given(until="soon"),                                            [NO_DATE]),
    ("WAIT",              given(until="2030-01-01 10:00"),                                []),
    ("WAIT",              given(until="2030-01-01T10:00:00Z"),                            [NO_DATE]),
    ("INLINE",            given(expression="if ("),                                       []),
    ("HOME_MADE",         {},                                                             []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "sentences"), TYPES)
def test_each_type_says_what_it_lacks(kind: str, fields: dict[str, Any], sentences: list[str]) -> None:
    assert told(workflow(task(**{"type": kind, **fields}))) == [(".tasks[0]", sentence) for sentence in sentences]


def test_the_template_of_a_registered_task_counts() -> None:
    assert told(workflow(task(type="HTTP", name="templated_http"), task("q", type="JSON_JQ_TRANSFORM", name="templated_jq"))) == []


def test_every_rule_is_for_a_type_that_exists() -> None:
    assert RULES.keys() <= set(TASK_TYPES)


def test_the_sentences_are_those_that_were_recorded() -> None:
    for step in json.loads((RECORDED / "metadata_workflows" / "each_task_type_says_what_it_lacks.json").read_text()):
        assert sorted(message for _, message in told(workflow(task(type=step["step"])))) == step["says"]


NO_NAME = "WorkflowDef name cannot be null or empty"
NO_REFERENCE = "WorkflowTask taskReferenceName name cannot be empty or null"

#    sent                                                   path                           what is said                                     found
FIELDS: list[tuple[dict[str, Any], str, str, str | None]] = [
    ({"tasks": [task()]},                                   "name",                        NO_NAME,                                         None),
    ({"name": "", "tasks": [task()]},                       "name",                        NO_NAME,                                         ""),
    ({"name": "w"},                                         "tasks",                       "WorkflowTask list cannot be empty",             None),
    ({"name": "w", "tasks": None},                          "tasks",                       "WorkflowTask list cannot be empty",             None),
    ({"name": "w", "tasks": [task()], "schemaVersion": 1},  "schemaVersion",               "workflowDef schemaVersion: 2 is only supported", "1"),
    ({"name": "w", "tasks": [task(startDelay=-1)]},         "tasks[0].startDelay",         "must be greater than or equal to 0",            "-1"),
    ({"name": "w", "tasks": [{"taskReferenceName": "r"}]},  "tasks[0].name",               "WorkflowTask name cannot be empty or null",     None),
    ({"name": "w", "tasks": [task("")]},                    "tasks[0].taskReferenceName",  NO_REFERENCE,                                    ""),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "path", "message", "value"), FIELDS)
def test_fields_are_reported_where_they_stand_with_what_was_found(sent: dict[str, Any], path: str, message: str, value: str | None) -> None:
    found = workflow_problems(read_workflow(sent), AT)
    assert [(v.path, v.message, v.invalid_value) for v in found] == [(f"{AT}.{path}", message, value)]


def test_several_rules_broken_are_all_told() -> None:
    found = workflow_problems(read_workflow({"name": "", "tasks": [], "schemaVersion": 3}), "registerWorkflowDef.arg0")
    assert {v.path.rpartition(".")[2] for v in found} == {"name", "tasks", "schemaVersion"}


NESTED: dict[str, dict[str, Any]] = {
    "decisionCases[a].<map value>[0]": {**SWITCH, "decisionCases": {"a": [task("x", type="EVENT")]}},
    "defaultCase[1]": {**SWITCH, "defaultCase": [task("y"), task("x", type="EVENT")]},
    "forkTasks[1].<list element>[0]": {"type": "FORK_JOIN", "forkTasks": [[task("y")], [task("x", type="EVENT")]]},
}


@pytest.mark.parametrize("place", NESTED)
def test_tasks_inside_tasks_are_reported_where_they_stand(place: str) -> None:
    assert told(workflow(task("outer", **NESTED[place]))) == [(f".tasks[0].{place}", lacks("sink", "EVENT"))]


def test_a_loop_is_not_looked_into_but_for_what_could_never_run() -> None:
    inside = [task("x", type="EVENT", startDelay=-1), {"name": "y", "type": "EVENT"}]
    found = told(workflow(task("loop", type="DO_WHILE", loopCondition="true", loopOver=inside)))
    assert found == [(".tasks[0].loopOver[1].taskReferenceName", NO_REFERENCE)]


def unique(reference: str) -> tuple[str, str]:
    return ("", f"taskReferenceName: {reference} should be unique across tasks for a given workflowDefinition: w")


def test_a_reference_is_unique_wherever_it_stands_and_told_once() -> None:
    loop = task("loop", type="DO_WHILE", loopCondition="1", loopOver=[task("a"), task("loop")])
    fork = task("fork", type="FORK_JOIN", forkTasks=[[task("a")], [task("b")]])
    assert told(workflow(task("a"), fork, loop)) == [unique("a"), unique("loop")]


def test_definitions_of_children_inside_are_not_looked_at() -> None:
    child = {"name": "", "tasks": [task("s"), task("s")]}
    assert told(workflow(task("s", type="SUB_WORKFLOW", subWorkflowParam={"name": "x", "workflowDefinition": child}))) == []


def ghost(name: str, key: str, value: str) -> str:
    return f"taskReferenceName: {name} for given task: t input value: {key} of input parameter: {value} is not defined in workflow definition."


EXPRESSIONS: list[tuple[Any, list[str]]] = [
    ("${ghost.output.x}",                   [ghost("ghost", "p", "${ghost.output.x}")]),
    ("${ghost.a} and ${ghost.b}",           [ghost("ghost", "p", "${ghost.a} and ${ghost.b}")]),
    ("${ghost.a} and ${ghoul.b}",           [ghost("ghost", "p", "${ghost.a} and ${ghoul.b}"), ghost("ghoul", "p", "${ghost.a} and ${ghoul.b}")]),
    (["${ghost.a}", {"q": "${ghoul.b}"}],   [ghost("ghost", "p", "${ghost.a}"), ghost("ghoul", "q", "${ghoul.b}")]),
    ("${ghost}",                            [ghost("ghost", "p", "${ghost}")]),
    ("${ghost['output']}",                  [ghost("ghost['output']", "p", "${ghost['output']}")]),
    ("${inner__1.output}",                  [ghost("inner__1", "p", "${inner__1.output}")]),
    ("${user.output.x}",                    []),
    ("${inner.output.x}",                   []),
    ("${workflow.input.x}",                 []),
    ("${workflow}",                         []),
    ("${CPEWF_TASK_ID}",                    []),
    ("${NETFLIX_STACK}",                    []),
    ("${HOME_OF_ALL}",                      []),
    ("$${ghost.output.x}",                  []),
    ("${ghost.output",                      []),
    ({"${ghost.x}": 1},                     []),
    ("${user.output..[}",                   ["key: p input parameter value: user.output..[ is not valid"]),
    ("${}",                                 ["key: p input parameter value:  is not valid"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "sentences"), EXPRESSIONS)
def test_expressions_in_the_input_name_what_exists(value: Any, sentences: list[str]) -> None:
    loop = task("loop", type="DO_WHILE", loopCondition="1", loopOver=[task("inner")])
    assert told(workflow(task("user", inputParameters={"p": value}), loop)) == [("", sentence) for sentence in sentences]


def test_expressions_below_the_top_level_are_not_looked_at() -> None:
    inner = task("x", inputParameters={"p": "${ghost.output}"})
    assert told(workflow(task("s", **{**SWITCH, "decisionCases": {"a": [inner]}}), outputParameters={"o": "${ghost.output}"})) == []


#    field                     value   what is said
LIMITS = [
    ("name",                    "",     "TaskDef name cannot be null or empty"),
    ("name",                    None,   "TaskDef name cannot be null or empty"),
    ("retryCount",              -1,     "TaskDef retryCount: 0 must be >= 0"),
    ("responseTimeoutSeconds",  0,      "TaskDef responseTimeoutSeconds: 0 should be minimum 1 second"),
    ("responseTimeoutSeconds",  -7,     "TaskDef responseTimeoutSeconds: -7 should be minimum 1 second"),
    ("pollTimeoutSeconds",      -1,     "TaskDef pollTimeoutSeconds: 0 must be >= 0"),
    ("backoffScaleFactor",      0,      "Backoff scale factor. Applicable for LINEAR_BACKOFF"),
    ("maxRetryDelaySeconds",    -1,     "TaskDef maxRetryDelaySeconds: 0 must be >= 0"),
    ("backoffJitterMs",         -1,     "TaskDef backoffJitterMs: 0 must be >= 0"),
    ("totalTimeoutSeconds",     -1,     "TaskDef totalTimeoutSeconds: 0 must be >= 0"),
]  # fmt: skip
REG = "registerTaskDef.arg0[0]"


@pytest.mark.parametrize(("field", "value", "message"), LIMITS)
def test_a_task_definition_is_held_to_its_limits(field: str, value: Any, message: str) -> None:
    found = task_problems(read_task({"name": "n", field: value}), REG)
    assert [(v.path, v.message, v.invalid_value) for v in found] == [(f"{REG}.{field}", message, None if value is None else str(value))]


#    response  timeout  total   what is said
TIMEOUTS = [
    (61,       60,      0,      "TaskDef: n responseTimeoutSeconds: 61 must be less than timeoutSeconds: 60"),
    (30,       60,      59,     "TaskDef: n timeoutSeconds: 60 must be less than or equal to totalTimeoutSeconds: 59"),
    (60,       60,      60,     None),
    (3600,     0,       5,      None),
]  # fmt: skip


@pytest.mark.parametrize(("response", "timeout", "total", "message"), TIMEOUTS)
def test_timeouts_contain_each_other(response: int, timeout: int, total: int, message: str | None) -> None:
    sent = {"name": "n", "responseTimeoutSeconds": response, "timeoutSeconds": timeout, "totalTimeoutSeconds": total}
    assert [(v.path, v.message) for v in task_problems(read_task(sent), REG)] == ([] if message is None else [(REG, message)])


@pytest.mark.parametrize(
    "fields",
    [
        {"timeoutSeconds": 60},  # Conductor refuses it: its response timeout would be the default, 3600
        {"timeoutSeconds": -1, "retryDelaySeconds": -1, "rateLimitPerFrequency": -1, "concurrentExecLimit": -1},
    ],
)
def test_what_conductor_does_not_limit_is_accepted(fields: dict[str, Any]) -> None:
    assert task_problems(read_task({"name": "n", **fields}), REG) == []


LIMIT = ".rateLimitConfig.concurrentExecLimit"
KEY = ".rateLimitConfig.rateLimitKey"
#   what is configured wrongly                                               where               what is said
CONFIGURED: list[tuple[dict[str, Any], str, str]] = [
    ({"maskedFields": ["a", ""]},                                            ".maskedFields[1]", "is empty; expected the name of a field"),
    ({"rateLimitConfig": {"rateLimitKey": "k", "concurrentExecLimit": -1}},  LIMIT,              "must be greater than or equal to 0"),
    ({"rateLimitConfig": {"rateLimitKey": "", "concurrentExecLimit": 2}},    KEY,                "is empty; expected a text or an "),
    ({"rateLimitConfig": {"concurrentExecLimit": 2}},                        KEY,                "is empty; expected a text or an "),
]  # fmt: skip
TASKS_CONFIGURED: list[tuple[dict[str, Any], str, str]] = [
    ({"cacheConfig": {"key": "", "ttlInSecond": 5}},           ".cacheConfig.key",                  "is empty; expected a text with ${…}"),
    ({"cacheConfig": {"key": "${a}"}},                         ".cacheConfig.ttlInSecond",          "must be greater than 0"),
    ({"cacheConfig": {"key": "${a}", "ttlInSecond": -1}},      ".cacheConfig.ttlInSecond",          "must be greater than 0"),
    ({"onStateChange": {"onStart,onEnd": [{"type": "x"}]}},    ".onStateChange[onStart,onEnd]",     "is not known; expected a comma list of onScheduled, "),
    ({"onStateChange": {"": [{"type": "x"}]}},                 ".onStateChange[]",                  "is not known; expected a comma list of onScheduled, "),
    ({"onStateChange": {"onStart": [{"payload": {}}]}},        ".onStateChange[onStart][0].type",   "is empty; expected the name of an event"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path", "sentence"), CONFIGURED)
def test_what_conductor_never_looks_at_is_looked_at(fields: dict[str, Any], path: str, sentence: str) -> None:
    [(found, message)] = told(workflow(**fields))
    assert found == path and message.startswith(sentence)


@pytest.mark.parametrize(("fields", "path", "sentence"), TASKS_CONFIGURED)
def test_of_a_task_too_also_in_a_loop(fields: dict[str, Any], path: str, sentence: str) -> None:
    loop = task("l", type="DO_WHILE", loopCondition="false", loopOver=[task(**fields)])
    for definition, lead in ((workflow(task(**fields)), ".tasks[0]"), (workflow(loop), ".tasks[0].loopOver[0]")):
        [(found, message)] = told(definition)
        assert found == lead + path and message.startswith(sentence)


def test_what_is_configured_well_is_taken() -> None:
    states = {" onScheduled , onSuccess": [{"type": "x", "payload": {"a": "${workflow}"}}]}
    limits = {"rateLimitKey": "${workflow.correlationId}", "concurrentExecLimit": 1}
    assert not told(workflow(task(cacheConfig={"key": "${a}", "ttlInSecond": 1}, onStateChange=states), rateLimitConfig=limits, maskedFields=["a"]))
    assert not told(workflow(rateLimitConfig={}))
