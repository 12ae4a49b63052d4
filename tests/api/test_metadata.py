"""/api/metadata, where it is more than the golden runs show: what our users' guides send and Conductor refuses, lists, filters."""

from __future__ import annotations

from typing import Any

import pytest
from edgework import JSON, Edge

WORKFLOW, TASKS = "/api/metadata/workflow", "/api/metadata/taskdefs"


def definition(name: str = "w", version: int = 1, **fields: Any) -> dict[str, Any]:
    return {"name": name, "version": version, "tasks": [{"name": "t", "taskReferenceName": "t"}], **fields}


def test_a_backup_taken_by_get_is_restored_by_post(edge: Edge) -> None:
    for one in (definition("a"), definition("a", 2), definition("b", description="kept")):
        assert edge.call("POST", WORKFLOW, one).status == 200
    edge.call("POST", TASKS, [{"name": "t1"}, {"name": "t2", "retryCount": 7}])
    workflows, tasks = edge.call("GET", WORKFLOW).body, edge.call("GET", TASKS).body
    other = Edge()
    assert other.raw("POST", WORKFLOW, workflows, headers=JSON).status == 200
    assert other.raw("POST", TASKS, tasks, headers=JSON).status == 200
    assert [(d["name"], d["version"], d.get("description")) for d in other.call("GET", WORKFLOW).json] == [("a", 1, None), ("a", 2, None), ("b", 1, "kept")]
    assert [(d["name"], d["retryCount"]) for d in other.call("GET", TASKS).json] == [("t1", 3), ("t2", 7)]
    again = other.raw("POST", WORKFLOW, workflows, headers=JSON)
    assert (again.status, again.json["message"]) == (409, "Workflow with a.1 already exists!")
    assert other.raw("POST", f"{WORKFLOW}?overwrite=true", workflows, headers=JSON).status == 200
    other.close()


def test_a_single_task_definition_is_taken_as_a_list_of_one(edge: Edge) -> None:
    assert edge.call("POST", TASKS, {"name": "one", "retryCount": 1, "timeoutSeconds": 300}).status == 200
    stored = edge.call("GET", f"{TASKS}/one").json
    assert (stored["timeoutSeconds"], stored["responseTimeoutSeconds"]) == (300, 300)


#   method   path                body                               status
SHAPES = [
    ("POST", WORKFLOW,           [definition(), 5],                 400),
    ("POST", WORKFLOW,           [],                                400),
    ("POST", WORKFLOW,           "text",                            400),
    ("PUT",  WORKFLOW,           definition(),                      400),
    ("POST", f"{WORKFLOW}/validate", [definition()],                400),
    ("POST", TASKS,              [None],                            400),
    ("POST", TASKS,              5,                                 400),
    ("PUT",  TASKS,              [{"name": "t"}],                   400),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status"), SHAPES)
def test_other_shapes_are_refused_and_store_nothing(edge: Edge, method: str, path: str, body: Any, status: int) -> None:
    answer = edge.call(method, path, body)
    assert answer.status == status and answer.json["message"]
    assert edge.call("GET", WORKFLOW).json == [] and edge.call("GET", TASKS).json == []


def test_a_refusal_says_where_and_what(edge: Edge) -> None:
    answer = edge.call("PUT", WORKFLOW, [definition(), definition("v", schemaVersion=3)])
    assert answer.json == {
        "status": 400,
        "message": "Validation failed, check below errors for detail.",
        "retryable": False,
        "validationErrors": [
            {"path": "updateWorkflowDef.arg0[1].schemaVersion", "message": "workflowDef schemaVersion: 2 is only supported", "invalidValue": "3"}
        ],
    }
    unread = edge.call("POST", WORKFLOW, definition(tasks=[{"name": "t", "startDelay": "soon"}]))
    assert (unread.status, unread.json["message"]) == (400, "tasks[0].startDelay is the text 'soon'; expected a whole number")


def test_scripts_are_read_when_a_workflow_is_registered(edge: Edge) -> None:
    switch = {"type": "SWITCH", "evaluatorType": "javascript", "expression": "if (", "decisionCases": {"a": []}}
    answer = edge.call("POST", WORKFLOW, definition(tasks=[{"name": "s", "taskReferenceName": "s", **switch}]))
    message = "Expression is not well formatted: SyntaxError: unexpected end, taskType: SWITCH taskName s"
    assert answer.said == [("registerWorkflowDef.arg0.tasks[0]", message)]


@pytest.mark.parametrize(("asked", "names"), [("", ["a", "p"]), ("agent", ["a"]), ("AGENT", ["a"]), ("workflow", ["p"]), ("agent,workflow", [])])
def test_a_list_may_be_of_one_kind(edge: Edge, asked: str, names: list[str]) -> None:
    edge.call("PUT", WORKFLOW, [definition("a", metadata={"agent_sdk": "x"}), definition("p")])
    assert [d["name"] for d in edge.call("GET", f"{WORKFLOW}?classifier={asked}&short=true&access=READ").json] == names


def test_summaries_carry_both_stamps(edge: Edge) -> None:
    edge.call("POST", WORKFLOW, definition(version=2))
    edge.call("PUT", WORKFLOW, [definition(version=1)])
    now = edge.clock.now()
    summaries = [{"name": "w", "version": 1, "createTime": 0, "updateTime": now}, {"name": "w", "version": 2, "createTime": now, "updateTime": 0}]
    assert edge.call("GET", f"{WORKFLOW}/w/versions").json == summaries
    assert edge.call("GET", f"{WORKFLOW}/names-and-versions").json == {"w": summaries}


def test_names_may_hold_anything_a_path_can_be_made_to_carry(edge: Edge) -> None:
    edge.call("POST", WORKFLOW, definition("a/b c?ž"))
    edge.call("POST", TASKS, [{"name": "a/b"}])
    assert edge.call("GET", f"{WORKFLOW}/a%2Fb%20c%3F%C5%BE").json["name"] == "a/b c?ž"
    assert edge.call("GET", f"{TASKS}/a%2Fb").json["name"] == "a/b"
    assert edge.call("DELETE", f"{WORKFLOW}/a%2Fb%20c%3F%C5%BE/1").status == 200
    assert edge.call("GET", f"{WORKFLOW}/names").json == []
