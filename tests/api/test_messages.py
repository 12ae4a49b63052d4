"""Messages pushed to an execution: what comes back, and what is refused in Conductor's words."""

from __future__ import annotations

from typing import Any

from edgework import Edge

NONE = "00000000-0000-0000-0000-000000000000"


def pull(edge: Edge, **given: Any) -> dict[str, Any]:
    return edge.task("pull", type="PULL_WORKFLOW_MESSAGES", inputParameters=given)


def test_a_pushed_message_ends_the_task_that_waits_for_it(edge: Edge) -> None:
    edge.register("flow", pull(edge))
    started = edge.start()
    waiting = edge.call("GET", f"/api/workflow/{started}").json["tasks"][0]
    assert (waiting["status"], waiting["outputData"]) == ("IN_PROGRESS", {})
    answer = edge.call("POST", f"/api/workflow/{started}/messages", {"a": [1, None]})
    assert (answer.status, answer.kind, len(answer.text)) == (200, "text/plain;charset=UTF-8", 36)
    ended = edge.call("GET", f"/api/workflow/{started}").json
    [message] = ended["output"].pop("messages")
    assert (ended["status"], ended["output"]) == ("COMPLETED", {"count": 1})
    assert message.pop("receivedAt").endswith("Z")
    assert message == {"id": answer.text, "workflowId": started, "payload": {"a": [1, None]}}


def test_a_push_is_refused_in_plain_text(edge: Edge) -> None:
    edge.register("flow", edge.task("a"))
    started = edge.start()
    full = f"Workflow message queue for workflowId={started} has reached the maximum size of 1000"
    steps: list[tuple[str, str, int, str]] = [
        ("", NONE, 404, f"Workflow not found: {NONE}"),
        (f"/api/workflow/{started}/pause", started, 409, f"Workflow {started} is not in RUNNING state (current: PAUSED)"),
        (f"/api/workflow/{started}/resume", started, 429, full),
    ]
    for before, target, status, said in steps:
        if before:
            assert edge.call("PUT", before).status == 200
        if status == 429:
            for n in range(1000):
                assert edge.call("POST", f"/api/workflow/{started}/messages", {"n": n}).status == 200
        answer = edge.call("POST", f"/api/workflow/{target}/messages", {})
        assert (answer.status, answer.kind, answer.text) == (status, "text/plain;charset=UTF-8", said)
    edge.call("DELETE", f"/api/workflow/{started}")
    answer = edge.call("POST", f"/api/workflow/{started}/messages", {})
    assert (answer.status, answer.text) == (409, f"Workflow {started} is not in RUNNING state (current: TERMINATED)")


def test_literals_that_cannot_be_meant_are_refused_at_registration(edge: Edge) -> None:
    for given, said in (({"batchSize": "many"}, "batchSize is 'many'"), ({"blocking": "no"}, "blocking is 'no'")):
        definition = {"name": "odd", "version": 1, "schemaVersion": 2, "ownerEmail": "a@b.c", "tasks": [pull(edge, **given)]}
        answer = edge.call("POST", "/api/metadata/workflow", definition)
        assert answer.status == 400 and said in answer.text
