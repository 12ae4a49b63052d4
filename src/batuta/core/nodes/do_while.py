"""
DO_WHILE: run the body again while a condition holds, or once for each item of a list.

A turn of the loop is over when nothing in it is open (the execution counts them) and nothing more is to be scheduled; then `look` judges.
Body rows carry the turn in their reference: `ref__2`. A loop inside a loop adds its own: `ref__2__1`.
Source: conductor-semantics.md §4.7.
"""

from __future__ import annotations

from typing import Any

from batuta.core.expr.script import Script, ScriptFailed, truthy
from batuta.core.flow import open_node, schedule
from batuta.core.model.definition import Node
from batuta.core.model.execution import OUTPUT, Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.core.turn import Turn, suffix_of


def open(turn: Turn, node: Node, suffix: str) -> list[Task]:
    task = turn.draft(node, suffix, kind="DO_WHILE", def_name=node.name, status=TaskStatus.IN_PROGRESS)
    task.input = turn.input_of(node, task.id)
    return [task]


def run(turn: Turn, task: Task) -> None:
    items = _items(turn, task)
    if items is not None and not items:
        turn.complete(task, {"iteration": 0})
        return
    if items is not None:
        task.machine = {"items": items}
    _turn_to(turn, task, 1)


def look(turn: Turn, task: Task) -> None:
    x = turn.x
    if x.open_in.get(task.ref, 0) > 0 or task.status is not TaskStatus.IN_PROGRESS:
        return
    node = x.node_of(task)
    number = task.iteration
    rows = turn_rows(x, task, node, number)
    task.output = {**task.output, str(number): {t.base_ref: t.output for t in rows}}
    x.touch(task, OUTPUT)
    failed = [t for t in rows if not t.status.is_successful]
    if failed:
        turn.fail(task, " ".join(t.reason for t in failed if t.reason) or f"iteration {number} failed")
        return
    _keep_last(turn, task, node)
    items = (task.machine or {}).get("items")
    if items is not None and number >= len(items):
        turn.complete(task)
        return
    verdict = _condition(turn, task, node, rows)
    if isinstance(verdict, ScriptFailed):
        turn.fail(task, f"Unable to evaluate condition {node.raw.get('loopCondition')}, exception {verdict.reason}", for_good=True)
    elif verdict:
        _turn_to(turn, task, number + 1)
    else:
        turn.complete(task)


def turn_rows(x: Execution, task: Task, node: Node, number: int) -> list[Task]:
    """The newest attempt of every row that this turn of the loop made directly (not those of a loop inside it)."""
    suffix = f"{suffix_of(task)}__{number}"
    bases = [n.ref for n in _inside(node.body)] + [ref for ref, n in x.nodes.items() if n.loop is node]
    found = (x.by_ref.get(base + suffix) for base in bases)
    return sorted((t for t in found if t is not None), key=lambda t: t.seq)


def _inside(nodes: list[Node]) -> list[Node]:
    out = []
    for node in nodes:
        out.append(node)
        if node.type != "DO_WHILE":
            for inner in node.children():
                out += _inside(inner)
    return out


def _turn_to(turn: Turn, task: Task, number: int) -> None:
    node = turn.x.node_of(task)
    task.iteration = number
    output: Json = {**task.output, "iteration": number}
    items = (task.machine or {}).get("items")
    if items is not None:
        output |= {"loopItem": items[number - 1], "loopIndex": number - 1}
    task.output = output
    turn.x.touch(task, OUTPUT)
    schedule(turn, open_node(turn, node.body[0], f"{suffix_of(task)}__{number}") if node.body else [])
    turn.loops[task.n] = task


def _items(turn: Turn, task: Task) -> list[Any] | None:
    """The list to walk; None when the loop goes by its condition alone."""
    written = turn.x.node_of(task).raw.get("items")
    if written is not None:
        value = turn.evaluate(written, task.id)
    elif "_items" in task.input:
        value = task.input["_items"]
    else:
        return None
    return [] if value is None else value if isinstance(value, list) else [value]


def _condition(turn: Turn, task: Task, node: Node, rows: list[Task]) -> bool | ScriptFailed:
    condition = node.raw.get("loopCondition")
    if not condition:
        return bool((task.machine or {}).get("items"))
    data = {**turn.input_of(node, task.id), task.base_ref or task.ref: task.output, **{t.base_ref: t.output for t in rows}}
    if (task.machine or {}).get("items") is not None:
        data |= {"loopItem": task.output.get("loopItem"), "loopIndex": task.output.get("loopIndex")}
    found = turn.tools.scripts.evaluate(Script("javascript", condition, data))
    return found if isinstance(found, ScriptFailed) else truthy(found.value)


def _keep_last(turn: Turn, task: Task, node: Node) -> None:
    keep = turn.input_of(node, task.id).get("keepLastN")
    if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1 or task.iteration <= keep:
        return
    old = task.iteration - keep
    suffix = f"{suffix_of(task)}__{old}"
    x = turn.x
    for row in [t for t in x.tasks.values() if t.base_ref and _is_in_turn(t, suffix) and _is_inside(x.node_of(t), node)]:
        x.forget(row)
    task.output = {k: v for k, v in task.output.items() if k != str(old)}


def _is_in_turn(task: Task, suffix: str) -> bool:
    at = suffix_of(task)
    return at == suffix or at.startswith(suffix + "__")


def _is_inside(node: Node, loop: Node) -> bool:
    around = node.loop
    while around is not None and around is not loop:
        around = around.loop
    return around is loop
