"""FORK_JOIN_DYNAMIC: what it hands to its branches is data, in each of its forms. What the forms are: the golden runs."""

from __future__ import annotations

import pytest
from stage import Stage, node, simple

from batuta.core import revival
from batuta.core.model.task import Json

TEXT = {"text": "${workflow.input.private} costs $${price}", "deep": [{"${workflow.input.private}": "${a}"}]}
JOIN = node("j", "JOIN")
#   the fork's input, from the workflow's                                                 its own fields                       its branch
FORMS = [
    ({"ts": [simple("work", "r")], "ins": {"r": "${workflow.input.given}"}}, {"dynamicForkTasksParam": "ts", "dynamicForkTasksInputParamName": "ins"}, "r"),
    ({"dt": {"dynamicTasks": [{"taskName": "work", "referenceName": "r", "input": "${workflow.input.given}"}]}}, {"dynamicForkJoinTasksParam": "dt"}, "r"),
    ({"forkTaskName": "work", "forkTaskInputs": ["${workflow.input.given}"]}, {}, "_work_0"),
]


@pytest.mark.parametrize(("given", "fields", "ref"), FORMS)
def test_an_expression_in_what_a_branch_is_given_stays_as_it_is(given: Json, fields: Json, ref: str) -> None:
    stage = Stage()
    stage.taskdef("work", retryCount=1)
    x = stage.run([node("d", "FORK_JOIN_DYNAMIC", given, **fields), JOIN], {"given": TEXT, "private": "hush"})

    def handed() -> Json:
        return {key: value for key, value in x.by_ref[ref].input.items() if key != "__index"}

    assert handed() == TEXT
    stage.report(x, ref, "FAILED")
    assert (x.by_ref[ref].attempt, handed()) == (1, TEXT)
    x = stage.reload(x)
    stage.report(x, ref, "FAILED")
    assert x.head.status == "FAILED"
    stage.verb(revival.retry, x)
    assert (x.by_ref[ref].attempt, handed()) == (2, TEXT)
