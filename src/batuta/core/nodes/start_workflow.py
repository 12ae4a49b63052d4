"""
START_WORKFLOW: start an execution and do not wait for it.

Source: conductor-semantics.md §4.10.
"""

from __future__ import annotations

from typing import Any

from batuta.core.model.decision import StartExecution
from batuta.core.model.definition import Node
from batuta.core.model.ids import follower_id
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="START_WORKFLOW", def_name=node.name, status=TaskStatus.SCHEDULED)
    task.input = turn.input_of(node, None)
    task.start_delay_s = node.start_delay_s
    task.due_at = turn.now + node.start_delay_s * 1000
    return [task]


def begin(turn: Turn, task: Task) -> None:
    wish = task.input.get("startWorkflow")
    task.started_at = turn.now
    if not isinstance(wish, dict):
        turn.fail(task, f"Missing 'startWorkflow' in input data: found {wish!r}, expected a start request")
        return
    inline, name, version = wish.get("workflowDef"), wish.get("name"), _version(wish.get("version"))
    if not isinstance(inline, dict):
        if not isinstance(name, str) or not name:
            turn.fail(task, "Workflow name cannot be null or empty")
            return
        if turn.tools.definition(name, version) is None:
            turn.fail(task, f"No such workflow defined. name={name}, version={version or 'null'}")
            return
    head, given, domains = turn.x.head, wish.get("input"), wish.get("taskToDomain")
    started = follower_id("start", head.id, task.n)
    turn.send(
        StartExecution(
            id=started,
            name=name or (inline or {}).get("name", ""),
            version=version,
            input=given if isinstance(given, dict) else {},
            definition=inline if isinstance(inline, dict) else None,
            correlation_id=wish.get("correlationId") or head.correlation_id,
            priority=wish["priority"] if isinstance(wish.get("priority"), int) else 0,
            task_to_domain=domains if isinstance(domains, dict) and domains else head.task_to_domain,
            secrets=sorted(turn.x.secrets),
        )
    )
    turn.complete(task, {"workflowId": started})


def _version(value: Any) -> int:
    """A version as number or numeric text; 0, the latest, for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
