"""
What happened to a node, attempt by attempt: who worked on it, when, how it ended, and what was written down meanwhile.

Not here: how the node stands (view.py).
"""

from __future__ import annotations

import re
from typing import Any, Final

from batuta.client import NotFound, SyncClient, Task
from batuta_flows.compiler import COLLECT, PLAN, ref_of
from batuta_flows.runs.items import item_executions, tasks_of
from batuta_flows.runs.service import UnknownRun
from batuta_flows.runs.view import TASK_WORDS, belongs

Json = Any
ATTEMPTS_MAX: Final = 100  # the newest; each is asked for its lines
_ITEM: Final = re.compile(r"_i(\d+)(?:__\d+)*$")


def node_log(client: SyncClient, run_id: str, node: str) -> Json:
    """
    `{attempts, left}`: the attempts at a node and its items, oldest first, each with its lines; how many older ones are not told.

    Raises:
        UnknownRun: the orchestrator has none of this id.
    """
    try:
        execution = client.get_workflow(run_id)
        told = tasks_of(execution, {id: client.get_workflow(id) for id in item_executions(execution)})
    except NotFound:
        raise UnknownRun("Workflow execution not found") from None
    ref = ref_of(node)
    own = [task for task in told.tasks if _is_work(task) and (task.input.get("nodeId") == node or belongs(task.ref, ref))]
    return {"attempts": [_attempt(client, task) for task in own[-ATTEMPTS_MAX:]], "left": max(0, len(own) - ATTEMPTS_MAX)}


def _is_work(task: Task) -> bool:
    """Whether it tells something: forks, joins, and the steps around items that went well, do not."""
    return "nodeId" in task.input and (task.type not in (PLAN, COLLECT) or bool(task.reason))


def _attempt(client: SyncClient, task: Task) -> Json:
    item = _ITEM.search(task.ref)
    return {
        "taskId": task.id,
        "item": int(item[1]) if item else None,
        "status": TASK_WORDS.get(task.status, "pending"),
        "worker": str(task.json.get("workerId") or ""),
        "startedAt": int(task.json.get("startTime") or 0),
        "endedAt": int(task.json.get("endTime") or 0),
        "reason": task.reason or "",
        "lines": [{"at": int(line.get("createdTime") or 0), "text": str(line.get("log") or "")} for line in client.get_task_logs(task.id)],
    }
