"""/api/schema and what the schemas of definitions do at the edge: the registry, registration, starts that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from edgework import Edge

SCHEMA, WORKFLOW, TASKS = "/api/schema", "/api/metadata/workflow", "/api/metadata/taskdefs"
NUMBERED = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def schema(name: str = "numbered", version: int = 1, **fields: Any) -> dict[str, Any]:
    return {"name": name, "version": version, "type": "JSON", "data": NUMBERED, **fields}


def definition(name: str = "w", **fields: Any) -> dict[str, Any]:
    return {"name": name, "tasks": [{"name": "t", "taskReferenceName": "t"}], **fields}


def versions(edge: Edge) -> list[tuple[str, int]]:
    return [(found["name"], found["version"]) for found in edge.call("GET", SCHEMA).json]


def test_schemas_are_kept_by_name_and_version(edge: Edge) -> None:
    assert edge.call("POST", SCHEMA, schema()).status == 200  # one, as the Python SDK sends it
    assert edge.call("POST", SCHEMA, [schema(version=3), schema("other", data={"type": "object"})]).status == 200  # a list, as the other SDKs do
    assert versions(edge) == [("numbered", 1), ("numbered", 3), ("other", 1)]
    assert edge.call("GET", f"{SCHEMA}/numbered").json["version"] == 3
    read = edge.call("GET", f"{SCHEMA}/numbered/1").json
    assert (read["type"], read["data"], read["createTime"] > 0, read["updateTime"]) == ("JSON", NUMBERED, True, 0)
    assert all("data" not in found for found in edge.call("GET", f"{SCHEMA}?short=true").json)
    assert edge.call("DELETE", f"{SCHEMA}/numbered/3").status == 200
    assert edge.call("DELETE", f"{SCHEMA}/other").status == 200
    assert versions(edge) == [("numbered", 1)]


def test_saving_again_replaces_and_a_new_version_is_asked_for(edge: Edge) -> None:
    edge.call("POST", SCHEMA, schema())
    created = edge.call("GET", f"{SCHEMA}/numbered/1").json["createTime"]
    edge.clock.advance(1_000)
    edge.call("POST", SCHEMA, schema(data={"type": "object"}))
    again = edge.call("GET", f"{SCHEMA}/numbered/1").json
    assert (again["data"], again["createTime"], again["updateTime"]) == ({"type": "object"}, created, created + 1_000)
    edge.call("POST", f"{SCHEMA}?newVersion=true", [schema(), schema()])
    assert versions(edge) == [("numbered", 1), ("numbered", 2), ("numbered", 3)]


#   body                                                    said
REFUSED = [
    (schema(data={"type": "strin"}),                        "at 'type'"),
    (schema(data={"$ref": "http://example.com/x"}),         "leads elsewhere"),
    (schema(data={"pattern": "(?!a)"}),                     "pattern '(?!a)'"),
    (schema(name=""),                                       "name is empty"),
    (schema(version=0),                                     "greater than or equal to 1"),
    ([],                                                    "the list of schemas is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_a_schema_that_could_not_be_enforced_is_refused(edge: Edge, body: Any, said: str) -> None:
    answer = edge.call("POST", SCHEMA, body)
    assert answer.status == 400 and said in answer.json["validationErrors"][0]["message"]
    assert versions(edge) == []


@pytest.mark.parametrize("kind", ["AVRO", "PROTOBUF"])
def test_other_kinds_are_kept_and_not_enforced(edge: Edge, kind: str) -> None:
    assert edge.call("POST", SCHEMA, schema(type=kind, data={"type": "record", "fields": []})).status == 200
    edge.call("POST", WORKFLOW, definition(inputSchema=schema(type=kind)))
    assert edge.call("POST", "/api/workflow/w", {"n": "one"}).status == 200


def test_definitions_with_a_broken_schema_are_refused(edge: Edge) -> None:
    broken = schema(data={"properties": 5})
    task = {"name": "t", "taskReferenceName": "t", "taskDefinition": {"name": "t", "outputSchema": broken}}
    for path, body, where in (
        (WORKFLOW, definition(inputSchema=broken), "registerWorkflowDef.arg0.inputSchema.data"),
        (WORKFLOW, {"name": "w", "tasks": [task]}, "registerWorkflowDef.arg0.tasks[0].taskDefinition.outputSchema.data"),
        (TASKS, [{"name": "t", "inputSchema": broken}], "registerTaskDef.arg0[0].inputSchema.data"),
    ):
        answer = edge.call("POST", path, body)
        assert (answer.status, answer.json["validationErrors"][0]["path"]) == (400, where)


def test_a_start_whose_input_does_not_fit_is_refused_and_leaves_nothing(edge: Edge) -> None:
    edge.call("POST", WORKFLOW, definition(inputSchema=schema(), inputTemplate={"m": 1}))
    refused = edge.call("POST", "/api/workflow/w", {"n": "one"})
    assert (refused.status, refused.json["message"]) == (400, "input does not fit schema 'numbered' version 1: at 'n': found 'one', expected type integer")
    assert edge.call("POST", "/api/workflow", {"name": "w", "input": {}, "idempotencyKey": "k"}).status == 400
    assert edge.call("GET", "/api/workflow/search").json["totalHits"] == 0
    assert edge.call("POST", "/api/workflow/w", {"n": 1}).status == 200
    assert edge.call("POST", "/api/workflow", {"name": "w", "input": {"n": 1}, "idempotencyKey": "k"}).status == 200


def test_enforcement_is_on_for_workflows_and_off_for_tasks_unless_said(edge: Edge) -> None:
    edge.call("POST", WORKFLOW, definition(inputSchema=schema(), enforceSchema=False))
    edge.call("POST", TASKS, [{"name": "t", "inputSchema": schema()}])
    started = edge.call("POST", "/api/workflow/w", {})
    assert started.status == 200
    assert edge.call("GET", f"/api/workflow/{started.text}").json["tasks"][0]["status"] == "SCHEDULED"


def test_a_definition_names_a_registered_schema(edge: Edge) -> None:
    edge.call("POST", WORKFLOW, definition(inputSchema={"name": "numbered", "version": 1}))
    assert "it is not registered" in edge.call("POST", "/api/workflow/w", {"n": 1}).json["message"]
    edge.call("POST", SCHEMA, schema())
    started = edge.call("POST", "/api/workflow/w", {"n": 1})
    assert started.status == 200 and edge.call("POST", "/api/workflow/w", {}).status == 400
    edge.call("POST", SCHEMA, schema(data={"required": ["m"]}))
    assert edge.call("POST", "/api/workflow/w", {"n": 1}).status == 400
    shown = edge.call("GET", f"/api/workflow/{started.text}").json["workflowDefinition"]["inputSchema"]
    assert shown["data"] == NUMBERED  # what it began with


def test_a_sub_workflow_whose_input_does_not_fit_fails_its_task_for_good(edge: Edge) -> None:
    edge.call("POST", WORKFLOW, definition("child", inputSchema=schema()))
    edge.call("POST", TASKS, [{"name": "sub", "retryCount": 3}])
    sub = {"name": "sub", "taskReferenceName": "sub", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "child"}, "inputParameters": {"n": "one"}}
    edge.call("POST", WORKFLOW, {"name": "w", "tasks": [sub]})
    ended = edge.call("GET", f"/api/workflow/{edge.call('POST', '/api/workflow/w', {}).text}").json
    assert (ended["status"], [task["status"] for task in ended["tasks"]]) == ("FAILED", ["FAILED_WITH_TERMINAL_ERROR"])
    assert "input does not fit schema 'numbered' version 1: at 'n'" in ended["tasks"][0]["reasonForIncompletion"]
