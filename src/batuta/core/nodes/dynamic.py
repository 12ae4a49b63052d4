"""
DYNAMIC: the task's name comes from one of its inputs. A system type's name makes it that system task, unless that needs more than a name.

The task definition obeyed is the one found for the DYNAMIC node's own name when the execution started.
Source: conductor-semantics.md §4.8.
"""

from __future__ import annotations

from batuta.core.expr import javatext
from batuta.core.model.definition import INTEGRATIONS, SYSTEM_TYPES, Node
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.nodes.simple import enqueue
from batuta.core.turn import Stop, Turn

# Made of other nodes, or of what a definition says of them: a name is not enough.
SHAPES = frozenset({"FORK", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN", "SWITCH", "DECISION", "DO_WHILE", "DYNAMIC"})


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    param = node.raw.get("dynamicTaskNameParam")
    draft = turn.draft(node, suffix, kind="DYNAMIC", def_name=node.name, status=TaskStatus.SCHEDULED)
    draft.input = turn.input_of(node, draft.id)
    name = draft.input.get(param) if param else None
    if not isinstance(name, str) or not name:
        raise Stop(f"Cannot map a dynamic task based on the parameter and input. Parameter= {param}, input= {javatext.text(draft.input)}")
    if name in SHAPES:
        draft.def_name, draft.status = name, TaskStatus.FAILED_WITH_TERMINAL_ERROR
        draft.reason = f"a DYNAMIC task cannot become a {name}: what that runs stands in a definition; name a worker's task, or put a SUB_WORKFLOW here"
        return [draft]
    draft.type = draft.def_name = name
    if name in SYSTEM_TYPES and name not in INTEGRATIONS:
        draft.queue = "HTTP" if name == "HTTP" else ""
        draft.due_at = turn.now + node.start_delay_s * 1000
        draft.start_delay_s = node.start_delay_s
        return [draft]
    draft.response_timeout_s = node.policy.response_timeout_seconds
    enqueue(turn, draft, node.start_delay_s)
    return [draft]
