"""/api/workflow and its bulk verbs, where they are more than the golden runs show."""

from __future__ import annotations

from typing import Any

import pytest
from edgework import JSON, Edge

NONE = "00000000-0000-0000-0000-000000000000"


def test_the_id_comes_as_bare_text(edge: Edge) -> None:
    edge.register()
    answer = edge.call("POST", "/api/workflow", {"name": "flow"})
    assert (answer.status, answer.kind) == (200, "text/plain;charset=UTF-8")
    assert edge.call("GET", f"/api/workflow/{answer.text}").json["workflowId"] == answer.text


def test_an_inline_definition_is_checked_under_its_own_path(edge: Edge) -> None:
    inline = {"name": "", "tasks": [edge.task("a"), edge.task("a")]}
    answer = edge.call("POST", "/api/workflow", {"name": "x", "workflowDef": inline})
    assert answer.said == [
        ("startWorkflow.arg0.workflowDef.name", "WorkflowDef name cannot be null or empty"),
        ("startWorkflow.arg0.workflowDef", "taskReferenceName: a should be unique across tasks for a given workflowDefinition: "),
    ]


@pytest.mark.parametrize("name", ["", "  "])
def test_a_start_without_definition_needs_a_name(edge: Edge, name: str) -> None:
    answer = edge.call("POST", "/api/workflow", {"name": name})
    assert (answer.status, answer.json["message"]) == (400, "Workflow name must be specified when searching for a definition")


def test_a_start_by_name_takes_its_input_whole(edge: Edge) -> None:
    edge.register()
    given = {"version": "not a version", "name": 5, "": None}
    started = edge.call("POST", "/api/workflow/flow?correlationId=&priority=9&unknown=1", given).text
    shown = edge.call("GET", f"/api/workflow/{started}").json
    assert (shown["input"], shown["correlationId"], shown["priority"], shown["workflowVersion"]) == (given, "", 9, 1)


def test_tasks_come_page_by_page(edge: Edge) -> None:
    edge.register("flow", *(edge.task(name) for name in ("a", "b", "c")))
    started = edge.start()
    for name in ("a", "b"):
        edge.report(edge.take(name))
    pages = {
        "": (3, ["a", "b", "c"]),
        "?start=1&count=1": (3, ["b"]),
        "?start=1&count=0": (3, []),
        "?start=9": (3, []),
        "?status=completed&status=SCHEDULED": (3, ["a", "b", "c"]),
        "?status=scheduled,failed": (1, ["c"]),
    }
    for query, (total, names) in pages.items():
        page = edge.call("GET", f"/api/workflow/{started}/tasks{query}").json
        assert (page["totalHits"], [task["referenceTaskName"] for task in page["results"]]) == (total, names)
    refused = edge.call("GET", f"/api/workflow/{started}/tasks?status=nope")
    assert refused.status == 400 and "query parameter 'status' is the text 'nope'" in refused.json["message"]


def test_terminate_has_a_second_spelling(edge: Edge) -> None:
    edge.register()
    for method, path in (("DELETE", ""), ("POST", "/terminate")):
        started = edge.start()
        assert edge.call(method, f"/api/workflow/{started}{path}?reason=enough").status == 200
        shown = edge.call("GET", f"/api/workflow/{started}").json
        assert (shown["status"], shown["reasonForIncompletion"]) == ("TERMINATED", "enough")


SKIPS: list[tuple[str, dict[str, Any] | None]] = [
    ("", {"taskInput": {"a": "1"}, "taskOutput": {"b": "2"}}),
    ("?taskInput[a]=1&taskOutput[b]=2", None),
    ("?taskInput%5Ba%5D=1&taskOutput%5Bb%5D=2", {}),
    ("?skipTaskRequest=%7B%22taskInput%22:%7B%22a%22:%221%22%7D,%22taskOutput%22:%7B%22b%22:%222%22%7D%7D", None),
    ("?skipTaskRequest=%7B%27taskInput%27%3A+%7B%27a%27%3A+%271%27%7D%2C+%27taskOutput%27%3A+%7B%27b%27%3A+%272%27%7D%7D", None),  # the Python SDK's
]


