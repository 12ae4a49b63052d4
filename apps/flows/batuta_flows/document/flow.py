"""
What a flow is: nodes, their settings, how they run. One document format, a superset of the original Flow Builder's file.

Here: the structures, reading and writing them without loss. Not here: old habits of the original's files (original.py), whether a flow makes sense
(check.py), how it becomes a workflow (compiler/).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from batuta_flows.catalogue import NODE_TYPES, NodeType
from batuta_flows.document.values import Reference, references_in
from batuta_flows.errors import Malformed

Json = Any
FORMAT: Final = "batuta-flow/1"
NODES_MAX: Final = 2_000
_PROMPTS: Final = ("prompt2", "prompt3", "prompt4")

OnItemError = Literal["fail", "skip", "placeholder"]


class Run(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """
    How a node runs over the items of a list. `max_parallel` 0: all at once; `retries` None: as its type says.

    `wait_for_all` False: an item begins as soon as what it takes of its own predecessor is there, before its predecessor's siblings are.
    """

    mode: Literal["parallel", "sequential"] = "parallel"
    wait_for_all: bool = True
    aggregate_items: bool = False
    max_parallel: int = 0
    on_item_error: OnItemError = "fail"
    retries: int | None = None

    @property
    def at_once(self) -> int:
        """How many items run at once; 0: all of them."""
        return 1 if self.mode == "sequential" else self.max_parallel

    @property
    def aggregates(self) -> bool:
        """Whether lists go whole into the ports that can take them; only what is waited for can be gathered."""
        return self.wait_for_all and self.aggregate_items


class Node(msgspec.Struct, frozen=True, dict=True):
    """One node. `settings` holds literals, references and texts with references; `extra` what we do not know, to give it back as it came."""

    id: str
    type: str
    title: str = ""
    settings: dict[str, Json] = msgspec.field(default_factory=dict)
    run: Run = msgspec.field(default_factory=Run)
    after: tuple[str, ...] = ()  # nodes that must have ended before, though nothing of theirs is used
    enabled: bool = True
    position: tuple[float, float] | None = None
    extra: dict[str, Json] = msgspec.field(default_factory=dict)

    @property
    def node_type(self) -> NodeType | None:
        return NODE_TYPES.get(self.type)

    @cached_property
    def live_settings(self) -> dict[str, Json]:
        """The settings that have a say: further prompts count only while they are concatenated, empty texts and nulls not at all."""
        ignored = () if self.settings.get("concatPrompts") else _PROMPTS
        return {name: value for name, value in self.settings.items() if value is not None and value != "" and name not in ignored}

    @cached_property
    def references(self) -> list[tuple[str, Reference]]:
        """The references that have a say, each with the name of its field."""
        return [(name, found) for name, value in self.live_settings.items() for found in references_in(value)]


class Flow(msgspec.Struct, frozen=True, dict=True):
    """A whole flow, its nodes in the order in which they are shown."""

    name: str
    nodes: tuple[Node, ...]
    extra: dict[str, Json] = msgspec.field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """The nodes by their ids; of several with one id, which check.py refuses, the first."""
        return {node.id: node for node in reversed(self.nodes)}

    def node(self, id: str) -> Node | None:
        return self.by_id.get(id)


# -- reading and writing ----------------------------------------------------------------------------------------------------------

_NODE_KEYS: Final = frozenset({"id", "type", "title", "config", "execution", "after", "enabled", "position"})
_RUN_KEYS: Final = frozenset(Run.__struct_encode_fields__)
_FLOW_KEYS: Final = frozenset({"format", "workflowName", "name", "nodes"})


def read_flow(document: Json) -> Flow:
    """
    The flow in a document of ours; the original's files go through `original.read_original` first.

    Raises:
        Malformed: it is no flow; the message names the place, what was found and what was expected.
    """
    if not isinstance(document, dict):
        raise Malformed("", f"found {_word(document)}, expected an object with `nodes`")
    found = document.get("format", FORMAT)
    if found != FORMAT:
        raise Malformed("format", f"found {found!r}, expected {FORMAT!r}; a newer version may have written it")
    nodes = document.get("nodes")
    if not isinstance(nodes, list) or not nodes:
        raise Malformed("nodes", "Nodes array is required" if not nodes else f"found {_word(nodes)}, expected a list of nodes")
    if len(nodes) > NODES_MAX:
        raise Malformed("nodes", f"found {len(nodes)} nodes, expected at most {NODES_MAX}")
    name = document.get("workflowName") or document.get("name") or ""
    if not isinstance(name, str):
        raise Malformed("workflowName", f"found {_word(name)}, expected a text")
    extra = {key: value for key, value in document.items() if key not in _FLOW_KEYS}
    return Flow(name, tuple(_read_node(node, f"nodes[{i}]") for i, node in enumerate(nodes)), extra)


def _read_node(found: Json, place: str) -> Node:
    if not isinstance(found, dict):
        raise Malformed(place, f"found {_word(found)}, expected an object with `id` and `type`")
    for key in ("id", "type"):
        if not isinstance(found.get(key), str) or not found[key]:
            raise Malformed(f"{place}.{key}", f"found {_word(found.get(key))}, expected a text")
    settings = found.get("config") or {}
    if not isinstance(settings, dict):
        raise Malformed(f"{place}.config", f"found {_word(settings)}, expected an object")
    try:
        run = msgspec.convert(found.get("execution") or {}, Run, strict=False)
        after = msgspec.convert(found.get("after") or (), tuple[str, ...])
        position = msgspec.convert(found.get("position"), tuple[float, float] | None)
    except msgspec.ValidationError as error:
        raise Malformed(f"{place}", str(error)) from None
    title = found.get("title")
    extra = {key: value for key, value in found.items() if key not in _NODE_KEYS}
    if unknown := {key: value for key, value in (found.get("execution") or {}).items() if key not in _RUN_KEYS}:
        extra["execution"] = unknown
    return Node(
        found["id"], found["type"], title if isinstance(title, str) else "", settings, run, after, found.get("enabled") is not False, position, extra
    )


def write_flow(flow: Flow) -> dict[str, Json]:
    """The document of a flow: what `read_flow` reads gives the same flow."""
    return {**flow.extra, "format": FORMAT, "workflowName": flow.name, "nodes": [_write_node(node) for node in flow.nodes]}


def _write_node(node: Node) -> dict[str, Json]:
    written: dict[str, Json] = {**node.extra, "id": node.id, "type": node.type, "title": node.title, "config": node.settings}
    written["execution"] = {**node.extra.get("execution", {}), **msgspec.to_builtins(node.run)}
    if node.after:
        written["after"] = list(node.after)
    if not node.enabled:
        written["enabled"] = False
    if node.position is not None:
        written["position"] = list(node.position)
    return written


def _word(value: Json) -> str:
    """What a value is, in JSON's words and short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case str():
            return f"the text {value[:40]!r}"
        case int() | float():
            return f"the number {value}"
        case list():
            return f"a list of {len(value)}"
        case Mapping():
            return "an object"
    return type(value).__name__
