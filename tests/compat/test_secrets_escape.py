"""
Secrets that workers, scripts, web servers and handlers send back in every way they can think of, across two kills -9: their bytes are in no answer of any
route that reads, in no file but the key's own sealing, in no line of the server's log. And a task that is meant to get the value gets it.

Routes are walked from the route table: who adds one is covered.
"""

from __future__ import annotations

import base64
import contextlib
import html
import http.client
import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from serving import Served, free_port, launch, until

from batuta.api.binding import parameters_of
from batuta.api.routes import ROUTES

TOKEN = 'tok/"Zx9+ß~ kappa\\lambda'
PASSWORD = "correct-horse-battery"
DB = json.dumps({"user": "postgres-admin", "password": PASSWORD})
NAMED = "${workflow.secrets.TOKEN}"
HAND_OUT = ("/api/tasks/poll/", "/api/workflow/execute/")  # what the first are for; the others start an execution and wait for it


def written(value: str) -> list[str]:
    """The value in every way in which it is sent back."""
    raw = value.encode()
    coded = [base64.b64encode(b"xy"[:n] + raw).decode() for n in range(3)]
    return [
        value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(json.dumps(value))[3:-3], quote(value), quote(value, safe=""),
        quote_plus(value), html.escape(value), raw.hex(), *coded,
    ]  # fmt: skip


# In base64 the first and the last letters belong to what stands around it as well.
FORMS = [(form[4:-4] if n > 8 else form).encode() for value in (TOKEN, PASSWORD) for n, form in enumerate(written(value))]


def leaked(found: bytes) -> list[bytes]:
    return [form for form in FORMS if form in found]


