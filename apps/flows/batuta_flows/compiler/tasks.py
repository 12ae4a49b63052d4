"""
The tasks of one node.

A node that runs once is one task. One that is mapped over a list is four: a plan (lists into items), a dynamic fork of one task an item, its JOIN, and a
collection (results into lists), which carries the node's reference, so whoever uses its outputs need not know. With a bound on how many run at once the
fork stands in a loop over chunks; one at a time is a chunk of one. Nodes whose items go on by themselves (streams.py) share a plan and a fork, and an item of
theirs is a workflow of its own: a branch of a dynamic fork can be one task only.

Nothing a person typed stands in a definition: settings come as the execution's input, outputs of others through expressions, and the worker puts them
together (document/values.py). So no text is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from batuta_flows.compiler.names import COLLECT, PLAN, ref_of
from batuta_flows.document.flow import Node
from batuta_flows.document.shape import Shape
from batuta_flows.document.values import Reference, references_in, replaced, slot

Json = Any


class Prepared(msgspec.Struct, frozen=True):
    """A node's settings with slots in the place of references, and what each slot stands for."""

    settings: dict[str, Json]
    slots: dict[str, Reference]


def prepare(node: Node) -> Prepared:
    """The settings that have a say, ready to travel as the execution's input."""
    names: dict[Reference, str] = {}

    def place(found: Reference) -> Json:
        return slot(names.setdefault(found, f"s{len(names)}"))

    settings = {name: replaced(value, place) for name, value in node.live_settings.items()}
    return Prepared(settings, {name: found for found, name in names.items()})


def tasks_of(node: Node, shape: Shape, slots: dict[str, str]) -> list[Json]:
    """The workflow tasks of a node, in order; `slots`: the expression behind each of them."""
    ref = ref_of(node.id)
    given = {
        "nodeId": _plain(node.id),
        "nodeType": node.type,
        "settings": f"${{workflow.input.nodes.{ref}}}",
        "slots": slots,
        "runId": "${workflow.workflowId}",
    }
    if not shape.is_mapped:
        return [_task(node.type, ref, given, node.run.retries)]
    plan = {**given, "ref": ref, **_lists(node, shape), "retries": node.run.retries, **_ways(node)}
    return [_task(PLAN, f"{ref}_plan", plan), *_fan(ref, node.run.at_once), _collection(node, ref)]


def stream_tasks(nodes: list[Node], shapes: Mapping[str, Shape], slots: Mapping[str, dict[str, str]], item_workflow: str) -> list[Json]:
    """
    The workflow tasks of a stream: one plan, a fork of one workflow an item, and a collection a node; under the references of its first node.

    `slots`: the expressions behind those of each node that are filled outside of the stream.
    """
    first, ref = nodes[0], ref_of(nodes[0].id)
    members = [
        {
            "nodeId": _plain(node.id),
            "ref": ref_of(node.id),
            "settings": f"${{workflow.input.nodes.{ref_of(node.id)}}}",
            "slots": slots[node.id],
            **_lists(node, shapes[node.id]),
        }
        for node in nodes
    ]
    plan = {"nodeId": _plain(first.id), "ref": ref, "runId": "${workflow.workflowId}", "workflow": item_workflow, "members": members, **_ways(first)}
    collections = [_collection(node, ref, {"member": ref_of(node.id), "members": len(nodes)}) for node in nodes]
    return [_task(PLAN, f"{ref}_plan", plan), *_fan(ref, first.run.at_once), *collections]


def item_task(node: Node, slots: dict[str, str]) -> Json:
    """The one task of a node of a stream in the workflow of an item; `slots`: those that are filled by its predecessors there."""
    given = {
        "nodeId": _plain(node.id),
        "nodeType": node.type,
        "settings": f"${{workflow.input.nodes.{ref_of(node.id)}}}",
        "slots": slots,
        "runId": "${workflow.input.runId}",
        "itemIndex": "${workflow.input.itemIndex}",
    }
    return _task(node.type, ref_of(node.id), given, node.run.retries)


def _lists(node: Node, shape: Shape) -> dict[str, Json]:
    """The settings that are taken item by item, and the nodes that their lists come from."""
    return {"mapped": list(shape.mapped), "sources": {name: [_plain(found.node) for found in references_in(node.settings[name])] for name in shape.mapped}}


def _ways(node: Node) -> dict[str, Json]:
    return {"atOnce": node.run.at_once, "optional": node.run.on_item_error != "fail"}


def _collection(node: Node, ref: str, of_stream: dict[str, Json] | None = None) -> Json:
    """The task that carries the node's reference; *ref*: under which the items ran."""
    joined = f"${{{ref}_loop.output}}" if node.run.at_once else f"${{{ref}_join.output}}"
    given = {"nodeId": _plain(node.id), "nodeType": node.type, "ref": ref, "count": f"${{{ref}_plan.output.count}}", "joined": joined}
    return _task(COLLECT, ref_of(node.id), {**given, "onItemError": node.run.on_item_error, **(of_stream or {})})


def _plain(id: str) -> str:
    """The id as it stands in a definition, where an expression in it would be evaluated."""
    return id.replace("${", "$${")


def _fan(ref: str, at_once: int) -> list[Json]:
    source = f"{ref}_loop.output.loopItem" if at_once else f"{ref}_plan.output"
    fork = {
        "name": "fan_out",
        "taskReferenceName": f"{ref}_fork",
        "type": "FORK_JOIN_DYNAMIC",
        "inputParameters": {"tasks": f"${{{source}.tasks}}", "inputs": f"${{{source}.inputs}}"},
        "dynamicForkTasksParam": "tasks",
        "dynamicForkTasksInputParamName": "inputs",
    }
    inner = [fork, {"name": "fan_in", "taskReferenceName": f"{ref}_join", "type": "JOIN", "joinMode": "SYNC"}]
    if not at_once:
        return inner
    loop = {
        "name": "chunks",
        "taskReferenceName": f"{ref}_loop",
        "type": "DO_WHILE",
        "items": f"${{{ref}_plan.output.chunks}}",
        "inputParameters": {},
        "loopCondition": "true",
        "loopOver": inner,
    }
    return [loop]


def _task(name: str, ref: str, given: dict[str, Json], retries: int | None = None) -> Json:
    task = {"name": name, "taskReferenceName": ref, "type": "SIMPLE", "inputParameters": given}
    return task if retries is None else {**task, "retryCount": retries}
