"""/api/scheduler as clients see it."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from edgework import Edge

HOUR = 3_600_000
NOON = 1_800_014_400_000  # 2027-01-15 12:00:00 UTC


def schedule(name: str = "s", **fields: Any) -> dict[str, Any]:
    return {"name": name, "cronExpression": "0 0 * * * ?", "startWorkflowRequest": {"name": "flow", "input": {"k": 1}}, **fields}


@pytest.fixture
def noon(edge: Edge) -> Edge:
    edge.clock.advance(NOON - edge.clock.now())
    return edge


def move(edge: Edge, ms: int) -> None:
    """Time goes on, and what it brings is done."""

    async def moved() -> None:
        edge.clock.advance(ms)
        while edge.engine._background:
            await asyncio.wait(edge.engine._background)
            await asyncio.sleep(0)  # those that have ended are taken off in the next turn of the loop

    edge.run(moved())


def test_a_schedule_is_given_back_with_its_defaults_and_its_next_tick(noon: Edge) -> None:
    request = {"name": "flow", "input": {"k": 1}, "taskToDomain": {}, "priority": 0}
    expected = {
        "name": "s", "cronExpression": "0 0 * * * ?", "zoneId": "UTC", "cronSchedules": [], "runCatchupScheduleInstances": False, "paused": False,
        "startWorkflowRequest": request, "createTime": NOON, "updatedTime": NOON, "createdBy": "", "updatedBy": "", "nextRunTime": NOON + HOUR,
    }  # fmt: skip
    assert noon.call("POST", "/api/scheduler/schedules", schedule(description=None)).json == expected
    assert noon.call("GET", "/api/scheduler/schedules/s").json == expected and noon.call("GET", "/api/scheduler/schedules").json == [expected]


def test_tags_are_set_taken_off_and_kept_when_a_schedule_is_saved_again(noon: Edge) -> None:
    place, team, night = "/api/scheduler/schedules/s/tags", {"key": "team", "value": "k1"}, {"key": "when", "value": "night", "type": "METADATA"}
    assert noon.call("PUT", place, [team]).status == noon.call("GET", place).status == 404
    noon.call("POST", "/api/scheduler/schedules", schedule())
    assert noon.call("GET", place).json == []
    assert noon.call("PUT", place, [team, night]).status == 200
    noon.call("POST", "/api/scheduler/schedules", schedule(cronExpression="@daily"))
    assert noon.call("GET", place).json == noon.call("GET", "/api/scheduler/schedules/s").json["tags"] == [team, night]
    assert noon.call("DELETE", place, [{"key": "when", "value": "night"}, {"key": "team", "value": "other"}]).status == 200
    assert noon.call("GET", place).json == [team]


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_pause_and_resume_by_the_verb_of_any_sdk(noon: Edge, method: str) -> None:
    noon.call("POST", "/api/scheduler/schedules", schedule())
    assert noon.call(method, "/api/scheduler/schedules/s/pause?reason=holidays").status == 200
    assert noon.call("GET", "/api/scheduler/schedules/s").json["pausedReason"] == "holidays"
    assert [noon.call(method, "/api/scheduler/schedules/s/resume").status for _ in range(2)] == [200, 404]


def test_bulk_answers_for_each(noon: Edge) -> None:
    for name in ("a", "b"):
        noon.call("POST", "/api/scheduler/schedules", schedule(name))
    answer = noon.call("PUT", "/api/scheduler/bulk/pause", ["a", "ghost", "b", "a"]).json
    assert answer == {"bulkErrorResults": {"ghost": "Schedule 'ghost' not found"}, "bulkSuccessfulResults": ["a", "b"]}
    assert noon.call("PUT", "/api/scheduler/bulk/resume", ["a"]).json["bulkSuccessfulResults"] == ["a"]


#    query                                   names found
SEARCHES = [
    ("",                                     ["daily-a", "daily-b", "hourly"]),
    ("scheduleName=daily",                   ["daily-a", "daily-b"]),
    ("workflowName=other",                   ["hourly"]),
    ("paused=true",                          ["daily-b"]),
    ("paused=false&freeText=DAILY",          ["daily-a"]),
    ("freeText=*&start=1&size=1",            ["daily-b"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "names"), SEARCHES)
def test_schedules_are_searched(noon: Edge, query: str, names: list[str]) -> None:
    for name, workflow, paused in (("daily-a", "flow", False), ("daily-b", "flow", True), ("hourly", "other", False)):
        noon.call("POST", "/api/scheduler/schedules", schedule(name, paused=paused, startWorkflowRequest={"name": workflow}))
    found = noon.call("GET", f"/api/scheduler/schedules/search?{query}").json
    assert [one["name"] for one in found["results"]] == names
    assert found["totalHits"] == (3 if "start" in query else len(names))
    assert [one["name"] for one in noon.call("GET", "/api/scheduler/schedules?workflowName=other").json] == ["hourly"]


#    query                                                  schedules and hours of the ticks found
QUERIES = [
    ("",                                                    ["a3", "b3", "a2", "b2", "a1", "b1"]),
    ("query=scheduleName IN (a)",                           ["a3", "a2", "a1"]),
    ("query=a",                                             ["a3", "a2", "a1"]),
    ("query=state IN (FAILED)",                             ["b3", "b2", "b1"]),
    ("query=state IN (FAILED,EXECUTED) AND scheduleName IN ('a', 'b')&size=2", ["a3", "b3"]),
    (f"query=scheduledTime>{NOON + HOUR} AND scheduledTime<{NOON + 3 * HOUR}", ["a2", "b2"]),
    ("query=workflowName=lo",                               ["a3", "a2", "a1"]),
    ("query=workflowName=nothing",                          []),
    ("query=executionId=none",                              []),
    ("query=no such schedule",                              []),
    (f"query=workflowType IN (flow,missing) AND status IN (EXECUTED) AND startTime>{NOON + HOUR}&sort=startTime:ASC", ["a2", "a3"]),  # Conductor's interface
    ("query=scheduleName = a OR scheduleName = b AND state != FAILED", ["a3", "a2", "a1"]),
    ("freeText=MISSING&sort=scheduledTime:ASC",             ["b1", "b2", "b3"]),
    ("sort=scheduleName:DESC,scheduledTime:ASC",            ["b1", "b2", "b3", "a1", "a2", "a3"]),
    ("sort=state:ASC,scheduledTime&start=2&size=3",         ["a1", "b3", "b2"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_what_came_of_ticks_is_searched(noon: Edge, query: str, expected: list[str]) -> None:
    noon.register("flow", noon.task("nothing", type="NOOP"))
    noon.call("POST", "/api/scheduler/schedules", schedule("a"))
    noon.call("POST", "/api/scheduler/schedules", schedule("b", startWorkflowRequest={"name": "missing"}))
    for _ in range(3):
        move(noon, HOUR)
    found = noon.call("GET", f"/api/scheduler/search/executions?{quote(query, safe='=&')}").json
    shown = [f"{f['scheduleName']}{(f['scheduledTime'] - NOON) // HOUR}" for f in found["results"]]
    if "sort" not in query:
        shown.sort(key=lambda tick: (-int(tick[1:]), tick[0]))  # ticks of one instant come in no particular order
    assert shown == expected
    assert found["totalHits"] == {"size=2": 6, "size=3": 6}.get(query.rpartition("&")[2], len(expected))


@pytest.mark.parametrize("name", ["nightly", "a, b", "it's (mine)", "state IN (", "*"])
def test_the_name_of_a_schedule_is_a_query_whatever_is_in_it(noon: Edge, name: str) -> None:
    noon.register("flow", noon.task("nothing", type="NOOP"))
    for one in (name, "other"):
        noon.call("POST", "/api/scheduler/schedules", schedule(one))
    move(noon, HOUR)
    found = noon.call("GET", f"/api/scheduler/search/executions?query={quote(name)}").json
    assert [one["scheduleName"] for one in found["results"]] == [name]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state IN (", "Incorrectly formatted query string: state IN ("),
        ("state = DONE", "query field 'state': found 'DONE', expected one of POLLED, EXECUTED, FAILED"),
        ("startTime > soon", "query field 'startTime': found 'soon', expected epoch milliseconds or an ISO date"),
        ("a = 1 AND state = FAILED", "query field 'a': ticks have no such field, expected one of scheduleName, state, "),
    ],
)
def test_what_cannot_be_asked_of_ticks_is_refused(noon: Edge, query: str, said: str) -> None:
    answer = noon.call("GET", f"/api/scheduler/search/executions?query={quote(query)}")
    assert (answer.status, said in answer.text) == (400, True), answer.text


def test_a_firing_tells_what_it_started(noon: Edge) -> None:
    noon.register("flow", noon.task("job"))
    noon.call("POST", "/api/scheduler/schedules", schedule())
    move(noon, HOUR)
    [firing] = noon.call("GET", "/api/scheduler/search/executions").json["results"]
    execution = noon.call("GET", f"/api/workflow/{firing['workflowId']}").json
    assert execution["input"] == firing["startWorkflowRequest"]["input"] and execution["status"] == "RUNNING"
    assert execution["input"] == {
        "k": 1, "_startedByScheduler": "s", "_scheduledTime": NOON + HOUR, "_executedTime": NOON + HOUR, "_executionId": firing["executionId"],
        "_schedulerCron": "0 0 * * * ? UTC",
    }  # fmt: skip
    found = noon.call("GET", f"/api/scheduler/search/executions?query=executionId%3D{firing['executionId']}").json
    assert found["totalHits"] == 1 and firing["state"] == "EXECUTED" and "reason" not in firing


def test_the_next_few_ticks_are_at_most_five_and_within_the_bounds(noon: Edge) -> None:
    def asked(**query: Any) -> Any:
        text = "&".join(f"{key}={quote(str(value))}" for key, value in query.items())
        answer = noon.call("GET", f"/api/scheduler/nextFewSchedules?{text}")
        return [(at - NOON) // HOUR for at in answer.json] if answer.status == 200 else answer.status

    assert asked(cronExpression="@hourly") == [1, 2, 3, 4, 5]
    assert asked(cronExpression="@hourly", limit=9) == [1, 2, 3, 4, 5] and asked(cronExpression="@hourly", limit=2) == [1, 2]
    assert asked(cronExpression="@hourly", scheduleStartTime=NOON + 3 * HOUR, scheduleEndTime=NOON + 4 * HOUR) == [3, 4]
    assert asked(cronExpression="@daily", limit=1, zoneId="Asia/Tokyo") == [3]
    assert asked(cronExpression="0 0 25 * * *") == 400 and asked(cronExpression="@daily", zoneId="Mars") == 400 and asked() == 400


#    method    path                                 body                                              status
REFUSED = [
    ("POST",   "/api/scheduler/schedules",          schedule(cronExpression="every day"),             400),
    ("POST",   "/api/scheduler/schedules",          [],                                               400),
    ("POST",   "/api/scheduler/schedules",          schedule(""),                                     400),
    ("GET",    "/api/scheduler/schedules/ghost",    None,                                             404),
    ("PUT",    "/api/scheduler/schedules/ghost/pause", None,                                          404),
    ("PUT",    "/api/scheduler/schedules/ghost/resume", None,                                         404),
    ("DELETE", "/api/scheduler/schedules/ghost",    None,                                             200),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSED)
def test_what_cannot_be_is_refused(noon: Edge, method: str, path: str, body: Any, status: int) -> None:
    assert noon.call(method, path, body).status == status


def test_the_error_names_the_field_of_the_expression(noon: Edge) -> None:
    [(path, message)] = noon.call("POST", "/api/scheduler/schedules", schedule(cronExpression="0 0 25 * * *")).said
    assert path == "saveSchedule.arg0.cronExpression"
    assert message == "cron expression '0 0 25 * * *': field 3 (hour) has '25'; expected 0 to 23"


def test_a_server_is_held_and_released(noon: Edge) -> None:
    noon.register("flow", noon.task("nothing", type="NOOP"))
    noon.call("POST", "/api/scheduler/schedules", schedule())
    assert noon.call("GET", "/api/scheduler/admin/pause").json == {"status": "done"}
    move(noon, 2 * HOUR)
    assert noon.call("GET", "/api/scheduler/search/executions").json["totalHits"] == 0
    assert noon.call("GET", "/api/scheduler/admin/resume").json == {"status": "done"}
    move(noon, 0)
    assert noon.call("GET", "/api/scheduler/search/executions").json["totalHits"] == 1
    assert noon.call("GET", "/api/scheduler/admin/requeue").json == {"recordIds.size": 1, "sampleIds": ["s"]}
