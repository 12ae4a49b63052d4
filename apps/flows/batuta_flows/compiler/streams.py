"""
Streams: mapped nodes whose items go on by themselves, item k of one to item k of the next, without waiting for its siblings.

A node that does not wait for all (`waitForAll: false`) joins the nodes whose items it takes, when it takes nothing else of them, runs its items the same
way, and nothing outside stands between. Every other node is a barrier. Source: flow-builder.md §2, "Item-wise streaming".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from batuta_flows.document import graph
from batuta_flows.document.flow import Node
from batuta_flows.document.shape import Shape


def streams(nodes: Mapping[str, Node], formed: Mapping[str, Shape], needed: Mapping[str, list[str]]) -> list[list[str]]:
    """The streams of at least two nodes, each in the order in which its nodes need each other."""
    order = graph.in_order(needed)
    place = {id: i for i, id in enumerate(order)}
    found: dict[str, list[str]] = {}
    for id in order:
        if not formed[id].is_mapped:
            continue
        found[id] = [id]
        if nodes[id].run.wait_for_all:
            continue
        sources = [used.node for name, used in nodes[id].references() if name in formed[id].mapped and used.node in found and used.node != id]
        members = sorted({id, *(member for source in sources for member in found[source])}, key=place.__getitem__)
        if sources and _go_together(members, nodes, formed, needed):
            for member in members:
                found[member] = members
    return [members for id, members in found.items() if len(members) > 1 and members[0] == id]


def _go_together(members: Collection[str], nodes: Mapping[str, Node], formed: Mapping[str, Shape], needed: Mapping[str, list[str]]) -> bool:
    """Whether item k of each of them needs nothing of the others but their item k."""
    inside = set(members)
    if len({(nodes[id].run.at_once, nodes[id].run.on_item_error) for id in members}) > 1:
        return False
    for id in members:
        used = [name for name, found in nodes[id].references() if found.node in inside]
        if used and (nodes[id].run.wait_for_all or not set(used) <= set(formed[id].mapped)):
            return False
        if inside & set(nodes[id].after):
            return False
    outside = {need for id in members for need in needed[id]} - inside
    return not any(inside & graph.closure(needed, need) for need in outside)
