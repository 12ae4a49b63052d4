"""
A small Conductor server for the client's tests: real HTTP on 127.0.0.1, a real queue, the wire behaviour of the endpoints.

Here: what a worker and a script touch: start, read, poll, report, logs, definitions, tokens; and ways to misbehave: go away
and come back on the same port, answer with faults, hold answers back. It holds a batch poll until the *whole* count is there,
as Conductor OSS does. Not here: deciding anything; an execution is a row of worker tasks, done one after another.
"""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

WAIT_S = 20.0
TERMINAL = {"COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT", "CANCELED"}


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Fault:
    """Answers to give instead of the real ones, to requests whose ``METHOD /path`` begins with *prefix*."""

    prefix: str
    status: int
    body: bytes
    content_type: str
    times: int


@dataclass
class Refusal(Exception):
    status: int
    message: str
    extra: dict[str, Any] = field(default_factory=dict)


class ConductorFake:
    """The server; `start` makes it listen, `stop` breaks every connection and refuses new ones until started again."""

    def __init__(self, *, has_auth: bool = False) -> None:
        self.requests: list[Request] = []
        self.tasks: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[str]] = {}
        self.definitions: dict[str, dict[str, Any]] = {}
        self.task_defs: dict[str, dict[str, Any]] = {}
        self.leases: dict[str, int] = {}
        self.tokens: set[str] = set()
        self.keys = {"key": "secret"} if has_auth else None
        self.polled_by: list[str] = []
        self._queues: dict[str, list[tuple[float, str]]] = {}
        self._faults: list[Fault] = []
        self._held: list[tuple[str, threading.Event]] = []
        self._change = threading.Condition()
        self._server: ThreadingTCPServer | None = None
        self._open: set[socket.socket] = set()
        self.port = 0

    # ---- life

    def start(self) -> ConductorFake:
        server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Go away as a killed server does."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self._change:
            for connection in list(self._open):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self._change.notify_all()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    # ---- what tests do to it

    def put_task(self, type: str, input: dict[str, Any] | None = None, *, domain: str | None = None, **fields: Any) -> str:
        """An execution of one task of this type, SCHEDULED; the task's id."""
        with self._change:
            execution_id = self._new_execution(f"one_{type}", [{"name": type, "taskReferenceName": "t", **fields}], input or {}, domain)
            return str(self.executions[execution_id]["tasks"][0]["taskId"])

    def fault(self, prefix: str, status: int, body: Any = None, *, content_type: str = "application/json", times: int = 1) -> None:
        """Answer the next *times* matching requests with this."""
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {"status": status, "message": "a fault"}).encode()
        with self._change:
            self._faults.append(Fault(prefix, status, data, content_type, times))

    def clear_faults(self) -> None:
        with self._change:
            self._faults.clear()

    @contextmanager
    def held(self, prefix: str) -> Iterator[None]:
        """Matching requests are answered only after the with block."""
        gate = threading.Event()
        with self._change:
            self._held.append((prefix, gate))
        try:
            yield
        finally:
            gate.set()
            with self._change:
                self._held.remove((prefix, gate))

    def end_task(self, task_id: str, status: str) -> None:
        """End a task from the server's side, as terminating its workflow does."""
        with self._change:
            self.tasks[task_id]["status"] = status
            self._change.notify_all()

    def wait_until(self, is_so: Callable[[], Any], what: str = "the expected state", timeout_s: float = WAIT_S) -> None:
        """Return once *is_so*; it is looked at after each request. AssertionError when it is not so in time."""
        deadline = time.monotonic() + timeout_s
        with self._change:
            while not is_so():
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise AssertionError(f"{what} did not come in {timeout_s} s; last requests: {[str(r) for r in self.requests[-8:]]}")
                self._change.wait(min(left_s, 0.1))

    def wait_ended(self, *task_ids: str) -> None:
        self.wait_until(lambda: all(self.tasks[i]["status"] in TERMINAL for i in task_ids), f"the end of {task_ids}")

    def seen(self, prefix: str) -> list[Request]:
        """The requests whose ``METHOD /path`` begins with *prefix*, so far."""
        return [request for request in list(self.requests) if str(request).startswith(prefix)]

    def expire_tokens(self) -> None:
        self.tokens.clear()

    # ---- answering

    def answer(self, request: Request) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        with self._change:
            self.requests.append(request)
            self._change.notify_all()
            gates = [gate for prefix, gate in self._held if str(request).startswith(prefix)]
            fault = next((f for f in self._faults if str(request).startswith(f.prefix)), None)
            if fault is not None:
                fault.times -= 1
                if not fault.times:
                    self._faults.remove(fault)
        for gate in gates:
            gate.wait(WAIT_S)
        if fault is not None:
            return fault.status, fault.content_type, fault.body
        try:
            with self._change:
                self._check_token(request)
                result = self._route(request)
                self._change.notify_all()
        except Refusal as refusal:
            body = {"status": refusal.status, "message": refusal.message, "retryable": False, **refusal.extra}
            return refusal.status, "application/json", json.dumps(body).encode()
        if result is None:
            return 200, "", b""
        if isinstance(result, int):
            return result, "", b""
        if isinstance(result, str):
            return 200, "text/plain;charset=UTF-8", result.encode()
        return 200, "application/json", json.dumps(result).encode()

    def _check_token(self, request: Request) -> None:
        if self.keys is None or request.path == "/token":
            return
        token = request.headers.get("x-authorization")
        if token not in self.tokens:
            raise Refusal(401, "the token is not valid", {"error": "EXPIRED_TOKEN" if token else "NO_TOKEN"})

    def _route(self, request: Request) -> Any:
        match request.method, [unquote(part) for part in request.path.strip("/").split("/")]:
            case "POST", ["token"]:
                return self._new_token(request.json)
            case "GET", ["health"]:
                return {"healthResults": [], "suppressedHealthResults": [], "healthy": True}
            case "GET", ["version"]:
                return "3.32.1"
            case "POST", ["workflow"]:
                return self._start(request.json)
            case "GET", ["workflow", "search"]:
                return {"totalHits": 0, "results": []}
            case "GET", ["workflow", execution_id]:
                return self._execution(execution_id)
            case "GET", ["workflow", execution_id, "status"]:
                return {"workflowId": execution_id, "status": self._execution(execution_id)["status"]}
            case "DELETE", ["workflow", execution_id]:
                self._terminate(self._execution(execution_id))
                return None
            case "GET", ["tasks", "poll", type]:
                return (self._take(request, type, 1, 0.1) or [204])[0]
            case "GET", ["tasks", "poll", "batch", type]:
                return self._take(request, type, int(request.query.get("count", ["1"])[0]), int(request.query.get("timeout", ["100"])[0]) / 1000)
            case "POST", ["tasks"]:
                return self._update(request.json)
            case "POST", ["tasks", task_id, "log"]:
                self.logs.setdefault(task_id, []).append(request.body.decode())
                return None
            case "GET", ["tasks", task_id, "log"]:
                lines = self.logs.get(task_id)
                return [{"log": line, "taskId": task_id, "createdTime": 1} for line in lines] if lines else 204
            case "GET", ["tasks", task_id]:
                return self._task(task_id)
            case "POST", ["metadata", "workflow"]:
                return self._define(request)
            case "POST", ["metadata", "taskdefs"]:
                self.task_defs |= {one["name"]: one for one in request.json}
                return None
            case "GET", ["metadata", "workflow", name]:
                if name not in self.definitions:
                    raise Refusal(404, f"No such workflow found by name: {name}, version: null")
                return self.definitions[name]
            case _:
                raise Refusal(404, f"No static resource api{request.path}.")

    def _new_token(self, body: dict[str, str]) -> Any:
        if self.keys is None:
            raise Refusal(404, "No static resource api/token.")
        if self.keys.get(body["keyId"]) != body["keySecret"]:
            raise Refusal(401, "the key is not known", {"error": "INVALID_KEY"})
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return {"token": token, "userId": "someone"}

    def _define(self, request: Request) -> None:
        definition = request.json
        if not definition.get("tasks"):
            problem = {"path": "registerWorkflowDef.arg0.tasks", "message": "WorkflowTask list cannot be empty"}
            raise Refusal(400, "Validation failed, check below errors for detail.", {"validationErrors": [problem]})
        if definition["name"] in self.definitions and request.query.get("overwrite") != ["true"]:
            raise Refusal(409, f"Workflow with {definition['name']}.1 already exists!")
        self.definitions[definition["name"]] = definition

    def _start(self, body: dict[str, Any]) -> str:
        definition = body.get("workflowDef") or self.definitions.get(body["name"])
        if definition is None:
            raise Refusal(404, f"No such workflow defined. name={body['name']}, version=null")
        return self._new_execution(body["name"], definition["tasks"], body["input"], None)

    def _new_execution(self, name: str, tasks: list[dict[str, Any]], input: dict[str, Any], domain: str | None) -> str:
        execution_id = str(uuid.uuid4())
        self.executions[execution_id] = {
            "workflowId": execution_id, "workflowName": name, "workflowVersion": 1, "status": "RUNNING", "input": input, "output": {}, "tasks": [],
            "_rest": list(tasks), "_domain": domain,
        }  # fmt: skip
        self._advance(self.executions[execution_id])
        return execution_id

    def _advance(self, execution: dict[str, Any]) -> None:
        if not execution["_rest"]:
            execution["status"] = "COMPLETED"
            execution["output"] = execution["tasks"][-1]["outputData"]
            return
        node = execution["_rest"].pop(0)
        task = {
            "taskId": str(uuid.uuid4()), "taskType": node["name"], "referenceTaskName": node["taskReferenceName"], "status": "SCHEDULED",
            "workflowInstanceId": execution["workflowId"], "workflowType": execution["workflowName"], "retryCount": 0, "pollCount": 0,
            "inputData": execution["input"], "outputData": {}, "responseTimeoutSeconds": 3600, "callbackAfterSeconds": 0, "iteration": 0,
            **{k: v for k, v in node.items() if k not in ("name", "taskReferenceName", "type", "inputParameters")},
        }  # fmt: skip
        execution["tasks"].append(task)
        self.tasks[task["taskId"]] = task
        self._enqueue(task, 0.0)

    def _queue(self, type: str, domain: str | None) -> list[tuple[float, str]]:
        return self._queues.setdefault(f"{domain}:{type}" if domain else type, [])

    def _enqueue(self, task: dict[str, Any], after_s: float) -> None:
        execution = self.executions[task["workflowInstanceId"]]
        self._queue(task["taskType"], execution["_domain"]).append((time.monotonic() + after_s, task["taskId"]))

    def _take(self, request: Request, type: str, count: int, timeout_s: float) -> list[dict[str, Any]]:
        if timeout_s > 5:
            raise Refusal(400, "Long Poll Timeout value cannot be more than 5 seconds")
        queue = self._queue(type, request.query.get("domain", [None])[0])  # type: ignore[list-item]
        worker = request.query.get("workerid", [""])[0]
        self.polled_by.append(worker)
        deadline, taken = time.monotonic() + timeout_s, []
        while True:
            now = time.monotonic()
            for entry in [e for e in queue if e[0] <= now][: count - len(taken)]:
                queue.remove(entry)
                task = self.tasks[entry[1]]
                if task["status"] == "SCHEDULED":
                    task |= {"status": "IN_PROGRESS", "pollCount": task["pollCount"] + 1, "workerId": worker, "callbackAfterSeconds": 0}
                    taken.append(dict(task))
            if len(taken) >= count or now >= deadline or self._server is None:
                return taken
            self._change.wait(min(deadline - now, *(max(0.001, e[0] - now) for e in queue), 1.0))

    def _task(self, task_id: str) -> dict[str, Any]:
        if task_id not in self.tasks:
            raise Refusal(404, f"Task not found for taskId: {task_id}")
        return self.tasks[task_id]

    def _execution(self, execution_id: str) -> dict[str, Any]:
        if execution_id not in self.executions:
            raise Refusal(404, f"No such workflow found by id: {execution_id}")
        return {k: v for k, v in self.executions[execution_id].items() if not k.startswith("_")}

    def _terminate(self, execution: dict[str, Any]) -> None:
        self.executions[execution["workflowId"]]["status"] = "TERMINATED"
        for task in execution["tasks"]:
            if task["status"] not in TERMINAL:
                task["status"] = "CANCELED"

    def _update(self, result: dict[str, Any]) -> str:
        task = self._task(result["taskId"])
        if task["status"] in TERMINAL:
            return str(result["taskId"])
        if result.get("extendLease"):
            self.leases[task["taskId"]] = self.leases.get(task["taskId"], 0) + 1
            return str(result["taskId"])
        task |= {"outputData": result.get("outputData", {}), "reasonForIncompletion": result.get("reasonForIncompletion"), "workerId": result.get("workerId")}
        self.logs.setdefault(task["taskId"], []).extend(entry["log"] for entry in result.get("logs", [])[:10])
        if result["status"] == "IN_PROGRESS":
            task |= {"status": "SCHEDULED", "callbackAfterSeconds": result.get("callbackAfterSeconds", 0)}
            self._enqueue(task, task["callbackAfterSeconds"])
            return str(result["taskId"])
        task["status"] = result["status"]
        execution = self.executions[task["workflowInstanceId"]]
        if result["status"] == "COMPLETED":
            self._advance(execution)
        else:
            execution["status"] = "FAILED"
        return str(result["taskId"])


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _handler(fake: ConductorFake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            fake._open.add(self.connection)

        def finish(self) -> None:
            fake._open.discard(self.connection)
            try:
                super().finish()
            except OSError:
                pass

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = parts.path.removeprefix("/api")
            status, content_type, content = fake.answer(Request(self.command, path, parse_qs(parts.query), headers, body))
            if fake._server is None:
                self.close_connection = True
                return  # gone before the answer was sent
            self.send_response(status)
            if content_type:
                self.send_header("Content-Type", content_type)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at `requests` instead."""

    return Handler
