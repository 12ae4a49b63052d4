"""
Upgrade: an execution that has not ended goes on with another version of its definition, from where it is.

What is open must stand at the same place in the new version. What the new version has before that place, and never ran, shows as SKIPPED, with an
output if one is given. Rows of tasks that the new version no longer has are kept, and carry their own node.
Source: POST /workflow/{id}/upgrade of Orkes; Conductor OSS has the request's model and no endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator

from batuta.core.decide import Outcome, conclude
from batuta.core.lifecycle import reindex, require_fit, step_over
from batuta.core.model.definition import Definition, Node
from batuta.core.model.execution import INPUT, Execution
from batuta.core.model.task import Json, Task
from batuta.core.places import key_of, refuse_while_held
from batuta.core.turn import Tools, Turn
from batuta.errors import Conflict


def upgrade(x: Execution, now: int, tools: Tools, definition: Definition, given: Json, outputs: Json) -> Outcome:
    """
    Run this definition from here on; *given* is laid over the input, *outputs* are those of tasks stepped over.

    Raises:
        Conflict: the execution has ended, or something open in it is not in the definition, or elsewhere.
        Invalid: the input does not fit the definition's schema.
    """
    h = x.head
    if h.status.is_terminal:
        raise Conflict(f"Workflow {h.id} has ended with status {h.status}; only one that runs can be upgraded")
    refuse_while_held(x)
    if misplaced := [task.ref for task in x.ordered() if not task.status.is_terminal and not _is_there(x, task, definition)]:
        missing = ", ".join(misplaced)
        raise Conflict(f"version {definition.version} of {h.name!r} does not have, at the same place and of the same type, what is open: {missing}")
    if given:
        require_fit(definition.input_contract, {**h.input, **given}, definition)
        h.input = {**h.input, **given}
    for task in x.tasks.values():
        if task.node is None and (task.base_ref or task.ref) not in definition.by_ref:
            task.node = x.node_of(task).raw
            x.touch(task)
    h.rate_limit_key = key_of(x, definition, tools)
    if not x.secrets <= definition.secrets:
        h.secrets = sorted(x.secrets)  # open tasks were handed what the former definition names, and may send it back
    x.definition = definition
    h.definition_hash, h.definition_version = definition.hash, definition.version
    reindex(x)
    x.touch_head(INPUT if given else 0)
    turn = Turn(x, now, tools)
    for node in list(_passed(x, definition.nodes)):
        step_over(turn, node, {}, outputs[node.ref] if isinstance(outputs.get(node.ref), dict) else {})
    return conclude(turn)


def _is_there(x: Execution, task: Task, definition: Definition) -> bool:
    was = x.node_of(task)
    if was.fork:  # a branch that the definition never held: its fork counts
        now = definition.by_ref.get(was.fork)
        return now is not None and now.type == "FORK_JOIN_DYNAMIC"
    now = definition.by_ref.get(was.ref)
    return now is not None and now.type == was.type and _path(now) == _path(was)


def _path(node: Node) -> list[str]:
    """What stands around the node, from within."""
    return [] if node.parent is None else [node.parent.ref, *_path(node.parent)]


def _passed(x: Execution, row: list[Node]) -> Iterator[Node]:
    """The nodes of the list without a row of their own that stand before one with a row; and such nodes inside those that have one."""
    reached = [n for n, node in enumerate(row) if _has_rows(x, node)]
    for n, node in enumerate(row[: reached[-1] + 1] if reached else ()):
        if node.ref not in x.by_ref and n not in reached:
            yield node
        elif node.type != "DO_WHILE":  # the turn of a loop goes on as it is
            for inner in node.children():
                yield from _passed(x, inner)


def _has_rows(x: Execution, node: Node) -> bool:
    return node.ref in x.by_ref or any(_has_rows(x, inner) for row in node.children() for inner in row)
