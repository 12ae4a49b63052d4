"""
SWITCH: choose one list of tasks by a value or a script.

An absent key runs defaultCase; a case that is there but empty runs nothing. Source: conductor-semantics.md §4.1.
"""

from __future__ import annotations

from batuta.core.expr.script import Script, ScriptFailed, case_text
from batuta.core.flow import open_node
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Stop, Turn

EVALUATORS = ("value-param", "javascript", "graaljs")


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="SWITCH", def_name="SWITCH", status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, None)
    evaluator, expression = node.raw.get("evaluatorType"), node.raw.get("expression") or ""
    if evaluator not in EVALUATORS:
        raise Stop(f"No evaluator registered for type: {evaluator}")
    if evaluator == "value-param":
        value = task.input.get(expression)
    else:
        found = turn.tools.scripts.evaluate(Script("javascript", expression, task.input))
        if isinstance(found, ScriptFailed):
            task.status, task.reason = TaskStatus.FAILED, found.reason
            return [task]
        value = found.value
    case = case_text(value)
    chosen = node.cases.get(case)
    return choose(turn, node, task, suffix, case, node.default if chosen is None else chosen, {"evaluationResult": [case], "selectedCase": case})


def choose(turn: Turn, node: Node, task: Task, suffix: str, case: str, chosen: list[Node], output: dict[str, object]) -> list[Task]:
    """The switch's row, ended, and the rows of the first task of the chosen list."""
    task.input = {**task.input, "case": case}
    task.status, task.output = TaskStatus.COMPLETED, output
    if not chosen:
        return [task]
    task.input["hasChildren"] = "true"
    return [task, *open_node(turn, chosen[0], suffix)]
