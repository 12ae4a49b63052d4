"""Reading what servers send, writing what they take."""

from __future__ import annotations

import pytest

from batuta.client import Execution, Task, TaskResult

SENT = {
    "taskId": "t1", "taskType": "resize", "referenceTaskName": "r__2", "status": "IN_PROGRESS", "workflowInstanceId": "e1", "workflowType": "album",
    "inputData": {"a": None}, "outputData": {}, "retryCount": 1, "pollCount": 3, "iteration": 2, "workerId": "w", "responseTimeoutSeconds": 60,
    "callbackAfterSeconds": 0, "taskDefinition": None, "somethingNew": [1],
}  # fmt: skip


def test_a_task_is_read_and_nothing_of_it_is_lost() -> None:
    task = Task.from_json(SENT)
    assert (task.id, task.type, task.ref, task.execution_id, task.workflow_name) == ("t1", "resize", "r__2", "e1", "album")
    assert (task.retry_count, task.poll_count, task.iteration, task.response_timeout_s) == (1, 3, 2, 60.0)
    assert task.input == {"a": None} and not task.is_terminal
    assert task.json == SENT
    assert str(task) == "resize e1/r__2 (t1)"


def test_what_a_server_leaves_out_or_sends_as_null_gets_its_default() -> None:
    bare = Task.from_json({"taskId": "t1", "inputData": None, "retryCount": None, "responseTimeoutSeconds": None})
    assert (bare.input, bare.output, bare.retry_count, bare.response_timeout_s, bare.domain) == ({}, {}, 0, 0.0, None)
    run = Execution.from_json({"workflowId": "e1", "tasks": None, "output": None, "version": 3})
    assert (run.tasks, run.output, run.workflow_version, run.is_terminal) == ((), {}, 3, False)


@pytest.mark.parametrize("other", [{}, {"taskId": None}, [], "text", None])
def test_what_is_no_task_is_refused(other: object) -> None:
    with pytest.raises(ValueError, match="expected a task object"):
        Task.from_json(other)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected an execution object"):
        Execution.from_json(other)  # type: ignore[arg-type]


def test_an_execution_gives_the_latest_attempt_at_a_task() -> None:
    tasks = [{"taskId": "1", "referenceTaskName": "a", "status": "FAILED"}, {"taskId": "2", "referenceTaskName": "a", "status": "COMPLETED"}]
    run = Execution.from_json({"workflowId": "e1", "status": "COMPLETED", "tasks": tasks})
    assert run.task("a").id == "2" and run.is_terminal
    with pytest.raises(KeyError, match=r"execution 'e1' has no task 'b'; found \['a'\]"):
        run.task("b")


#    result                                                                    adds to the JSON
RESULTS = [
    (TaskResult(status="COMPLETED"),                                           {}),
    (TaskResult(status="COMPLETED", output={"a": [1]}),                        {"outputData": {"a": [1]}}),
    (TaskResult(status="FAILED", reason="r"),                                  {"reasonForIncompletion": "r"}),
    (TaskResult(status="FAILED", reason=""),                                   {"reasonForIncompletion": ""}),
    (TaskResult(status="IN_PROGRESS", callback_after_s=0.2),                   {"callbackAfterSeconds": 1}),
    (TaskResult(status="IN_PROGRESS", extend_lease=True),                      {"extendLease": True}),
    (TaskResult(status="COMPLETED", worker_id="w"),                            {"workerId": "w"}),
    (TaskResult(status="COMPLETED", logs=("x",), logged_at_ms=7),              {"logs": [{"log": "x", "taskId": "", "createdTime": 7}]}),
]  # fmt: skip


@pytest.mark.parametrize(("result", "adds"), RESULTS)
def test_a_result_is_written_as_conductor_reads_it(result: TaskResult, adds: dict[str, object]) -> None:
    plain = {"workflowInstanceId": "", "taskId": "", "status": result.status, "outputData": {}, "callbackAfterSeconds": 0}
    assert result.to_json() == {**plain, **adds}
    assert result.is_final == (result.status != "IN_PROGRESS")


def test_a_status_no_worker_may_report_is_refused() -> None:
    with pytest.raises(ValueError, match="has the status 'TIMED_OUT'; a worker may report IN_PROGRESS, COMPLETED"):
        TaskResult(status="TIMED_OUT")  # type: ignore[arg-type]
