"""Payloads by their path: from what a task shows to an address, and from there to the payload."""

from __future__ import annotations

import pytest
from edgework import Edge

from batuta.store.rows import APART_BYTES

HOST = ((b"host", b"batuta.example:8080"),)


def test_a_large_payload_is_read_by_the_path_its_task_shows(edge: Edge) -> None:
    edge.register("flow", edge.task("job", inputParameters={"text": "${workflow.input.text}"}))
    text = "x" * 60_000
    edge.register("big", edge.task("job", inputParameters={"copies": [f"${{workflow.input.text}}{n}" for n in range(APART_BYTES // len(text) + 1)]}))
    edge.call("POST", "/api/workflow/big", {"text": text})
    task = edge.call("GET", "/api/tasks/poll/job").json
    path = task["externalInputPayloadStoragePath"]
    assert (task["inputData"], path) == ({}, f"task/input/{task['taskId']}.json")
    for place in ("/api/tasks/externalstoragelocation", "/api/tasks/external-storage-location"):
        found = edge.raw("GET", f"{place}?path={path}&operation=read&payloadType=task_input", headers=HOST).json
        assert found == {"path": path, "uri": f"http://batuta.example:8080/api/external/{path}"}
    copies = edge.call("GET", found["uri"].removeprefix("http://batuta.example:8080")).json["copies"]
    assert copies == [f"{text}{n}" for n in range(len(copies))]


def test_an_address_keeps_the_scheme_that_a_proxy_says(edge: Edge) -> None:
    asked = "/api/workflow/externalstoragelocation?path=task/output/a-1.json&operation=READ&payloadType=TASK_OUTPUT"
    for said, scheme in ((b"https", "https"), (b"HTTPS, http", "https"), (b"gopher", "http")):
        uri = edge.raw("GET", asked, headers=(*HOST, (b"x-forwarded-proto", said))).json["uri"]
        assert uri == f"{scheme}://batuta.example:8080/api/external/task/output/a-1.json"


def test_an_output_is_read_alike(edge: Edge) -> None:
    edge.register()
    edge.call("POST", "/api/workflow/flow", {})
    task = edge.take()
    edge.call("POST", "/api/tasks", {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED", "outputData": {"a": 1}})
    assert edge.call("GET", f"/api/external/task/output/{task['taskId']}.json").json == {"a": 1}


#    path                  operation   payload           status  says
REFUSED = [
    ("task/input/1.json",  "BURN",     "TASK_INPUT",     400,    "Invalid input - Operation: BURN, PayloadType: TASK_INPUT"),
    ("task/input/1.json",  "READ",     "TASK",           400,    "Invalid input - Operation: READ, PayloadType: TASK"),
    ("",                   "WRITE",    "WORKFLOW_INPUT", 400,    "takes no payloads ahead"),
    ("s3://elsewhere/1",   "READ",     "TASK_INPUT",     404,    "no payload under 's3://elsewhere/1'"),
    ("task/input/../1",    "READ",     "TASK_INPUT",     404,    "no payload under"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "operation", "payload", "status", "says"), REFUSED)
def test_a_location_that_cannot_be_given_says_why(edge: Edge, path: str, operation: str, payload: str, status: int, says: str) -> None:
    answer = edge.call("GET", f"/api/workflow/external-storage-location?path={path}&operation={operation}&payloadType={payload}")
    assert answer.status == status and says in answer.json["message"]


def test_a_payload_that_is_not_there_is_not_found(edge: Edge) -> None:
    for path in ("task/input/unknown.json", "task/input/unknown", "task/sideways/unknown.json", "task/output/.json"):
        assert edge.call("GET", f"/api/external/{path}").status == 404, path
