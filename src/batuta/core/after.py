"""
After: which rows come after a task in the flow, and which joins and loops around it wait for it.

For a rerun from the middle: what came after is gone, what ran beside it stays. Conductor goes by the order of creation instead, which also
deletes the rows of parallel branches that nothing will ever create again. In a plain sequence both are the same.

Not here: what then becomes of the rows (revival.py, jump.py). O(rows): for the operator's verbs, never for a report.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from batuta.core.model.definition import Node
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.core.turn import suffix_of


class Around(msgspec.Struct):
    """What a task that is to run again has to do with: rows after it, open-ended rows around it."""

    gone: dict[int, Task]
    joins: list[Task]  # they wait for it
    loops: list[tuple[Task, int]]  # it is in this turn of them


def around(x: Execution, target: Task) -> Around:
    """Walk from the task to the end of its list, then on from whatever holds that list, up to the top."""
    found = Around({}, [], [])
    node, suffix = x.node_of(target), suffix_of(target)
    _take(x, found, {inner.ref for row in node.children() for inner in row} | ({target.base_ref or target.ref} if target.type == "FORK" else set()), suffix)
    found.gone.pop(target.n, None)
    found.gone.update(later_attempts(x, target))
    while True:
        later = list(_later(node))
        _take(x, found, {n.ref for n in later}, suffix)
        holder = _holder(x, node)
        if holder is None:
            return found
        if holder.type in ("FORK_JOIN", "FORK_JOIN_DYNAMIC"):
            join = x.by_ref.get(holder.following.ref + suffix) if holder.following is not None else None
            if holder.following is None or (join is not None and not _waits_for(x, join, [node, *later], suffix)):
                return found
            if join is not None:
                found.joins.append(join)
            node = holder.following
            continue
        if holder.type == "DO_WHILE":
            suffix, _, number = suffix.rpartition("__")
            if (loop := x.by_ref.get(holder.ref + suffix)) is not None:
                found.loops.append((loop, int(number)))
            _take_turns_after(x, found, holder, suffix, int(number))
        node = holder


def later_attempts(x: Execution, target: Task) -> dict[int, Task]:
    """Newer rows of the same reference, by row number."""
    return {t.n: t for t in x.tasks.values() if t.ref == target.ref and t.attempt > target.attempt}


def _later(node: Node) -> Iterator[Node]:
    following = node.following
    while following is not None:
        yield following
        following = following.following


def _holder(x: Execution, node: Node) -> Node | None:
    """The node whose list this one stands in; of a dynamic branch, the fork that made it."""
    if node.fork:
        return x.definition.by_ref.get(node.fork) or x.nodes[node.fork]
    return node.parent


def _within(x: Execution, task: Task, refs: set[str]) -> bool:
    """Whether the task is, or stands somewhere inside, one of these nodes."""
    node: Node | None = x.node_of(task) if task.status is not TaskStatus.SKIPPED else None
    while node is not None:
        if node.ref in refs:
            return True
        node = _holder(x, node)
    return False


def _take(x: Execution, found: Around, refs: set[str], suffix: str) -> None:
    if refs:
        for task in x.tasks.values():
            at = suffix_of(task)
            if (at == suffix or at.startswith(suffix + "__")) and _within(x, task, refs):
                found.gone[task.n] = task


def _take_turns_after(x: Execution, found: Around, loop: Node, suffix: str, number: int) -> None:
    for task in x.tasks.values():
        at = suffix_of(task)
        if at.startswith(suffix + "__") and _within(x, task, {n.ref for n in loop.body}) and int(at[len(suffix) + 2 :].partition("__")[0]) > number:
            found.gone[task.n] = task


def _waits_for(x: Execution, join: Task, row: list[Node], suffix: str) -> bool:
    refs = {n.ref for n in row}
    waited = join.input.get("joinOn") or ()
    return any(ref in waited for ref in (r + suffix for r in refs)) or any((t := x.by_ref.get(ref)) is not None and _within(x, t, refs) for ref in waited)
