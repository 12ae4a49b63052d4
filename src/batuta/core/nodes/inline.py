"""
INLINE: run a script over the task's input; its value becomes output.result.

Scripts run in the sandbox (tools.scripts), never here. Source: conductor-semantics.md §4.15.
"""

from __future__ import annotations

from batuta.core.expr.script import Script, ScriptFailed
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="INLINE", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    given = turn.revealed(task.input)
    evaluator, expression = given.get("evaluatorType", "javascript"), given.get("expression")
    if not isinstance(evaluator, str) or not evaluator.strip():
        wrong = "Empty 'evaluatorType' in INLINE task's input parameters. A non-empty String value must be provided."
    elif not isinstance(expression, str) or not expression.strip():
        wrong = "Empty 'expression' in Inline task's input parameters. A non-empty String value must be provided."
    elif evaluator not in ("javascript", "graaljs", "value-param"):
        wrong = f"Unknown evaluator '{evaluator}' in INLINE task."
    elif evaluator == "value-param":
        turn.complete(task, {"result": given.get(expression)})
        return
    else:
        found = turn.tools.scripts.evaluate(Script("javascript", expression, given))
        if isinstance(found, ScriptFailed):
            turn.fail(task, found.reason, output={"error": found.reason}, for_good=found.kind != "timeout")
        else:
            turn.complete(task, {"result": found.value})
        return
    turn.fail(task, wrong, output={"error": wrong}, for_good=True)
