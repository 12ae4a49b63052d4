"""
Items of streams: executions of their own below a run, whose tasks are looked at as if they stood in the run itself. Pure.

Not here: who asks the orchestrator for them (service.py), what a node's tasks mean (view.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from batuta.client import Execution, Task


class Tasks(msgspec.Struct, frozen=True):
    """The tasks of a run, those of its streams' items among them; `expected`: the numbers of the items that each node of a stream has or will have."""

    tasks: list[Task]
    expected: dict[str, set[int]]


def item_executions(execution: Execution) -> list[str]:
    """Ids of the executions of the streams' items, newest attempts alone."""
    latest = {task.ref: task for task in execution.tasks if _is_item(task)}
    return [id for task in latest.values() if (id := _execution_id(task))]


def tasks_of(execution: Execution, items: Mapping[str, Execution]) -> Tasks:
    """All tasks. *items*: executions of items as far as they are known."""
    found, expected = [], dict[str, set[int]]()
    latest = {task.ref: task for task in execution.tasks if _is_item(task)}
    for task in execution.tasks:
        if not _is_item(task):
            found.append(task)
            continue
        if latest[task.ref] is not task:
            continue  # what an earlier attempt made is made no more
        number, nodes, below = _inputs(task)["itemIndex"], _inputs(task)["nodes"], items.get(_execution_id(task))
        for ref in nodes:
            expected.setdefault(ref, set()).add(number)
        found += [msgspec.structs.replace(one, ref=f"{one.ref}_i{number}") for one in (below.tasks if below is not None else ()) if one.ref in nodes]
    return Tasks(found, expected)


def _is_item(task: Task) -> bool:
    given = _inputs(task)
    return task.type == "SUB_WORKFLOW" and isinstance(given.get("nodes"), dict) and isinstance(given.get("itemIndex"), int)


def _inputs(task: Task) -> Mapping[str, Any]:
    return task.input if "itemIndex" in task.input else task.input.get("workflowInput") or {}


def _execution_id(task: Task) -> str:
    return str(task.json.get("subWorkflowId") or task.output.get("subWorkflowId") or "")
