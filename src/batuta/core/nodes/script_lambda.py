"""LAMBDA: INLINE's ancestor; scriptExpression is a function's body. Source: conductor-semantics.md §4.16."""

from __future__ import annotations

from batuta.core.expr.script import Script, ScriptFailed
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="LAMBDA", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    source = task.input.get("scriptExpression")
    if not isinstance(source, str) or not source.strip():
        reason = "Empty 'scriptExpression' in Lambda task's input parameters. A non-empty String value must be provided."
        turn.fail(task, reason, output={"error": reason})
        return
    found = turn.tools.scripts.evaluate(Script("lambda", source, turn.revealed(task.input)))
    if isinstance(found, ScriptFailed):
        turn.fail(task, found.reason, output={"error": found.reason})
    else:
        turn.complete(task, {"result": found.value})
