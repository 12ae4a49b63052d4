"""
DECISION: SWITCH's ancestor. An empty case runs the default, and a script that throws fails the workflow.

Source: conductor-semantics.md §4.2.
"""

from __future__ import annotations

from batuta.core.expr.script import Script, ScriptFailed, case_text
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.nodes.switch import choose
from batuta.core.turn import Stop, Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="DECISION", def_name="DECISION", status=TaskStatus.IN_PROGRESS)
    given = turn.input_of(node, None)
    if expression := node.raw.get("caseExpression"):
        found = turn.tools.scripts.evaluate(Script("javascript", expression, given))
        if isinstance(found, ScriptFailed):
            raise Stop(f"Error while evaluating script: {expression}. {found.reason}")
        case = case_text(found.value)
    else:
        case = case_text(given.get(node.raw.get("caseValueParam") or ""))
    return choose(turn, node, task, suffix, case, node.cases.get(case) or node.default, {"caseOutput": [case]})
