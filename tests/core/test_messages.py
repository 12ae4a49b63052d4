"""Messages pushed to an execution, and the tasks that take them. One row, one truth."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, rows, simple

from batuta.core import lifecycle, revival
from batuta.core.inbox import push
from batuta.core.model.execution import Execution
from batuta.core.model.status import WorkflowStatus
from batuta.errors import BatutaError, Conflict, TooMany

MOST = 5
NOOP = node("n", "NOOP")


def pull(ref: str = "pull", **given: Any) -> dict[str, Any]:
    return node(ref, "PULL_WORKFLOW_MESSAGES", given)


@pytest.fixture
def stage() -> Stage:
    s = Stage({"$.loop.iteration < 3": lambda d: d["loop"]["iteration"] < 3})
    s.taskdef("a")
    return s


def pushed(stage: Stage, x: Execution, *payloads: int) -> None:
    for n in payloads:
        stage.verb(push, x, f"id{n}", {"n": n}, MOST)


def taken(x: Execution, ref: str = "pull") -> list[int] | None:
    """The payloads that the task has taken; None while it waits."""
    task = x.by_ref[ref]
    if not task.status.is_terminal:
        return None
    assert task.output["count"] == len(task.output["messages"])
    return [message["payload"]["n"] for message in task.output["messages"]]


#    input                                         before  after   takes      left when it has ended (the execution waits in `a`)
TAKEN = [
    ({},                                           [],     [],     None,      []),
    ({},                                           [1],    [],     [1],       []),
    ({},                                           [],     [1],    [1],       []),
    ({},                                           [1, 2], [],     [1],       [2]),
    ({"batchSize": 2},                             [1, 2, 3], [],  [1, 2],    [3]),
    ({"batchSize": 2},                             [1],    [2],    [1],       [2]),
    ({"batchSize": 2},                             [],     [1, 2], [1],       [2]),
    ({"batchSize": 0},                             [1, 2], [],     [1],       [2]),
    ({"batchSize": 1000},                          [1, 2], [],     [1, 2],    []),
    ({"batchSize": "2"},                           [1, 2], [],     [1, 2],    []),
    ({"batchSize": None, "blocking": None},        [],     [1],    [1],       []),
    ({"batchSize": "", "blocking": ""},            [],     [1],    [1],       []),
    ({"blocking": False},                          [],     [1],    [],        [1]),
    ({"blocking": "false"},                        [],     [],     [],        []),
    ({"blocking": False, "batchSize": 2},          [1],    [],     [1],       []),
    ({"blocking": True},                           [],     [],     None,      []),
]  # fmt: skip


@pytest.mark.parametrize(("given", "before", "after", "takes", "left"), TAKEN)
def test_messages_are_taken_oldest_first(stage: Stage, given: dict[str, Any], before: list[int], after: list[int], takes: Any, left: list[int]) -> None:
    x = stage.run([node("w", "WAIT"), pull(**given), simple("a")])
    pushed(stage, x, *before)
    stage.report(x, "w")
    pushed(stage, x, *after)
    assert taken(x) == takes
    assert [message.payload["n"] for message in x.inbox] == left


def test_a_message_tells_what_it_is(stage: Stage) -> None:
    stage.now = 1_795_325_593_516
    x = stage.run([pull()])
    pushed(stage, x, 7)
    assert x.head.status is WorkflowStatus.COMPLETED
    message = {"id": "id7", "workflowId": x.head.id, "payload": {"n": 7}, "receivedAt": "2026-11-22T05:33:13.516Z"}
    assert x.head.output == {"messages": [message], "count": 1}


WRONG = [
    ({"batchSize": "many"}, "batchSize is 'many'; expected a whole number from 1 to 100"),
    ({"batchSize": 1.5}, "batchSize is 1.5; expected a whole number from 1 to 100"),
    ({"batchSize": True}, "batchSize is True; expected a whole number from 1 to 100"),
    ({"batchSize": [1]}, "batchSize is [1]; expected a whole number from 1 to 100"),
    ({"blocking": "no"}, "blocking is 'no'; expected true or false"),
    ({"blocking": 0}, "blocking is 0; expected true or false"),
]


@pytest.mark.parametrize(("given", "reason"), WRONG)
def test_what_cannot_be_meant_fails_the_task_for_good(stage: Stage, given: dict[str, Any], reason: str) -> None:
    stage.taskdef("pull", retryCount=3)
    x = stage.run([pull(**{key: f"${{workflow.input.{key}}}" for key in given})], given)
    assert rows(x) == [("pull", "FAILED_WITH_TERMINAL_ERROR")] and x.by_ref["pull"].reason == reason


#    what was done to the execution            and so what a push meets
REFUSED = [
    (lambda s, x: s.verb(lifecycle.pause, x), Conflict, "is not in RUNNING state (current: PAUSED)"),
    (lambda s, x: s.verb(lifecycle.terminate, x, "enough"), Conflict, "is not in RUNNING state (current: TERMINATED)"),
    (lambda s, x: s.report(x, "a"), Conflict, "is not in RUNNING state (current: COMPLETED)"),
    (lambda s, x: pushed(s, x, *range(MOST)), TooMany, "has reached the maximum size of 5"),
]


@pytest.mark.parametrize(("act", "error", "said"), REFUSED)
def test_a_message_is_refused(stage: Stage, act: Any, error: type[BatutaError], said: str) -> None:
    x = stage.run([simple("a")])
    act(stage, x)
    there = list(x.inbox)
    with pytest.raises(error, match="Workflow") as refused:
        pushed(stage, x, 9)
    assert said in str(refused.value) and x.head.id in str(refused.value) and x.inbox == there


def test_of_several_that_wait_each_takes_its_own_in_the_order_of_waiting(stage: Stage) -> None:
    x = stage.run([fork("f", [pull("p")], [pull("q")]), join("j", "p", "q")])
    pushed(stage, x, 1)
    assert (taken(x, "p"), taken(x, "q")) == ([1], None)
    pushed(stage, x, 2)
    assert taken(x, "q") == [2] and x.head.status is WorkflowStatus.COMPLETED


def test_a_loop_takes_message_after_message(stage: Stage) -> None:
    x = stage.run([node("loop", "DO_WHILE", loopCondition="$.loop.iteration < 3", loopOver=[pull()])])
    pushed(stage, x, 1, 2)
    assert (taken(x, "pull__1"), taken(x, "pull__2"), taken(x, "pull__3")) == ([1], [2], None)
    pushed(stage, x, 3)
    assert x.head.status is WorkflowStatus.COMPLETED


def test_what_nobody_took_goes_away_with_the_end(stage: Stage) -> None:
    x = stage.run([pull(batchSize=1), simple("a")])
    pushed(stage, x, 1, 2, 3)
    assert len(x.inbox) == 2
    stage.verb(lifecycle.terminate, x, "enough")
    assert x.inbox == [] and x.changes.taken == 3
    stage.verb(revival.restart, x, None)
    assert taken(x) is None
    pushed(stage, x, 4)
    assert taken(x) == [4] and x.head.pushed == 4


def test_after_a_retry_what_was_taken_stays_taken_and_what_waited_waits_again(stage: Stage) -> None:
    x = stage.run([pull("p"), pull("q")])
    pushed(stage, x, 1)
    stage.verb(lifecycle.terminate, x, "enough")
    stage.verb(revival.retry, x)
    assert taken(x, "p") == [1] and taken(x, "q") is None
    pushed(stage, x, 2)
    assert x.head.status is WorkflowStatus.COMPLETED and taken(x, "q") == [2]


def test_a_rerun_from_the_task_waits_for_new_messages(stage: Stage) -> None:
    x = stage.run([pull()])
    pushed(stage, x, 1)
    stage.verb(revival.rerun, x, from_task=x.by_ref["pull"].id, task_input=None, workflow_input=None, correlation_id=None)
    assert taken(x) is None
    pushed(stage, x, 2)
    assert taken(x) == [2]


def test_one_that_waits_too_long_is_attempted_again_and_takes_what_came_meanwhile(stage: Stage) -> None:
    stage.taskdef("pull", retryCount=1, retryDelaySeconds=10, timeoutSeconds=60, responseTimeoutSeconds=60, timeoutPolicy="RETRY")
    x = stage.run([pull()])
    stage.pass_time(61)
    assert rows(x) == [("pull", "TIMED_OUT"), ("pull", "SCHEDULED")]
    pushed(stage, x, 1)
    assert taken(x) is None and len(x.inbox) == 1
    stage.pass_time(10)
    assert taken(x) == [1]


def test_an_execution_read_again_knows_what_waits(stage: Stage) -> None:
    x = stage.run([fork("f", [pull("p")], [simple("a")]), join("j", "p", "a")])
    again = stage.reload(x)
    pushed(stage, again, 1, 2)
    assert taken(again, "p") == [1] and [message.payload["n"] for message in again.inbox] == [2]