@pytest.mark.parametrize(("query", "body"), SKIPS)
def test_a_skipped_task_shows_what_the_request_says_in_any_form(edge: Edge, query: str, body: dict[str, Any] | None) -> None:
    edge.register("flow", edge.task("one"), edge.task("two"))
    started = edge.start()
    assert edge.call("PUT", f"/api/workflow/{started}/skiptask/two{query}", body).status == 200
    [skipped] = [t for t in edge.call("GET", f"/api/workflow/{started}").json["tasks"] if t["status"] == "SKIPPED"]
    assert (skipped["inputData"], skipped["outputData"]) == ({"a": "1"}, {"b": "2"})


UNREADABLE = ["{map[] map[b:2]}", "%7B%27taskInput%27%3A+open(1)%7D", "%7B1%3A1j%7D", "(" * 300, "-" * 30_000 + "1", "%00", "{1,2}", "", "[]", '"a"']


@pytest.mark.parametrize("said", UNREADABLE)
def test_a_skip_that_says_what_nobody_can_read_says_nothing(edge: Edge, said: str) -> None:
    """The first is what the Go SDK sends: Go's own notation, from which the values cannot be had back. Conductor looks at none of them."""
    edge.register("flow", edge.task("one"), edge.task("two"))
    started = edge.start()
    assert edge.call("PUT", f"/api/workflow/{started}/skiptask/two?skipTaskRequest={said}").status == 200
    [skipped] = [t for t in edge.call("GET", f"/api/workflow/{started}").json["tasks"] if t["status"] == "SKIPPED"]
    assert (skipped["inputData"], skipped["outputData"]) == ({}, {})


def test_a_skip_that_says_what_cannot_be_is_refused(edge: Edge) -> None:
    edge.register("flow", edge.task("one"), edge.task("two"))
    answer = edge.call("PUT", f"/api/workflow/{edge.start()}/skiptask/two?skipTaskRequest=%7B%27taskOutput%27%3A+1%7D")
    assert (answer.status, answer.json["message"]) == (400, "taskOutput is the number 1; expected an object")


def test_a_skip_needs_no_body_of_any_type(edge: Edge) -> None:
    edge.register("flow", edge.task("one"), edge.task("two"))
    form = ((b"content-type", b"application/x-www-form-urlencoded"),)
    assert edge.raw("PUT", f"/api/workflow/{edge.start()}/skiptask/two", headers=form).status == 200


def test_verbs_answer_as_conductor_does(edge: Edge) -> None:
    edge.register()
    started = edge.start()
    for method, verb, status in (("PUT", "pause", 200), ("PUT", "resume", 200), ("POST", "resetcallbacks", 204)):
        answer = edge.call(method, f"/api/workflow/{started}/{verb}")
        assert (answer.status, answer.body) == (status, b"")
    assert edge.call("PUT", f"/api/workflow/decide/{started}").status == 200
    edge.report(edge.take(), "FAILED_WITH_TERMINAL_ERROR")
    assert edge.call("POST", f"/api/workflow/{started}/retry").status == 204
    edge.call("DELETE", f"/api/workflow/{started}")
    assert edge.call("POST", f"/api/workflow/{started}/restart?useLatestDefinitions=true").status == 204
    edge.call("DELETE", f"/api/workflow/{started}")
    rerun = edge.call("POST", f"/api/workflow/{started}/rerun", {})
    assert (rerun.status, rerun.text) == (200, started)
    assert edge.call("DELETE", f"/api/workflow/{started}/remove").json["message"].startswith("Cannot archive workflow")
    assert edge.call("DELETE", f"/api/workflow/{started}/terminate-remove?reason=gone").status == 200
    assert edge.call("GET", f"/api/workflow/{started}").status == 404


def test_lists_of_what_runs(edge: Edge) -> None:
    edge.register()
    running, ended = edge.start(correlationId="c"), edge.start(correlationId="c")
    edge.call("DELETE", f"/api/workflow/{ended}")
    now = edge.clock.now()
    assert edge.call("GET", "/api/workflow/running/flow").json == [running]
    between = f"startTime={now - 1}&endTime={now + 1}"
    assert sorted(edge.call("GET", f"/api/workflow/running/flow?{between}").json) == sorted([running, ended])
    assert edge.call("GET", f"/api/workflow/running/flow?version=2&{between}").json == []
    many = edge.call("POST", "/api/workflow/flow/correlated?includeClosed=true&includeTasks=true", ["c", "d"]).json
    assert sorted(w["workflowId"] for w in many["c"]) == sorted([running, ended]) and many["d"] == []
    assert all(w["tasks"] for w in many["c"])


