"""cacheConfig: a task whose key is remembered completes at once, with the output that is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage, node, rows, simple

CACHE = {"key": "${uid}-${account.id}", "ttlInSecond": 60}
GIVEN = {"uid": "${workflow.input.uid}", "account": {"id": 7}, "other": "${workflow.input.other}"}


def cached(ref: str = "a", **fields: Any) -> dict[str, Any]:
    return simple("a", ref, inputParameters=GIVEN, cacheConfig=CACHE, **fields)


def test_a_task_whose_key_is_remembered_completes_at_once() -> None:
    stage = Stage()
    stage.cache["a\nada-7"] = {"balance": 5}
    x = stage.run([cached(), simple("b", inputParameters={"had": "${a.output.balance}"})], {"uid": "ada", "other": 1})
    task = x.by_ref["a"]
    assert rows(x) == [("a", "COMPLETED"), ("b", "SCHEDULED")]
    assert (task.cached, task.output, task.input["other"], task.started_at, task.ended_at) == (True, {"balance": 5}, 1, stage.now, stage.now)
    assert x.by_ref["b"].input == {"had": 5}


#    input                                remembered under     hit
KEYS: list[tuple[dict[str, Any], str, bool]] = [
    ({"uid": "ada"},                      "a\nada-7",          True),
    ({"uid": "bob"},                      "a\nada-7",          False),
    ({"uid": "ada"},                      "b\nada-7",          False),  # of another definition
    ({},                                  "a\nnull-7",         False),  # a key that is not there is nobody's
    ({"uid": None},                       "a\nnull-7",         False),
    ({"uid": 1.5},                        "a\n1.5-7",          True),
    ({"uid": {"x": [1]}},                 "a\n{x=[1]}-7",      True),
]  # fmt: skip


@pytest.mark.parametrize(("given", "key", "hit"), KEYS)
def test_what_a_key_is(given: dict[str, Any], key: str, hit: bool) -> None:
    stage = Stage()
    stage.cache[key] = {"v": 1}
    assert stage.run([cached()], given).by_ref["a"].cached is hit


def test_every_worker_and_script_may_cache_and_no_operator() -> None:
    stage = Stage({"s": lambda _: 1})
    config = {"cacheConfig": {"key": "k", "ttlInSecond": 1}}
    for name in ("h", "i", "x", "d", "w", "n"):
        stage.cache[f"{name}\nk"] = {"v": 1}
    x = stage.run([
        node("h", "HTTP", {"uri": "http://x", "method": "GET"}, **config),
        node("i", "INLINE", {"expression": "s", "evaluatorType": "javascript"}, **config),
        node("x", "EXOTIC", **config),
        node("n", "NOOP", **config),
        node("w", "WAIT", **config),
    ])  # fmt: skip
    assert [(t.ref, t.cached) for t in x.ordered()] == [("h", True), ("i", True), ("x", True), ("n", False), ("w", False)]


def test_a_dynamic_branch_may_cache() -> None:
    stage = Stage()
    stage.cache["a\n1"] = {"v": 1}
    branch = simple("a", inputParameters={}, cacheConfig={"key": "$${i}", "ttlInSecond": 1})  # the input that it stands in is evaluated first
    fork = node("f", "FORK_JOIN_DYNAMIC", {"branches": [branch], "inputs": {"a": {"i": 1}}}, dynamicForkTasksParam="branches",
                dynamicForkTasksInputParamName="inputs")  # fmt: skip
    x = stage.run([fork, node("j", "JOIN")])
    assert x.by_ref["a"].cached and x.head.status == "COMPLETED"


def test_a_retry_takes_what_was_remembered_meanwhile() -> None:
    stage = Stage()
    stage.taskdef("a", retryCount=1)
    x = stage.run([cached()], {"uid": "ada"})
    stage.cache["a\nada-7"] = {"v": 1}
    stage.report(x, "a", "FAILED")
    assert rows(x) == [("a", "FAILED"), ("a", "COMPLETED")] and x.head.status == "COMPLETED"
