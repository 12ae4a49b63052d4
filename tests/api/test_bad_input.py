"""
Every route against every kind of bad input, made from the route table: who adds a route adds its cases by doing so.

For each route: a body that is no JSON, is missing, is of another type, says that it is something else, is too large; each field of the body with a value
that cannot be meant, and without what is required; each parameter of the query and the path with a value that cannot be meant; names and ids of nothing.
The answer is 4xx in the form of an error, and says what was found where and what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from edgework import JSON, Answer, Edge

from batuta.api.binding import Count, Millis, Parameter, parameters_of
from batuta.api.openapi import describe
from batuta.api.router import Route
from batuta.api.routes import ROUTES
from batuta.wire import agent, event, file, metadata, requests, schedule
from batuta.wire.shape import Choice, Field, Flag, Integer, Kind, ListOf, Record, Table, Text

LARGEST = 100_000  # of the edge's bodies
DOCUMENT = describe(ROUTES, "1.2.3")
RECORDS = {record.name: record for record in (*metadata.RECORDS, *requests.RECORDS, *event.RECORDS, *schedule.RECORDS, *agent.RECORDS, *file.RECORDS)}


class Case(NamedTuple):
    """
    A request that must be refused with this status, in words that contain each of these.

    The target may name `{workflowId}` and `{taskId}`, those of an execution that exists, and `{fileId}` and `{uploadId}`, those of a file of it.
    """

    method: str
    target: str
    status: int
    words: tuple[str, ...] = ()
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = JSON


# What there is, by the beginning of the path and the variable in it.
THERE = {
    "name": {
        "/api/metadata": "greeting",
        "/api/workflow": "greeting",
        "/api/event": "listener",
        "/api/scheduler": "daily",
        "/api/agent": "greeter",
        "/api/schema": "shape",
    },
    "tasktype": {"/": "say_hello"},
    "taskType": {"/": "say_hello"},
    "taskRefName": {"/": "hello"},
    "taskReferenceName": {"/": "again"},
    "correlationId": {"/": "order-1"},
    "event": {"/": "conductor:greeting:sink"},
    "status": {"/": "COMPLETED"},
    "version": {"/": "1"},
    "workflowId": {"/": "{workflowId}"},
    "executionId": {"/": "{workflowId}"},
    "refTaskName": {"/": "hello"},
    "taskId": {"/": "{taskId}"},
    "direction": {"/": "input"},
    "fileId": {"/": "{fileId}"},
    "uploadId": {"/": "{uploadId}"},
    "partNumber": {"/": "1"},
    "upload": {"/": f"{'0' * 32}.json"},
    "file": {"/api/external/workflow": "{workflowId}.json", "/": "{taskId}.json"},
    "key": {"/api/environment": "TOWN", "/api/secrets": "TOKEN"},
}


def path(route: Route, *, strangers: bool = False, **values: str) -> str:
    """The route's path to something that is there, or with the names of nothing; with these values for some of its parameters."""
    filled = route.pattern
    for parameter in parameters_of(route)[0]:
        stranger = f"no-such-{parameter.wire.lower()}"
        there = next((value for begin, value in THERE.get(parameter.wire, {}).items() if route.pattern.startswith(begin)), stranger)
        named = stranger if strangers and parameter.wire not in ("status", "version", "partNumber") else there
        filled = filled.replace(f"{{{parameter.wire}}}", values.get(parameter.name, named))
    asked = [p for p in parameters_of(route)[1] if p.required or p.name in values]
    return filled + ("?" + "&".join(f"{p.wire}={values.get(p.name, 'x')}" for p in asked) if asked else "")


def example(route: Route) -> Any:
    """A body that the description of the route shows, with something where it shows an empty text; None for one that is not JSON."""
    content = DOCUMENT["paths"][route.pattern][route.method.lower()]["requestBody"]["content"]
    shown = content["application/json"]["example"] if "application/json" in content else None
    return {key: value or "some" if isinstance(value, str) else value for key, value in shown.items()} if isinstance(shown, dict) else shown


def label(route: Route) -> str:
    return f"{route.method} {route.pattern}"


# -- bodies -----------------------------------------------------------------------------------------------------------------------


