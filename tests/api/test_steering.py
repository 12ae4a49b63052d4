"""The verbs that Orkes has and Conductor OSS has not: variables, state, jump, upgrade, correlated batches, workflows called like functions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from edgework import JSON, Answer, Caller, Edge

NONE = "00000000-0000-0000-0000-000000000000"


def shown(edge: Edge, execution_id: str) -> dict[str, Any]:
    found: dict[str, Any] = edge.call("GET", f"/api/workflow/{execution_id}").json
    return found


def tasks(edge: Edge, execution_id: str) -> list[tuple[str, str]]:
    return [(t["referenceTaskName"], t["status"]) for t in shown(edge, execution_id)["tasks"]]


def test_variables_are_set_and_the_execution_comes_back(edge: Edge) -> None:
    edge.register(variables={"a": 1, "b": {"c": 2}})
    started = edge.start()
    answer = edge.call("POST", f"/api/workflow/{started}/variables", {"b": {"d": 3}})
    assert (answer.status, answer.json["workflowId"], answer.json["variables"]) == (200, started, {"a": 1, "b": {"d": 3}})


def test_a_report_and_the_variables_it_needs_come_together(edge: Edge) -> None:
    edge.register("flow", edge.task("job"), edge.task("next", inputParameters={"v": "${workflow.variables.v}", "o": "${job.output.o}"}))
    started = edge.start()
    update = {"taskReferenceName": "job", "taskResult": {"workflowInstanceId": "", "taskId": "", "outputData": {"o": 1}}, "variables": {"v": 2}}
    answer = edge.call("POST", f"/api/workflow/{started}/state?requestId=r1&waitForSeconds=0", update)
    assert answer.status == 200
    assert (answer.json["requestId"], answer.json["workflowId"], answer.json["status"], answer.json["variables"]) == ("r1", started, "RUNNING", {"v": 2})
    assert edge.take("next")["inputData"] == {"v": 2, "o": 1}
    gone = edge.call("POST", f"/api/workflow/{started}/state", update)
    assert (gone.status, gone.json["message"]) == (404, f"Found no running task job of workflow {started} to update")
    assert shown(edge, started)["variables"] == {"v": 2}


def test_a_state_may_be_waited_for(edge: Edge) -> None:
    edge.register("flow", edge.task("job"), edge.task("next"))
    started = edge.start()
    answer = edge.call("POST", f"/api/workflow/{started}/state?waitUntilTaskRef=job", {"taskReferenceName": "job", "taskResult": {"status": "COMPLETED"}})
    assert (answer.json["signalTimeout"], [t["status"] for t in answer.json["tasks"]]) == (False, ["COMPLETED", "SCHEDULED"])


NOTHING_SAID: list[tuple[dict[str, Any], str]] = [
    ({}, "the body changes nothing; expected variables, or taskReferenceName and taskResult"),
    ({"taskReferenceName": "job"}, "taskResult is missing; taskReferenceName says that a task is to be updated"),
    ({"taskResult": {"status": "COMPLETED"}}, "taskReferenceName is missing; taskResult says that a task is to be updated"),
]


@pytest.mark.parametrize(("body", "message"), NOTHING_SAID)
def test_half_an_update_is_none(edge: Edge, body: dict[str, Any], message: str) -> None:
    edge.register()
    answer = edge.call("POST", f"/api/workflow/{edge.start()}/state", body)
    assert (answer.status, answer.json["message"]) == (400, message)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_jump(edge: Edge, method: str) -> None:
    edge.register("flow", *(edge.task(name, inputParameters={"kept": 1, "given": 1}) for name in ("a", "b", "c")))
    started = edge.start()
    assert edge.call(method, f"/api/workflow/{started}/jump/c", {"given": 2}).status == 200
    assert tasks(edge, started) == [("b", "SKIPPED"), ("a", "SKIPPED"), ("c", "SCHEDULED")]
    assert edge.take("c")["inputData"] == {"kept": 1, "given": 2}
    assert edge.call("GET", "/api/tasks/poll/a").status == 204


def test_a_jump_as_the_python_sdk_asks_for_it(edge: Edge) -> None:
    edge.register("flow", edge.task("a"), edge.task("b"))
    started = edge.start()
    assert edge.call("POST", f"/api/workflow/{started}/jump/%7BtaskReferenceName%7D?taskReferenceName=b").status == 200
    assert tasks(edge, started) == [("a", "SKIPPED"), ("b", "SCHEDULED")]


def test_an_upgrade(edge: Edge) -> None:
    edge.register("flow", edge.task("a"))
    started = edge.start()
    edge.register("flow", edge.task("new"), edge.task("a"), edge.task("b", inputParameters={"n": "${new.output.n}"}), version=2)
    asked = {"name": "flow", "version": 2, "taskOutput": {"new": {"n": 7}}, "workflowInput": {"i": 1}}
    assert edge.call("POST", f"/api/workflow/{started}/upgrade", asked).status == 200
    edge.report(edge.take("a"))
    assert edge.take("b")["inputData"] == {"n": 7}
    found = shown(edge, started)
    assert (found["workflowVersion"], found["input"], len(found["workflowDefinition"]["tasks"])) == (2, {"i": 1}, 3)
    refused = edge.call("POST", f"/api/workflow/{started}/upgrade", {"name": "other", "version": 1})
    assert refused.status == 400 and "name is 'other'; an upgrade changes the version of an execution of 'flow'" in refused.json["message"]
    assert edge.call("POST", f"/api/workflow/{started}/upgrade", {"name": "flow", "version": 9}).status == 404


VERBS: list[tuple[str, Any]] = [
    ("variables", {"a": 1}),
    ("state", {"variables": {"a": 1}}),
    ("state", {"taskReferenceName": "job", "taskResult": {"status": "COMPLETED"}}),
    ("jump/job", None),
    ("upgrade", {"name": "flow", "version": 1}),
]


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_of_nothing_and_of_what_has_ended(edge: Edge, verb: str, body: Any) -> None:
    edge.register()
    assert edge.call("POST", f"/api/workflow/{NONE}/{verb}", body).status == 404
    started = edge.start()
    edge.call("DELETE", f"/api/workflow/{started}")
    assert edge.call("POST", f"/api/workflow/{started}/{verb}", body).status == 409


def test_executions_of_several_names_by_several_correlation_ids(edge: Edge) -> None:
    for name in ("one", "two"):
        edge.register(name)
    ids = {(name, c): edge.start(name, correlationId=c) for name in ("one", "two") for c in ("c1", "c2")}
    edge.call("DELETE", f"/api/workflow/{ids['one', 'c1']}")

    def asked(query: str = "") -> dict[str, list[str]]:
        body = {"correlationIds": ["c1", "c2", "c3"], "workflowNames": ["one", "two", "three"]}
        found = edge.call("POST", f"/api/workflow/correlated/batch{query}", body).json
        return {c: [x["workflowId"] for x in listed] for c, listed in found.items()}

    assert asked() == {"c1": [ids["two", "c1"]], "c2": [ids["one", "c2"], ids["two", "c2"]], "c3": []}
    assert asked("?includeClosed=true&includeTasks=true")["c1"] == [ids["one", "c1"], ids["two", "c1"]]
    for lacking in ({"workflowNames": ["one"]}, {"correlationIds": ["c1"], "workflowNames": []}):
        assert edge.call("POST", "/api/workflow/correlated/batch", lacking).status == 400


DONE = {"name": "n", "taskReferenceName": "n", "type": "NOOP"}


def test_a_workflow_called_like_a_function(edge: Edge) -> None:
    edge.register("echo", DONE, outputParameters={"said": "${workflow.input.say}"})
    for answer in (edge.call("POST", "/api/workflow/execute/echo", {"say": "hello"}), edge.call("GET", "/api/workflow/execute/echo?say=hello&version=1")):
        assert (answer.status, answer.json) == (200, {"said": "hello"})
        assert (answer.headers["x-workflow-status"], shown(edge, answer.headers["x-workflow-id"])["status"]) == ("COMPLETED", "COMPLETED")
    assert shown(edge, answer.headers["x-workflow-id"])["input"] == {"say": "hello"}
    assert edge.call("GET", "/api/workflow/execute/nothing").status == 404
    assert edge.call("GET", "/api/workflow/execute/echo?waitForSeconds=soon").status == 400


def test_its_options_may_come_as_headers(edge: Edge) -> None:
    edge.register("slow", DONE, {**edge.task("job"), "taskReferenceName": "j"})

    async def ask() -> Answer:
        headers = (*JSON, (b"waituntiltaskref", b"n"), (b"waitforseconds", b"60"))
        async with asyncio.timeout(10):
            answer = await Caller("POST", "/api/workflow/execute/slow", [json.dumps({}).encode()], headers).answer(edge.application)
        assert answer is not None
        return answer

    answer = edge.run(ask())
    assert (answer.status, answer.json, answer.headers["x-workflow-status"]) == (200, {}, "RUNNING")
