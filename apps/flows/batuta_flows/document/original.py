"""
The original Flow Builder's files: `{workflowName, nodes: [{id, type, title, provider, status, config, execution, …}]}`.

Reading sets right what its forms wrote wrongly (numbers as texts, "5 seconds", "4K"), says so, and loses nothing; writing gives a file that the original reads.
Not here: our own document (flow.py).
Source: flow-builder.md §2 and §3.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from batuta_flows.catalogue import NODE_TYPES, Field
from batuta_flows.document.flow import FORMAT, Flow, Node, read_flow, write_flow
from batuta_flows.document.values import kind_of

Json = Any
_NUMBER: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?|bpm|%)?\s*", re.IGNORECASE)
_SAME: Final = {"ltxv": "fal-ai/ltxv-13b-098-distilled", "fal-ai/playht/tts/v3": "fal-ai/playai/tts/v3", "openai/tts-1": "tts-1"}  # ids that never worked
_COLOURS: Final = {  # as ffmpeg names them, which the original's files may
    "white": "#ffffff", "black": "#000000", "yellow": "#ffff00", "red": "#ff0000", "green": "#008000", "blue": "#0000ff", "orange": "#ffa500",
    "gray": "#808080", "grey": "#808080", "cyan": "#00ffff", "magenta": "#ff00ff", "gold": "#ffd700", "silver": "#c0c0c0", "pink": "#ffc0cb",
}  # fmt: skip


def is_original(document: Json) -> bool:
    """Whether a document is not ours, but might be the original's."""
    return isinstance(document, dict) and "format" not in document


def read_original(document: Json) -> tuple[Flow, list[str]]:
    """
    The flow in the original's file, and what was set right in it, one sentence each.

    Raises:
        Malformed: it is no flow.
    """
    flow = read_flow({**document, "format": FORMAT} if isinstance(document, dict) else document)
    notes: list[str] = []
    return msgspec.structs.replace(flow, nodes=tuple(_set_right(node, notes) for node in flow.nodes)), notes


def _set_right(node: Node, notes: list[str]) -> Node:
    known = NODE_TYPES.get(node.type)
    settings = dict(node.settings)
    for field in known.fields if known is not None else ():
        if field.name not in settings or kind_of(settings[field.name]) != "literal":
            continue
        found = settings[field.name]
        meant = _meant(field, found)
        if meant != found or type(meant) is not type(found):
            settings[field.name] = meant
            notes.append(f"{node.id}.{field.name}: {found!r} was read as {meant!r}")
    return msgspec.structs.replace(node, settings=settings)


def _meant(field: Field, value: Json) -> Json:
    if isinstance(value, list) and field.arity == "one":
        return [_meant(field, item) for item in value]
    if not isinstance(value, str):
        return value
    if field.kind in ("number", "integer") and (number := _NUMBER.fullmatch(value)):
        amount = float(number[1])
        return int(amount) if field.kind == "integer" or amount.is_integer() else amount
    if field.kind == "boolean" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if field.kind == "choice" and value not in field.choices:
        return next((choice for choice in field.choices if choice.lower() == value.lower()), value)
    if field.kind == "color":
        return _COLOURS.get(value.lower(), value)
    return _SAME.get(value, value) if field.kind == "model" else value


def write_original(flow: Flow) -> dict[str, Json]:
    """The file that the original reads: our own additions stay in it as fields it ignores."""
    document = write_flow(flow)
    del document["format"]
    for written, node in zip(document["nodes"], flow.nodes, strict=True):
        run = node.run
        written["execution"] = {"mode": run.mode, "waitForAll": run.wait_for_all, "aggregateItems": run.aggregate_items, **written["execution"]}
    return document