def of_bodies(route: Route) -> Iterator[Case]:
    """Bodies that are no body of this route, whatever they say."""
    if not route.takes:
        return
    good = json.dumps(example(route)).encode()
    yield Case(route.method, path(route), 413, (f"more than {LARGEST} bytes",), b" " * (LARGEST + 1))
    if route.takes.startswith(("text", "bytes")):
        return
    yield Case(route.method, path(route), 400, ("no JSON", "line 1, column"), b'{"a":')
    yield Case(route.method, path(route), 400, ("no JSON", "UTF-8"), b'"\xff"')
    yield Case(route.method, path(route), 400, ("nested too deeply",), b"[" * 40_000 + b"]" * 40_000)
    yield Case(route.method, path(route), 400, ("the body is the number 5", "expected"), b"5")
    if not route.takes.endswith("?"):
        yield Case(route.method, path(route), 400, ("no body", "expected JSON"), b"")
        yield Case(route.method, path(route), 400, ("null", "expected"), b"null")
    yield Case(route.method, path(route), 415, ("text/plain", "expected application/json"), good, ((b"content-type", b"text/plain"),))
    if "[]" not in route.takes:
        yield Case(route.method, path(route), 400, ("the body is a list", "expected"), b"[]")
    elif "|" not in route.takes:
        yield Case(route.method, path(route), 400, ("the body is an object", "expected"), b"{}")


def never(kind: Kind) -> Any:
    """A value that this kind of field cannot mean; None when it may be anything."""
    match kind:
        case Text() | ListOf():
            return {"odd": 1}
        case Integer():
            return "twelve"
        case Flag() | Choice():
            return "maybe"
        case Table() | Record():
            return 12
    return None


def faults_of(record: Record, good: dict[str, Any], depth: int = 2) -> Iterator[tuple[str, dict[str, Any]]]:
    """This object with one field that cannot be meant at a time, and the path of that field; also inside objects and lists that it holds."""
    for field in record.fields:
        if (wrong := never(field.kind)) is not None:
            yield field.name, {**good, field.name: wrong}
        yield from faults_inside(field, good, depth)


