"""A handler's arguments: what its signature says, read as Spring reads parameters, refused where that answers 500."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from batuta.api.binding import Bound, Millis, parameters_of
from batuta.api.http import Request, Response, parse_query
from batuta.api.router import Route
from batuta.api.routes import ROUTES
from batuta.errors import Invalid

UNSET: Any = object()


def handler(
    services: Any, workflow_id: str, version: int, request: Request, body: bytes, *, count: int = 1, at: Millis | None = None,
    include_tasks: bool = True, task_type: list[str], word: str | None = None, only: Literal["A", "B"] = "A", domain: str = "",
) -> Response:  # fmt: skip
    raise AssertionError("replaced by the test")


ROUTE = Route("POST", "/w/{workflowId}/{version}", handler, "", "object")


def given(query: str = "taskType=t", version: str = "3") -> dict[str, Any]:
    """The arguments that the handler gets."""
    bound = Bound(ROUTE)
    seen: dict[str, Any] = {}

    def note(**arguments: Any) -> Response:
        seen.update(arguments)
        return Response(200)

    bound._handler = note
    request = Request({"method": "POST", "raw_path": b"/w/e1/3", "query_string": query.encode(), "headers": []}, UNSET, set())
    request.values, request.body = ["e1", version], b"{}"
    bound.call(UNSET, request)
    return seen


def test_names_on_the_wire_are_in_camel_case() -> None:
    path, query = parameters_of(ROUTE)
    assert [p.wire for p in path] == ["workflowId", "version"]
    assert [p.wire for p in query] == ["count", "at", "includeTasks", "taskType", "word", "only", "domain"]
    assert [p.required for p in query] == [False, False, False, True, False, False, False]


def test_path_body_and_request_come_by_name() -> None:
    seen = given()
    assert (seen["workflow_id"], seen["version"], seen["body"], seen["request"].path) == ("e1", 3, b"{}", "/w/e1/3")


def test_what_is_not_asked_is_left_to_the_defaults() -> None:
    assert not given().keys() & {"count", "at", "include_tasks", "word", "only", "domain"}


#    query                     parameter        value
READ = [
    ("count=7",                "count",         7),
    ("count=-1",               "count",         -1),
    ("count= 7 ",              "count",         7),
    ("count=",                 "count",         1),
    ("count=1&count=2",        "count",         1),
    ("at=1700000000000",       "at",            1_700_000_000_000),
    ("at=",                    "at",            None),
    ("includeTasks=TRUE",      "include_tasks", True),
    ("includeTasks=yes",       "include_tasks", True),
    ("includeTasks=on",        "include_tasks", True),
    ("includeTasks=1",         "include_tasks", True),
    ("includeTasks=no",        "include_tasks", False),
    ("includeTasks=Off",       "include_tasks", False),
    ("includeTasks=0",         "include_tasks", False),
    ("includeTasks=",          "include_tasks", True),
    ("word=",                  "word",          ""),
    ("word=a+b%26c%C5%BE",     "word",          "a b&cž"),
    ("word=a=b",               "word",          "a=b"),
    ("word",                   "word",          ""),
    ("only=B",                 "only",          "B"),
    ("domain=north",           "domain",        "north"),
    ("taskType=a,b",           "task_type",     ["a", "b"]),
    ("taskType=a,b&taskType=c", "task_type",    ["a,b", "c"]),
    ("taskType=",              "task_type",     []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "parameter", "value"), READ)
def test_a_parameter_is_read(query: str, parameter: str, value: Any) -> None:
    seen = given(query if "taskType" in query else f"{query}&taskType=t")
    assert seen[parameter] == value and type(seen[parameter]) is type(value)


#    query               what is said
REFUSED = [
    ("count=many",       "query parameter 'count' is the text 'many'; expected a whole number"),
    ("count=1.5",        "query parameter 'count' is the text '1.5'; expected a whole number"),
    ("count=2147483648", "query parameter 'count' is the text '2147483648'; expected a whole number"),
    (f"count={'9' * 99}", f"query parameter 'count' is the text '{'9' * 99}'; expected a whole number"),
    ("at=soon",          "query parameter 'at' is the text 'soon'; expected a whole number"),
    ("includeTasks=maybe", "query parameter 'includeTasks' is the text 'maybe'; expected true or false"),
    ("only=C",           "query parameter 'only' is the text 'C'; expected one of A, B"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "message"), REFUSED)
def test_a_parameter_that_cannot_be_meant_is_named(query: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        given(f"{query}&taskType=t")
    assert str(refused.value) == message


def test_a_parameter_that_must_be_there_is_named() -> None:
    with pytest.raises(Invalid, match=r"^query parameter 'taskType' is missing$"):
        given("count=1")
    with pytest.raises(Invalid, match=r"^path variable 'version' is the text 'newest'; expected a whole number$"):
        given(version="newest")


def test_a_query_is_split_as_forms_are() -> None:
    assert parse_query(b"") == {}
    assert parse_query(b"a=1&&b&a=2&c=%zz&=x") == {"a": ["1", "2"], "b": [""], "c": ["%zz"], "": ["x"]}
    assert parse_query("k=ž".encode()) == {"k": ["ž"]}


def test_a_handler_that_does_not_belong_to_its_pattern_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="the handler takes"):
        Bound(Route("POST", "/w/{id}", handler, "", "object"))
    with pytest.raises(TypeError, match="its handler has a body"):
        Bound(Route("POST", "/w/{workflowId}/{version}", handler, ""))


def test_every_route_of_the_api_binds() -> None:
    assert all(Bound(route) for route in ROUTES)
