"""The description: every route in it, every reference in it answered, and the page that reads it able to run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from edgework import Edge

from batuta.api.openapi import describe
from batuta.api.routes import ROUTES

DOCUMENT = describe(ROUTES, "1.2.3")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in DOCUMENT["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_route_is_described_once() -> None:
    assert sorted((verb.upper(), path) for path, verb, _ in operations()) == sorted((r.method, r.pattern) for r in ROUTES)
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_operation_says_what_it_does() -> None:
    assert all(operation["summary"] and operation["description"] for _, _, operation in operations())


def test_every_reference_is_answered() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(DOCUMENT)) <= known


def test_a_word_and_a_structure_of_the_same_name_are_told_apart() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["WorkflowStatus"]["type"] == "object"
    status = schemas["Workflow"]["properties"]["status"]["$ref"].rpartition("/")[2]
    assert "RUNNING" in schemas[status]["enum"]


def test_a_search_says_what_it_finds() -> None:
    found = DOCUMENT["paths"]["/api/tasks/search"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert found["properties"]["results"]["items"] == {"$ref": "#/components/schemas/TaskSummary"}


def test_every_variable_of_a_path_is_a_parameter() -> None:
    for path, _, operation in operations():
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert all(p["required"] for p in operation["parameters"] if p["in"] == "path")


def test_an_operation_in_detail() -> None:
    poll = DOCUMENT["paths"]["/api/tasks/poll/batch/{tasktype}"]["get"]
    assert poll["parameters"] == [
        {"name": "tasktype", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
        {"name": "workerid", "in": "query", "required": False, "schema": {"type": "string"}},
        {"name": "domain", "in": "query", "required": False, "schema": {"type": "string"}},
        {"name": "count", "in": "query", "required": False, "schema": {"type": "integer", "format": "int32", "default": 1}},
        {"name": "timeout", "in": "query", "required": False, "schema": {"type": "integer", "format": "int32", "default": 100}},
    ]
    tasks = {"type": "array", "items": {"$ref": "#/components/schemas/Task"}}
    assert poll["responses"]["200"]["content"] == {"application/json": {"schema": tasks}}
    log = DOCUMENT["paths"]["/api/tasks/{taskId}/log"]
    assert log["post"]["requestBody"] == {"required": True, "content": {"text/plain": {"schema": {"type": "string", "minLength": 1}}}}
    assert "204" in log["get"]["responses"]


def test_schemas_come_from_what_is_read_and_written() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["WorkflowDef"]["required"] == ["name", "tasks"]
    assert schemas["TaskDef"]["properties"]["retryLogic"]["enum"] == ["FIXED", "EXPONENTIAL_BACKOFF", "LINEAR_BACKOFF"]
    assert schemas["Workflow"]["properties"]["tasks"]["items"] == {"$ref": "#/components/schemas/Task"}
    assert "CANCELED" in schemas["TaskStatus"]["enum"]
    assert not [name for name in schemas if name.endswith("View")]


def test_the_document_is_served_where_conductor_serves_it(edge: Edge) -> None:
    assert edge.call("GET", "/api-docs").json == DOCUMENT
    assert edge.call("GET", "/v3/api-docs").json == DOCUMENT


def test_the_page_needs_nothing_from_elsewhere_and_may_run_its_own_script(edge: Edge) -> None:
    for target in ("/swagger-ui/index.html", "/swagger-ui.html"):
        page = edge.call("GET", target)
        assert (page.status, page.kind) == (200, "text/html;charset=UTF-8")
        script = page.body.partition(b"<script>")[2].partition(b"</script>")[0]
        digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in page.headers["content-security-policy"]
        assert b"://" not in page.body and b"innerHTML" not in page.body
