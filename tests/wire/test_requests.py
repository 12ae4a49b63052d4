"""What clients send, read in one go or, where it does not fit at once, as Conductor would read it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batuta.core.model.status import TaskStatus
from batuta.errors import Invalid, InvalidFields
from batuta.wire import requests
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import LogLine, RerunRequest, SkipRequest, StartRequest, TaskResult


def text(**members: Any) -> bytes:
    return json.dumps(members).encode()


def start(**members: Any) -> StartRequest:
    return requests.read_start(text(**members))


IDS = {"workflowInstanceId": "e", "taskId": "t"}


def result(**members: Any) -> TaskResult:
    return requests.read_result(text(**{**IDS, "status": "COMPLETED", **members}))


def broken(error: InvalidFields) -> list[tuple[str, str, str | None]]:
    return [(v.path, v.message, v.invalid_value) for v in error.violations]


def test_a_start_is_read_with_its_defaults() -> None:
    assert start(name="w") == StartRequest(name="w")
    assert start(name="w").input == {}


def test_a_start_is_read_whole() -> None:
    read = start(
        name="w", version=3, input={"a": [1]}, correlationId="c", priority=9, taskToDomain={"*": "d"}, createdBy="me",
        externalInputPayloadStoragePath="p", idempotencyKey="k", idempotencyStrategy="FAIL", colour="red",
    )  # fmt: skip
    assert read == StartRequest(
        name="w", version=3, input={"a": [1]}, correlation_id="c", priority=9, task_to_domain={"*": "d"}, created_by="me",
        external_input="p", idempotency_key="k", idempotency_strategy="FAIL",
    )  # fmt: skip


def test_what_does_not_fit_at_once_is_converted_as_conductor_does() -> None:
    read = start(name=5, version="3", priority="7", correlationId=12, taskToDomain=None, input=None)
    assert read == StartRequest(name="5", version=3, priority=7, correlation_id="12", input=None)
    told = result(outputData=None, logs=None, callbackAfterSeconds="5", extendLease="true", reasonForIncompletion=7)
    assert told == TaskResult(execution_id="e", task_id="t", status=TaskStatus.COMPLETED, callback_after_s=5, extend_lease=True, reason="7")


def test_an_inline_definition_comes_in_its_stored_form() -> None:
    definition = {"name": "w", "tasks": [{"name": "t", "taskReferenceName": "t"}]}
    assert start(name="w", workflowDef=definition).definition == read_workflow(definition)
    assert start(name="w", version="1", workflowDef=definition).definition == read_workflow(definition)


#    sent                              path        what is said                                 found
BAD_STARTS: list[tuple[dict[str, Any], str, str, str | None]] = [
    ({},                               "name",     "Workflow name cannot be null or empty",     None),
    ({"name": None},                   "name",     "Workflow name cannot be null or empty",     None),
    ({"name": "w", "priority": 100},   "priority", "priority: 100 should be maximum 99",        "100"),
    ({"name": "w", "priority": -1},    "priority", "priority: -1 should be minimum 0",          "-1"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "path", "message", "found"), BAD_STARTS)
def test_a_start_that_breaks_a_rule(sent: dict[str, Any], path: str, message: str, found: str | None) -> None:
    with pytest.raises(InvalidFields) as refused:
        start(**sent)
    assert broken(refused.value) == [(f"startWorkflow.arg0.{path}", message, found)]


UNREADABLE_STARTS: list[tuple[dict[str, Any], str]] = [
    ({"name": "w", "version": "newest"},             "version is the text 'newest'; expected a whole number"),
    ({"name": "w", "version": 2**40},                f"version is the number {2**40}; expected a whole number of 32 bits"),
    ({"name": "w", "input": [1]},                    "input is a list; expected an object"),
    ({"name": "w", "input": "x"},                    "input is the text 'x'; expected an object"),
    ({"name": "w", "idempotencyStrategy": "X"},      "idempotencyStrategy is the text 'X'; expected one of FAIL, RETURN_EXISTING, FAIL_ON_RUNNING"),
    ({"name": "w", "taskToDomain": {"a": []}},       "taskToDomain.a is a list; expected a text"),
    ({"name": "w", "workflowDef": {"tasks": 5}},     "workflowDef.tasks is the number 5; expected a list"),
    ({"name": "w", "workflowDef": []},               "workflowDef is a list; expected an object"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "message"), UNREADABLE_STARTS)
def test_a_start_that_cannot_be_meant(sent: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        start(**sent)
    assert str(refused.value) == message


@pytest.mark.parametrize("body", [b"[]", b'"w"', b"null", b"5"])
def test_a_request_is_an_object(body: bytes) -> None:
    for read in (requests.read_start, requests.read_result, requests.read_rerun, requests.read_skip, requests.read_object):
        with pytest.raises(Invalid, match=r"^the body is .*; expected an object$"):
            read(body)


def test_a_report_is_read_whole() -> None:
    read = result(
        status="FAILED", outputData={"a": None}, reasonForIncompletion="broke", workerId="w", callbackAfterSeconds=5, subWorkflowId="s",
        externalOutputPayloadStoragePath="p", logs=[{"log": "one", "createdTime": 7}, {"log": "two", "taskId": "x"}],
        executionMetadata={"additionalContext": {}}, outputMessage={}, supportsCancellation=True,
    )  # fmt: skip
    assert read == TaskResult(
        execution_id="e", task_id="t", status=TaskStatus.FAILED, output={"a": None}, reason="broke", worker="w", callback_after_s=5,
        sub_execution_id="s", external_output="p", logs=[LogLine("one", 7), LogLine("two")],
    )  # fmt: skip


def test_a_reason_is_cut_to_five_hundred_characters() -> None:
    reason = result(status="FAILED", reasonForIncompletion="ž" * 600).reason
    assert reason == "ž" * 500


MISSING_WORKFLOW = ("updateTask.arg0.workflowInstanceId", "Workflow Id cannot be null or empty")
MISSING_TASK = ("updateTask.arg0.taskId", "Task ID cannot be null or empty")

#    sent                                            what is said
BAD_RESULTS: list[tuple[dict[str, Any], list[tuple[str, str, str | None]]]] = [
    ({},                                             [(*MISSING_WORKFLOW, None), (*MISSING_TASK, None)]),
    ({"taskId": "t", "workflowInstanceId": None},    [(*MISSING_WORKFLOW, None)]),
    ({"taskId": "", "workflowInstanceId": "e"},      [(*MISSING_TASK, "")]),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), BAD_RESULTS)
def test_a_report_needs_its_ids(sent: dict[str, Any], expected: list[tuple[str, str, str | None]]) -> None:
    with pytest.raises(InvalidFields) as refused:
        requests.read_result(text(**sent, status="COMPLETED"))
    assert broken(refused.value) == expected


@pytest.mark.parametrize(("status", "found"), [("DONE", "the text 'DONE'"), ("SCHEDULED", "the text 'SCHEDULED'"), (None, "null")])
def test_a_worker_may_not_give_any_status(status: str | None, found: str) -> None:
    with pytest.raises(Invalid) as refused:
        result(status=status)
    allowed = "IN_PROGRESS, FAILED, FAILED_WITH_TERMINAL_ERROR, COMPLETED, CANCELED"
    assert str(refused.value) == f"status is {found}; expected one of {allowed}"


def test_a_lease_is_extended_without_a_status() -> None:
    assert result(status=None, extendLease=True) == TaskResult(execution_id="e", task_id="t", extend_lease=True)


def test_a_rerun_and_a_skip_are_read() -> None:
    assert requests.read_rerun(b"{}") == RerunRequest()
    sent = text(reRunFromWorkflowId="x", reRunFromTaskId="t", taskInput={"a": 1}, workflowInput={}, correlationId=5)
    assert requests.read_rerun(sent) == RerunRequest(task_id="t", task_input={"a": 1}, workflow_input={}, correlation_id="5")
    assert requests.read_skip(text(taskInput=None, taskOutput={"b": 2})) == SkipRequest(output={"b": 2})


def test_bulk_requests_have_their_limits() -> None:
    assert requests.read_ids(b'["a", 5]', "pauseWorkflow") == ["a", "5"]
    with pytest.raises(InvalidFields) as refused:
        requests.read_ids(b"[]", "pauseWorkflow")
    assert broken(refused.value) == [("pauseWorkflow.arg0", "WorkflowIds list cannot be null.", None)]
    with pytest.raises(InvalidFields) as refused:
        requests.read_ids(json.dumps(["x"] * 1001).encode(), "restart")
    message = "Cannot process more than 1000 workflows. Please use multiple requests."
    assert broken(refused.value) == [("restart.arg0", message, None)]
    with pytest.raises(Invalid, match=r"^the body is an object; expected a list$"):
        requests.read_ids(b"{}", "restart")


@pytest.mark.parametrize(("priority", "message"), [(100, "99 is the maximum priority value"), (-1, "0 is the minimum priority value")])
def test_the_priority_of_a_start_by_name_has_its_own_words(priority: int, message: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        requests.checked_priority(priority)
    assert broken(refused.value) == [("startWorkflow.arg3", message, str(priority))]
    assert requests.checked_priority(99) == 99
