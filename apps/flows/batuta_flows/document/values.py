"""
Values of settings: literals, references to other nodes' outputs, and texts with references in them.

A reference is `{"_type": "reference", "nodeId": …, "outputKey": …}`, wherever in a value it stands; a text is `{"_type": "text", "parts": [text or
reference, …]}`. Before a flow runs, references give way to slots (`{"_type": "slot", "slot": "s0"}`), which are filled when the referenced outputs
are there; so what people typed never passes through the orchestrator's expressions.

Here: finding, replacing and filling. Not here: whether a reference is a good one (check.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

Json = Any
TYPE: Final = "_type"
DEPTH_MAX: Final = 32


class Reference(msgspec.Struct, frozen=True):
    """An output of another node."""

    node: str
    output: str

    def to_json(self) -> dict[str, str]:
        return {TYPE: "reference", "nodeId": self.node, "outputKey": self.output}


def kind_of(value: Json) -> str:
    """`reference`, `text`, `slot`, or `literal` for everything else."""
    kind = value.get(TYPE) if isinstance(value, dict) else None
    return kind if kind in ("reference", "text", "slot") else "literal"


def reference(value: Mapping[str, Json]) -> Reference:
    """The reference that a value of that kind is; its parts are empty texts where they are missing."""
    return Reference(str(value.get("nodeId") or ""), str(value.get("outputKey") or ""))


def parts_of(value: Mapping[str, Json]) -> list[Json]:
    """The parts of a text, in order."""
    parts = value.get("parts")
    return parts if isinstance(parts, list) else []


def references_in(value: Json, depth: int = 0) -> Iterator[Reference]:
    """Every reference in a value, in order. What lies deeper than 32 levels is not looked at; check.py refuses it."""
    if depth > DEPTH_MAX:
        return
    match kind_of(value):
        case "reference":
            yield reference(value)
        case "text":
            for part in parts_of(value):
                yield from references_in(part, depth + 1)
        case "literal":
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            for item in inner:
                yield from references_in(item, depth + 1)


def replaced(value: Json, new: Callable[[Reference], Json]) -> Json:
    """The value with every reference replaced."""
    match kind_of(value):
        case "reference":
            return new(reference(value))
        case "text":
            return {**value, "parts": [replaced(part, new) for part in parts_of(value)]}
    if isinstance(value, dict):
        return {key: replaced(item, new) for key, item in value.items()}
    return [replaced(item, new) for item in value] if isinstance(value, list) else value


def slot(name: str) -> dict[str, str]:
    """The place of a reference whose value comes later under this name."""
    return {TYPE: "slot", "slot": name}


def filled(value: Json, slots: Mapping[str, Json]) -> Json:
    """The value with what its slots stand for; texts become one text."""
    match kind_of(value):
        case "slot":
            return slots.get(str(value.get("slot")))
        case "text":
            return "".join(written(filled(part, slots)) for part in parts_of(value))
    if isinstance(value, dict):
        return {key: filled(item, slots) for key, item in value.items()}
    return [filled(item, slots) for item in value] if isinstance(value, list) else value


def partly_filled(value: Json, slots: Mapping[str, Json]) -> Json:
    """The value with what these slots stand for; other slots, and texts with such slots in them, are left for later."""
    match kind_of(value):
        case "slot":
            return slots[value["slot"]] if value.get("slot") in slots else value
        case "text":
            parts = [partly_filled(part, slots) for part in parts_of(value)]
            return {**value, "parts": parts} if any(kind_of(part) == "slot" for part in parts) else "".join(written(part) for part in parts)
    if isinstance(value, dict):
        return {key: partly_filled(item, slots) for key, item in value.items()}
    return [partly_filled(item, slots) for item in value] if isinstance(value, list) else value


def has_slots(value: Json) -> bool:
    """Whether a slot is left anywhere in a value."""
    if kind_of(value) == "slot":
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(has_slots(item) for item in inner)


def sealed(value: Json) -> Json:
    """
    The value in a form in which no expression is seen; itself when there is nothing in it that looks like one.

    Conductor evaluates what a dynamic fork gives to its tasks, although it came through an expression.
    """
    text = json.dumps(value, ensure_ascii=False)
    return {TYPE: "sealed", "json": text.replace("$", "\\u0024")} if "$" in text else value


def unsealed(value: Json) -> Json:
    """What was sealed."""
    return json.loads(value["json"]) if isinstance(value, dict) and value.get(TYPE) == "sealed" else value


def written(value: Json) -> str:
    """A value inside a text: texts as they are, nothing as nothing, everything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
