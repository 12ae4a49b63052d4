"""
What Conductor's own user interface asks of its server, asked of ours.

The calls were recorded while the interface, built from the sources of 3.32 and pointed at a Batuta server, was walked page by page in a browser, and what
its pages did not reach was taken from those sources. What it asks and no open-source Conductor answers is left out: integrations, the size of an execution.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from serving import serve


class Call(NamedTuple):
    """One request, and what the page reads of its answer: members, `[]` for each of a list; nothing for an answer nobody reads."""

    method: str
    path: str
    reads: str = ""
    body: Any = None


SUMMARY = "workflowId workflowType version status startTime updateTime input output executionTime failedReferenceTaskNames priority classifier"
TASK = "taskId taskType taskDefName referenceTaskName status seq scheduledTime startTime endTime updateTime workflowTask inputData outputData retryCount"
WORKFLOW = "name version tasks inputParameters outputParameters schemaVersion restartable timeoutPolicy timeoutSeconds createTime updateTime"
TASK_DEF = "name retryCount timeoutSeconds responseTimeoutSeconds timeoutPolicy retryLogic retryDelaySeconds inputKeys outputKeys createTime"
SCHEDULE = "name cronExpression zoneId paused startWorkflowRequest createTime"
RUN = "workflowId workflowName workflowVersion status createTime startTime endTime updateTime tasks input output variables workflowDefinition taskToDomain"

PAGES = [
    # every page
    Call("GET", "/version"),
    # executions
    Call("GET", "/workflow/search?start=0&size=15&sort=startTime%3ADESC&freeText=%2A&query=startTime%3E1795069289149&classifier=workflow",
         f"totalHits results[]({SUMMARY})"),
    Call("GET", "/workflow/search?start=0&size=15&sort=startTime%3ADESC&freeText=%2A&query=startTime%3E1&classifier=agent&topLevelOnly=true",
         f"totalHits results[]({SUMMARY})"),
    Call("GET", "/tasks/search?start=0&size=15&sort=startTime%3ADESC&freeText=%2A&query=status%20IN%20(COMPLETED)",
         "totalHits results[](taskId taskType taskDefName workflowId workflowType status scheduledTime startTime updateTime executionTime queueWaitTime)"),
    Call("GET", "/workflow/search?start=0&size=15&sort=updateTime%3ADESC&freeText=%2A"
         "&query=workflowType%20IN%20(greeting)%20AND%20modifiedTime%3E1%20AND%20correlationId%20IN%20(a,b)%20AND%20idempotencyKey%20IN%20(c)",
         "totalHits results[]"),
    Call("GET", "/tasks/search?start=0&size=15&sort=taskReferenceName%3AASC&freeText=%2A"
         "&query=taskType%20IN%20(SIMPLE)%20AND%20referenceTaskName%3D'hello'%20AND%20workflowName%3D'greeting'", "totalHits results[]"),
    # one execution
    Call("GET", "/workflow/{running}?summarize=true", f"{RUN} tasks[]({TASK})"),
    Call("GET", "/workflow/{running}/tasks?count=20&start=0", f"totalHits results[]({TASK})"),
    Call("GET", "/workflow/{running}/tasks?count=20&start=0&status=COMPLETED&status=FAILED", f"totalHits results[]({TASK})"),
    Call("GET", "/tasks/{done}", TASK),
    Call("GET", "/tasks/{done}/log", "[](log taskId createdTime)"),
    # definitions
    Call("GET", "/metadata/workflow", f"[]({WORKFLOW})"),
    Call("GET", "/metadata/workflow?short=true&metadata=true&classifier=workflow", f"[]({WORKFLOW})"),
    Call("GET", "/metadata/workflow?includeShared=false&name=greeting", f"[]({WORKFLOW})"),
    Call("GET", "/metadata/workflow/greeting?version=1", WORKFLOW),
    Call("GET", "/metadata/taskdefs?access=READ&metadata=true", f"[]({TASK_DEF})"),
    Call("GET", "/metadata/taskdefs/say_hello", TASK_DEF),
    Call("GET", "/schema", "[]"),
    # queues
    Call("GET", "/tasks/queue/all", "say_hello"),
    Call("GET", "/tasks/queue/polldata/all", "[](queueName workerId lastPollTime)"),
    Call("GET", "/tasks/queue/polldata?taskType=say_hello", "[](queueName workerId lastPollTime)"),
    Call("GET", "/tasks/queue/sizes?taskType=say_hello", "say_hello"),
    # schedules
    Call("GET", "/scheduler/schedules/search?start=0&size=15", f"totalHits results[]({SCHEDULE})"),
    Call("GET", "/scheduler/schedules", f"[]({SCHEDULE})"),
    Call("GET", "/scheduler/schedules/daily", SCHEDULE),
    Call("GET", "/scheduler/search/executions?start=0&size=15&sort=startTime%3ADESC&freeText=%2A&query=", "totalHits results[]"),
    Call("GET", "/scheduler/nextFewSchedules?cronExpression=0%200%2012%20*%20*%20*&limit=5", "[]"),
    # event handlers
    Call("GET", "/event", "[](name event active actions)"),
    Call("GET", "/event/conductor:greeting:sink", "[](name event active actions)"),
    Call("GET", "/event/execution", "[]"),
    # agents
    Call("GET", "/agent/list", "[](name version type tags createTime updateTime description checksum inputParameters outputParameters timeoutSeconds)"),
    Call("GET", "/agent/greeter?version=1", "name model instructions"),
    Call("GET", "/agent/definitions/greeter?version=1", WORKFLOW),
    Call("GET", "/agent/executions/{agent}/full", f"{RUN} tasks[]({TASK})"),
    Call("GET", "/agent/{agent}/status", "executionId status isComplete isRunning isWaiting startTime"),
    Call("GET", "/agent/executions?start=0&size=15", "totalHits results[](executionId agentName version status startTime input output executionTime)"),
    Call("GET", "/secrets/v2", "[]"),
    Call("GET", "/environment", "[]"),
]  # fmt: skip

# In this order: what one does the next one needs.
DOINGS = [
    Call("POST", "/workflow", body={"name": "short", "version": "1", "correlationId": "", "input": {}, "idempotencyKey": ""}),
    Call("PUT", "/workflow/{running}/pause"),
    Call("PUT", "/workflow/{running}/resume"),
    Call("POST", "/workflow/{running}/variables", body={"who": "you"}),
    Call("POST", "/tasks/{running}/again/COMPLETED?workerid=conductor-ui", body={"said": "hi"}),
    Call("POST", "/workflow/{running}/rerun", body={"reRunFromTaskId": "{done}", "taskInput": {}}),
    Call("DELETE", "/workflow/{running}"),
    Call("POST", "/workflow/{running}/restart"),
    Call("DELETE", "/workflow/{running}?triggerFailureWorkflow=true"),
    Call("POST", "/workflow/{running}/retry?resumeSubworkflowTasks=false&retryIfRetriedByParent=false"),
    Call("PUT", "/workflow/bulk/pause", "bulkErrorResults bulkSuccessfulResults", body=["{running}"]),
    Call("PUT", "/workflow/bulk/resume", "bulkErrorResults bulkSuccessfulResults", body=["{running}"]),
    Call("POST", "/workflow/bulk/terminate", "bulkErrorResults bulkSuccessfulResults", body=["{running}"]),
    Call("POST", "/workflow/bulk/restart?useLatestDefinitions=true", "bulkErrorResults bulkSuccessfulResults", body=["{running}"]),
    Call("POST", "/workflow/bulk/retry", "bulkErrorResults bulkSuccessfulResults", body=["{running}"]),
    Call("PUT", "/metadata/workflow?newVersion=true", body=[{"name": "made_in_ui", "version": 1, "schemaVersion": 2, "ownerEmail": "example@email.com",
         "description": "", "restartable": True, "timeoutSeconds": 0, "timeoutPolicy": "ALERT_ONLY", "inputParameters": [], "outputParameters": {},
         "failureWorkflow": "", "tasks": [{"name": "say_hello", "taskReferenceName": "hello", "type": "SIMPLE"}]}]),
    Call("DELETE", "/metadata/workflow/made_in_ui/1"),
    Call("POST", "/metadata/taskdefs", body=[{"name": "ui_task", "description": "", "retryCount": 3, "timeoutSeconds": 3600, "timeoutPolicy": "TIME_OUT_WF",
         "retryLogic": "FIXED", "retryDelaySeconds": 60, "responseTimeoutSeconds": 600, "rateLimitPerFrequency": 0, "rateLimitFrequencyInSeconds": 1,
         "ownerEmail": "example@email.com", "pollTimeoutSeconds": 3600, "inputKeys": [], "outputKeys": [], "inputTemplate": {}, "backoffScaleFactor": 1,
         "concurrentExecLimit": 0}]),
    Call("PUT", "/metadata/taskdefs", body={"createTime": 1795328455523, "updateTime": 0, "createdBy": "", "name": "ui_task", "retryCount": 0,
         "timeoutSeconds": 600, "inputKeys": [], "outputKeys": [], "runtimeMetadata": [], "timeoutPolicy": "TIME_OUT_WF", "retryLogic": "FIXED",
         "retryDelaySeconds": 60, "responseTimeoutSeconds": 600, "inputTemplate": {}, "rateLimitPerFrequency": 0, "rateLimitFrequencyInSeconds": 1,
         "ownerEmail": "a@b.c", "backoffScaleFactor": 1, "maxRetryDelaySeconds": 0, "backoffJitterMs": 0, "totalTimeoutSeconds": 0,
         "taskStatusListenerEnabled": True, "enforceSchema": False, "description": "says hello"}),
    Call("DELETE", "/metadata/taskdefs/ui_task"),
    Call("POST", "/scheduler/schedules?overwrite=true", body={"paused": False, "runCatchupScheduleInstances": False, "name": "daily", "description": "",
         "cronExpression": "0 0 12 * * *", "scheduleStartTime": "", "scheduleEndTime": "", "zoneId": "UTC",
         "startWorkflowRequest": {"name": "short", "version": "1", "input": {}, "taskToDomain": {}, "priority": 0}}),
    Call("GET", "/scheduler/schedules/daily/pause"),
    Call("GET", "/scheduler/schedules/daily/resume"),
    Call("PUT", "/scheduler/bulk/pause", "bulkErrorResults bulkSuccessfulResults", body=["daily"]),
    Call("PUT", "/scheduler/bulk/resume", "bulkErrorResults bulkSuccessfulResults", body=["daily"]),
    Call("DELETE", "/scheduler/schedules/daily"),
    Call("POST", "/event", body={"name": "made_in_ui", "event": "conductor:greeting:other", "condition": "true", "evaluatorType": "javascript", "active": True,
         "actions": [{"action": "start_workflow", "start_workflow": {"name": "short", "version": 1, "correlationId": "", "input": {}},
                      "expandInlineJSON": True}]}),
    Call("PUT", "/event", body={"name": "made_in_ui", "event": "conductor:greeting:other", "active": False,
         "actions": [{"action": "complete_task", "complete_task": {"workflowId": "${id}", "taskRefName": "hello", "output": {}}}]}),
    Call("DELETE", "/event/made_in_ui"),
    Call("POST", "/agent/start", "executionId agentName requiredWorkers", body={"name": "greeter", "version": 1, "prompt": "hi", "sessionId": ""}),
    Call("PUT", "/agent/executions/bulk/pause", body=["{agent}"]),
    Call("PUT", "/agent/executions/bulk/resume", body=["{agent}"]),
    Call("POST", "/agent/executions/bulk/terminate", body=["{agent}"]),
    Call("POST", "/agent/executions/bulk/restart?useLatestDefinitions=true", body=["{agent}"]),
    Call("POST", "/agent/executions/bulk/terminate", body=["{agent}"]),
    Call("POST", "/agent/executions/bulk/retry", body=["{agent}"]),
    Call("DELETE", "/agent/greeter?version=1"),
]  # fmt: skip


class World:
    """A server with something to see on every page; the names in braces stand for what it has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.names: dict[str, str] = {}
        hello, again = ({"name": "say_hello", "taskReferenceName": ref, "type": "SIMPLE"} for ref in ("hello", "again"))
        self.ask("POST", "/metadata/taskdefs", [{"name": "say_hello", "retryCount": 0, "timeoutSeconds": 600, "responseTimeoutSeconds": 600}])
        self.ask("PUT", "/metadata/workflow", [{"name": "greeting", "version": 1, "tasks": [hello, again]}, {"name": "short", "version": 1, "tasks": [hello]}])
        self.names["running"] = self.ask("POST", "/workflow", {"name": "greeting", "input": {"who": "world"}})
        [task] = self.ask("GET", "/tasks/poll/batch/say_hello?workerid=w1&count=1&timeout=1000")
        self.names["done"] = task["taskId"]
        said = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": "COMPLETED", "outputData": {"said": "hi"}}
        self.ask("POST", "/tasks", {**said, "logs": [{"log": "said hi"}]})
        self.ask("POST", "/event", {"name": "listener", "event": "conductor:greeting:sink", "active": True,
                                    "actions": [{"action": "start_workflow", "start_workflow": {"name": "short"}}]})  # fmt: skip
        self.ask("POST", "/scheduler/schedules", {"name": "daily", "cronExpression": "0 0 12 * * *", "startWorkflowRequest": {"name": "short"}})
        agent = {"name": "greeter", "model": "openai/gpt-4o-mini", "instructions": "You greet."}
        self.names["agent"] = self.ask("POST", "/agent/start", {"agentConfig": agent, "prompt": "hello"})["executionId"]

    def put_in(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer, read; an error when it is no success."""
        data = None if body is None else self.put_in(json.dumps(body)).encode()
        request = urllib.request.Request(self.url + self.put_in(path), data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path} is {error.code}: {error.read().decode()[:500]}") from error
        return json.loads(text) if text[:1] in ("{", "[") else text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with serve(tmp_path_factory.mktemp("ui")) as server:
        yield World(server.url)


def lacks(answer: Any, reads: str) -> list[str]:
    """The members that the page reads and the answer does not have."""
    missing = []
    for part in reads.replace("(", " (").split(") ") if ")" in reads else [reads]:
        outer, _, inner = part.rstrip(")").partition(" (")
        *members, last = outer.split() or [""]
        for member in [*members, last.removesuffix("[]")]:
            if member and member not in answer:
                missing.append(member)
        if last.endswith("[]"):
            rows = answer if last == "[]" else answer[last.removesuffix("[]")]
            assert isinstance(rows, list)
            if inner and not rows:
                missing.append(f"any row of {last}")
            missing += [f"{last}.{member}" for row in rows[:20] for member in inner.split() if member not in row]
    return missing


@pytest.mark.parametrize("call", PAGES, ids=lambda call: f"{call.method} {call.path.partition('&')[0]}")
def test_a_page_finds_what_it_reads(world: World, call: Call) -> None:
    assert not lacks(world.ask(call.method, call.path, call.body), call.reads)


def test_what_a_page_does_is_done(world: World) -> None:
    for call in DOINGS:
        assert not lacks(world.ask(call.method, call.path, call.body), call.reads), call
    assert world.ask("GET", "/metadata/workflow?classifier=agent") == []
    assert world.ask("GET", "/scheduler/schedules") == []


def test_parts_of_names_are_found_as_the_search_box_asks_for_them(world: World) -> None:
    found = world.ask("GET", "/workflow/search?start=0&size=15&freeText=%2A&query=workflowType%20IN%20(sho*)%20AND%20startTime%3E1")
    assert found["totalHits"] > 0 and {one["workflowType"] for one in found["results"]} == {"short"}


def test_who_polled_is_seen_in_the_queue_monitor(world: World) -> None:
    [seen] = world.ask("GET", "/tasks/queue/polldata?taskType=say_hello")
    assert seen["workerId"] == "w1" and abs(seen["lastPollTime"] / 1000 - time.time()) < 600
