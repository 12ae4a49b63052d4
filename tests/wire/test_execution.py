"""Executions and tasks as Conductor shows them, held to what was recorded from a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batuta.core.model.definition import Definition, resolve
from batuta.core.model.execution import Execution, Head
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Task
from batuta.wire.codec import decode, encode
from batuta.wire.execution import handed_view, queue_wait_ms, status_view, task_view, workflow_json, workflow_view
from batuta.wire.metadata import read_task, read_workflow

RECORDED = Path(__file__).parents[1] / "compat" / "golden" / "recorded"
NOW = 1_700_000_000_000
# Left out of the recordings: they say how fast a server is, or are the same for all.
NOT_RECORDED = {
    "callbackAfterSeconds", "queueWaitTime", "ownerApp", "createdBy", "lastRetriedTime", "workerId", "rateLimited", "subworkflowChanged",
    "firstStartTime", "history", "executed",
}  # fmt: skip


def recorded(scenario: str, step: str, key: str = "body") -> Any:
    steps = json.loads((RECORDED / f"{scenario}.json").read_text())
    return next(s[key] for s in steps if s["step"] == step)


def stamped(value: Any) -> Any:
    """The value with every recorded <ms> as the instant NOW."""
    match value:
        case dict():
            return {k: stamped(v) for k, v in value.items()}
        case list():
            return [stamped(v) for v in value]
        case _:
            return NOW if value == "<ms>" else value


def rebuilt(shown: dict[str, Any]) -> Execution:
    """An execution of ours that ought to be shown as *shown*, a recorded one with its definition and tasks."""
    tasks = [
        Task(
            id=t["taskId"], n=n, ref=t["referenceTaskName"], type=t["taskType"], def_name=t["taskDefName"], status=TaskStatus(t["status"]),
            seq=t["seq"], attempt=t["retryCount"], iteration=t["iteration"], executed=t.get("executed", False), retried=t["retried"],
            poll_count=t["pollCount"], scheduled_at=t["scheduledTime"], started_at=t["startTime"], ended_at=t["endTime"],
            updated_at=t["updateTime"], response_timeout_s=t["responseTimeoutSeconds"], input=t["inputData"], output=t["outputData"],
        )
        for n, t in enumerate(shown["tasks"], 1)
    ]  # fmt: skip
    head = Head(
        id=shown["workflowId"], name=shown["workflowName"], definition_version=shown["workflowVersion"], definition_hash="h",
        status=WorkflowStatus(shown["status"]), priority=shown["priority"], correlation_id=shown.get("correlationId"),
        created_at=shown["createTime"], updated_at=shown["updateTime"], ended_at=shown["endTime"], input=shown["input"],
        output=shown["output"], variables=shown["variables"],
    )  # fmt: skip
    return Execution(head, Definition(shown["workflowDefinition"], "h"), tasks)


@pytest.mark.parametrize(("scenario", "step"), [("basics/two_tasks_in_a_row", "completed"), ("metadata_tasks/a_task_without_a_definition", "snapshot")])
def test_an_execution_is_shown_as_recorded(scenario: str, step: str) -> None:
    expected = stamped(recorded(scenario, step))
    shown = decode(encode(workflow_view(rebuilt(expected), NOW)))
    tasks, recorded_tasks = shown.pop("tasks"), expected.pop("tasks")
    assert {k: v for k, v in shown.items() if k in expected} == expected
    assert shown.keys() - expected.keys() <= NOT_RECORDED
    for task, recorded_task in zip(tasks, recorded_tasks, strict=True):
        assert {k: v for k, v in task.items() if k in recorded_task} == recorded_task
        assert task.keys() - recorded_task.keys() <= NOT_RECORDED


def execution(*tasks: dict[str, Any], definition: dict[str, Any] | None = None, **head: Any) -> Execution:
    """An execution of a workflow of these tasks."""
    raw = resolve(read_workflow({"name": "w", "tasks": list(tasks)}), lambda name: definition, lambda name: 1)
    made = {"id": "e1", "name": "w", "definition_version": 1, "definition_hash": "h", "status": WorkflowStatus.RUNNING, **head}
    return Execution(Head(**made), Definition(raw, "h"))


def row(ref: str = "t", **fields: Any) -> Task:
    made = {"id": "t1", "n": 1, "ref": ref, "type": "job", "def_name": "job", "status": TaskStatus.SCHEDULED, "seq": 1, **fields}
    return Task(**made)


def shown_task(x: Execution, task: Task) -> dict[str, Any]:
    x.insert(task)
    shown: dict[str, Any] = decode(encode(task_view(x, task, NOW)))
    return shown


JOB = {"name": "job", "taskReferenceName": "t"}
OPTIONAL = (
    "correlationId", "retriedTaskId", "reasonForIncompletion", "workerId", "domain", "externalInputPayloadStoragePath",
    "externalOutputPayloadStoragePath", "executionNameSpace", "isolationGroupId", "subWorkflowId", "runtimeMetadata",
)  # fmt: skip


def test_what_a_task_does_not_have_is_left_out() -> None:
    shown = shown_task(execution(JOB), row())
    assert not shown.keys() & set(OPTIONAL)


def test_empty_words_that_were_given_are_shown() -> None:
    shown = shown_task(execution(JOB, correlation_id=""), row(reason=""))
    assert (shown["correlationId"], shown["reasonForIncompletion"]) == ("", "")


#    type                 limits shown (per frequency, seconds)
LIMITS = [
    ("SIMPLE",            (9, 7)),
    ("HOME_MADE",         (9, 7)),
    ("HTTP",              (9, 7)),
    ("DO_WHILE",          (9, 7)),
    ("DYNAMIC",           (0, 0)),
    ("WAIT",              (0, 0)),
    ("SUB_WORKFLOW",      (0, 0)),
    ("INLINE",            (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "limits"), LIMITS)
def test_rate_limits_are_shown_by_the_types_that_have_them(kind: str, limits: tuple[int, int]) -> None:
    definition = read_task({"name": "job", "rateLimitPerFrequency": 9, "rateLimitFrequencyInSeconds": 7})
    shown = shown_task(execution({**JOB, "type": kind}, definition=definition), row())
    assert (shown["rateLimitPerFrequency"], shown["rateLimitFrequencyInSeconds"]) == limits


def test_a_task_skipped_ahead_shows_neither_type_of_workflow_nor_limits() -> None:
    shown = shown_task(execution(JOB), row(seq=0, status=TaskStatus.SKIPPED))
    assert "workflowType" not in shown and shown["rateLimitFrequencyInSeconds"] == 0


def test_a_branch_without_a_definition_shows_null() -> None:
    branch = read_workflow({"tasks": [{"name": "b", "taskReferenceName": "b1"}]})["tasks"][0]
    x = execution({**JOB, "type": "FORK_JOIN_DYNAMIC"})
    for attempt in range(2):
        shown = shown_task(x, row("b1", id=f"b{attempt}", n=attempt + 2, node=branch, fork="t"))
        assert shown["taskDefinition"] is None and shown["workflowTask"] == branch
    assert "task" not in x.nodes["b1"].wire  # thousands of branches must not keep their encoded form each


def test_a_dynamic_node_shows_the_name_it_took() -> None:
    x = execution({**JOB, "type": "DYNAMIC"})
    for n, name in enumerate(("one", "two"), 1):
        assert shown_task(x, row(id=name, n=n, def_name=name, type=name))["workflowTask"]["name"] == name


def test_what_is_stored_elsewhere_is_empty_here() -> None:
    shown = shown_task(execution(JOB), row(input={"a": 1}, output={"b": 2}, external_input="in.json", external_output="out.json"))
    assert (shown["inputData"], shown["outputData"]) == ({}, {})
    assert (shown["externalInputPayloadStoragePath"], shown["externalOutputPayloadStoragePath"]) == ("in.json", "out.json")


def test_the_child_is_also_found_in_the_payloads() -> None:
    x = execution(JOB)
    assert shown_task(x, row(input={"subWorkflowId": "c1"}))["subWorkflowId"] == "c1"
    assert shown_task(x, row(input={"subWorkflowId": "c1"}, output={"subWorkflowId": "c2"}))["subWorkflowId"] == "c2"
    assert shown_task(x, row(output={"subWorkflowId": "c2"}, sub_execution_id="c3"))["subWorkflowId"] == "c3"
    assert "subWorkflowId" not in shown_task(x, row(output={"subWorkflowId": 5}))


def test_a_loop_turn_is_marked() -> None:
    x = execution(JOB)
    assert shown_task(x, row(iteration=2))["loopOverTask"] is True
    assert shown_task(x, row())["loopOverTask"] is False


#    scheduled  started  updated  callback   waited
WAITS = [
    (0,         0,       0,       0,         0),
    (1_000,     0,       0,       0,         0),
    (1_000,     1_400,   1_400,   0,         400),
    (1_000,     900,     0,       0,         0),       # a clock set back
    (1_000,     1_400,   2_000,   3,         5_000),   # handed back at 2,000 for 3 s: due since 5,000, and now it is 10,000
    (1_000,     1_400,   2_000,   60,        0),
]  # fmt: skip


@pytest.mark.parametrize(("scheduled", "started", "updated", "callback", "waited"), WAITS)
def test_how_long_a_task_waited(scheduled: int, started: int, updated: int, callback: int, waited: int) -> None:
    task = row(scheduled_at=scheduled, started_at=started, updated_at=updated, callback_after_s=callback)
    assert queue_wait_ms(task, 10_000) == waited


SECRETS = {"TOKEN": "s3cret", "BOTH": "from secrets"}
ENVIRONMENT = {"REGION": "west", "BOTH": "from environment"}


def test_only_the_worker_that_polls_sees_secrets() -> None:
    definition = read_task({"name": "job", "runtimeMetadata": ["TOKEN", "REGION", "BOTH", "NOBODY"]})
    x = execution(JOB, definition=definition)
    asked = {"header": "Bearer ${workflow.secrets.TOKEN}", "plain": 1}
    task = row(input=asked)
    shown = shown_task(x, task)
    assert shown["inputData"] == asked and "runtimeMetadata" not in shown
    handed = decode(encode(handed_view(x, task, NOW, SECRETS.get, ENVIRONMENT.get)))
    assert handed["inputData"] == {"header": "Bearer s3cret", "plain": 1}
    assert handed["runtimeMetadata"] == {"TOKEN": "s3cret", "REGION": "west", "BOTH": "from secrets"}
    assert task.input == asked
    assert {k: v for k, v in handed.items() if k not in ("inputData", "runtimeMetadata")} == {k: v for k, v in shown.items() if k != "inputData"}


def test_a_task_without_secrets_is_handed_out_as_it_is_shown() -> None:
    x, task = execution(JOB), row(input={"a": [1, {"b": None}]})
    shown = shown_task(x, task)
    assert decode(encode(handed_view(x, task, NOW, SECRETS.get, ENVIRONMENT.get))) == shown


def test_the_status_shows_output_and_variables_on_request_and_no_empty_correlation_id() -> None:
    x = execution(JOB, correlation_id="", output={}, variables={"v": 1})
    bare = decode(encode(status_view(x, include_output=False, include_variables=False)))
    assert bare == {"workflowId": "e1", "status": "RUNNING"}
    full = decode(encode(status_view(x, include_output=True, include_variables=True)))
    assert full == {**bare, "output": {}, "variables": {"v": 1}}


def test_what_a_failure_workflow_is_told_has_the_members_recorded() -> None:
    x = execution(
        JOB, status=WorkflowStatus.FAILED, previous_status=WorkflowStatus.RUNNING, correlation_id="c", reason="it broke",
        failed_task_id="t1", failed_refs=["t"], failed_names=["job"],
    )  # fmt: skip
    x.insert(row(status=TaskStatus.FAILED))
    told = workflow_json(x)
    step = "input of the failure workflow's task"
    assert sorted(told) == recorded("basics/a_failure_workflow_is_started", step, "failedWorkflowKeys")
    assert (told["previousStatus"], told["failedTaskId"]) == ("RUNNING", "t1")
    assert {"callbackAfterMs", "firstScheduledTime", "waitTimeout"} <= told["tasks"][0].keys()
    assert "executionMetadata" not in told["tasks"][0]
