"""DYNAMIC, where the name that comes out is one that a name is not enough for."""

from __future__ import annotations

import pytest
from stage import Stage, node, rows, simple

from batuta.core.nodes.dynamic import SHAPES
from batuta.core.revival import retry


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_a_dynamic_task_that_would_have_to_be_a_shape_fails_and_says_so(kind: str) -> None:
    stage = Stage()
    x = stage.run([node("d", "DYNAMIC", {"t": "${workflow.input.t}"}, dynamicTaskNameParam="t"), simple("z")], {"t": kind})
    assert x.head.status == "FAILED"
    assert f"a DYNAMIC task cannot become a {kind}" in str(x.head.reason) and rows(x) == [("d", "FAILED_WITH_TERMINAL_ERROR")]
    x.head.input = {"t": "worker"}
    stage.verb(retry, x)
    assert rows(x) == [("d", "FAILED_WITH_TERMINAL_ERROR"), ("d", "SCHEDULED")] and x.by_ref["d"].queue == "worker"


def test_an_optional_one_is_passed_over() -> None:
    stage = Stage()
    x = stage.run([node("d", "DYNAMIC", {"t": "FORK_JOIN"}, dynamicTaskNameParam="t", optional=True), simple("z")])
    assert rows(x) == [("d", "COMPLETED_WITH_ERRORS"), ("z", "SCHEDULED")]
