"""
What one run of a flow will cost, about: each node's provider, model, price and number of items, as far as they are known before anything runs. Pure.

Where a list is only known when it is there, its usual length is counted, and said to be a guess. Not here: what was spent, and the caps (records/spend.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec

from batuta_flows.catalogue import Provider
from batuta_flows.document import graph
from batuta_flows.document.flow import Flow, Node
from batuta_flows.document.shape import Shape, shapes
from batuta_flows.document.values import kind_of, parts_of, reference
from batuta_flows.workers.inputs import complete

Json = Any
USUAL_ITEMS: Final = 4


class NodePrice(msgspec.Struct, frozen=True, rename="camel"):
    """What a node costs: `items` times the price of one. `is_guess`: how many items there will be is not known."""

    node_id: str
    provider: str
    model: str
    items: int
    usd: float
    is_guess: bool


class Estimate(msgspec.Struct, frozen=True, rename="camel"):
    """What a run costs, and of what that is made: the nodes that cost something."""

    usd: float
    is_guess: bool
    nodes: list[NodePrice]


def estimate(flow: Flow, configured: Collection[str]) -> Estimate:
    """The price of one run in which nothing is remembered. A flow with circles or nodes of unknown types is counted as far as it goes."""
    found = [price for price in _prices(flow, configured) if price.usd]
    return Estimate(round(sum(price.usd for price in found), 4), any(price.is_guess for price in found), found)


def chosen(node: Node, configured: Collection[str]) -> Provider | None:
    """The provider that would do a node's work; None when there is none."""
    node_type = node.node_type
    wanted = node.settings.get("provider") or "auto"
    usable = [p for p in node_type.providers if p.is_local or p.id in configured] if node_type is not None else []
    return next((provider for provider in usable if wanted in ("auto", provider.id)), None)


def _prices(flow: Flow, configured: Collection[str]) -> Iterator[NodePrice]:
    counts: dict[str, tuple[int, bool]] = {} if graph.cycle(graph.needs(flow)) else _counts(flow)
    for node in flow.nodes:
        provider = chosen(node, configured)
        if provider is None or not node.enabled:
            continue
        settings = complete(node.type, node.settings)
        items, is_guess = counts.get(node.id, (1, True))
        usd = provider.price_usd(settings) * items
        yield NodePrice(node.id, provider.id, provider.model(settings), items, round(usd, 6), is_guess)


def _counts(flow: Flow) -> dict[str, tuple[int, bool]]:
    """How often each node runs, and whether that is a guess."""
    found: dict[str, tuple[int, bool]] = {}
    formed, nodes = shapes(flow), flow.by_id
    for id in graph.in_order(graph.needs(flow)):
        found[id] = _count(nodes[id], formed[id], nodes, found)
    return found


def _count(node: Node, shape: Shape, nodes: dict[str, Node], known: dict[str, tuple[int, bool]]) -> tuple[int, bool]:
    if not shape.is_mapped:
        return 1, False
    lengths = [_length(node.settings.get(name), nodes, known) for name in shape.mapped]
    return next((length for length in lengths if not length[1]), lengths[0])


def _length(value: Json, nodes: dict[str, Node], known: dict[str, tuple[int, bool]]) -> tuple[int, bool]:
    """How many items a value has, and whether that is a guess."""
    match kind_of(value):
        case "reference":
            there = reference(value)
            if there.node in nodes:
                return _made(nodes[there.node], there.output, known)
        case "text":
            lengths = [_length(part, nodes, known) for part in parts_of(value) if kind_of(part) == "reference"]
            return next((length for length in lengths if not length[1]), lengths[0] if lengths else (1, True))
    return (len(value), False) if isinstance(value, list) else (USUAL_ITEMS, True)


def _made(node: Node, output: str, known: dict[str, tuple[int, bool]]) -> tuple[int, bool]:
    """How many items an output of a node has."""
    port = node.node_type.output(output, node.settings) if node.node_type is not None else None
    if port is None or not port.many:
        return known.get(node.id, (USUAL_ITEMS, True))
    settings = complete(node.type, node.settings)
    if node.type == "split_text" and settings.get("splitMode") == "text" and isinstance(settings.get("numSegments"), int):
        return int(settings["numSegments"]), False
    files = settings.get("files")
    if node.type == "upload_files" and isinstance(files, list) and all(kind_of(one) == "literal" for one in files):
        return len(files), False
    return USUAL_ITEMS, True

