"""JSON_JQ_TRANSFORM: run a jq query over the task's whole input. Source: conductor-semantics.md §4.17."""

from __future__ import annotations

from batuta.core.expr.script import Script, ScriptFailed
from batuta.core.model.definition import Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="JSON_JQ_TRANSFORM", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    query = task.input.get("queryExpression")
    if not isinstance(query, str) or not query.strip():
        turn.fail(task, "Missing 'queryExpression' in input parameters")
        return
    found = turn.tools.scripts.evaluate(Script("jq", query, turn.revealed(task.input)))
    if isinstance(found, ScriptFailed):
        turn.fail(task, found.reason, output={"error": found.reason})
    else:
        values = found.value
        turn.complete(task, {"result": values[0] if values else None, "resultList": values})
