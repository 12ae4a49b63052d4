"""
Shapes: which settings are lists, which nodes therefore run item by item, and which outputs are lists in turn. Known before anything runs.

The rules: a list into a port for one is a map over its items; a list into a port for many goes whole; one value into a port for many is a list of one;
several mapped settings go in step, item by item. A list of lists does not come about: check.py refuses it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from batuta_flows.catalogue import NODE_TYPES, Field
from batuta_flows.document import graph
from batuta_flows.document.flow import Flow, Node
from batuta_flows.document.values import kind_of, parts_of, reference, references_in

Json = Any


class Shape(msgspec.Struct, frozen=True):
    """
    How a node runs. `mapped`: the settings it takes item by item; empty: it runs once. `lengths`: how many items each of them has, where that is known.

    `nested`: settings that would be lists of lists.
    """

    mapped: tuple[str, ...] = ()
    lengths: dict[str, int] = msgspec.field(default_factory=dict)
    nested: tuple[str, ...] = ()

    @property
    def is_mapped(self) -> bool:
        return bool(self.mapped)


def shapes(flow: Flow) -> dict[str, Shape]:
    """The shape of each node of a flow without cycles; nodes of unknown types, and references that lead nowhere, count as single values."""
    found: dict[str, Shape] = {}
    for id in graph.in_order(graph.needs(flow)):
        found[id] = _shape(flow.by_id[id], flow.by_id, found)
    return found


def is_list(node: Node, output: str, shape: Shape) -> bool:
    """Whether this output of a node is a list."""
    known = NODE_TYPES.get(node.type)
    port = known.output(output, node.settings) if known is not None else None
    return shape.is_mapped or (port is not None and port.many) or output == "items"


def _shape(node: Node, nodes: dict[str, Node], known: dict[str, Shape]) -> Shape:
    node_type = NODE_TYPES.get(node.type)
    mapped, nested, lengths = [], [], {}
    for name, value in node.live_settings.items():
        field = node_type.field(name) if node_type is not None else None
        if field is None or not field.is_port:
            continue
        depth = _depth(value, nodes, known)
        if depth > 1:
            nested.append(name)
        elif depth == 1 and not _goes_whole(field, node):
            mapped.append(name)
            if isinstance(value, list):
                lengths[name] = len(value)
    outputs_lists = node_type is not None and mapped and any(output.many for output in node_type.outputs_of(node.settings))
    return Shape(tuple(mapped), lengths, tuple(nested or (mapped if outputs_lists else ())))


def _goes_whole(field: Field, node: Node) -> bool:
    return field.takes_many(node.run.aggregates)


def _depth(value: Json, nodes: dict[str, Node], known: dict[str, Shape]) -> int:
    """How many lists deep a value is: 0 one value, 1 a list, 2 a list of lists."""
    match kind_of(value):
        case "reference":
            there = reference(value)
            node, shape = nodes.get(there.node), known.get(there.node)
            return int(node is not None and shape is not None and is_list(node, there.output, shape))
        case "text":
            return max((_depth(part, nodes, known) for part in parts_of(value)), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(item, nodes, known) for item in value if kind_of(item) != "literal" or isinstance(item, list)), default=0)
    # a reference inside an object, such as {name, url: reference}: a list there is a list of lists to whoever reads the object
    return max((_depth(found.to_json(), nodes, known) for found in references_in(value)), default=0)
