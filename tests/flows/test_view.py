"""What a run looks like to people: every status of Conductor becomes the right word, and none is "pending" for ever."""

from __future__ import annotations

from typing import Any

import pytest
from flowkit import flow, node

from batuta.client import TERMINAL_STATUSES, Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta_flows.compiler import compile_flow
from batuta_flows.compiler.names import ref_of
from batuta_flows.runs.view import Run, run_of

Json = Any
ONE = flow(node("node-1", "text_to_text", prompt="a story"))

#   the task is                    and was polled  the node is   and moreover
TASKS: list[tuple[str, int, str, dict[str, bool]]] = [
    ("SCHEDULED",                  0,              "pending",    {}),
    ("SCHEDULED",                  1,              "running",    {}),  # a provider is at it; the worker comes back for the answer
    ("IN_PROGRESS",                1,              "running",    {}),
    ("COMPLETED",                  1,              "completed",  {}),
    ("COMPLETED_WITH_ERRORS",      1,              "completed",  {"partial": True}),
    ("FAILED",                     1,              "failed",     {}),
    ("FAILED_WITH_TERMINAL_ERROR", 1,              "failed",     {"terminal": True}),
    ("TIMED_OUT",                  1,              "failed",     {"timed_out": True}),
    ("CANCELED",                   1,              "cancelled",  {}),
    ("SKIPPED",                    0,              "skipped",    {}),
]  # fmt: skip

#   the workflow is  the run is
RUNS = [
    ("RUNNING",      "running"),
    ("PAUSED",       "paused"),
    ("COMPLETED",    "completed"),
    ("FAILED",       "failed"),
    ("TIMED_OUT",    "failed"),
    ("TERMINATED",   "cancelled"),
]  # fmt: skip


def shown(run_status: str, *tasks: Json) -> Run:
    """The run that an execution of one node is."""
    compiled = compile_flow(ONE)
    common = {"taskDefName": "text_to_text", "referenceTaskName": ref_of("node-1"), "taskType": "text_to_text", "startTime": 5, "endTime": 9}
    rows = [{**common, "taskId": f"t{i}", "workflowInstanceId": "w", **task} for i, task in enumerate(tasks)]
    given = {"workflowId": "w", "status": run_status, "startTime": 1, "endTime": 10, "input": compiled.input, "tasks": rows}
    return run_of(Execution.from_json(given))


@pytest.mark.parametrize(("status", "polls", "word", "more"), TASKS)
def test_every_status_of_a_task_has_its_word(status: str, polls: int, word: str, more: dict[str, bool]) -> None:
    (found,) = shown("RUNNING", {"status": status, "pollCount": polls, "reasonForIncompletion": "why"}).nodes
    assert (found.id, found.status) == ("node-1", word)
    assert {"partial": found.partial, "terminal": found.terminal, "timed_out": found.timed_out} == {"partial": False, "terminal": False, "timed_out": False, **more}
    assert (found.error == "why") == (word == "failed")


@pytest.mark.parametrize(("status", "word"), RUNS)
def test_every_status_of_a_workflow_has_its_word(status: str, word: str) -> None:
    found = shown(status)
    assert (found.status, found.is_over) == (word, status in TERMINAL_STATUSES)


def test_no_status_is_left_out() -> None:
    assert {row[0] for row in TASKS} == {*TaskStatus} and {row[0] for row in RUNS} == {*WorkflowStatus}


def test_the_latest_attempt_speaks_for_a_node() -> None:
    run = shown("COMPLETED", {"status": "FAILED"}, {"status": "COMPLETED", "retryCount": 1, "outputData": {"text": "at last"}})
    (found,) = run.nodes
    assert (found.status, found.attempts) == ("completed", 2)
    assert run.results == [{"nodeId": "node-1", "nodeType": "text_to_text", "success": True, "data": {"type": "text_to_text", "output": {"text": "at last"}}}]


def test_results_are_of_what_has_ended() -> None:
    assert shown("RUNNING", {"status": "IN_PROGRESS", "pollCount": 1}).results == []
    (found,) = shown("FAILED", {"status": "TIMED_OUT", "reasonForIncompletion": "took too long"}).results
    assert found == {"nodeId": "node-1", "nodeType": "text_to_text", "success": False, "error": "took too long"}
