"""Types of integrations: without a worker of the user's they fail and say what to do; with one, and the setting, they are any worker's task."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.builtin.absent import read_worker_types, verdict
from batuta.client import worker
from batuta.core.model.definition import INTEGRATIONS
from batuta.core.model.status import TaskStatus
from batuta.errors import Invalid
from batuta.testing import embedded


def node(kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": "n", "taskReferenceName": "n", "type": kind, "inputParameters": {"a": 1, "kafka_request": {}}, **fields}


def flow(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"name": "f", "version": 1, "ownerEmail": "t@example.com", "tasks": list(tasks)}


@pytest.mark.parametrize("kind", sorted(INTEGRATIONS))
def test_a_reason_names_the_type_what_is_missing_and_the_setting(kind: str) -> None:
    status, reason = verdict(kind)
    assert reason.startswith(f"{kind}: this server has no ") and reason.endswith(f"BATUTA_WORKER_TYPES={kind}")
    assert status in (TaskStatus.FAILED, TaskStatus.FAILED_WITH_TERMINAL_ERROR)


#    type                  ends as                        has no
VERDICTS = [
    ("KAFKA_PUBLISH",      "FAILED",                      "Kafka client"),
    ("JDBC",               "FAILED_WITH_TERMINAL_ERROR",  "configured database"),
    ("LLM_TEXT_COMPLETE",  "FAILED",                      "language model provider"),
    ("GENERATE_PDF",       "FAILED",                      "model provider"),
    ("CALL_MCP_TOOL",      "FAILED_WITH_TERMINAL_ERROR",  "MCP client"),
    ("AGENT",              "FAILED_WITH_TERMINAL_ERROR",  "agent runtime"),
]  # fmt: skip


def test_every_type_fails_its_task_and_so_the_execution() -> None:
    with embedded() as server:
        for kind, status, missing in VERDICTS:
            ended = server.run(flow(node(kind)))
            task = ended.tasks[0]
            assert (ended.status, task.status, task.output) == ("FAILED", status, {})
            assert task.reason is not None and f"has no {missing};" in task.reason


def test_a_branch_of_a_dynamic_fork_and_a_dynamic_task_fail_alike() -> None:
    forks = [
        {"name": "fan", "taskReferenceName": "fan", "type": "FORK_JOIN_DYNAMIC", "dynamicForkTasksParam": "t", "dynamicForkTasksInputParamName": "i",
         "inputParameters": {"t": [node("LLM_CHAT_COMPLETE", taskReferenceName="b")], "i": {}}},
        {"name": "join", "taskReferenceName": "join", "type": "JOIN"},
    ]  # fmt: skip
    dynamic = {"name": "d", "taskReferenceName": "d", "type": "DYNAMIC", "dynamicTaskNameParam": "k", "inputParameters": {"k": "KAFKA_PUBLISH"}}
    with embedded() as server:
        for ref, tasks in (("b", forks), ("d", [dynamic])):
            ended = server.run(flow(*tasks))
            assert (ended.status, next(t.status for t in ended.tasks if t.ref == ref)) == ("FAILED", "FAILED")


def test_attempts_are_those_of_the_node() -> None:
    with embedded() as server:
        ended = server.run(flow(node("LLM_TEXT_COMPLETE", retryCount=1, taskDefinition={"name": "n", "retryDelaySeconds": 0})))
        assert [t.status for t in ended.tasks] == ["FAILED", "FAILED"]
        assert [t.status for t in server.run(flow(node("JDBC", retryCount=1))).tasks] == ["FAILED_WITH_TERMINAL_ERROR"]


def test_a_worker_of_ones_own_serves_a_type_that_the_setting_names() -> None:
    @worker("LLM_CHAT_COMPLETE")
    def answer(a: int, kafka_request: dict[str, Any]) -> dict[str, Any]:
        return {"result": a + 1}

    with embedded(worker_types="LLM_CHAT_COMPLETE, JDBC") as server, server.run_workers(answer):
        ended = server.run(flow(node("LLM_CHAT_COMPLETE")))
        assert (ended.status, ended.tasks[0].output) == ("COMPLETED", {"result": 2})
        assert server.run(flow(node("LLM_TEXT_COMPLETE"))).status == "FAILED"


def test_a_domain_for_all_is_not_meant_for_integrations_but_one_of_their_own_is() -> None:
    @worker("AGENT", domain="mine")
    def answer() -> dict[str, Any]:
        return {"mine": True}

    with embedded() as server, server.run_workers(answer):
        server.client.register_workflow(flow(node("AGENT")))
        for domains, status in (({"*": "mine"}, "FAILED"), ({"AGENT": "mine"}, "COMPLETED")):
            ended = server.wait(server.client.start_workflow("f", task_to_domain=domains))
            assert ended.status == status, ended.reason


def test_a_tried_definition_may_mock_an_integration() -> None:
    with embedded() as server:
        mocks = {"n": [{"status": "COMPLETED", "output": {"result": "hello"}}]}
        ran = server.client.request("POST", "/workflow/test", body={"name": "f", "workflowDef": flow(node("LLM_CHAT_COMPLETE")), "taskRefToMockOutput": mocks})
        assert (ran["status"], ran["tasks"][0]["outputData"]) == ("COMPLETED", {"result": "hello"})


def test_the_setting_takes_types_of_integrations_only() -> None:
    assert read_worker_types("") == frozenset()
    assert read_worker_types(" JDBC ,AGENT,") == {"JDBC", "AGENT"}
    with pytest.raises(Invalid, match="setting worker_types: found jdbc, expected some of AGENT, "):
        read_worker_types("jdbc")