def bulk(edge: Edge, method: str, verb: str, ids: list[str]) -> tuple[list[str], dict[str, str]]:
    answer = edge.call(method, f"/api/workflow/bulk/{verb}", ids)
    assert answer.status == 200 and answer.json.keys() == {"bulkErrorResults", "bulkSuccessfulResults"}
    return answer.json["bulkSuccessfulResults"], answer.json["bulkErrorResults"]


def test_a_bulk_verb_says_of_each_how_it_went_in_the_order_given(edge: Edge) -> None:
    edge.register()
    ids = [edge.start() for _ in range(20)]
    unknown = {NONE: f"No such workflow found by id: {NONE}"}
    assert bulk(edge, "PUT", "pause", [*ids[:10], NONE, *ids[10:]]) == (ids, unknown)
    assert bulk(edge, "PUT", "resume", [*reversed(ids), NONE]) == (ids[::-1], unknown)
    assert bulk(edge, "POST", "terminate?reason=all", ids) == (ids, {})
    assert {edge.status(one) for one in ids} == {"TERMINATED"}
    assert bulk(edge, "POST", "restart", ids[:2]) == (ids[:2], {})
    succeeded, failed = bulk(edge, "DELETE", "remove", ids[:3])
    assert succeeded == ids[2:3] and failed.keys() == set(ids[:2])
    twice = [one for one in ids[:2] for _ in range(2)]
    assert bulk(edge, "DELETE", "terminate-remove?reason=x&archiveWorkflow=false", ids[:2]) == (twice, {})


def test_many_are_read_in_the_form_of_the_internal_model(edge: Edge) -> None:
    edge.register()
    started = edge.start()
    answer = edge.call("POST", "/api/workflow/bulk/search?includeTasks=false", [started, NONE]).json
    [found] = answer["bulkSuccessfulResults"]
    assert (found["workflowId"], found["tasks"], "updatedTime" in found) == (started, [], True)
    assert answer["bulkErrorResults"].keys() == {NONE}


@pytest.mark.parametrize("body", [b"{}", b"[[1]]", b"", b"[null]"])
def test_a_bulk_request_is_a_list_of_ids(edge: Edge, body: bytes) -> None:
    assert edge.raw("PUT", "/api/workflow/bulk/pause", body, headers=JSON).status == 400


def test_an_execution_that_waits_for_a_place_says_so_and_one_that_may_not_is_refused(edge: Edge) -> None:
    for policy in ("QUEUE", "REJECT"):
        limit = {"rateLimitKey": "${workflow.input.customer}", "concurrentExecLimit": 1, "policy": policy}
        edge.register(policy, rateLimitConfig=limit)
        edge.start(policy, input={"customer": "c1"})
    waiting = edge.start("QUEUE", input={"customer": "c1"})
    shown = edge.call("GET", f"/api/workflow/{waiting}").json
    assert (shown["status"], shown["rateLimited"], shown["rateLimitKey"], shown["tasks"]) == ("RUNNING", True, "c1", [])
    refused = edge.call("POST", "/api/workflow", {"name": "REJECT", "input": {"customer": "c1"}})
    assert (refused.status, refused.json["retryable"]) == (429, True)
    assert refused.json["message"] == "workflow 'REJECT' has 1 open executions under the rate limit 'c1', which is as many as there may be"
    assert edge.start("REJECT", input={"customer": "c2"})


def test_what_may_not_be_restarted_is_not_by_any_way_and_may_be_rerun(edge: Edge) -> None:
    edge.register(restartable=False)
    done, failed = edge.start(), edge.start()
    edge.report(edge.take())
    edge.report(edge.take(), "FAILED_WITH_TERMINAL_ERROR")
    for query in ("", "?useLatestDefinitions=true"):
        refused = edge.call("POST", f"/api/workflow/{done}/restart{query}")
        assert (refused.status, refused.json["message"]) == (404, f"Workflow: {done} is non-restartable")
    many = edge.call("POST", "/api/workflow/bulk/restart", [done, failed]).json
    assert many == {"bulkErrorResults": {done: f"Workflow: {done} is non-restartable"}, "bulkSuccessfulResults": [failed]}
    assert (edge.status(done), edge.status(failed)) == ("COMPLETED", "RUNNING")  # as with Conductor, only a COMPLETED one is kept from it
    assert edge.call("POST", f"/api/workflow/{done}/rerun", {}).status == 200
