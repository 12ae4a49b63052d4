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

Stream = dict[str, None]  # its nodes, in the order in which they need each other


def streams(nodes: Mapping[str, Node], formed: Mapping[str, Shape], needed: Mapping[str, list[str]]) -> list[list[str]]:
    """The streams of at least two nodes, each in the order in which its nodes need each other."""
    order = graph.in_order(needed)
    place = {id: i for i, id in enumerate(order)}
    found: dict[str, Stream] = {}
    for id in order:
        if not formed[id].is_mapped:
            continue
        found[id] = {id: None}
        if nodes[id].run.wait_for_all:
            continue
        sources = [member.node for name, member in nodes[id].references if name in formed[id].mapped and member.node in found and member.node != id]
        groups = list({next(iter(found[source])): found[source] for source in sources}.values())
        if len(groups) == 1:  # who follows one stream alone changes nothing for the nodes of it
            groups[0][id] = None
            if _go_together(groups[0], [id], nodes, formed, needed):
                found[id] = groups[0]
            else:
                del groups[0][id]
        elif groups:
            members = dict.fromkeys(sorted([id, *(member for group in groups for member in group)], key=place.__getitem__))
            if _go_together(members, members, nodes, formed, needed):
                found |= dict.fromkeys(members, members)
    return [list(members) for id, members in found.items() if len(members) > 1 and next(iter(members)) == id]


def _go_together(
    inside: Stream, new: Collection[str], nodes: Mapping[str, Node], formed: Mapping[str, Shape], needed: Mapping[str, list[str]]
) -> bool:
    """Whether item k of each of the *new* ones needs nothing of the others *inside* but their item k."""
    if len({(nodes[id].run.at_once, nodes[id].run.on_item_error) for id in (next(iter(inside)), *new)}) > 1:
        return False
    for id in new:
        taken = {name for name, member in nodes[id].references if member.node in inside}
        if (taken and nodes[id].run.wait_for_all) or not taken.issubset(formed[id].mapped) or not inside.keys().isdisjoint(nodes[id].after):
            return False
    outside = {need for id in new for need in needed[id] if need not in inside}
    return all(inside.keys().isdisjoint(graph.closure(needed, need)) for need in outside)