def faults_inside(field: Field, good: dict[str, Any], depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    match field.kind:
        case ListOf(kind=Record() as member) if depth:
            for where, wrong in faults_of(member, {}, depth - 1):
                yield f"{field.name}[0].{where}", {**good, field.name: [wrong]}
        case ListOf() if (odd := never(field.kind.kind)) is not None:
            yield f"{field.name}[0]", {**good, field.name: [odd]}
        case Record() as member if depth:
            for where, wrong in faults_of(member, {}, depth - 1):
                yield f"{field.name}.{where}", {**good, field.name: wrong}
        case Table(kind=member) if member is not None and (odd := never(member)) is not None:
            yield f"{field.name}.key", {**good, field.name: {"key": odd}}


# Fields that are passed over, whatever they say, and why.
PASSED_OVER = {
    ("POST /api/workflow/execute/{name}/{version}", "name"): "the path says it",
    ("POST /api/workflow/execute/{name}/{version}", "version"): "the path says it",
    ("POST /api/workflow/{workflowId}/rerun", "reRunFromWorkflowId"): "the path says it",
    ("POST /api/agent/executions/{executionId}/rerun", "reRunFromWorkflowId"): "the path says it",
    ("POST /api/workflow/{workflowId}/state", "taskResult.logs[0].taskId"): "a log is of the task that is reported",
    ("POST /api/tasks", "logs[0].taskId"): "a log is of the task that is reported",
    ("POST /api/tasks/update-v2", "logs[0].taskId"): "a log is of the task that is reported",
}


def of_fields(route: Route) -> Iterator[Case]:
    """The body that the description shows, with one field wrong or without one that is required."""
    kind = route.takes.removesuffix("?").partition("|")[0]
    record = RECORDS.get(kind.removesuffix("[]"))
    if record is None:
        return
    good = example(route)
    many = isinstance(good, list)
    good = good[0] if many else good
    for where, wrong in faults_of(record, good):
        if (label(route), where) in PASSED_OVER:
            continue
        yield Case(route.method, path(route), 400, (f"[0].{where}" if many else where, "expected"), json.dumps([wrong] if many else wrong).encode())
    for name in record.required:
        if (label(route), name) in PASSED_OVER:
            continue
        less = {key: value for key, value in good.items() if key != name}
        yield Case(route.method, path(route), 400, (name,), json.dumps([less] if many else less).encode())


# -- parameters and names ---------------------------------------------------------------------------------------------------------


def odd_values(parameter: Parameter) -> tuple[str, ...]:
    """Texts that this parameter cannot mean."""
    if parameter.words:
        return ("NEVER",)
    if parameter.kind is bool:
        return ("maybe", "2")
    if parameter.kind in (int, Count, Millis):
        return ("many", "1.5", str(2**63 if parameter.kind is Millis else 2**31), *(["-1"] if parameter.kind is Count else []))
    return ()


def of_parameters(route: Route) -> Iterator[Case]:
    """Parameters that cannot be meant, and required ones that are missing."""
    in_path, in_query = parameters_of(route)
    body = b"" if not route.takes else json.dumps(example(route)).encode()
    for parameter in in_path:
        for odd in odd_values(parameter):
            yield Case(route.method, path(route, **{parameter.name: odd}), 400, (parameter.wire, odd, "expected"), body)
    for parameter in in_query:
        others = path(route).partition("?")[0] + "?" + "".join(f"{p.wire}=x&" for p in in_query if p.required and p is not parameter)
        for odd in odd_values(parameter):
            yield Case(route.method, f"{others}{parameter.wire}={odd}", 400, (parameter.wire, odd, "expected"), body)
        if parameter.required:
            yield Case(route.method, others, 400, (parameter.wire, "missing"), body)


# Routes for which a name of nothing is an ordinary question, and what they answer.
KNOWS_NO_STRANGERS = {
    "GET /api/metadata/workflow/{name}/versions": 200,  # none of its versions
    "GET /api/workflow/running/{name}": 200,  # none of them runs
    "GET /api/workflow/{name}/correlated/{correlationId}": 200,
    "POST /api/workflow/{name}/correlated": 200,
    "GET /api/tasks/poll/{tasktype}": 204,  # a worker may come before its definition
    "GET /api/tasks/poll/batch/{tasktype}": 200,
    "POST /api/tasks/{workflowId}/{taskRefName}/{status}": 200,  # Conductor's: nothing to update, an empty body
    "POST /api/tasks/{taskId}/log": 200,  # Conductor's: a log is kept whether or not there is a task
    "GET /api/tasks/{taskId}/log": 204,
    "POST /api/tasks/queue/requeue/{taskType}": 200,  # none of them, so 0
    "POST /api/workflow/{workflowId}/messages": 404,  # Conductor's: in plain text
    "GET /api/event/{event}": 200,  # nobody listens
    "GET /api/agent/tasks/{taskId}/log": 200,  # Conductor's: no lines
    "POST /api/agent/events/{executionId}": 200,  # Conductor's: whoever it is about
    "DELETE /api/scheduler/schedules/{name}": 200,  # Conductor's: it is gone either way
    "GET /api/admin/task/{tasktype}": 200,
    "GET /api/environment/{key}": 200,  # Conductor's: empty
    "PUT /api/environment/{key}": 200,  # it is made
    "PUT /api/secrets/{key}": 200,
    "GET /api/secrets/{key}/exists": 200,  # false
}


def of_names(route: Route) -> Iterator[Case]:
    """Ids and names of nothing."""
    if parameters_of(route)[0] and label(route) not in KNOWS_NO_STRANGERS:
        yield Case(route.method, path(route, strangers=True), 404, ("no-such-",), b"" if not route.takes else json.dumps(example(route)).encode())


def cases_of(route: Route) -> list[Case]:
    return [case for make in (of_bodies, of_fields, of_parameters, of_names) for case in make(route)]


# -- the tests --------------------------------------------------------------------------------------------------------------------


class World:
    """An edge with a little of everything, for all cases: a refused request changes nothing."""

    def __init__(self) -> None:
        self.edge = Edge()
        self.edge.register("greeting", self.edge.task("say_hello", taskReferenceName="hello"), self.edge.task("say_hello", taskReferenceName="again"))
        for target, body in (
            ("/api/metadata/taskdefs", [{"name": "say_hello", "timeoutSeconds": 60}]),
            (
                "/api/event",
                {"name": "listener", "event": "conductor:greeting:sink", "actions": [{"action": "start_workflow", "start_workflow": {"name": "greeting"}}]},
            ),
            ("/api/schema", {"name": "shape", "data": {}}),
            ("/api/agent/deploy", {"agentConfig": {"name": "greeter", "model": "openai/gpt-4o-mini"}}),
            ("/api/scheduler/schedules", {"name": "daily", "cronExpression": "0 0 12 * * *", "startWorkflowRequest": {"name": "greeting"}}),
        ):
            made = self.edge.call("POST", target, body)
            assert made.status == 200, made.text
        for target in ("/api/environment/TOWN", "/api/secrets/TOKEN"):
            assert self.edge.raw("PUT", target, b"Brno").status == 200
        assert self.edge.call("PUT", f"/api/external/upload/{'0' * 32}.json", {}).status == 200
        self.workflow_id = self.edge.start("greeting", correlationId="order-1")
        self.file_id = self.edge.call("POST", "/api/files", {"workflowId": self.workflow_id}).json["fileHandleId"].removeprefix("conductor://file/")
        self.upload_id = self.edge.call("POST", f"/api/files/{self.workflow_id}/{self.file_id}/multipart").json["uploadId"]
        self.task_id = self.edge.call("GET", f"/api/workflow/{self.workflow_id}").json["tasks"][0]["taskId"]
        self.before = self.state()

    def ask(self, case: Case) -> Answer:
        target = case.target.replace("{workflowId}", self.workflow_id).replace("{taskId}", self.task_id)
        target = target.replace("{fileId}", self.file_id).replace("{uploadId}", self.upload_id)
        body = case.body.replace(b"{workflowId}", self.workflow_id.encode()).replace(b"{taskId}", self.task_id.encode())
        return self.edge.raw(case.method, target, body, headers=case.headers)

    def state(self) -> list[Any]:
        """All that one can see of it."""
        shown = (
            "metadata/workflow", "metadata/taskdefs", "schema", "event", "scheduler/schedules", "workflow/search-v2", "tasks/search-v2",
            f"tasks/{self.task_id}/log", "environment", "secrets/v2", "secrets-v2",
        )  # fmt: skip
        return [self.edge.call("GET", f"/api/{path}").body for path in shown]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.edge.close()


def fault_in(answer: Answer, case: Case) -> str | None:
    """What is wrong with the refusal, if anything."""
    if answer.status != case.status:
        return f"{answer.status} {answer.text[:200]}"
    if answer.kind != "application/json":
        return f"the refusal is {answer.kind}"
    told = answer.json
    if told["status"] != case.status or told["retryable"] is not False:
        return f"the refusal says {told}"
    said = told["message"] + "".join(f" {v['path']} {v['message']}" for v in told.get("validationErrors", ()))
    missing = [word for word in case.words if word not in said]
    return f"{missing} not in {said!r}" if missing else None


@pytest.mark.parametrize("route", [route for route in ROUTES if cases_of(route)], ids=label)
def test_bad_input_is_refused_by_its_name(world: World, route: Route) -> None:
    faults = []
    for case in cases_of(route):
        fault = fault_in(world.ask(case), case)
        if fault is not None:
            faults.append(f"{case.method} {case.target} {case.body[:200]!r} expected {case.status}: {fault}")
    assert not faults, f"{len(faults)} of {len(cases_of(route))} are not refused as they should be:\n" + "\n".join(faults[:20])


# Routes of which nothing can be asked wrongly, and what their answer tells of the world.
PLAIN = {
    "GET /api/metadata/workflow": '"name":"greeting"',
    "GET /api/metadata/workflow/names": '"greeting"]',
    "GET /api/metadata/workflow/names-and-versions": '"greeting":[',
    "GET /api/metadata/workflow/latest-versions": '"name":"greeting"',
    "GET /api/metadata/taskdefs": '"name":"say_hello"',
    "GET /api/tasks/queue/all": '"say_hello":1',
    "GET /api/tasks/queue/all/verbose": '"say_hello":{"a":{"size":1',
    "GET /api/tasks/queue/polldata/all": "[]",
    "GET /api/queue/": "{",
    "GET /api/queue/size": "{",
    "GET /api/event": '"name":"listener"',
    "GET /api/scheduler/schedules": '"name":"daily"',
    "GET /api/scheduler/admin/requeue": '"recordIds.size"',
    "GET /api/scheduler/admin/pause": "{",
    "GET /api/scheduler/admin/resume": "{",
    "GET /health": '"healthy":true',
    "GET /api/health": '"healthy":true',
    "GET /actuator": '"_links"',
    "GET /context.js": "window.conductor",
    "GET /api/agent/list": '"name":"greeter"',
    "GET /api/providers/status": '"providers":[]',
    "GET /api/console/overview": '"counts":{"RUNNING":1}',
    "GET /api/console/work": '"queue":"say_hello"',
    "GET /api/console/health": '"check":"Workers"',
    "GET /actuator/health": '"status":"UP"',
    "GET /actuator/info": "{",
    "GET /actuator/prometheus": "# HELP",
    "GET /api/environment": '{"name":"TOWN","value":"Brno"}',
    "GET /api/secrets": '["TOKEN"]',
    "POST /api/secrets": '["TOKEN"]',
    "GET /api/secrets/v2": '"name":"TOKEN","partial":"..."',
    "GET /api/secrets-v2": '[{"name":"TOKEN","tags":[]}]',
    "POST /api/admin/secrets/rotate-key": '{"secrets":1,"key":"',
    "GET /api/version": "1.2.3",
    "GET /api/admin/config": '"port":"8080"',
    "GET /api/admin/stats": "1",
    "GET /api-docs": '"openapi"',
    "GET /v3/api-docs": '"openapi"',
    "GET /swagger-ui/index.html": "<html",
    "GET /swagger-ui.html": "<html",
}


# Answers without an end; test_live.py reads them as they come.
ENDLESS = {"GET /api/console/events"}


def test_every_route_is_exercised() -> None:
    """A new route has parameters or a body to be wrong in, or stands in one of the tables by name."""
    named = set(PLAIN) | set(KNOWS_NO_STRANGERS) | ENDLESS
    assert named <= {label(route) for route in ROUTES}, f"no longer served: {named - {label(route) for route in ROUTES}}"
    assert [label(route) for route in ROUTES if not cases_of(route) and label(route) not in named] == [], "give each a row in PLAIN"
    assert [name for name in PLAIN if cases_of(next(route for route in ROUTES if label(route) == name))] == [], "these can be asked wrongly"


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_route_without_parameters_tells_of_the_world(world: World, name: str) -> None:
    method, target = name.split()
    answer = world.edge.call(method, target)
    assert answer.status == 200 and PLAIN[name] in answer.text, answer.text[:500]


END = "DELETE /api/workflow/{workflowId}"
PAUSE = "PUT /api/scheduler/schedules/{name}/pause"
# What must happen before a route can do its work on the world, and what differs from the body that its description shows.
PREPARED: dict[str, tuple[str, dict[str, Any]]] = {
    "POST /api/metadata/workflow": ("", {"name": "parting"}),
    "PUT /api/workflow/{workflowId}/resume": ("PUT /api/workflow/{workflowId}/pause", {}),
    "POST /api/workflow/{workflowId}/restart": (END, {}),
    "POST /api/workflow/{workflowId}/retry": (END, {}),
    "POST /api/workflow/{workflowId}/rerun": (END, {"reRunFromTaskId": None}),
    "DELETE /api/workflow/{workflowId}/remove": (END, {}),
    "PUT /api/agent/{executionId}/resume": ("PUT /api/workflow/{workflowId}/pause", {}),
    "POST /api/agent/executions/{executionId}/restart": (END, {}),
    "POST /api/agent/executions/{executionId}/retry": (END, {}),
    "POST /api/agent/executions/{executionId}/rerun": (END, {"reRunFromTaskId": None}),
    "DELETE /api/agent/executions/{executionId}/record": (END, {}),
    "GET /api/agent/stream/{executionId}": (END, {}),
    "POST /api/workflow/{workflowId}/upgrade": ("", {"version": 1}),
    "POST /api/tasks": ("", {"workflowInstanceId": "{workflowId}", "taskId": "{taskId}"}),
    "POST /api/tasks/update-v2": ("", {"workflowInstanceId": "{workflowId}", "taskId": "{taskId}"}),
    "PUT /api/event": ("", {"name": "listener"}),
    "PUT /api/scheduler/schedules/{name}/resume": (PAUSE, {}),
    "GET /api/scheduler/schedules/{name}/resume": (PAUSE, {}),
}
# Routes whose work needs more than this world has, or more than any has; test_event.py, test_workflow.py, test_secrets.py, test_agents.py and
# test_files.py see what they do.
IDLE = {
    **{f"{verb} /api/agent/executions/bulk/{what}": 404 for verb, what in (
        ("PUT", "pause"), ("PUT", "resume"), ("POST", "restart"), ("POST", "retry"), ("POST", "terminate"),
    )},
    "POST /api/agent/inspect-plan": 400,
    "POST /api/agent/{executionId}/respond": 409,
    "POST /api/agent/execution/{executionId}/complete": 409,
    "POST /api/a2a/agent-card": 400,
    "POST /api/a2a/callback/{taskId}": 404,
    "POST /api/event/dead/{id}/redeliver": 404,
    "DELETE /api/event/dead/{id}": 404,
    "POST /api/tasks/{workflowId}/{status}/signal/sync": 404,
    "GET /api/secrets/{key}": 403,
    "GET /api/files/content/{workflowId}/{fileId}": 400,
    "GET /api/files/{workflowId}/{fileId}/download-url": 400,
    "POST /api/files/{workflowId}/{fileId}/upload-complete": 409,
    "POST /api/files/{workflowId}/{fileId}/multipart/{uploadId}/complete": 400,
}


@pytest.mark.parametrize("route", [route for route in ROUTES if label(route) not in ENDLESS], ids=label)
def test_every_route_does_what_its_description_shows(route: Route) -> None:
    """Asked for what is there, with the body that is shown, each answers with a success that its description names."""
    world = World()
    before, changes = PREPARED.get(label(route), ("", {}))
    if before:
        [first] = [one for one in ROUTES if label(one) == before]
        assert world.ask(Case(first.method, path(first), 200)).status == 200
    body = (
        b""
        if not route.takes
        else b"a line of a log"
        if route.takes == "text"
        else json.dumps({**example(route), **changes} if changes else example(route)).encode()
    )
    meant = {
        "cron_expression": "0%200%2012%20*%20*%20*",
        "wait_for_seconds": "1",
        "path": "task/input/1.json",
        "operation": "READ",
        "payload_type": "TASK_INPUT",
    }
    answer = world.ask(Case(route.method, path(route, **meant), 200, (), body))
    world.edge.close()
    if label(route) in IDLE:
        assert answer.status == IDLE[label(route)], answer.text
        return
    shown = DOCUMENT["paths"][route.pattern][route.method.lower()]["responses"]
    assert answer.status in (200, 201, 204) and str(answer.status) in shown, answer.text[:500]
    kinds = [media for media in shown[str(answer.status)].get("content", {"": None}) if answer.body]
    assert not kinds or answer.kind.partition(";")[0] in kinds, f"{answer.kind}, but the description says {kinds}"


@pytest.mark.parametrize("name", sorted(KNOWS_NO_STRANGERS))
def test_a_question_about_nothing_may_have_an_answer(name: str) -> None:
    [route] = [route for route in ROUTES if label(route) == name]
    edge = Edge()
    answer = edge.raw(route.method, path(route, strangers=True), json.dumps(example(route)).encode() if route.takes else b"", headers=JSON)
    edge.close()
    assert answer.status == KNOWS_NO_STRANGERS[name], answer.text


def test_bad_input_changes_nothing(world: World) -> None:
    for route in ROUTES:
        for case in cases_of(route):
            world.ask(case)
    assert world.state() == world.before
