"""A decision that runs out of breath leaves everything where the next one finds it."""

from __future__ import annotations

import pytest
from stage import Stage, fork, join, node, simple

from batuta.core import decide
from batuta.core.model.event import Ticked
from batuta.core.model.status import TaskStatus


def test_a_sub_workflow_whose_time_came_in_a_decision_out_of_breath_is_begun_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulation seed 1006372: the due time was wiped before the child was started."""
    s = Stage()
    s.taskdef("a")
    s.workflow("kid", [simple("a")])
    child = node("c", "SUB_WORKFLOW", subWorkflowParam={"name": "kid", "version": 1}, startDelay=10)
    x = s.run([fork("f", [child], [simple("a"), *(node(f"n{i}", "NOOP") for i in range(9))]), join("j", "c", "n8")])
    monkeypatch.setattr(decide, "ROWS_PER_TURN", 2)
    s.claim(x, "a")
    s.now += 11_000
    s.report(x, "a")
    for _ in range(20):
        s.play(x, Ticked())
    assert x.by_ref["c"].status is TaskStatus.IN_PROGRESS
