"""
SIMPLE, and every type nobody knows: a task for a worker, queued under its name (an unknown type: under the type). An integration's type is queued
like one nobody knows, so that a worker of the user's may serve it.

Source: conductor-semantics.md §2.1, §2.7, §5 (unknown types), §8.3 (domains).
"""

from __future__ import annotations

from batuta.core.model.definition import INTEGRATIONS, Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    kind = node.name if node.type == "SIMPLE" else node.type
    task = turn.draft(node, suffix, kind=kind, def_name=node.name, status=TaskStatus.SCHEDULED)
    task.input = turn.input_of(node, task.id)
    task.response_timeout_s = node.policy.response_timeout_seconds
    enqueue(turn, task, node.start_delay_s)
    return [task]


def enqueue(turn: Turn, task: Task, delay_s: int, *, jitter_ms: int = 0) -> None:
    """Claimable by workers of its type after the delay (seconds, plus milliseconds by chance)."""
    task.domain = task.domain or domain_for(turn, task.type)
    task.queue = f"{task.domain}:{task.type}" if task.domain else task.type
    task.start_delay_s = task.callback_after_s = delay_s
    task.due_at = turn.now + delay_s * 1000 + (turn.tools.jitter_ms(jitter_ms) if jitter_ms else 0)


def domain_for(turn: Turn, kind: str) -> str:
    """The domain that the execution's taskToDomain gives to tasks of this type; empty: none. `*` is not meant for the server's own types."""
    wishes = turn.x.head.task_to_domain
    if not wishes:
        return ""
    wish = wishes.get(kind) or ("" if kind in INTEGRATIONS else wishes.get("*"))
    if not wish:
        return ""
    listed = [d.strip() for d in wish.split(",") if d.strip()]
    for domain in listed:
        if domain != "NO_DOMAIN" and turn.tools.polled_lately(f"{domain}:{kind}"):
            return domain
    return "" if not listed or listed[-1] == "NO_DOMAIN" else listed[-1]
