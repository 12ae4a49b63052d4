"""
The graph of a flow: who needs whom, in which order, and where it bites its tail.

Dependencies are the references that have a say and the explicit `after`; references to nodes that do not exist are no edges here (check.py names them).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from batuta_flows.document.flow import Flow


def needs(flow: Flow) -> dict[str, list[str]]:
    """What each node needs, in the order it is mentioned, each once."""
    found: dict[str, list[str]] = {}
    for node in flow.nodes:
        mentioned = [*(reference.node for _, reference in node.references), *node.after]
        found[node.id] = [id for id in dict.fromkeys(mentioned) if id in flow.by_id]
    return found


def in_order(needed: Mapping[str, list[str]]) -> list[str]:
    """All nodes, each behind what it needs, otherwise as they were listed; those of a cycle, and behind one, are left out."""
    waiting = {id: set(before) for id, before in needed.items()}
    followers: dict[str, list[str]] = {id: [] for id in needed}
    for id, before in needed.items():
        for other in before:
            followers[other].append(id)
    place = {id: i for i, id in enumerate(needed)}
    names = list(needed)
    ready = [place[id] for id, before in waiting.items() if not before]  # in order, so a heap
    order: list[str] = []
    while ready:
        id = names[heapq.heappop(ready)]
        order.append(id)
        for follower in followers[id]:
            waiting[follower].discard(id)
            if not waiting[follower]:
                heapq.heappush(ready, place[follower])
    return order


def cycle(needed: Mapping[str, list[str]]) -> list[str]:
    """One cycle, from a node back to itself; empty when there is none."""
    left = {id: list(before) for id, before in needed.items()}
    for id in in_order(needed):
        del left[id]
    if not left:
        return []
    path, at = [], next(iter(left))
    while at not in path:
        path.append(at)
        at = next(other for other in left[at] if other in left)
    return [*path[path.index(at) :], at]


def closure(edges: Mapping[str, list[str]], start: str) -> set[str]:
    """The node and everything that can be reached from it."""
    found, ahead = {start}, [start]
    while ahead:
        for other in edges.get(ahead.pop(), []):
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found


def turned(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The edges the other way round: who is needed by whom."""
    found: dict[str, list[str]] = {id: [] for id in edges}
    for id, others in edges.items():
        for other in others:
            found[other].append(id)
    return found
