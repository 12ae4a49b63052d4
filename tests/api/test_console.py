"""What the console asks for beyond Conductor's API: the overview, one execution lightly, groups of failures, and who may ask."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from edgework import Edge

from batuta.api import console

FAILED = {"status": "FAILED_WITH_TERMINAL_ERROR"}


def ended(edge: Edge, reason: str, **fields: Any) -> str:
    started = edge.start(**fields)
    edge.report(edge.take(), reasonForIncompletion=reason, **FAILED)
    return started


def test_the_overview_counts_what_is_there(edge: Edge) -> None:
    edge.register()
    edge.start()
    ended(edge, "no")
    edge.clock.advance(5_000)
    edge.start()
    told = edge.call("GET", "/api/console/overview").json
    assert told["counts"] == {"FAILED": 1, "RUNNING": 2}
    assert told["definitions"] == [{"name": "flow", "total": told["counts"], "recent": told["counts"]}]
    [queue] = told["queues"]
    assert {key: queue[key] for key in ("queue", "taskType", "domain", "waiting", "due", "lastWorker", "workers", "isOurs")} == {
        "queue": "job", "taskType": "job", "domain": "", "waiting": 2, "due": 2, "lastWorker": "w1", "workers": 1, "isOurs": False,
    }  # fmt: skip
    assert told["at"] - queue["oldestDueAt"] == 5_000 == told["at"] - queue["lastPollAt"]
    assert [(worker["worker"], worker["queues"]) for worker in told["workers"]] == [("w1", ["job"])]
    assert [one["status"] for one in told["oldest"]] == ["RUNNING", "RUNNING"]


def test_work_tells_who_asks_and_what_they_have(edge: Edge) -> None:
    edge.register("flow", edge.task("a"), edge.task("b"))
    started = edge.start()
    edge.clock.advance(7_000)
    task = edge.take("a")
    edge.clock.advance(2_000)
    told = edge.call("GET", "/api/console/work").json
    assert told["inProgress"] == {"a": 1} and told["polls"] == [{"queue": "a", "worker": "w1", "at": told["at"] - 2_000}]
    assert [(queue["queue"], queue["waiting"], queue["workers"]) for queue in told["queues"]] == [("a", 0, 1)]
    [hand] = told["hands"]
    assert (hand["taskId"], hand["workflowId"], hand["ref"], hand["worker"]) == (task["taskId"], started, "a", "w1")
    assert hand["startedAt"] == told["at"] - 2_000
    edge.report(task)
    assert edge.call("GET", "/api/console/work").json["hands"] == []


def test_work_reads_a_bounded_number_of_executions(edge: Edge) -> None:
    edge.register()
    for _ in range(console.HOLDERS_MAX + 5):
        edge.start()
        edge.take()
    told = edge.call("GET", "/api/console/work").json
    assert told["inProgress"] == {"job": console.HOLDERS_MAX + 5} and len(told["hands"]) == console.HOLDERS_MAX


def test_what_is_long_ago_is_not_recent(edge: Edge) -> None:
    edge.register()
    ended(edge, "no")
    edge.clock.advance(console.RECENT_MS + 1)
    [told] = edge.call("GET", "/api/console/overview").json["definitions"]
    assert told == {"name": "flow", "total": {"FAILED": 1}, "recent": {}}
    assert edge.call("GET", "/api/console/failures").json["groups"] == []


def test_a_timeline_has_every_task_in_columns(edge: Edge) -> None:
    edge.register("flow", edge.task("a"), edge.task("b"))
    started = edge.start()
    edge.clock.advance(1_000)
    task = edge.take("a")
    edge.clock.advance(2_000)
    edge.report(task, reasonForIncompletion="almost")
    told = edge.call("GET", f"/api/console/executions/{started}/timeline").json
    words = told["words"]
    assert [words[at] for at in told["ref"]] == ["a", "b"] and [words[at] for at in told["statusOf"]] == ["COMPLETED", "SCHEDULED"]
    assert (told["scheduled"], told["started"], told["ended"]) == ([0, 3_000], [1_000, -1], [3_000, -1])
    assert told["total"] == 2 and told["whole"] and told["reasons"] == {str(told["n"][0]): "almost"} and words[told["worker"][0]] == "w1"
    assert edge.call("GET", f"/api/tasks/{task['taskId']}").status == 200 and told["ids"] == {}  # ids follow from numbers


def test_a_timeline_tells_only_what_changed_since(edge: Edge) -> None:
    edge.register("flow", edge.task("a"), edge.task("b"), edge.task("c"))
    started = edge.start()
    edge.clock.advance(10)
    edge.report(edge.take("a"))
    edge.clock.advance(10)
    seen = edge.call("GET", f"/api/console/executions/{started}/timeline").json["updateTime"]
    edge.report(edge.take("b"))
    told = edge.call("GET", f"/api/console/executions/{started}/timeline?since={seen + 1}").json
    assert [told["words"][at] for at in told["ref"]] == ["b", "c"] and told["total"] == 3 and not told["whole"]
    same = edge.call("GET", f"/api/console/executions/{started}/timeline?since={told['updateTime']}&revision={told['revision']}").json
    assert same["n"] == [] and same["total"] == 3 and not same["whole"] and same["revision"] == told["revision"]
    other = edge.call("GET", f"/api/console/executions/{started}/timeline?since={told['updateTime']}&revision={told['revision'] - 1}").json
    assert other["n"] != []


def test_ten_thousand_tasks_are_less_than_a_megabyte(edge: Edge) -> None:
    fork = {
        "name": "fork", "taskReferenceName": "fork", "type": "FORK_JOIN_DYNAMIC", "dynamicForkTasksParam": "t", "dynamicForkTasksInputParamName": "i",
        "inputParameters": {"t": "${workflow.input.t}", "i": {}},
    }  # fmt: skip
    edge.register("wide", fork, {"name": "join", "taskReferenceName": "join", "type": "JOIN"})
    branches = [{"name": "n", "taskReferenceName": f"a_branch_{n}", "type": "NOOP"} for n in range(900)]
    started = edge.start("wide", input={"t": branches})
    answer = edge.call("GET", f"/api/console/executions/{started}/timeline")
    assert answer.json["total"] >= 900 and len(answer.body) / answer.json["total"] < 100


def test_a_large_answer_is_packed_for_who_can_read_it(edge: Edge) -> None:
    edge.register()
    started = edge.start(input={"text": "x" * 50_000})
    target = f"/api/console/executions/{started}"
    packed = edge.raw("GET", target, headers=((b"accept-encoding", b"gzip, br"),))
    assert packed.headers["content-encoding"] == "gzip" and json.loads(gzip.decompress(packed.body)) == edge.call("GET", target).json


def test_a_payload_that_is_too_large_is_only_weighed(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PAYLOAD_BYTES_MAX", 100)
    edge.register("flow", edge.task("job", inputParameters={"large": "${workflow.input.large}", "small": 1}))
    started = edge.start(input={"large": "x" * 200})
    told = edge.call("GET", f"/api/console/executions/{started}").json
    assert told["withheld"] == ["input"] and told["workflow"]["input"] == {} and told["sizes"] == {"input": 212, "output": 2, "variables": 2}
    task = edge.take()
    told = edge.call("GET", f"/api/console/tasks/{task['taskId']}").json
    assert told["withheld"] == ["input"] and told["task"]["inputData"] == {} and told["sizes"]["input"] > 200
    assert told["task"]["taskId"] == task["taskId"]


def test_who_watches_an_execution_asks_for_no_payloads(edge: Edge) -> None:
    edge.register()
    started = edge.start(input={"text": "x" * 50_000})
    told = edge.call("GET", f"/api/console/executions/{started}?payloads=false")
    assert len(told.body) < 5_000 and told.json["workflow"]["input"] == {} and told.json["sizes"] == {}
    assert told.json["withheld"] == ["input", "output", "variables"]
    assert edge.call("GET", f"/api/console/executions/{started}?payloads=some").status == 400


def test_failures_are_grouped_by_what_went_wrong(edge: Edge) -> None:
    edge.register()
    ids = [ended(edge, f"mailbox {n} of 3f2b8c1e-0000-4000-8000-00000000000{n} is full") for n in range(3)]
    other = ended(edge, "no route to host")
    told = edge.call("GET", "/api/console/failures").json
    assert [(group["count"], group["workflow"], group["ref"]) for group in told["groups"]] == [(3, "flow", "job"), (1, "flow", "job")]
    assert sorted(told["groups"][0]["workflowIds"]) == sorted(ids) and told["groups"][1]["workflowIds"] == [other]
    assert told["lookedAt"] == 4 and not told["capped"]
    assert len(told["groups"][0]["steps"]) == console.FAILURE_STEPS == 24 and told["stepMs"] * 24 == console.RECENT_MS
    assert told["groups"][0]["steps"][-1] == 3 and sum(told["groups"][0]["steps"]) == 3
    assert edge.call("GET", f"/api/console/failures?since={told['at'] + 1}").json["groups"] == []


def test_health_says_what_to_look_into(edge: Edge) -> None:
    edge.register()
    edge.start()
    ended(edge, "no")
    edge.clock.advance(120_000)
    told = edge.call("GET", "/api/console/health").json
    findings = {finding["check"]: finding for finding in told["findings"]}
    assert findings["Workers"]["level"] == "warn" and "job" in findings["Workers"]["found"]
    assert findings["Executions"]["level"] == "note" and findings["Retention"]["level"] == "note" and findings["Store"]["level"] == "ok"
    assert findings["Messages"]["level"] == "ok" and "Disk" not in findings  # no directory is known
    assert told["version"] == "1.2.3" and told["config"] == {"port": "8080"}


def test_health_tells_of_messages_that_were_set_aside(edge: Edge) -> None:
    handler = {"name": "h", "event": "conductor:flow:q", "active": True, "actions": [{"action": "start_workflow", "start_workflow": {"name": "gone"}}]}
    edge.call("POST", "/api/event", handler)
    edge.register("flow", edge.task("tell", type="EVENT", sink="conductor:q"))
    edge.start()
    edge.run(edge.engine.flushed())
    [found] = [one for one in edge.call("GET", "/api/console/health").json["findings"] if one["check"] == "Set aside"]
    assert found["level"] == "warn" and found["found"].startswith("1 message set aside; of conductor:flow:q: No such workflow")


def test_an_execution_says_who_started_it_and_who_handles_its_failure(edge: Edge) -> None:
    edge.register("cleaner")
    edge.register(failureWorkflow="cleaner")
    failed = ended(edge, "no")
    told = edge.call("GET", f"/api/console/executions/{failed}").json
    assert told["origin"] == {"schedule": "", "scheduledAt": 0, "failureOf": ""}
    assert edge.call("GET", f"/api/console/executions/{told['failureWorkflow']}").json["origin"]["failureOf"] == failed
    by_clock = {"_startedByScheduler": "nightly", "_scheduledTime": 5}
    ticked = edge.call("POST", "/api/workflow/flow", by_clock).text
    assert edge.call("GET", f"/api/console/executions/{ticked}").json["origin"] == {"schedule": "nightly", "scheduledAt": 5, "failureOf": ""}
