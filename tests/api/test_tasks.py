"""/api/tasks: waiting for tasks and leaving, reporting, logs, secrets; queues and what an operator asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from edgework import JSON, Answer, Caller, Edge


def poll(edge: Edge, target: str, meanwhile: Callable[[Caller], Any]) -> Answer | None:
    """The answer to a poll; *meanwhile* is done once it waits."""

    async def ask() -> Answer | None:
        caller = Caller("GET", target)
        asked = asyncio.ensure_future(caller.answer(edge.application))
        await asyncio.wait_for(caller.watched.wait(), 10)
        done = meanwhile(caller)
        if asyncio.iscoroutine(done):
            await done
        return await asyncio.wait_for(asked, 10)

    return edge.run(ask())


async def started(edge: Edge) -> None:
    """A workflow is started by another client."""
    answer = await Caller("POST", "/api/workflow", [b'{"name":"flow"}'], JSON).answer(edge.application)
    assert answer is not None and answer.status == 200


def test_a_poll_that_waits_gets_the_task_that_comes(edge: Edge) -> None:
    edge.register()
    answer = poll(edge, "/api/tasks/poll/batch/job?workerid=w&timeout=5000", lambda caller: started(edge))
    assert answer is not None and [task["workerId"] for task in answer.json] == ["w"]


def test_a_client_that_has_left_takes_no_task(edge: Edge) -> None:
    edge.register()

    async def leave_then_start(caller: Caller) -> None:
        caller.leave()
        await started(edge)

    poll(edge, "/api/tasks/poll/batch/job?workerid=gone&timeout=5000", leave_then_start)
    assert edge.take(workerid="there")["pollCount"] == 1


def test_waiting_polls_are_answered_when_the_server_stops(edge: Edge) -> None:
    answer = poll(edge, "/api/tasks/poll/batch/job?timeout=5000", lambda caller: edge.application.release())
    assert answer is not None and (answer.status, answer.json) == (200, [])
    single = poll(edge, "/api/tasks/poll/job", lambda caller: edge.application.release())
    assert single is not None and single.status == 204


def test_a_poll_with_no_time_does_not_wait(edge: Edge) -> None:
    async def ask() -> tuple[Answer | None, int]:
        caller = Caller("GET", "/api/tasks/poll/batch/job?timeout=0")
        return await caller.answer(edge.application), caller.asked

    answer, asked = edge.run(ask())
    assert answer is not None and (answer.json, asked) == ([], 0)


@pytest.mark.parametrize("query", ["count=0", "count=-3", "timeout=-5", "count=&timeout=0"])
def test_odd_numbers_take_nothing_and_are_no_error(edge: Edge, query: str) -> None:
    answer = edge.call("GET", f"/api/tasks/poll/batch/job?{query}")
    assert (answer.status, answer.json) == (200, [])


def test_a_poll_may_not_wait_longer_than_five_seconds(edge: Edge) -> None:
    answer = edge.call("GET", "/api/tasks/poll/batch/job?timeout=5001")
    assert (answer.status, answer.json["message"]) == (400, "Long Poll Timeout value cannot be more than 5 seconds")


def test_only_the_poll_shows_secrets(edge: Edge) -> None:
    assert edge.raw("PUT", "/api/secrets/TOKEN", b"s3cret").status == 200
    edge.call("POST", "/api/metadata/taskdefs", [{"name": "job", "runtimeMetadata": ["TOKEN"]}])
    edge.register("flow", edge.task("job", inputParameters={"auth": "Bearer ${workflow.secrets.TOKEN}"}))
    execution = edge.start()
    task = edge.take()
    assert (task["inputData"], task["runtimeMetadata"]) == ({"auth": "Bearer s3cret"}, {"TOKEN": "s3cret"})
    for target in (f"/api/workflow/{execution}", f"/api/tasks/{task['taskId']}", "/api/admin/task/job"):
        assert b"s3cret" not in edge.call("GET", target).body


def test_a_report_hands_out_the_next_task_of_the_same_worker(edge: Edge) -> None:
    edge.register()
    edge.start(taskToDomain={"job": "north"}), edge.start(taskToDomain={"job": "north"}), edge.start()
    first = edge.take(domain="north")
    ids = {"workflowInstanceId": first["workflowInstanceId"], "taskId": first["taskId"]}
    for unfinished in ({"status": "IN_PROGRESS", "callbackAfterSeconds": 60}, {"extendLease": True}):
        assert edge.call("POST", "/api/tasks/update-v2", {**ids, **unfinished}).status == 204
    answer = edge.call("POST", "/api/tasks/update-v2", {**ids, "status": "COMPLETED", "workerId": "w7"})
    assert (answer.status, answer.json["domain"], answer.json["workerId"]) == (200, "north", "w7")
    again = edge.call("POST", "/api/tasks/update-v2", {**ids, "status": "FAILED", "workerId": "w7"})
    assert again.status == 204 and edge.status(first["workflowInstanceId"]) == "COMPLETED"


def test_a_lease_is_extended_and_nothing_else_changes(edge: Edge) -> None:
    edge.register()
    edge.start()
    task = edge.take()
    edge.clock.advance(1_000)
    ids = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"]}
    assert edge.call("POST", "/api/tasks", {**ids, "extendLease": True, "outputData": {"x": 1}}).text == task["taskId"]
    after = edge.call("GET", f"/api/tasks/{task['taskId']}").json
    assert (after["status"], after["outputData"], after["updateTime"]) == ("IN_PROGRESS", {}, task["updateTime"] + 1_000)


def test_a_report_by_reference_says_which_words_it_takes(edge: Edge) -> None:
    answer = edge.call("POST", "/api/tasks/e/r/completed", {})
    expected = "expected one of IN_PROGRESS, FAILED, FAILED_WITH_TERMINAL_ERROR, COMPLETED, CANCELED"
    assert (answer.status, answer.json["message"]) == (400, f"path variable 'status' is the text 'completed'; {expected}")


def test_a_log_line_is_kept_as_it_comes(edge: Edge) -> None:
    edge.register()
    edge.start()
    task = edge.take()
    target = f"/api/tasks/{task['taskId']}/log"
    assert edge.call("GET", target).status == 204
    for line in (b'"quoted"', "ž 🎉".encode(), b"\xff"):
        assert edge.raw("POST", target, line).status == 200
    assert edge.raw("POST", target).status == 400
    edge.report(task, logs=[{"log": "from the report", "createdTime": 5}])
    lines = edge.call("GET", target).json
    assert {line["log"] for line in lines} == {'"quoted"', "ž 🎉", "\ufffd", "from the report"}
    assert {line["taskId"] for line in lines} == {task["taskId"]}


def test_what_waits_and_who_polls(edge: Edge) -> None:
    edge.register()
    edge.start(), edge.start(), edge.start(taskToDomain={"*": "north"})
    edge.take(workerid="w9")

    def get(target: str) -> Any:
        return edge.call("GET", f"/api/tasks/queue/{target}").json

    assert get("sizes?taskType=job,none") == {"job": 1, "none": 0}
    assert get("sizes?taskType=job&taskType=none") == {"job": 1, "none": 0}
    assert (get("size?taskType=job"), get("size?taskType=job&domain=north"), get("size?taskType=job&executionNamespace=x")) == (1, 1, 0)
    assert get("all") == {"job": 1, "north:job": 1}
    assert get("all/verbose")["north:job"] == {"a": {"size": 1, "uacked": 0}}
    now = edge.clock.now()
    assert get("polldata?taskType=job") == [{"queueName": "job", "workerId": "w9", "lastPollTime": now}]
    edge.call("GET", "/api/tasks/poll/batch/job?domain=south&timeout=0")
    assert get("polldata/all") == [
        {"queueName": "job", "workerId": "w9", "lastPollTime": now},
        {"queueName": "job", "domain": "south", "lastPollTime": now},
    ]
    assert edge.call("POST", "/api/tasks/queue/requeue/job").text == "3"
    assert edge.call("GET", "/api/tasks/queue/size").json["message"] == "query parameter 'taskType' is missing"


def test_what_an_operator_asks(edge: Edge) -> None:
    edge.register()
    started, taken = edge.start(), edge.start()
    edge.take()
    for target in ("/health", "/api/health"):
        assert edge.call("GET", target).json == {"healthy": True, "healthResults": [], "suppressedHealthResults": []}
    version = edge.call("GET", "/api/version")
    assert (version.text, version.kind) == ("1.2.3", "text/plain;charset=UTF-8")
    assert edge.call("GET", "/api/admin/config").json == {"port": "8080", "version": "1.2.3"}
    assert edge.call("GET", "/api/admin/stats").json["executions"] == 2
    assert {t["status"] for t in edge.call("GET", "/api/admin/task/job").json} == {"SCHEDULED", "IN_PROGRESS"}
    assert len(edge.call("GET", "/api/admin/task/job?start=1&count=5").json) == 1
    assert edge.call("POST", f"/api/admin/sweep/requeue/{started}").text == f"true.{started}"
    assert edge.call("POST", f"/api/admin/consistency/verifyAndRepair/{taken}").text == "false"
    assert edge.call("POST", "/api/admin/sweep/requeue/none").status == 404
    assert (edge.call("GET", "/api/admin/queues").json, edge.call("GET", "/api/queue/").json) == ({}, {})
