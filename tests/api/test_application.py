"""The way from a request to its answer: bodies, limits, media types, errors, methods, trust."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from edgework import JSON, Answer, Caller, Edge

from batuta.api.application import Application
from batuta.api.http import Request, Response, json_response
from batuta.api.router import Route
from batuta.errors import Conflict, Forbidden, Unavailable

TEXT = ((b"content-type", b"text/plain"),)


def echo(services: Any, body: bytes) -> Response:
    return json_response(body)


def broken(services: Any) -> Response:
    raise ZeroDivisionError("the password is hunter2")


async def busy(services: Any) -> Response:
    raise Unavailable("the disk is full")


async def taken(services: Any) -> Response:
    raise Conflict("it is there already")


ROUTES = (
    Route("POST", "/echo", echo, "", "object", "object"),
    Route("POST", "/text", echo, "", "text", "object"),
    Route("GET", "/broken", broken, ""),
    Route("GET", "/busy", busy, ""),
    Route("GET", "/taken", taken, ""),
)


@pytest.fixture
def small(edge: Edge) -> Edge:
    """An edge with a few routes of its own and bodies of 100 bytes at most."""
    edge.application = Application(edge.services, ROUTES, body_bytes_max=100)
    return edge


def error(answer: Answer) -> tuple[int, str]:
    """Status and sentence of a refusal, whose form is checked on the way."""
    body = answer.json
    assert answer.kind == "application/json" and body["status"] == answer.status
    assert body.keys() == {"status", "message", "instance", "retryable"}
    return answer.status, body["message"]


def test_a_body_in_pieces_is_one_body(small: Edge) -> None:
    assert small.raw("POST", "/echo", b'{"a"', b":", b"1}", headers=JSON).body == b'{"a":1}'


def test_a_body_of_exactly_the_limit_is_read(small: Edge) -> None:
    assert small.raw("POST", "/echo", b"x" * 100, headers=JSON).body == b"x" * 100


def test_a_body_that_says_it_is_too_large_is_not_read_at_all(small: Edge) -> None:
    async def ask() -> tuple[Answer | None, int]:
        caller = Caller("POST", "/echo", [b"x" * 101], ((b"content-length", b"101"), *JSON))
        return await caller.answer(small.application), caller.asked

    answer, asked = small.run(ask())
    assert answer is not None and asked == 0
    assert error(answer) == (413, "the body has 101 bytes; at most 100 are read")
    assert answer.headers["connection"] == "close"


def test_a_body_that_grows_too_large_is_read_no_further(small: Edge) -> None:
    async def ask() -> tuple[Answer | None, int]:
        caller = Caller("POST", "/echo", [b"x" * 60] * 50, JSON)
        return await caller.answer(small.application), caller.asked

    answer, asked = small.run(ask())
    assert answer is not None and asked == 2
    assert error(answer) == (413, "the body has more than 100 bytes; no more are read")


def test_a_client_that_leaves_in_the_middle_of_its_body_gets_no_answer(small: Edge) -> None:
    async def ask() -> Answer | None:
        caller = Caller("POST", "/echo", [b"x"], JSON)

        async def receive() -> dict[str, Any]:
            caller.asked += 1
            return {"type": "http.request", "body": b"x", "more_body": True} if caller.asked == 1 else {"type": "http.disconnect"}

        caller.receive = receive  # type: ignore[method-assign]
        return await caller.answer(small.application)

    assert small.run(ask()) is None


#    content type                       status
MEDIA = [
    (b"application/json",               200),
    (b"application/json;charset=UTF-8", 200),
    (b"Application/JSON ; charset=x",   200),
    (b"application/vnd.x+json",         200),
    (None,                              200),
    (b"text/plain",                     415),
    (b"application/x-www-form-urlencoded", 415),
    (b"text/json",                      415),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "status"), MEDIA)
def test_a_body_must_not_say_that_it_is_something_else_than_json(small: Edge, kind: bytes | None, status: int) -> None:
    headers = () if kind is None else ((b"content-type", kind),)
    answer = small.raw("POST", "/echo", b"{}", headers=headers)
    assert answer.status == status
    if status == 415:
        assert error(answer)[1] == f"Content-Type '{(kind or b'').decode()}' is not supported; expected application/json"


def test_text_is_taken_under_any_name(small: Edge) -> None:
    for headers in ((), TEXT, JSON):
        assert small.raw("POST", "/text", b"a line", headers=headers).body == b"a line"


def test_an_error_of_the_family_is_told(small: Edge) -> None:
    assert error(small.call("GET", "/taken")) == (409, "it is there already")
    busy = small.call("GET", "/busy")
    assert error(busy) == (503, "the disk is full") and busy.json["retryable"] is True


def test_a_fault_of_ours_is_logged_under_an_id_and_told_by_it_alone(small: Edge, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "batuta.api"):
        status, message = error(small.call("GET", "/broken"))
    assert status == 500 and "hunter2" not in message and "Zero" not in message
    [record] = caplog.records
    assert message.split()[2].rstrip(";") in record.getMessage()
    assert record.exc_info is not None and "GET /broken" in record.getMessage()


def test_a_path_or_method_that_is_not_served(small: Edge) -> None:
    assert error(small.call("GET", "/nothing/here")) == (404, "No static resource nothing/here.")
    wrong = small.call("DELETE", "/echo", {})
    assert error(wrong) == (405, "Request method 'DELETE' is not supported")
    assert wrong.headers["allow"] == "OPTIONS, POST"


def test_head_answers_as_get_without_a_body(edge: Edge) -> None:
    got, head = edge.call("GET", "/api/metadata/taskdefs"), edge.call("HEAD", "/api/metadata/taskdefs")
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
    assert edge.call("HEAD", "/api/workflow/none").status == 404
    assert edge.call("HEAD", "/api/workflow").status == 405


def test_options_says_what_is_allowed(edge: Edge) -> None:
    answer = edge.call("OPTIONS", "/api/metadata/taskdefs")
    assert (answer.status, answer.headers["allow"], answer.body) == (200, "GET, HEAD, OPTIONS, POST, PUT", b"")
    assert edge.call("OPTIONS", "/api/nothing").status == 404


def test_an_answer_without_a_body_has_no_type_and_204_no_length(edge: Edge) -> None:
    edge.register()
    done = edge.call("POST", "/api/metadata/taskdefs", [{"name": "t"}])
    assert (done.status, done.headers) == (200, {"content-length": "0"})
    nothing = edge.call("GET", "/api/tasks/poll/none")
    assert (nothing.status, nothing.headers, nothing.body) == (204, {}, b"")


def test_who_is_not_trusted_does_nothing(edge: Edge) -> None:
    asked: list[str] = []

    async def trust(request: Request, route: Route) -> None:
        asked.append(f"{route.method} {route.pattern}")
        if request.header(b"x-key") != b"right":
            raise Forbidden("the key is missing or wrong")

    edge.application = Application(edge.services, trust=trust)
    assert error(edge.call("POST", "/api/metadata/taskdefs", [{"name": "t"}])) == (403, "the key is missing or wrong")
    assert edge.services.catalog.tasks() == []
    assert edge.raw("GET", "/api/version", headers=((b"x-key", b"right"),)).status == 200
    assert asked == ["POST /api/metadata/taskdefs", "GET /api/version"]


def test_other_protocols_are_passed_over(edge: Edge) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    edge.run(edge.application({"type": "websocket"}, never, never))


#    body                    what is said
MALFORMED = [
    (b"",                    "the request has no body; expected JSON"),
    (b"{",                   "the body is no JSON: expecting property name enclosed in double quotes at line 1, column 2"),
    (b"\xff\xfe",            "the body is no JSON: it is not UTF-8 at line 1, column 1"),
    (b"[" * 50_000,          "the body is nested too deeply"),
    (b"null",                "the body is null; expected an object"),
    (b'"text"',              "the body is the text 'text'; expected an object"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), MALFORMED)
@pytest.mark.parametrize("target", ["/api/workflow", "/api/workflow/some", "/api/tasks", "/api/tasks/update-v2", "/api/tasks/e/r/FAILED"])
def test_a_malformed_body_is_the_clients_fault_everywhere(edge: Edge, target: str, body: bytes, message: str) -> None:
    assert error(edge.raw("POST", target, body, headers=JSON)) == (400, message)


def test_requests_do_not_stand_in_each_others_way(edge: Edge) -> None:
    async def ask() -> list[Answer | None]:
        waiting = Caller("GET", "/api/tasks/poll/batch/none?timeout=5000")
        poll = asyncio.ensure_future(waiting.answer(edge.application))
        await waiting.watched.wait()
        others = await asyncio.gather(*(Caller("GET", "/health").answer(edge.application) for _ in range(10)))
        assert not poll.done()
        waiting.leave()
        return [*others, await poll]

    assert [answer.status for answer in edge.run(ask()) if answer is not None] == [200] * 11
