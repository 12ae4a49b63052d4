"""onStateChange: each change of a task's state is published once, with what the node's payload says of that attempt."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, simple

from batuta.core.jump import jump
from batuta.core.lifecycle import terminate
from batuta.core.model.decision import Publish
from batuta.core.model.event import Reported, Ticked
from batuta.core.model.status import TaskStatus
from batuta.core.revival import restart, retry

ALL = "onScheduled,onStart, onSuccess,onFailed,onCancelled"
PAYLOAD = {"is": "${a.status}", "why": "${a.reasonForIncompletion}", "of": "${workflow.input.who}"}


def told_of(name: str = "a", states: str = ALL, kind: str = "SIMPLE", **fields: Any) -> dict[str, Any]:
    return {**node(name, kind, **fields), "onStateChange": {states: [{"type": "audit", "payload": PAYLOAD}]}}


def heard(stage: Stage) -> list[tuple[str, str]]:
    """State and status told, in order; and they are forgotten."""
    found = [(m.payload["stateChange"], m.payload["taskStatus"]) for m in stage.published]
    assert len({m.id for m in stage.published}) == len(stage.published)
    stage.published.clear()
    return found


def test_a_task_tells_of_its_life() -> None:
    stage = Stage()
    x = stage.run([told_of(), simple("b")], {"who": "ada"})
    [message] = stage.published
    assert (message.queue, message.payload["is"], message.payload["of"]) == ("conductor:audit", "SCHEDULED", "ada")
    assert {k: message.payload[k] for k in ("workflowInstanceId", "workflowType", "workflowVersion", "taskId", "referenceTaskName", "retryCount")} == {
        "workflowInstanceId": x.head.id, "workflowType": x.head.name, "workflowVersion": 1, "taskId": x.by_ref["a"].id, "referenceTaskName": "a",
        "retryCount": 0,
    }  # fmt: skip
    assert heard(stage) == [("onScheduled", "SCHEDULED")]
    stage.claim(x, "a")
    assert heard(stage) == [("onStart", "IN_PROGRESS")]
    stage.play(x, Reported(n=1, status=TaskStatus.COMPLETED, output={}))
    stage.play(x, Reported(n=1, status=TaskStatus.COMPLETED, output={}))
    stage.play(x, Ticked())
    assert heard(stage) == [("onSuccess", "COMPLETED")]


def test_a_failure_is_told_of_the_attempt_that_failed() -> None:
    stage = Stage()
    stage.taskdef("a", retryCount=1)
    x = stage.run([told_of(states="onFailed")])
    stage.report(x, "a", "FAILED", reason="broken")
    [message] = stage.published
    assert (message.payload["is"], message.payload["why"], message.payload["retryCount"]) == ("FAILED", "broken", 0)
    stage.report(x, "a", "FAILED", reason="again")
    assert (stage.published[1].payload["why"], stage.published[1].payload["retryCount"]) == ("again", 1)


#    what ends it                        told after onScheduled
ENDS: list[tuple[str, list[tuple[str, str]]]] = [
    ("FAILED",                           [("onStart", "IN_PROGRESS"), ("onFailed", "FAILED")]),
    ("FAILED_WITH_TERMINAL_ERROR",       [("onStart", "IN_PROGRESS"), ("onFailed", "FAILED_WITH_TERMINAL_ERROR")]),
    ("CANCELED",                         [("onStart", "IN_PROGRESS"), ("onCancelled", "CANCELED")]),
]  # fmt: skip


@pytest.mark.parametrize(("status", "told"), ENDS)
def test_every_end_has_its_state(status: str, told: list[tuple[str, str]]) -> None:
    stage = Stage()
    stage.taskdef("a")
    x = stage.run([told_of()])
    stage.report(x, "a", status)
    assert heard(stage) == [("onScheduled", "SCHEDULED"), *told]


def test_what_happens_at_once_is_told_in_order() -> None:
    stage = Stage({"s": lambda _: 1})
    stage.run([told_of(kind="INLINE", given={"expression": "s", "evaluatorType": "javascript"})])
    assert heard(stage) == [("onScheduled", "SCHEDULED"), ("onStart", "IN_PROGRESS"), ("onSuccess", "COMPLETED")]


def test_an_optional_failure_is_one_failure() -> None:
    stage = Stage()
    stage.taskdef("a")
    x = stage.run([told_of(optional=True)])
    stage.report(x, "a", "FAILED")
    assert heard(stage)[-1] == ("onFailed", "COMPLETED_WITH_ERRORS") and x.head.status == "COMPLETED"


@pytest.mark.parametrize("verb", [lambda x, now, tools: terminate(x, now, tools, "enough"), lambda x, now, tools: jump(x, now, tools, "z", {})])
def test_what_an_operator_ends_is_cancelled(verb: Any) -> None:
    stage = Stage()
    x = stage.run([fork("f", [told_of()], [told_of("b")]), join("j", "a", "b"), simple("z")])
    stage.claim(x, "b")
    heard(stage)
    stage.verb(verb, x)
    assert [state for state, _ in heard(stage)] == ["onCancelled", "onCancelled"]


def test_who_begins_anew_is_told_of_anew() -> None:
    stage = Stage()
    stage.taskdef("a")
    x = stage.run([told_of()])
    stage.report(x, "a", "FAILED")
    heard(stage)
    stage.verb(retry, x)
    assert heard(stage) == [("onScheduled", "SCHEDULED")]
    stage.report(x, "a", "FAILED")
    heard(stage)
    stage.verb(restart, x, None)
    assert heard(stage) == [("onScheduled", "SCHEDULED")]


def test_a_task_that_is_handed_back_is_scheduled_again() -> None:
    stage = Stage()
    x = stage.run([told_of()])
    stage.report(x, "a", "IN_PROGRESS", callback_after_s=5)
    assert heard(stage) == [("onScheduled", "SCHEDULED"), ("onStart", "IN_PROGRESS"), ("onScheduled", "SCHEDULED")]


def test_states_events_and_queues_may_be_many() -> None:
    stage = Stage()
    node_ = {**simple("a"), "onStateChange": {"onScheduled": [{"type": "x"}, {"type": "kafka:audit"}], "onScheduled,onFailed": [{"type": "conductor:y"}]}}
    stage.run([node_])
    assert [m.queue for m in stage.published] == ["conductor:x", "kafka:audit", "conductor:y"]
    assert all(isinstance(m, Publish) for m in stage.published)


def test_a_turn_of_a_loop_tells_of_its_own() -> None:
    stage = Stage({"s": lambda data: data["l"]["iteration"] < 2})
    loop = node("l", "DO_WHILE", loopCondition="s", loopOver=[told_of(states="onSuccess")])
    x = stage.run([loop])
    for n in (1, 2):
        stage.report(x, f"a__{n}")
    assert [(m.payload["referenceTaskName"], m.payload["is"]) for m in stage.published] == [("a__1", "COMPLETED"), ("a__2", "COMPLETED")]
