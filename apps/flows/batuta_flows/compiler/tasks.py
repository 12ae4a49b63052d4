"""
The tasks of one node.

A node that runs once is one task. One that is mapped over a list is four: a plan (lists into items), a dynamic fork of one task an item, its JOIN, and a
collection (results into lists), which carries the node's reference, so whoever uses its outputs need not know. With a bound on how many run at once the
fork stands in a loop over chunks; one at a time is a chunk of one.

Nothing a person typed stands in a definition: settings come as the execution's input, outputs of others through expressions, and the worker puts them
together (document/values.py). So no text is ever evaluated.
"""

from __future__ import annotations

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
    at_once = 1 if node.run.mode == "sequential" else node.run.max_parallel
    sources = {name: [_plain(found.node) for found in references_in(node.settings[name])] for name in shape.mapped}
    plan: Json = {**given, "ref": ref, "mapped": list(shape.mapped), "sources": sources}
    plan |= {"atOnce": at_once, "optional": node.run.on_item_error != "fail", "retries": node.run.retries}
    joined = f"${{{ref}_loop.output}}" if at_once else f"${{{ref}_join.output}}"
    collect = {"nodeId": _plain(node.id), "nodeType": node.type, "ref": ref, "count": f"${{{ref}_plan.output.count}}", "joined": joined}
    collect["onItemError"] = node.run.on_item_error
    return [_task(PLAN, f"{ref}_plan", plan), *_fan(ref, at_once), _task(COLLECT, ref, collect)]


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
