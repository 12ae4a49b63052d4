"""
Requests made up from our own description by schemathesis, against a real server: whatever is sent, it is never the server's fault.

Each operation gets its examples (FUZZ of them, 25 unless told), valid ones and ones with something wrong; half of the names in them are of things that
are there. No answer is 5xx, none and no line of the log shows a traceback, and every answer is one that the description names, in the form it names.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from batuta.api.binding import parameters_of
from batuta.api.openapi import describe
from batuta.api.router import Route
from batuta.api.routes import ROUTES

sys.path.insert(0, str(Path(__file__).parents[1] / "compat"))

from serving import Served, serve

EXAMPLES = int(os.environ.get("FUZZ", "25"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# By a segment of the path: the parameter that says how long a request may wait, and how little is enough.
WAITS = {"batch": ("timeout", 1), "sync": ("timeoutMillis", 1), "execute": ("waitForSeconds", 1)}
ENDING = [route for route in ROUTES if route.pattern != "/api/console/events"]  # test_live.py asks for what has no end
SCHEMA = schemathesis.openapi.from_dict(describe(ENDING, "0"))
SCHEMA.config.phases.coverage.enabled = False  # one fault at a time is what test_bad_input.py does, with the words that are said


class Target:
    """The server and what is there to be found."""

    def __init__(self, served: Served) -> None:
        self.served, self.root = served, served.url.removesuffix("/api")
        self.session = requests.Session()
        task = {"name": "job", "taskReferenceName": "job", "type": "SIMPLE"}
        done = {"name": "note", "taskReferenceName": "note", "type": "SET_VARIABLE", "inputParameters": {"a": 1}}
        self._put("POST", "/metadata/taskdefs", [{"name": "job", "timeoutSeconds": 60}])
        self._put("PUT", "/metadata/workflow", [{"name": "flow", "version": 1, "tasks": [task]}, {"name": "quick", "version": 1, "tasks": [done]}])
        self._put(
            "POST",
            "/event",
            {"name": "listener", "event": "conductor:flow:sink", "actions": [{"action": "start_workflow", "start_workflow": {"name": "quick"}}]},
        )
        self._put("POST", "/scheduler/schedules", {"name": "daily", "cronExpression": "0 0 12 * * *", "startWorkflowRequest": {"name": "quick"}})
        self.ids = [self._put("POST", "/workflow", {"name": name, "correlationId": "c"}) for name in ("flow", "flow", "quick")]
        self.tasks = [self.served.get(f"/workflow/{one}")["tasks"][0]["taskId"] for one in self.ids]

    def _put(self, method: str, path: str, body: Any) -> str:
        answer = self.session.request(method, self.served.url + path, json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.text

    def there(self, path: str, variable: str, pick: int) -> str | None:
        """Something that is there and may stand for this variable of a path."""
        if variable == "name":
            begin = path.split("/")[2]
            return {"event": "listener", "scheduler": "daily"}.get(begin, "quick" if "execute" in path else ("flow", "quick")[pick % 2])
        known = {"workflowId": self.ids, "taskId": self.tasks, "tasktype": ["job"], "taskType": ["job"], "taskRefName": ["job"], "correlationId": ["c"]}
        return known[variable][pick % len(known[variable])] if variable in known else None


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    data = tmp_path_factory.mktemp("fuzz")
    with serve(data, "--log-level", "info") as served:
        yield Target(served)
    log = (data / "server.log").read_text()
    assert "Traceback" not in log and "fault " not in log, log[-5000:]


def test_the_server_gives_the_description_that_is_fuzzed(target: Target) -> None:
    given = target.session.get(f"{target.root}/api-docs", timeout=10).json()
    assert given == json.loads(json.dumps(describe(ROUTES, given["info"]["version"])))


# Texts that are well-formed and unkind: JSON's escapes for what no text file holds, sizes, and what other languages would act on.
HOSTILE = [
    r"\ud800", r"\udfff\ud800", r"\u0000", r"a\u0000b", r"\u2028\ufeff", r"\u202e", "\U0001f4a5", "x" * 70_000, "${", "${workflow.input.",
    "${a.b[?(@.c=~/(x+)+$/)]}",
    "$${x}", "%s%n%x", "{{7*7}}", "'; DROP TABLE execution; --", "../../../etc/passwd", "-1", "1e999", "NaN", "null", " ", "",
]  # fmt: skip
IN_ADDRESSES = [
    "%00",
    "%ff",
    "%ed%a0%80",
    "%2e%2e",
    "%2f",
    "%25",
    "%",
    "%zz",
    "+",
    "*",
    "%0d%0ax:y",
    "x" * 3_000,
    "%F0%9F%92%A5",
    "'%3B--",
    "[",
    "{}",
    "%7B%22a%22%3A1%7D",
]
NUMBERS = ["1e400", "-0.0", "1" + "0" * 400, "9" * 30, "-9223372036854775809", "0.1e-400", "123456789012345678901234567890.5"]


def hostile_bodies(example: Any, field: str) -> Iterator[bytes]:
    """The example with one unkind value in that field, as JSON text."""
    marked = json.dumps([{**example[0], field: "\x01"}] if isinstance(example, list) and example else {**example, field: "\x01"})
    for text in HOSTILE:
        yield marked.replace(r'"\u0001"', f'"{text}"').encode()
        yield marked.replace(r'"\u0001"', f'{{"{text}": ["{text}", {{"{text}": "{text}"}}]}}').encode()
    for number in NUMBERS:
        yield marked.replace(r'"\u0001"', number).encode()
    yield marked.replace(r'"\u0001"', '{"a":' * 300 + "1" + "}" * 300).encode()


@pytest.mark.parametrize("route", ENDING, ids=lambda route: f"{route.method} {route.pattern}")
def test_unkind_values_are_not_the_servers_fault(route: Route, target: Target) -> None:
    in_path, in_query = parameters_of(route)

    def address(**values: str) -> str:
        filled = route.pattern
        for n, parameter in enumerate(in_path):
            there = target.there(route.pattern, parameter.wire, n) or "COMPLETED"
            filled = filled.replace(f"{{{parameter.wire}}}", values.get(parameter.wire, "1" if parameter.kind is int else there))
        waits = [f"{name}={least}" for segment, (name, least) in WAITS.items() if segment in route.segments]
        asked = [f"{p.wire}={values.get(p.wire, 'job')}" for p in in_query if p.required or p.wire in values]
        return f"{target.root}{filled}?{'&'.join(asked + waits)}"

    def ask(url: str, body: bytes) -> None:
        # Sent as it stands: requests would mend the address.
        request = requests.PreparedRequest()
        request.prepare(route.method, target.root, headers={"content-type": "application/json"}, data=body)
        request.url = url
        answer = target.session.send(request, timeout=20)
        assert answer.status_code < 500, f"{route.method} {url[:200]} {body[:300]!r}: {answer.status_code} {answer.text[:300]}"

    shown = {} if not route.takes else SCHEMA.raw_schema["paths"][route.pattern][route.method.lower()]["requestBody"]["content"]
    example = shown.get("application/json", {}).get("example")
    for parameter in (*in_path, *in_query):
        for text in IN_ADDRESSES:
            ask(address(**{parameter.wire: text}), json.dumps(example).encode() if shown else b"")
    fields = (example[0] if isinstance(example, list) else example) if isinstance(example, (dict, list)) and example else None
    for field in fields if isinstance(fields, dict) else ():
        for body in hostile_bodies(example, field):
            ask(address(), body)


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_nothing_is_the_servers_fault(case: schemathesis.Case, target: Target) -> None:
    pick = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    for variable in case.path_parameters or {}:
        name = target.there(case.path, variable, pick >> 4)
        if name is not None and pick % 2:
            case.path_parameters[variable] = name
    for segment, (name, least) in WAITS.items():
        if segment in case.path.split("/") and str((case.query or {}).get(name, least)).lstrip("-").isdigit():
            case.query = {**(case.query or {}), name: least}
    answer = case.call(base_url=target.root, session=target.session, timeout=20)
    assert "Traceback (most recent call last)" not in answer.text
    # An empty answer has no type: Conductor's void operations, and texts that are not there.
    case.validate_response(answer, checks=CHECKS if answer.content else [not_a_server_error, status_code_conformance])