class Echo(BaseHTTPRequestHandler):
    """Answers with the header it was sent: in a header, in the body, and where asked for, with a failure."""

    def do_GET(self) -> None:
        said = self.headers["Authorization"]
        body = json.dumps({"you": said, "raw": [said, base64.b64encode(said.encode("latin-1")).decode()]}).encode()
        self.send_response(int(self.path.rsplit("/", 1)[1]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Echo", quote(said))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


class Caller:
    """Calls one server; answers as bytes."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def raw(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=10)
        try:
            connection.request(method, path, body, {"content-type": kind} if body is not None else {})
            answer = connection.getresponse()
            live = answer.headers.get_content_type() == "text/event-stream"
            return answer.status, (self._begun(connection, answer) if live else answer.read()) + str(answer.headers).encode()
        finally:
            connection.close()

    @staticmethod
    def _begun(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> bytes:
        """What a stream without an end begins with, until it says nothing for half a second."""
        found = b""
        with contextlib.suppress(TimeoutError):
            if connection.sock is not None:
                connection.sock.settimeout(0.5)
            while more := answer.read1():
                found += more
        return found

    def call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=10)
        try:
            connection.request(method, f"/api{path}", None if body is None else json.dumps(body), {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text[:300]}"
            return json.loads(text) if text and answer.headers.get_content_type() == "application/json" else text
        finally:
            connection.close()

    def take(self, kind: str) -> dict[str, Any]:
        [task] = until(lambda: self.call("GET", f"/tasks/poll/batch/{kind}?timeout=500"))
        found: dict[str, Any] = task
        return found

    def report(self, task: dict[str, Any], status: str, **fields: Any) -> None:
        self.call("POST", "/tasks", {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": status, **fields})


def simple(name: str, given: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": name, "taskReferenceName": name, "type": "SIMPLE", "inputParameters": given, **fields}


def definitions(echo: str) -> list[dict[str, Any]]:
    auth = {"Authorization": f"Key {NAMED}"}

    def call(ref: str, status: int, **fields: Any) -> dict[str, Any]:
        request = {"uri": f"{echo}/{status}", "method": "GET", "headers": {"Authorization": "Key ${workflow.secrets.DB.password}"}}
        return {**simple(ref, {"http_request": request}), "type": "HTTP", **fields}

    def script(ref: str, expression: str, **fields: Any) -> dict[str, Any]:
        return {**simple(ref, {"evaluatorType": "javascript", "expression": expression, "token": NAMED, **auth}), "type": "INLINE", **fields}

    tasks = [
        simple("leak_a", {"auth": f"Bearer {NAMED}", "password": "${workflow.secrets.DB.password}"}),
        script("show", "({all: $, cut: $.token})"), script("throws", "throw new Error($.token)", optional=True),
        call("asks", 200), call("refused", 404, optional=True),
        {**simple("keep", {"kept": "${leak_a.output}"}), "type": "SET_VARIABLE"},
        {**simple("tell", {"said": "${leak_a.output.echo}"}), "type": "EVENT", "sink": "conductor:out"},
        {**simple("sub", {"auth": NAMED}), "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "child", "version": 1}},
        simple("leak_b", {"again": "${leak_a.output.echo}", "shown": "${show.output.result.cut}", "large": "${sub.output.large}"}),
    ]  # fmt: skip
    common = {"version": 1, "schemaVersion": 2, "ownerEmail": "x@example.com", "timeoutSeconds": 0}
    output = {"all": "${leak_a.output}", "variables": "${workflow.variables}"}
    return [
        {**common, "name": "leaky", "tasks": tasks, "failureWorkflow": "after", "outputParameters": output},
        {**common, "name": "child", "tasks": [simple("leak_c", {"auth": "${workflow.input.auth}"})]},
        {**common, "name": "after", "tasks": [simple("leak_d", {"failed": "${workflow.input.failedWorkflow}"})]},
        {**common, "name": "follower", "tasks": [{**simple("note", {"said": "${workflow.input.said}"}), "type": "SET_VARIABLE"}]},
    ]


def everything(value: str) -> dict[str, Any]:
    """The value said in every way at once."""
    texts = {"text": f"<{value}>", "written": written(value), "json": json.dumps({"a": value})}
    return {"echo": value, "list": [[value]], value: value, **texts, "deep": {"a": [{"b": value}]}}


def test_no_secret_gets_out(tmp_path: Path, echo: str) -> None:
    port = free_port()
    caller = Caller(launch(tmp_path, port))
    for name, value in (("TOKEN", TOKEN), ("DB", DB)):
        assert caller.raw("PUT", f"/api/secrets/{name}", value.encode(), "text/plain")[0] == 200
    task_definitions = [{"name": name, "retryCount": 0, "timeoutSeconds": 0, "runtimeMetadata": ["TOKEN"]} for name in ("leak_a", "leak_c")]
    caller.call("POST", "/metadata/taskdefs", task_definitions)
    caller.call("PUT", "/metadata/workflow", definitions(echo))
    action = {"action": "start_workflow", "start_workflow": {"name": "follower", "input": {"said": "${said}"}}}
    caller.call("POST", "/event", {"name": "listener", "event": "conductor:leaky:out", "active": True, "actions": [action]})
    execution = caller.call("POST", "/workflow", {"name": "leaky", "correlationId": "c-1"})

    task = caller.take("leak_a")
    assert (task["inputData"], task["runtimeMetadata"]) == ({"auth": f"Bearer {TOKEN}", "password": PASSWORD}, {"TOKEN": TOKEN})
    logs = [{"log": form, "createdTime": 1} for form in written(TOKEN)[:5]]
    caller.report(task, "IN_PROGRESS", outputData=everything(TOKEN), reasonForIncompletion=f"{'r' * 480}{TOKEN}", logs=logs)
    caller.raw("POST", f"/api/tasks/{task['taskId']}/log", f"again {TOKEN}".encode(), "text/plain")
    caller.served.kill()

    caller = Caller(launch(tmp_path, port))
    task = caller.take("leak_a")
    caller.report(task, "COMPLETED", outputData={**everything(TOKEN), "db": everything(PASSWORD)})
    task = caller.take("leak_c")
    assert task["inputData"] == {"auth": TOKEN}
    place = caller.call("GET", "/tasks/externalstoragelocation?operation=WRITE&payloadType=TASK_OUTPUT&path=")  # an output too large to be shown in its place
    large = json.dumps({**everything(TOKEN), "large": [f"{TOKEN}{'x' * 100}"] * 40_000}).encode()
    assert caller.raw("PUT", place["uri"].partition(f":{port}")[2], large)[0] == 200
    caller.report(task, "COMPLETED", externalOutputPayloadStoragePath=place["path"])
    task = caller.take("leak_b")
    assert (task["inputData"]["again"], task["inputData"]["shown"]) == (TOKEN, TOKEN)  # echoed, stored masked, handed on whole
    assert task["inputData"]["large"][0].startswith(TOKEN)  # also where others are shown a path
    caller.served.kill()

    caller = Caller(launch(tmp_path, port))
    caller.report(task, "FAILED_WITH_TERMINAL_ERROR", outputData=everything(TOKEN), reasonForIncompletion=f"refused {TOKEN}")
    until(lambda: caller.call("GET", f"/workflow/{execution}/status")["status"] == "FAILED")
    task = caller.take("leak_d")
    caller.report(task, "FAILED", outputData={"was": task["inputData"]}, reasonForIncompletion=PASSWORD)
    until(lambda: any(one["workflowType"] == "follower" for one in caller.call("GET", "/workflow/search?size=50")["results"]))

    shown = caller.call("GET", f"/workflow/{execution}")
    output = {task["referenceTaskName"]: task["outputData"] for task in shown["tasks"]}
    assert output["leak_b"]["deep"] == {"a": [{"b": NAMED}]} and output["asks"]["response"]["statusCode"] == 200
    for ref, name in (("asks", "${workflow.secrets.DB.password}"), ("show", NAMED), ("throws", NAMED)):
        assert name in json.dumps(output[ref])
    try:
        walk(caller)
        for secret in (TOKEN, PASSWORD):
            for kind in ("workflow", "tasks"):
                assert caller.call("GET", f"/{kind}/search?freeText={quote(secret, safe='')}")["totalHits"] == 0
    finally:
        caller.served.process.terminate()
        caller.served.process.wait(15)
    for file in (file for file in tmp_path.rglob("*") if file.is_file()):
        assert not leaked(file.read_bytes()), f"{file.name} holds {leaked(file.read_bytes())}"
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def walk(caller: Caller) -> None:
    """Every route that reads, about everything there is."""
    executions = [one["workflowId"] for one in caller.call("GET", "/workflow/search?size=50")["results"]]
    tasks = [task["taskId"] for one in executions for task in caller.call("GET", f"/workflow/{one}")["tasks"]]
    there = {
        "workflowId": executions, "executionId": [executions[-1]], "taskId": tasks,
        "name": ["leaky", "child", "after", "follower", "listener"], "correlationId": ["c-1"],
        "tasktype": ["leak_a", "leak_b", "leak_c", "leak_d", "HTTP", "INLINE"], "event": ["conductor:leaky:out"], "key": ["TOKEN", "DB"],
        "direction": ["input", "output"], "file": [f"{task}.json" for task in tasks],
    }  # fmt: skip
    answered: set[str] = set()
    for route in ROUTES:
        if route.method != "GET" or route.pattern.startswith(HAND_OUT):
            continue
        in_path, in_query = parameters_of(route)
        asked = "&".join(f"{p.wire}={'conductor:leaky:out' if p.wire == 'event' else 'x'}" for p in in_query if p.required)
        for values in itertools.product(*(there.get(p.wire, ["x"]) for p in in_path)):
            path = route.pattern
            for parameter, value in zip(in_path, values, strict=True):
                path = path.replace(f"{{{parameter.wire}}}", quote(value, safe=""))
            status, body = caller.raw("GET", f"{path}?{asked}")
            assert status < 500 and not leaked(body), f"GET {path}: {status}, {leaked(body)}"
            if status == 200:
                answered.add(route.pattern)
    assert {"/api/workflow/{workflowId}", "/api/tasks/{taskId}/log", "/api/external/task/{direction}/{file}", "/api/event/executions"} <= answered
    for path, body in (("workflow/bulk/search", executions), ("workflow/leaky/correlated", ["c-1"])):
        status, found = caller.raw("POST", f"/api/{path}?includeTasks=true&includeClosed=true", json.dumps(body).encode())
        assert status == 200 and not leaked(found)
