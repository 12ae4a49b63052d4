"""
Streams: mapped nodes whose items go on by themselves, item k of one to item k of the next, without waiting for its siblings.

A node that does not wait for all (`waitForAll: false`) joins the nodes whose items it takes, when it takes nothing else of them, runs its items the same
way, and nothing outside stands between. Every other node is a barrier. Source: flow-builder.md §2, "Item-wise streaming".
"""

from __future__ import annotations

from collections.abc import Collection, KeysView, Mapping

from batuta_flows.document import graph
from batuta_flows.document.flow import Node
from batuta_flows.document.shape import Shape
from batuta_flows.document.values import Reference

References = Mapping[str, list[tuple[str, Reference]]]


def streams(nodes: Mapping[str, Node], formed: Mapping[str, Shape], needed: Mapping[str, list[str]]) -> list[list[str]]:
    """The streams of at least two nodes, each in the order in which its nodes need each other."""
    order = graph.in_order(needed)
    place = {id: i for i, id in enumerate(order)}
    used = {id: nodes[id].references() for id in order if formed[id].is_mapped}
    found: dict[str, list[str]] = {}
    for id in used:
        found[id] = [id]
        if nodes[id].run.wait_for_all:
            continue
        sources = {member.node for name, member in used[id] if name in formed[id].mapped and member.node in found} - {id}
        groups = list({found[source][0]: found[source] for source in sources}.values())
        joined = [member for group in groups for member in group]
        new = [id] if len(groups) == 1 else [*joined, id]  # who follows one stream alone changes nothing for the nodes of it
        if groups and _go_together(dict.fromkeys([*joined, id]).keys(), new, nodes, formed, needed, used):
            members = sorted([*joined, id], key=place.__getitem__)
            found |= dict.fromkeys(members, members)
    return [members for id, members in found.items() if len(members) > 1 and members[0] == id]


def _go_together(
    inside: KeysView[str], new: Collection[str], nodes: Mapping[str, Node], formed: Mapping[str, Shape], needed: Mapping[str, list[str]], used: References
) -> bool:
    """Whether item k of each of the *new* ones needs nothing of the others *inside* but their item k."""
    if len({(nodes[id].run.at_once, nodes[id].run.on_item_error) for id in (next(iter(inside)), *new)}) > 1:
        return False
    for id in new:
        taken = {name for name, member in used[id] if member.node in inside}
        if (taken and nodes[id].run.wait_for_all) or not taken <= set(formed[id].mapped) or inside & set(nodes[id].after):
            return False
    outside = {need for id in new for need in needed[id]} - inside
    return not any(inside & graph.closure(needed, need) for need in outside)
