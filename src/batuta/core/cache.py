"""
Cache: a task's output that another task of the same definition and key may take over instead of running.

Here: the key, and taking over. Not here: what is remembered, for how long and where (engine/outputs.py).
Source: WorkflowTask.cacheConfig, which Conductor OSS stores and ignores; key and time to live are as Orkes documents them.
"""

from __future__ import annotations

from batuta.core.expr import javatext
from batuta.core.expr.scope import Document
from batuta.core.model.definition import Node
from batuta.core.model.task import Task
from batuta.core.turn import Turn


def key_of(node: Node, task: Task) -> str | None:
    """
    What the task's output is remembered under: its definition's name, and the node's key over the task's own input.

    None for a node that does not cache, and for a key that names something the input lacks: it would be the same for everybody.
    """
    cache = node.cache
    if cache is None or any(task.input.get(name) is None for name in cache.names):
        return None
    return f"{task.def_name}\n{javatext.text(cache.key.evaluate(Document(task.input)))}"


def took_over(turn: Turn, task: Task, node: Node) -> bool:
    """Complete the task with a remembered output, if there is one."""
    key = key_of(node, task)
    output = turn.tools.cached_output(key, turn.now) if key is not None else None
    if output is None:
        return False
    task.cached, task.started_at = True, turn.now
    turn.complete(task, output)
    return True
