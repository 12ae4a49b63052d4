"""
A whole flow, or a part of one, as a workflow definition and the input of its execution.

One definition for one structure: types, links and ways of running are in it, settings are not. Starting the same flow again with other prompts registers
nothing new. Source of the layout: flow-builder.md §2, "A sound design on Conductor primitives".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.compiler import layout
from batuta_flows.compiler.names import COLLECT, PLAN, definition_name, ref_of
from batuta_flows.compiler.streams import streams
from batuta_flows.compiler.tasks import Prepared, item_task, prepare, stream_tasks, tasks_of
from batuta_flows.document import graph
from batuta_flows.document.check import Problem, problems
from batuta_flows.document.flow import Flow, Node, write_flow
from batuta_flows.document.shape import Shape, shapes
from batuta_flows.document.values import Reference
from batuta_flows.errors import Refused

Json = Any
OWNER: Final = "flow-builder@example.com"
_SHORT_TASK_S: Final = 60  # plans and collections: a moment of work, a minute if the machine is busy
_RETRIES: Final = 2
LOST_AFTER_S: Final = 30  # a worker renews its sign of life three times as often, so two may be lost on a busy machine


class Compiled(msgspec.Struct, frozen=True):
    """What to register and what to start. `items`: the workflows that run items of streams; `refs`: the task reference of every node that runs."""

    name: str
    definition: Json
    items: list[Json]
    task_definitions: list[Json]
    input: Json
    refs: dict[str, str]


def compile_flow(
    flow: Flow, *, only: Collection[str] | None = None, known: Mapping[str, Json] | None = None, lost_after_s: int = LOST_AFTER_S
) -> Compiled:
    """
    The flow as a definition. With *only*, these nodes alone run; outputs of others that they use come from *known* (node id → outputs of an earlier run).

    *lost_after_s*: a worker of which nothing is heard for so long is lost, and its task another's.

    Raises:
        Refused: the flow has problems, or the part needs outputs that are not known; nothing was made.
    """
    if found := [problem for problem in problems(flow) if problem.severity == "error"]:
        raise Refused(list(found))
    running = [node for node in flow.nodes if node.enabled and (only is None or node.id in only)]
    ids = {node.id for node in running}
    prepared = {node.id: prepare(node) for node in running}
    if missing := _missing(running, prepared, ids, known or {}):
        raise Refused(list(missing))
    if not running:
        raise Refused([Problem("", "nodes", "nothing_to_run", "no node is left to run")])
    needed = {id: [need for need in before if need in ids] for id, before in graph.needs(flow).items() if id in ids}
    formed = shapes(flow)
    plan = _Plan(flow.name, {node.id: node for node in running}, prepared, formed, needed)
    structure = _definition(_laid_out(layout.branches(plan.needed), plan.tasks), ["flow", "nodes", "known"], _outputs(_ends(needed)))
    name = definition_name(flow.name, structure)
    used = {found.node for p in prepared.values() for found in p.slots.values()} - ids
    return Compiled(
        name,
        {"name": name, **structure, "description": f"Flow Builder: {flow.name or 'Untitled'}"},
        plan.items,
        _task_definitions({node.type for node in running}, lost_after_s),
        {
            "flow": write_flow(flow),
            "nodes": {ref_of(id): p.settings for id, p in prepared.items()},
            "known": {ref_of(id): (known or {})[id] for id in sorted(used)},
        },
        {node.id: ref_of(node.id) for node in running},
    )


def _missing(running: list[Node], prepared: Mapping[str, Prepared], ids: set[str], known: Mapping[str, Json]) -> list[Problem]:
    return [
        Problem(node.id, "", "needs_a_run", f"{found.node!r} is not part of this run and has no result yet; run it first, or run up to here")
        for node in running
        for found in prepared[node.id].slots.values()
        if found.node not in ids and found.node not in known
    ]


class _Plan:
    """
    What runs as one in the layout: a node, or a stream under the id of its first node. `needed`: what each needs; `tasks`: its tasks.

    `items`: the definitions of the workflows that run the streams' items.
    """

    def __init__(
        self, name: str, nodes: Mapping[str, Node], prepared: Mapping[str, Prepared], formed: Mapping[str, Shape], needed: Mapping[str, list[str]]
    ) -> None:
        self._name, self._nodes, self._prepared, self._formed = name, nodes, prepared, formed
        self.items: list[Json] = []
        found = {members[0]: members for members in streams(nodes, formed, needed)}
        unit = {member: first for first, members in found.items() for member in members}
        self.needed: dict[str, list[str]] = {}
        for id in nodes:
            before = self.needed.setdefault(unit.get(id, id), [])
            before += [need for need in (unit.get(need, need) for need in needed[id]) if need != unit.get(id, id) and need not in before]
        self.tasks = {id: self._stream(found[id], needed) if id in found else self._node(id) for id in self.needed}

    def _node(self, id: str) -> list[Json]:
        return tasks_of(self._nodes[id], self._formed[id], self._slots(id, frozenset()))

    def _stream(self, members: list[str], needed: Mapping[str, list[str]]) -> list[Json]:
        inside = frozenset(members)
        within = {id: [need for need in needed[id] if need in inside] for id in members}
        tasks = {id: [item_task(self._nodes[id], self._inner(id, inside))] for id in members}
        structure = _definition(_laid_out(layout.branches(within), tasks), ["runId", "itemIndex", "nodes"], _outputs(members))
        name = definition_name(f"{self._name} item", structure)
        self.items.append({"name": name, **structure, "description": f"Flow Builder: an item of {self._name or 'Untitled'}"})
        return stream_tasks([self._nodes[id] for id in members], self._formed, {id: self._slots(id, inside) for id in members}, name)

    def _slots(self, id: str, inside: frozenset[str]) -> dict[str, str]:
        """The expressions of the slots that are filled from outside of the node's stream."""
        return {name: _expression(found, self._nodes) for name, found in self._prepared[id].slots.items() if found.node not in inside}

    def _inner(self, id: str, inside: frozenset[str]) -> dict[str, str]:
        """Those that are filled within it. What is `items` of a list is the whole result of one item."""
        found = {name: slot for name, slot in self._prepared[id].slots.items() if slot.node in inside}
        return {name: f"${{{ref_of(slot.node)}.output}}" if slot.output == "items" else _expression(slot, inside) for name, slot in found.items()}


