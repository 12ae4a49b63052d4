"""
Layout: which nodes follow one another in a branch, and what each branch waits for.

Every node starts as soon as what it needs is there, whatever the order of the list. A node goes on in the branch of one of its needs when that one is the
branch's last; what else it needs, it waits for with a JOIN. One branch alone is a plain sequence.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from batuta_flows.document import graph


class Step(msgspec.Struct, frozen=True):
    """One node in its branch; `waits` are the nodes of other branches that it needs."""

    node: str
    waits: tuple[str, ...] = ()


def branches(needed: Mapping[str, list[str]]) -> list[list[Step]]:
    """The branches of a flow without cycles."""
    found: list[list[Step]] = []
    at_end: dict[str, list[Step]] = {}  # the branch of which this node is the last, so far
    for id in graph.in_order(needed):
        follows = next((need for need in reversed(needed[id]) if need in at_end), None)
        waits = tuple(need for need in needed[id] if need != follows)
        if follows is None:
            branch: list[Step] = []
            found.append(branch)
        else:
            branch = at_end.pop(follows)
        branch.append(Step(id, waits))
        at_end[id] = branch
    return found
