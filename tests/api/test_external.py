"""Payloads by their path: put ahead of a request and named by it, shown by a path when they are large, read by it; and what is too large for any payload."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from typing import Any

import pytest
from edgework import JSON, Edge

from batuta.api.application import Application
from batuta.core.model.task import PAYLOAD_BYTES_MAX
from batuta.engine.payloads import KEPT_S
from batuta.store.rows import APART_BYTES, WORKFLOW_APART_BYTES

HOST = ((b"host", b"batuta.example:8080"),)
ROOT = "http://batuta.example:8080"
LOCATION = "/api/workflow/externalstoragelocation"


@pytest.fixture
def edge(edge: Edge) -> Edge:
    """An edge that takes what a real one takes."""
    edge.application = Application(edge.services)
    return edge


def located(edge: Edge, path: str, operation: str, payload: str) -> dict[str, str]:
    found: dict[str, str] = edge.raw("GET", f"{LOCATION}?path={path}&operation={operation}&payloadType={payload}", headers=HOST).json
    assert found["uri"].startswith(f"{ROOT}/api/external/{found['path']}?op=")
    return found


def put(edge: Edge, payload: dict[str, Any], kind: str = "WORKFLOW_INPUT") -> str:
    """The path of a payload that has been uploaded as the Java client does it."""
    place = located(edge, "", "WRITE", kind)
    assert edge.raw("PUT", place["uri"].removeprefix(ROOT), json.dumps(payload).encode(), headers=JSON).status == 200
    return place["path"]


def read(edge: Edge, path: str, kind: str) -> Any:
    return edge.call("GET", located(edge, path, "READ", kind)["uri"].removeprefix(ROOT)).json


def test_a_large_task_input_is_read_by_the_path_its_task_shows(edge: Edge) -> None:
    text = "x" * 60_000
    edge.register("big", edge.task("job", inputParameters={"copies": [f"${{workflow.input.text}}{n}" for n in range(APART_BYTES // len(text) + 1)]}))
    edge.call("POST", "/api/workflow/big", {"text": text})
    task = edge.call("GET", "/api/tasks/poll/job").json
    path = task["externalInputPayloadStoragePath"]
    assert (task["inputData"], path) == ({}, f"task/input/{task['taskId']}.json")
    for place in ("/api/tasks/externalstoragelocation", "/api/tasks/external-storage-location", "/api/workflow/external-storage-location"):
        found = edge.raw("GET", f"{place}?path={path}&operation=read&payloadType=task_input", headers=HOST).json
        assert edge.call("GET", found["uri"].removeprefix(ROOT)).json["copies"] == [f"{text}{n}" for n in range(APART_BYTES // len(text) + 1)]


def test_an_input_uploaded_ahead_is_the_executions_own(edge: Edge) -> None:
    edge.register("flow", edge.task("job", inputParameters={"n": "${workflow.input.n}"}), inputTemplate={"m": 2})
    path = put(edge, {"n": 1})
    started = edge.call("POST", "/api/workflow", {"name": "flow", "input": None, "externalInputPayloadStoragePath": path})
    shown = edge.call("GET", f"/api/workflow/{started.text}").json
    assert (shown["input"], shown["tasks"][0]["inputData"]) == ({"n": 1, "m": 2}, {"n": 1})
    assert edge.call("POST", "/api/workflow", {"name": "flow", "input": None, "externalInputPayloadStoragePath": path}).status == 200  # a retry
    assert read(edge, path, "WORKFLOW_INPUT") == {"n": 1}


def test_large_inputs_and_outputs_of_executions_are_shown_by_a_path(edge: Edge) -> None:
    edge.register("flow", edge.task("job"), outputParameters={"text": "${workflow.input.text}"})
    text = "x" * WORKFLOW_APART_BYTES
    started = edge.call("POST", "/api/workflow", {"name": "flow", "externalInputPayloadStoragePath": put(edge, {"text": text})}).text
    edge.call("POST", f"/api/tasks/{started}/job/COMPLETED", {})
    shown = edge.call("GET", f"/api/workflow/{started}").json
    assert (shown["status"], shown["input"], shown["output"]) == ("COMPLETED", {}, {})
    assert read(edge, shown["externalInputPayloadStoragePath"], "WORKFLOW_INPUT") == {"text": text}
    assert read(edge, shown["externalOutputPayloadStoragePath"], "WORKFLOW_OUTPUT") == {"text": text}
    summary = edge.call("GET", "/api/workflow/search").json["results"][0]
    assert (summary["input"], summary["externalInputPayloadStoragePath"]) == ("{}", f"workflow/input/{started}.json")


def test_an_output_uploaded_ahead_is_read_by_what_follows(edge: Edge) -> None:
    edge.register("flow", edge.task("job"), edge.task("next", inputParameters={"word": "${job.output.word}"}))
    edge.call("POST", "/api/workflow/flow", {})
    task = edge.take()
    path = put(edge, {"word": "kept", "text": "y" * APART_BYTES}, "TASK_OUTPUT")
    report = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED", "outputData": None}
    assert edge.call("POST", "/api/tasks", {**report, "externalOutputPayloadStoragePath": path}).status == 200
    shown = edge.call("GET", f"/api/workflow/{task['workflowInstanceId']}").json["tasks"]
    assert (shown[0]["outputData"], shown[1]["inputData"]) == ({}, {"word": "kept"})
    assert read(edge, shown[0]["externalOutputPayloadStoragePath"], "TASK_OUTPUT")["word"] == "kept"


def test_a_path_that_leads_nowhere_is_refused_before_anything_happens(edge: Edge) -> None:
    edge.register()
    unknown = f"upload/{'0' * 32}.json"
    for path, said in ((unknown, "was not uploaded, or more than a day ago"), ("s3://elsewhere", "no payload under"), ("task/output/none.json", "not found")):
        refused = edge.call("POST", "/api/workflow", {"name": "flow", "input": None, "externalInputPayloadStoragePath": path})
        assert refused.status == 400 and said in refused.json["message"], refused.text
    edge.call("POST", "/api/workflow/flow", {})
    task = edge.take()
    report = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED", "externalOutputPayloadStoragePath": unknown}
    assert edge.call("POST", "/api/tasks", report).status == 400
    assert edge.call("GET", f"/api/tasks/{task['taskId']}").json["status"] == "IN_PROGRESS"


def test_an_address_keeps_the_scheme_that_a_proxy_says(edge: Edge) -> None:
    asked = f"{LOCATION}?path=task/output/a-1.json&operation=READ&payloadType=TASK_OUTPUT"
    for said, scheme in ((b"https", "https"), (b"HTTPS, http", "https"), (b"gopher", "http")):
        uri = edge.raw("GET", asked, headers=(*HOST, (b"x-forwarded-proto", said))).json["uri"]
        assert uri.startswith(f"{scheme}://batuta.example:8080/api/external/task/output/a-1.json?")


def test_an_address_is_good_for_one_operation_and_for_a_while(edge: Edge) -> None:
    place = located(edge, "", "WRITE", "TASK_OUTPUT")["uri"].removeprefix(ROOT)
    assert edge.call("GET", place).status == 405
    assert edge.call("PUT", place.replace("sig=", "sig=A"), {}).status == 403
    assert edge.call("PUT", place.replace("exp=", "exp=9"), {}).status == 403
    assert edge.call("PUT", place.partition("?")[0] + "?kid=1&sig=2", {}).status == 403
    edge.clock.advance(61_000)
    late = edge.call("PUT", place, {})
    assert late.status == 403 and "no longer good" in late.json["message"]


def test_an_address_without_a_signature_is_taken_unless_signed_ones_are_wanted(edge: Edge) -> None:
    edge.register()
    execution, name = edge.start("flow", input={"who": "Ada"}), f"{'1' * 32}.json"
    assert edge.call("PUT", f"/api/external/upload/{name}", {"n": 1}).status == 200
    assert edge.call("GET", f"/api/external/upload/{name}").json == {"n": 1}
    assert edge.call("GET", f"/api/external/workflow/input/{execution}.json").json == edge.call("GET", f"/api/workflow/{execution}").json["input"]
    edge.services = dataclasses.replace(edge.services, addresses=dataclasses.replace(edge.services.addresses, only_signed=True))
    edge.application = Application(edge.services)
    refused = edge.call("GET", f"/api/external/upload/{name}")
    assert refused.status == 403 and "signed addresses only" in refused.json["message"]
    assert read(edge, f"upload/{name}", "TASK_OUTPUT") == {"n": 1}


#    path                  operation   payload           status  says
REFUSED = [
    ("task/input/1.json",  "BURN",     "TASK_INPUT",     400,    "Invalid input - Operation: BURN, PayloadType: TASK_INPUT"),
    ("task/input/1.json",  "READ",     "TASK",           400,    "Invalid input - Operation: READ, PayloadType: TASK"),
    ("s3://elsewhere/1",   "READ",     "TASK_INPUT",     404,    "no payload under 's3://elsewhere/1'"),
    ("task/input/../1",    "READ",     "TASK_INPUT",     404,    "no payload under"),
    ("upload/../../etc",   "READ",     "TASK_INPUT",     404,    "no payload under"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "operation", "payload", "status", "says"), REFUSED)
def test_a_location_that_cannot_be_given_says_why(edge: Edge, path: str, operation: str, payload: str, status: int, says: str) -> None:
    answer = edge.call("GET", f"/api/workflow/external-storage-location?path={path}&operation={operation}&payloadType={payload}")
    assert answer.status == status and says in answer.json["message"]


def test_a_payload_that_is_not_there_is_not_found(edge: Edge) -> None:
    paths = "task/input/unknown.json", "task/input/unknown", "task/sideways/unknown.json", "workflow/output/.json", "upload/..%2f..%2fx.json"
    for path in paths:
        assert edge.call("GET", f"/api/external/{path}").status == 404, path
    assert edge.call("PUT", "/api/external/upload/..%2f..%2fx.json", {}).status == 404


# -- larger than any may be -------------------------------------------------------------------------------------------------------

LARGE = "x" * (PAYLOAD_BYTES_MAX + 1)
SAID = f"is greater than the permissible limit: {PAYLOAD_BYTES_MAX} bytes"


def test_no_payload_that_large_is_taken(edge: Edge) -> None:
    edge.register()
    place = located(edge, "", "WRITE", "WORKFLOW_INPUT")
    assert edge.call("PUT", place["uri"].removeprefix(ROOT), {"text": LARGE}).status == 413
    assert edge.call("POST", "/api/workflow/flow", {"text": LARGE}).status == 413
    assert edge.call("GET", "/api/workflow/search").json["totalHits"] == 0


def test_an_output_that_large_fails_its_task_for_good(edge: Edge) -> None:
    edge.call("POST", "/api/metadata/taskdefs", [{"name": "job", "retryCount": 3}])
    edge.register("flow", edge.task("job"))
    edge.call("POST", "/api/workflow/flow", {})
    task = edge.take()
    report = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED", "outputData": {"text": LARGE}}
    assert edge.call("POST", "/api/tasks", report).status == 200
    shown = edge.call("GET", f"/api/workflow/{task['workflowInstanceId']}").json
    assert [(t["status"], t["outputData"]) for t in shown["tasks"]] == [("FAILED_WITH_TERMINAL_ERROR", {})]
    assert SAID in shown["tasks"][0]["reasonForIncompletion"] and shown["status"] == "FAILED"


def test_an_input_that_comes_to_be_that_large_fails_its_task_for_good(edge: Edge) -> None:
    edge.register("flow", edge.task("job", inputParameters={"twice": ["${workflow.input.text}"] * 3}))
    started = edge.call("POST", "/api/workflow/flow", {"text": "x" * (PAYLOAD_BYTES_MAX // 2)}).text
    edge.run(asyncio.sleep(0))
    shown = edge.call("GET", f"/api/workflow/{started}").json
    assert [(t["status"], t["inputData"]) for t in shown["tasks"]] == [("FAILED_WITH_TERMINAL_ERROR", {})]
    assert SAID in shown["tasks"][0]["reasonForIncompletion"]
    assert edge.call("GET", "/api/tasks/poll/job").status == 204


def test_a_workflow_output_that_comes_to_be_that_large_fails_it(edge: Edge) -> None:
    edge.register("flow", edge.task("job"), outputParameters={"twice": ["${workflow.input.text}"] * 3})
    started = edge.call("POST", "/api/workflow/flow", {"text": "x" * (PAYLOAD_BYTES_MAX // 2)}).text
    edge.call("POST", f"/api/tasks/{started}/job/COMPLETED", {})
    shown = edge.call("GET", f"/api/workflow/{started}").json
    assert (shown["status"], shown["output"]) == ("FAILED", {}) and SAID in shown["reasonForIncompletion"]


# -- on the disk ------------------------------------------------------------------------------------------------------------------


def test_what_was_uploaded_is_swept_away_after_a_day(edge: Edge) -> None:
    old, new = put(edge, {"n": 1}), put(edge, {"n": 2})
    folder = edge.directory / "payloads"
    assert len(list(folder.iterdir())) == 2
    (folder / "x.json.abc.part").write_bytes(b"left by a crash")
    for file in (folder / old.removeprefix("upload/"), folder / "x.json.abc.part"):
        os.utime(file, (0, file.stat().st_mtime - KEPT_S - 1))
    assert edge.services.engine.payloads is not None
    assert edge.run(edge.services.engine.payloads.sweep()) == 2
    assert [file.name for file in folder.iterdir()] == [new.removeprefix("upload/")]


def test_the_key_of_addresses_outlives_the_server_and_is_its_own(edge: Edge) -> None:
    place = located(edge, "", "WRITE", "TASK_OUTPUT")
    file = edge.directory / "address-keys.json"
    assert file.stat().st_mode & 0o077 == 0 and len(json.loads(file.read_text())) == 1
    other = Edge()
    refused = other.call("PUT", place["uri"].removeprefix(ROOT), {})
    assert refused.status == 403 and "not signed by this server" in refused.json["message"]
    other.close()