def _expression(found: Reference, ids: Collection[str]) -> str:
    ref = ref_of(found.node)
    return f"${{{ref}.output.{found.output}}}" if found.node in ids else f"${{workflow.input.known.{ref}.{found.output}}}"


def _laid_out(branches: list[list[layout.Step]], tasks: Mapping[str, list[Json]]) -> list[Json]:
    """The tasks of all branches: in a row when there is one, else in a fork whose JOIN waits for their ends."""
    rows = [[task for step in branch for task in (*_wait(step, tasks), *tasks[step.node])] for branch in branches]
    if len(rows) == 1:
        return rows[0]
    fork = {"name": "branches", "taskReferenceName": "branches", "type": "FORK_JOIN", "forkTasks": rows}
    return [fork, _join("all_done", [row[-1]["taskReferenceName"] for row in rows])]


def _wait(step: layout.Step, tasks: Mapping[str, list[Json]]) -> list[Json]:
    return [_join(f"{ref_of(step.node)}_wait", [tasks[id][-1]["taskReferenceName"] for id in step.waits])] if step.waits else []


def _join(ref: str, refs: list[str]) -> Json:
    return {"name": "join", "taskReferenceName": ref, "type": "JOIN", "joinOn": refs, "joinMode": "SYNC"}


def _ends(needed: Mapping[str, list[str]]) -> list[str]:
    return [id for id, users in graph.turned(needed).items() if not users]


def _outputs(ids: list[str]) -> dict[str, str]:
    return {ref_of(id): f"${{{ref_of(id)}.output}}" for id in ids}


def _definition(tasks: list[Json], inputs: list[str], outputs: dict[str, str]) -> dict[str, Json]:
    return {
        "version": 1,
        "schemaVersion": 2,
        "ownerEmail": OWNER,
        "tasks": tasks,
        "inputParameters": inputs,
        "outputParameters": outputs,
        "timeoutPolicy": "ALERT_ONLY",
        "timeoutSeconds": 0,
        "metadata": {"classifier": "workflow", "builder": "batuta-flows"},
    }


def _task_definitions(types: set[str], lost_after_s: int) -> list[Json]:
    """What the server should know of the tasks: how long they may take and what is tried again."""
    times = {PLAN: _SHORT_TASK_S, COLLECT: _SHORT_TASK_S} | {name: max(600, 6 * NODE_TYPES[name].estimate_s) for name in sorted(types)}
    return [_task_definition(name, timeout_s, min(timeout_s, lost_after_s)) for name, timeout_s in times.items()]


def _task_definition(name: str, timeout_s: int, lost_after_s: int) -> Json:
    return {
        "name": name,
        "ownerEmail": OWNER,
        "retryCount": _RETRIES,
        "retryLogic": "EXPONENTIAL_BACKOFF",
        "retryDelaySeconds": 2,
        "timeoutSeconds": timeout_s,
        "responseTimeoutSeconds": lost_after_s,
        "timeoutPolicy": "RETRY",
        "inputKeys": ["nodeId", "nodeType", "settings", "slots"],
    }
