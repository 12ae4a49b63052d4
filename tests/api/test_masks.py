"""maskedFields: no view of the API shows what a definition wants masked; workers and expressions get the values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from edgework import Edge

from batuta.wire.mask import masked

SECRET = "4111-1111"
GIVEN = {"card": SECRET, "open": "yes", "deep": {"list": [{"card": {"number": SECRET}}]}}
SHOWN = {"card": "***", "open": "yes", "deep": {"list": [{"card": "***"}]}}


@pytest.fixture
def run(edge: Edge) -> str:
    """An execution whose input, variables, tasks and output hold the value, ended."""
    edge.register(
        "pay",
        {"name": "keep", "taskReferenceName": "keep", "type": "SET_VARIABLE", "inputParameters": {"card": "${workflow.input.card}"}},
        edge.task("job", inputParameters={"card": "${workflow.input.deep.list[0].card.number}", "known": "${workflow.variables.card}"}),
        maskedFields=["card", "known"], outputParameters={"card": "${job.output.card}", "open": "${workflow.input.open}"},
    )  # fmt: skip
    started = edge.start("pay", input=GIVEN, correlationId="c1")
    task = edge.take()
    assert task["inputData"] == {"card": SECRET, "known": SECRET}
    assert edge.report(task, outputData={"card": SECRET}).status == 200
    assert edge.status(started) == "COMPLETED"
    return started


VIEWS = [
    ("GET", "/api/workflow/{id}", None),
    ("GET", "/api/workflow/{id}/tasks", None),
    ("GET", "/api/workflow/{id}/status?includeOutput=true&includeVariables=true", None),
    ("GET", "/api/tasks/{task}", None),
    ("GET", "/api/workflow/pay/correlated/c1?includeClosed=true&includeTasks=true", None),
    ("POST", "/api/workflow/pay/correlated?includeClosed=true&includeTasks=true", ["c1"]),
    ("POST", "/api/workflow/bulk/search", ["{id}"]),
    ("GET", "/api/workflow/search", None),
    ("GET", f"/api/workflow/search?freeText={SECRET}", None),
    ("GET", "/api/workflow/search-v2", None),
    ("GET", "/api/workflow/search-by-tasks", None),
    ("GET", "/api/workflow/search-by-tasks-v2", None),
    ("GET", f"/api/tasks/search?freeText={SECRET}", None),
    ("GET", "/api/tasks/search-v2", None),
    ("GET", "/api/external/task/input/{task}.json", None),
    ("GET", "/api/external/task/output/{task}.json", None),
]


@pytest.mark.parametrize(("method", "path", "body"), VIEWS)
def test_no_view_shows_a_masked_value(edge: Edge, run: str, method: str, path: str, body: Any) -> None:
    task = next(t["taskId"] for t in edge.call("GET", f"/api/workflow/{run}").json["tasks"] if t["taskType"] == "job")
    answer = edge.call(method, path.format(id=run, task=task), json.loads(json.dumps(body).replace("{id}", run)) if body else None)
    assert answer.status == 200
    assert SECRET not in answer.text and "***" in answer.text


def test_masks_reach_into_maps_and_lists_and_leave_the_rest(edge: Edge, run: str) -> None:
    shown = edge.call("GET", f"/api/workflow/{run}").json
    assert (shown["input"], shown["output"], shown["variables"]) == (SHOWN, {"card": "***", "open": "yes"}, {"card": "***"})


def test_the_answer_of_a_call_that_waited_is_masked(edge: Edge) -> None:
    edge.register("hold", {"name": "w", "taskReferenceName": "w", "type": "WAIT", "inputParameters": {"card": "${workflow.input.card}"}}, maskedFields=["card"])
    for strategy in ("TARGET_WORKFLOW", "BLOCKING_TASK"):
        answer = edge.call("POST", f"/api/workflow/execute/hold/1?returnStrategy={strategy}", {"input": GIVEN})
        assert answer.status == 200 and SECRET not in answer.text and '"card":"***"' in answer.text
        signalled = edge.call("POST", f"/api/tasks/{answer.json['workflowId']}/COMPLETED/signal/sync", {"card": SECRET})
        assert signalled.status == 200 and SECRET not in signalled.text


def test_what_became_of_an_event_is_masked_and_what_is_delivered_is_not(edge: Edge) -> None:
    edge.register("tell", {"name": "e", "taskReferenceName": "e", "type": "EVENT", "sink": "conductor:paid", "inputParameters": {"card": SECRET}},
                  maskedFields=["card"])  # fmt: skip
    edge.register("told")
    for name, condition, target in (("skips", "card", "told"), ("fails", "", "nobody"), ("acts", "", "told")):
        handler = {"name": name, "event": "conductor:tell:paid", "active": True, "evaluatorType": "value-param", "condition": "" if name != "skips" else "none",
                   "actions": [{"action": "start_workflow", "start_workflow": {"name": target, "input": {"number": "${card}"}}}]}  # fmt: skip
        assert edge.call("POST", "/api/event", handler).status == 200, condition
    edge.start("tell")

    def settled() -> list[dict[str, Any]]:
        for _ in range(200):
            edge.run(edge.engine.flushed())
            if edge.call("GET", "/api/event/dead").json["totalHits"]:
                break
        found: list[dict[str, Any]] = edge.call("GET", "/api/event/executions").json["results"]
        return found

    assert {e["name"] for e in settled()} == {"skips", "fails", "acts"}
    for path in ("/api/event/executions", "/api/event/dead"):
        assert SECRET not in edge.call("GET", path).text
    assert edge.take()["inputData"] == {}
    assert edge.call("GET", "/api/workflow/search-v2?query=workflowType=told").json["results"][0]["input"]["number"] == SECRET


def test_what_is_nested_too_deep_is_masked_whole() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"a": deep}
    assert masked(deep, frozenset({"card"})) == "***"
    assert masked(deep, frozenset()) is deep
