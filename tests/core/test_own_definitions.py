"""A task definition inside a node: it goes before the registered one, as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, fork, join, node, rows, simple


def own(**fields: Any) -> dict[str, Any]:
    return simple("a", taskDefinition={"name": "a", "retryCount": 0, "retryDelaySeconds": 0, "responseTimeoutSeconds": 100, **fields})


REGISTERED = {"retryCount": 5, "retryDelaySeconds": 9, "timeoutSeconds": 50, "responseTimeoutSeconds": 40, "concurrentExecLimit": 9,
              "inputTemplate": {"k": "registered", "only": 1}}  # fmt: skip


def test_the_definition_inside_the_node_goes_before_the_registered_one_as_a_whole() -> None:
    stage = Stage()
    stage.taskdef("a", **REGISTERED)
    x = stage.run([own(retryCount=1, concurrentExecLimit=2, rateLimitPerFrequency=3, inputTemplate={"k": "own"})])
    policy = x.node_of(x.by_ref["a"]).policy
    assert (policy.concurrent_exec_limit, policy.rate_limit_per_frequency, policy.timeout_seconds) == (2, 3, 0)
    assert (x.by_ref["a"].input, x.by_ref["a"].response_timeout_s) == ({"k": "own"}, 100)
    stage.report(x, "a", "FAILED")
    assert (x.by_ref["a"].attempt, x.by_ref["a"].callback_after_s) == (1, 0)
    stage.report(x, "a", "FAILED")
    assert x.head.status == "FAILED"


#    what it says of time                                                     ends after
TIMES: list[tuple[dict[str, Any], int]] = [
    ({"timeoutSeconds": 7, "responseTimeoutSeconds": 5},                        5),
    ({"timeoutSeconds": 7, "responseTimeoutSeconds": 7},                        7),
    ({"pollTimeoutSeconds": 3},                                                 3),
    ({"totalTimeoutSeconds": 4},                                                4),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "seconds"), TIMES)
def test_its_timeouts_count_and_not_the_registered_ones(fields: dict[str, Any], seconds: int) -> None:
    stage = Stage()
    stage.taskdef("a", retryCount=9, timeoutSeconds=1, responseTimeoutSeconds=1, pollTimeoutSeconds=1, totalTimeoutSeconds=1)
    x = stage.run([own(**fields)])
    if "pollTimeoutSeconds" not in fields:
        stage.claim(x, "a")
    stage.pass_time(seconds - 0.1)
    assert x.head.status == "RUNNING" and len(rows(x)) == 1
    stage.pass_time(0.2)
    assert x.by_ref["a"].status == "TIMED_OUT" and x.head.status.is_terminal


def test_it_counts_in_loops_cases_and_branches_too() -> None:
    stage = Stage({"never": lambda _: False})
    stage.taskdef("a", **REGISTERED)
    switch = node("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v", decisionCases={"x": [own()]})
    loop = node("l", "DO_WHILE", loopCondition="never", loopOver=[own()])
    for tasks, ref in (([loop], "a__1"), ([fork("f", [own()]), join("j", "a")], "a"), ([switch], "a")):
        x = stage.run(tasks)
        stage.report(x, ref, "FAILED")
        assert x.by_ref[ref].attempt == 0 and x.head.status == "FAILED"
