"""
The recorded runs of a real Conductor server as expectations: each request of the scenarios, and what its task then held.

`recorded/` holds the recordings of the area http_task; what needs a whole workflow (retries, expressions in another task) is played elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.builtin.http import HttpCall, HttpWorker

RECORDED = Path(__file__).parent / "recorded"
STUB = "<stub>"


def request(path: str, method: str = "GET", **fields: Any) -> dict[str, Any]:
    return {"http_request": {"uri": STUB + path, "method": method, **fields}}


BODIES = {"object": {"a": {"b": [1, None]}}, "list": [1, "two", {}], "string": "just words", "number": 5, "boolean": True, "null": None, "empty": ""}
#   scenario, step, the task's evaluated input
CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "the_request_may_stand_flat_in_the_input",
        "flat",
        {
            "uri": STUB + "/echo",
            "method": "POST",
            "body": {"k": [1]},
            "headers": {"X-A": "b"},
            "accept": "text/plain",
            "contentType": "application/json",
        },
    ),
    ("the_request_may_stand_flat_in_the_input", "both", {"uri": STUB + "/status/201", "method": "GET", **request("/text")}),
    *[("each_method", method, request("/echo", method, body={"by": method})) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")],
    *[("each_method", method, request("/echo", method)) for method in ("OPTIONS", "HEAD")],
    *[("bodies_of_all_kinds", step, request("/echo", "POST", body=body)) for step, body in BODIES.items()],
    (
        "headers_accept_and_content_type",
        "headers",
        request("/echo", headers={"X-Word": "w", "X-Number": 5, "X-Flag": True, "X-Null": None}),
    ),
    ("headers_accept_and_content_type", "text", request("/echo", "POST", body="<a/>", contentType="application/xml", accept="text/plain")),
    ("headers_accept_and_content_type", "several accepted", request("/echo", accept=["application/xml", "text/html"])),
    *[("answers_of_all_kinds", path, request("/" + path)) for path in ("list", "text", "badjson", "empty", "status/201", "status/202")],
    (
        "expressions_in_the_request",
        "evaluated",
        request("/echo/17?q=x-y", "PUT", headers={"X-Of": "A"}, body={"a": "A", "n": [1, 2.5, None]}),
    ),
    ("expressions_in_the_request", "whole request", request("/echo", "POST", body={"k": 1})),
    *[("an_error_answer_fails_the_task", f"{code}", request(f"/status/{code}")) for code in (400, 404, 409, 500, 503)],
    ("a_request_without_address_or_method", "no uri", {"http_request": {"method": "GET"}}),
    ("a_request_without_address_or_method", "no method", {"http_request": {"uri": STUB + "/echo"}}),
    ("a_request_without_address_or_method", "null uri", {"http_request": {"uri": None, "method": "GET"}}),
    ("a_request_without_address_or_method", "nothing", {"http_request": {}}),
    ("a_request_without_address_or_method", "unknown method", request("/echo", "BREW")),
    ("nobody_answers", "refused", {"http_request": {"uri": "http://127.0.0.1:1/", "method": "GET", "connectionTimeOut": 500}}),
    ("nobody_answers", "too slow", request("/slow?ms=2500", readTimeOut=300)),
    ("nobody_answers", "slow enough", request("/slow?ms=600", readTimeOut=5000)),
]


@pytest.fixture
def worker() -> Iterator[HttpWorker]:
    worker = HttpWorker(guard=None)
    yield worker
    worker.close()


def made(worker: HttpWorker, stub: Any, task_input: dict[str, Any], **options: Any) -> HttpCall:
    return worker.call(json.loads(json.dumps(task_input).replace(STUB, stub.url)), **options)


def steps(scenario: str) -> dict[str, dict[str, Any]]:
    return {step["step"]: step for step in json.loads((RECORDED / f"{scenario}.json").read_text())}


@pytest.mark.parametrize(("scenario", "step", "task_input"), CASES, ids=[f"{scenario}/{step}" for scenario, step, _ in CASES])
def test_the_task_ends_as_recorded(worker: HttpWorker, stub: Any, scenario: str, step: str, task_input: dict[str, Any]) -> None:
    called = made(worker, stub, task_input)
    recorded = steps(scenario)[step]
    assert called.status == recorded["task"]
    if "output" in recorded:
        response = {name: value for name, value in called.output["response"].items() if name != "headers"}
        assert {"response": response} == recorded["output"]
        assert called.reason is None
    else:
        assert type(called.output.get("response")).__name__ == recorded["response"]
        assert bool(called.reason) is recorded["reason"]
    reason = steps(scenario).get(f"{step}, reason")
    if reason:
        assert (called.reason or "").split(".")[0] == reason["reason"]
        assert called.output == reason["output"]
    told = steps(scenario).get(f"{step} told")
    if told:
        assert told["reason"] is (step in called.reason and '"asked"' in called.reason)
        assert told["response"] is (step in called.output["response"])


def test_every_recorded_step_is_played() -> None:
    played = {(scenario, step) for scenario, step, _ in CASES}
    for scenario in {scenario for scenario, _, _ in CASES}:
        recorded = {step["step"] for step in json.loads((RECORDED / f"{scenario}.json").read_text()) if "task" in step}
        assert recorded == {step for of, step in played if of == scenario}


def test_a_get_and_its_answer(worker: HttpWorker, stub: Any) -> None:
    response = made(worker, stub, request("/echo?a=1&b=two")).output["response"]
    recorded = steps("a_get_and_its_answer")["response"]
    assert sorted(response) == recorded["keys"]
    assert {name: response[name] for name in ("body", "statusCode", "reasonPhrase")} == {
        name: recorded[name] for name in ("body", "statusCode", "reasonPhrase")
    }
    assert [values for name, values in response["headers"].items() if name.lower() == "content-type"] == recorded["content_type"]


def test_an_asynchronous_call_waits_for_its_update(worker: HttpWorker, stub: Any) -> None:
    called = made(worker, stub, request("/status/202", "POST", body={}), async_complete=True)
    recorded = steps("an_asynchronous_call_waits_for_its_update")["answered"]
    assert (called.status, called.output["response"]["statusCode"]) == (recorded["task"], recorded["statusCode"])
    assert made(worker, stub, request("/status/500"), async_complete=True).status == "FAILED"
