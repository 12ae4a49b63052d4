"""Which route a request gets: literals before variables, methods together with paths, and Conductor's words for none."""

from __future__ import annotations

import pytest

from batuta.api.http import Response, empty_response
from batuta.api.router import Route, Router, WrongMethod
from batuta.api.routes import ROUTES
from batuta.errors import NotFound


def handler() -> Response:
    return empty_response()


def router(*routes: str) -> Router:
    """A router of `METHOD /path` lines; the target of each is its line."""
    made = Router()
    for route in routes:
        method, pattern = route.split()
        made.add(Route(method, pattern, handler, ""), route)
    return made


PATHS = (
    "GET /w/{id}",
    "GET /w/search",
    "POST /w/{name}",
    "POST /w",
    "GET /w/{id}/tasks",
    "PUT /w/bulk/pause",
    "GET /w/{name}/c/{co}",
    "POST /t/{wf}/{ref}/{status}",
    "POST /t/{wf}/{status}/signal",
    "POST /t/{id}/log",
    "GET /q/",
)

#   request                     route                           values
FOUND = [
    ("GET /w/e1",               "GET /w/{id}",                  ["e1"]),
    ("GET /w/search",           "GET /w/search",                []),
    ("POST /w/search",          "POST /w/{name}",               ["search"]),
    ("GET /w/bulk",             "GET /w/{id}",                  ["bulk"]),
    ("GET /w/bulk/tasks",       "GET /w/{id}/tasks",            ["bulk"]),
    ("GET /w/search/tasks",     "GET /w/{id}/tasks",            ["search"]),
    ("PUT /w/bulk/pause",       "PUT /w/bulk/pause",            []),
    ("GET /w/n/c/1",            "GET /w/{name}/c/{co}",         ["n", "1"]),
    ("POST /t/e/r/COMPLETED",   "POST /t/{wf}/{ref}/{status}",  ["e", "r", "COMPLETED"]),
    ("POST /t/e/r/signal",      "POST /t/{wf}/{status}/signal", ["e", "r"]),
    ("POST /t/e/log",           "POST /t/{id}/log",             ["e"]),
    ("POST /t/e/log/FAILED",    "POST /t/{wf}/{ref}/{status}",  ["e", "log", "FAILED"]),
    ("GET /q/",                 "GET /q/",                      []),
    ("HEAD /w/e1",              "GET /w/{id}",                  ["e1"]),
    ("GET /w/a%20b%2Fc",        "GET /w/{id}",                  ["a b/c"]),
    ("GET /w/se%61rch",         "GET /w/search",                []),
    ("GET /w/%C5%BE",           "GET /w/{id}",                  ["ž"]),
]  # fmt: skip


@pytest.mark.parametrize(("request_line", "route", "values"), FOUND)
def test_a_request_finds_its_route(request_line: str, route: str, values: list[str]) -> None:
    target, found = router(*PATHS).find(*request_line.split())
    assert (target, list(found)) == (route, values)


#   request              what is said
MISSING = [
    ("GET /nothing/here", "No static resource nothing/here."),
    ("GET /w/",           "No static resource w."),
    ("GET /w/e1/",        "No static resource w/e1."),
    ("GET //w//e1",       "No static resource w/e1."),
    ("GET /q",            "No static resource q."),
    ("GET /",             "No static resource ."),
    ("GET /w//tasks",     "No static resource w/tasks."),
]  # fmt: skip


@pytest.mark.parametrize(("request_line", "message"), MISSING)
def test_a_path_that_is_none(request_line: str, message: str) -> None:
    with pytest.raises(NotFound) as found:
        router(*PATHS).find(*request_line.split())
    assert str(found.value) == message


#   request            allowed
WRONG = [
    ("GET /w",           ["OPTIONS", "POST"]),
    ("GET /w/bulk/pause", ["OPTIONS", "PUT"]),
    ("DELETE /w/e1",     ["GET", "HEAD", "OPTIONS", "POST"]),
    ("OPTIONS /w/e1",    ["GET", "HEAD", "OPTIONS", "POST"]),
    ("NONSENSE /w",      ["OPTIONS", "POST"]),
]  # fmt: skip


@pytest.mark.parametrize(("request_line", "allowed"), WRONG)
def test_a_method_that_is_not_served(request_line: str, allowed: list[str]) -> None:
    with pytest.raises(WrongMethod) as found:
        router(*PATHS).find(*request_line.split())
    assert found.value.allowed == allowed
    assert str(found.value) == f"Request method '{request_line.split()[0]}' is not supported"


def test_two_routes_for_one_path_are_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"two routes for /w/\{name\}"):
        router("GET /w/{id}", "GET /w/{name}")


def test_every_route_of_the_api_is_found_by_its_own_path() -> None:
    made = Router()
    for route in ROUTES:
        made.add(route, route)
    for route in ROUTES:
        path = route.pattern.replace("{", "v-").replace("}", "")
        target, values = made.find(route.method, path)
        assert target is route and len(values) == route.pattern.count("{")
