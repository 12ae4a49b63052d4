"""What nobody should send, to every route that takes something: each is a problem with a stable code that says what was found, and none is a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flowkit import node
from studio import Builder, builder, picture

from batuta_flows.settings import BadSetting, read_settings
from batuta_flows.workers.host import workers

Json = Any
DEEP = 5_000


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    with builder(tmp_path_factory.mktemp("inputs"), workers=False) as running:
        yield running


def one(**config: Json) -> Json:
    return {"workflowName": "Odd", "nodes": [node("a", "text_to_text", **config)]}


def nested(levels: int) -> bytes:
    return b'{"nodes": [{"id": "a", "type": "text_to_text", "config": {"odd": %s1%s}}]}' % (b"[" * levels, b"]" * levels)


def form(part: bytes) -> tuple[bytes, dict[str, str]]:
    return b"--b\r\n" + part + b"\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


FILELESS, FORM = form(b'Content-Disposition: form-data; name="words"\r\n\r\nno file')

#   method    path                                      body                                            status  code                    told
ODD: list[tuple[str, str, Json, int, str, str]] = [
    ("GET",    "/nowhere",                              None,                                           404,    "not_found",            "/nowhere"),
    ("PATCH",  "/flows",                                {},                                             405,    "method_not_allowed",   "PATCH /flows"),
    ("POST",   "/workflow/run",                         b"",                                            400,    "malformed",            "no JSON"),
    ("POST",   "/workflow/run",                         [],                                             400,    "malformed",            "a JSON object"),
    ("POST",   "/workflow/run",                         b'{"nodes": NaN}',                              400,    "malformed",            "no JSON"),
    ("POST",   "/workflow/run",                         b'{"workflowName": "\\ud800", "nodes": []}',    400,    "malformed",            "no JSON"),
    ("POST",   "/workflow/run",                         b"\xff\xfe",                                    400,    "malformed",            "no JSON"),
    ("POST",   "/workflow/run",                         b"[" * DEEP,                                    400,    "malformed",            "too deeply"),
    ("POST",   "/workflow/run",                         nested(700),                                    400,    "malformed",            "too deeply"),
    ("POST",   "/workflow/run",                         b'{"x": "' + b"x" * (16 << 20) + b'"}',         413,    "too_large",            "16777216 bytes"),
    ("POST",   "/workflow/run",                         {"nodes": {}},                                  400,    "malformed",            "required"),
    ("POST",   "/workflow/run",                         {"nodes": ["a"]},                               400,    "malformed",            "nodes[0]"),
    ("POST",   "/workflow/run",                         {"nodes": [{"id": 7, "type": "text_to_text"}]}, 400,    "malformed",            "nodes[0].id"),
    ("POST",   "/workflow/run",                         {"nodes": [{"id": "a"}]},                       400,    "malformed",            "nodes[0].type"),
    ("POST",   "/workflow/run",                         {"nodes": [{**one()["nodes"][0], "config": 5}]}, 400,   "malformed",            "nodes[0].config"),
    ("POST",   "/workflow/run",                         {"nodes": [{**one()["nodes"][0], "execution": {"mode": "x"}}]}, 400, "malformed", "nodes[0]"),
    ("POST",   "/workflow/run",                         {**one(), "workflowName": 5},                   400,    "malformed",            "workflowName"),
    ("POST",   "/workflow/run",                         {"format": "batuta-flow/9", "nodes": [1]},      400,    "malformed",            "format"),
    ("POST",   "/workflow/run",                         {"document": "a"},                              400,    "malformed",            "the text 'a'"),
    ("POST",   "/workflow/run",                         {**one(), "scope": ["all"]},                    400,    "malformed",            "scope"),
    ("POST",   "/workflow/run",                         {**one(), "scope": "from", "nodeId": 5},        422,    "invalid_flow",         "'5' is no node"),
    ("POST",   "/workflow/run",                         one(temperature=10**400),                       422,    "invalid_flow",         "temperature"),
    ("POST",   "/workflow/run",                         one(seed=10**400),                              422,    "invalid_flow",         "seed"),
    ("POST",   "/workflow/validate",                    "a",                                            400,    "malformed",            "a JSON object"),
    ("GET",    "/workflow/nobody/results",              None,                                           404,    "unknown_run",          "not found"),
    ("GET",    "/workflow/nobody/flow",                 None,                                           404,    "unknown_run",          "not found"),
    ("GET",    "/workflow/nobody/download",             None,                                           404,    "unknown_run",          "not found"),
    ("POST",   "/workflow/nobody/cancel",               b"{",                                           400,    "malformed",            "no JSON"),
    ("POST",   "/workflow/nobody/cancel",               None,                                           404,    "unknown_run",          "not found"),
    ("POST",   "/workflow/nobody/rerun",                {},                                             400,    "malformed",            "fromNodeId"),
    ("POST",   "/workflow/nobody/rerun",                {"fromNodeId": "a"},                            404,    "unknown_run",          "not found"),
    ("GET",    "/workflow/history?limit=0",             None,                                           400,    "malformed",            "limit"),
    ("GET",    "/workflow/history?limit=201",           None,                                           400,    "malformed",            "1 to 200"),
    ("GET",    "/workflow/history?limit=%C2%B2",        None,                                           400,    "malformed",            "limit"),
    ("GET",    "/workflow/history?cursor=7",            None,                                           400,    "malformed",            "cursor"),
    ("GET",    "/workflow/history?cursor=99999999999999999999~x", None,                                 400,    "malformed",            "cursor"),
    ("GET",    "/workflow/history?status=done",         None,                                           400,    "malformed",            "completed, failed"),
    ("POST",   "/flows",                                {},                                             400,    "malformed",            "required"),
    ("PUT",    "/flows/f",                              one(),                                          400,    "malformed",            "If-Match"),
    ("PUT",    "/flows/f?basedOn=-1",                   one(),                                          400,    "malformed",            "'-1'"),
    ("PUT",    "/flows/f?basedOn=3",                    one(),                                          409,    "conflict",             "not there any more"),
    ("GET",    "/flows/nobody",                         None,                                           404,    "unknown_flow",         "nobody"),
    ("GET",    "/flows/nobody?version=x",               None,                                           400,    "malformed",            "version"),
    ("GET",    "/flows/nobody?version=99999999999999999999", None,                                      400,    "malformed",            "version"),
    ("GET",    "/flows/nobody?format=yaml",             None,                                           400,    "malformed",            "format"),
    ("DELETE", "/flows/nobody",                         None,                                           404,    "unknown_flow",         "nobody"),
    ("GET",    "/flows/nobody/versions",                None,                                           404,    "unknown_flow",         "nobody"),
    ("POST",   "/assets",                               b"",                                            422,    "bad_input",            "empty"),
    ("POST",   "/assets",                               FILELESS,                                       400,    "malformed",            "no file"),
    ("POST",   "/assets",                               b"no form",                                     400,    "malformed",            "the form cannot be read"),
    ("GET",    "/assets/a.png",                         None,                                           404,    "unknown_asset",        "a.png"),
    ("GET",    "/assets/a.png/thumbnail",               None,                                           404,    "unknown_asset",        "a.png"),
    ("GET",    "/assets/a.png/peaks",                   None,                                           404,    "unknown_asset",        "a.png"),
    ("GET",    "/assets/a.png/download",                None,                                           404,    "unknown_asset",        "a.png"),
    ("GET",    "/assets/a.png/flow",                    None,                                           404,    "unknown_asset",        "a.png"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "code", "told"), ODD, ids=[f"{one[0]} {one[1]} {i}" for i, one in enumerate(ODD)])
def test_it_is_a_problem_with_a_code(flows: Builder, method: str, path: str, body: Json, status: int, code: str, told: str) -> None:
    headers = {**FORM} if path == "/assets" and body in (FILELESS, b"no form") else {}
    found, answer = flows.ask(method, path, body, headers)
    assert (found, answer["status"], answer["code"]) == (status, status, code), answer
    assert told in answer["detail"] and answer["error"] == answer["detail"]


def test_what_is_only_odd_is_taken(flows: Builder) -> None:
    """Large numbers and unknown words in settings nobody reads: kept, told of as a warning, and run."""
    code, answer = flows.ask("POST", "/workflow/validate", one(prompt="x", odd=10**30, deep=[[[{"a": None}]]]))
    assert code == 200 and answer["valid"] and {p["field"] for p in answer["problems"]} == {"odd", "deep"}
    assert flows.run(one(prompt="x", odd=10**30)["nodes"])


#   range                status  how many bytes
RANGES = [
    ("bytes=0-3",        206,    4),
    ("bytes=5-",         206,    None),
    ("bytes=-4",         206,    4),
    ("bytes=0-999999",   206,    None),
    ("bytes=999999-",    416,    None),
    ("bytes=3-1",        400,    None),
    ("words=0-3",        400,    None),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "count"), RANGES)
def test_a_range_is_given_or_refused(flows: Builder, asked: str, status: int, count: int | None) -> None:
    _, kept = flows.ask("POST", "/assets", picture(9), {"Content-Type": "image/png"})
    code, content = flows.ask("GET", "/assets/" + kept["files"][0]["asset"].removeprefix("asset://"), None, {"Range": asked})
    assert code == status
    if count is not None:
        assert len(content) == count


def test_more_than_a_page_of_runs_is_paged_to_its_end(flows: Builder) -> None:
    """Also with the largest page: the run behind it is not forgotten."""
    history, service = flows.backend.history, flows.backend.service
    first = service.start(flows.backend.service.run(flows.run(one(prompt="y")["nodes"])).flow, flow_id="many")  # type: ignore[arg-type]
    with history._database.transaction() as connection:
        for i in range(200):
            columns = "flow_id, name, status, started_at - 1, ended_at, nodes, document, results, error, looked_at, orchestrator"
            connection.execute(f"INSERT INTO runs SELECT 'copy-{i:03}', {columns} FROM runs WHERE run_id = ?", (first,))
    page = flows.ask("GET", "/workflow/history?flowId=many&limit=200")[1]
    rest = flows.ask("GET", f"/workflow/history?flowId=many&limit=200&cursor={page['next']}")[1]
    assert (len(page["runs"]), len(rest["runs"]), rest["next"]) == (200, 1, None)


def test_a_poll_is_held_no_longer_than_a_server_holds_it(flows: Builder) -> None:
    found = workers(flows.backend.runner, poll_interval_ms=60_000)
    assert len(found) == 20 and {one.poll_timeout_s for one in found} == {5.0}


#   variable                        found       told
UNUSABLE = [
    ("PORT",                        "5111x",    "PORT"),
    ("PORT",                        "65536",    "0 to 65535"),
    ("POLL_INTERVAL_MS",            "0",        "10 to 60000"),
    ("FLOWS_LOST_AFTER_S",          "0",        "1 to 3600"),
    ("FLOWS_RUN_USD_MAX",           "nan",      "dollars, 0 or more"),
    ("FLOWS_DAY_USD_MAX",           "-1",       "dollars, 0 or more"),
    ("FLOWS_DAY_USD_MAX",           "inf",      "dollars, 0 or more"),
    ("FLOWS_RUN_USD_MAX",           "5 $",      "FLOWS_RUN_USD_MAX"),
    ("FLOWS_ASSET_BYTES_MAX",       "0",        "at least 1"),
    ("FLOWS_PROVIDER_JOBS_MAX",     "0",        "at least 1"),
    ("CONDUCTOR_URL",               "localhost:8080", "an address such as"),
    ("FLOWS_FETCH_PRIVATE",         "maybe",    "FLOWS_FETCH_PRIVATE"),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "found", "told"), UNUSABLE)
def test_a_setting_that_cannot_be_used_is_refused_at_the_start(variable: str, found: str, told: str) -> None:
    with pytest.raises(BadSetting) as raised:
        read_settings({variable: found})
    assert variable in str(raised.value) and told in str(raised.value)
