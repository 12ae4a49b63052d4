"""
Check: every problem of a flow, by node and field, before anything runs.

Here: rules that follow from the document and the catalogue. Not here: whether a provider's key is set (the caller says which are configured).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, Final, Literal

import msgspec

from batuta_flows.catalogue import NODE_TYPES, Field, NodeType, Provider, fits
from batuta_flows.catalogue.models import model_of
from batuta_flows.document import graph
from batuta_flows.document.flow import Flow, Node
from batuta_flows.document.shape import Shape, shapes
from batuta_flows.document.values import DEPTH_MAX, Reference, kind_of, references_in

Json = Any
_ID_MAX: Final = 200
_NUMBER_MAX: Final = 1e15  # none of what a node is told to do is larger, and JavaScript's numbers are exact up to there


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that is wrong, and where. A warning does not keep a flow from running."""

    node_id: str
    field: str
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = ".".join(part for part in (self.node_id, self.field) if part)
        return f"{where}: {self.message}" if where else self.message


def problems(flow: Flow, configured: frozenset[str] | None = None, today: date | None = None) -> list[Problem]:
    """
    All problems, in the order of the nodes. `configured`: ids of the providers that can be used now; None: not known, so not looked at. `today`: so that
    models which end are named.
    """
    return list(_problems(flow, configured, today))


def _problems(flow: Flow, configured: frozenset[str] | None, today: date | None) -> Iterator[Problem]:
    counts = Counter(node.id for node in flow.nodes)
    repeated = [id for id, count in counts.items() if count > 1]
    for id in repeated:
        yield Problem(id, "id", "duplicate_id", f"{counts[id]} nodes have the id {id!r}; each needs its own")
    if loop := graph.cycle(graph.needs(flow)):
        yield Problem(loop[0], "", "cycle", f"the nodes need each other in a circle: {' → '.join(loop)}")
    known = {} if repeated or loop else shapes(flow)
    for node in flow.nodes:
        if len(node.id) > _ID_MAX:
            yield Problem(node.id, "id", "long_id", f"the id has {len(node.id)} characters, expected at most {_ID_MAX}")
        node_type = NODE_TYPES.get(node.type)
        if node_type is None:
            yield Problem(node.id, "type", "unknown_type", f"found {node.type!r}, expected one of {', '.join(NODE_TYPES)}")
            continue
        yield from _settings(node, node_type)
        yield from _references(flow, node, node_type)
        if node.id in known:
            yield from _lists(node, node_type, known[node.id])
        yield from _provider(node, node_type, configured, today)
        for other in node.after:
            if flow.node(other) is None or other == node.id:
                yield Problem(node.id, "after", "unknown_node", f"{other!r} is no other node of this flow")


# -- settings ---------------------------------------------------------------------------------------------------------------------


def _settings(node: Node, node_type: NodeType) -> Iterator[Problem]:
    live = node.live_settings
    for field in node_type.fields:
        if field.name in live:
            yield from _literals(node, field, live[field.name])
        elif field.required and field.default is None:
            yield Problem(node.id, field.name, "required", f"{field.title} is needed: give a value or link another node's output")
    for name in live:
        if node_type.field(name) is None:
            yield Problem(node.id, name, "unknown_field", f"{node_type.title} has no setting {name!r}; it is ignored", "warning")


def _literals(node: Node, field: Field, value: Json, depth: int = 0) -> Iterator[Problem]:
    if depth > DEPTH_MAX:
        yield Problem(node.id, field.name, "too_deep", f"the value is nested deeper than {DEPTH_MAX} levels")
        return
    if kind_of(value) != "literal":
        return
    if isinstance(value, list) and field.is_port:
        for item in value:
            yield from _literals(node, field, item, depth + 1)
        return
    if wrong := _mismatch(field, value):
        yield Problem(node.id, field.name, "wrong_value", f"found {value!r}, expected {wrong}")


def _mismatch(field: Field, value: Json) -> str:
    """What was expected instead of this literal; empty when it is one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _NUMBER_MAX
    match field.kind:
        case "number" | "integer":
            if not is_number or (field.kind == "integer" and value % 1):
                return "a whole number" if field.kind == "integer" else "a number"
            low, high = field.minimum, field.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                return f"{low:g} to {high:g}" if low is not None and high is not None else f"at least {low:g}" if low is not None else f"at most {high:g}"
        case "boolean" if not isinstance(value, bool):
            return "true or false"
        case "choice" if value not in field.choices:
            return f"one of {', '.join(field.choices)}"
        case "media" | "list":
            return "" if isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("url"), str)) else "a URL, or {name, url}"
        case "text" | "longtext" | "model" | "color" if not isinstance(value, str) and not is_number:
            return "a text"
    if field.pattern and not re.fullmatch(field.pattern, str(value)):
        return field.help
    return ""


# -- references -------------------------------------------------------------------------------------------------------------------


def _references(flow: Flow, node: Node, node_type: NodeType) -> Iterator[Problem]:
    for name, found in node.references:
        if problem := _reference(flow, node, node_type.field(name), found):
            yield Problem(node.id, name, *problem)


def _reference(flow: Flow, node: Node, field: Field | None, found: Reference) -> tuple[str, str] | None:
    """The code and the message of what is wrong with a reference."""
    if found.node == node.id:
        return "self_reference", "the node refers to itself"
    source = flow.node(found.node)
    if source is None:
        return "unknown_node", f"{found.node!r} is no node of this flow; it may have been deleted"
    if not source.enabled:
        return "disabled_node", f"{source.title or source.id} is switched off, and nothing comes out of it"
    source_type = NODE_TYPES.get(source.type)
    if source_type is None or found.output == "items":
        return None
    port = source_type.output(found.output, source.settings)
    if port is None:
        outputs = ", ".join(output.name for output in source_type.outputs_of(source.settings))
        return "unknown_output", f"{source_type.title} has no output {found.output!r}; it has {outputs}"
    if field is not None and not field.is_port:
        return "not_linkable", f"{field.title} cannot be linked; give a value"
    if field is not None and not fits(port.medium, field.accepts):
        return "type_mismatch", f"{source.title or source.id}.{found.output} is {port.medium}; {field.title} takes {' or '.join(field.accepts)}"
    return None


# -- lists ------------------------------------------------------------------------------------------------------------------------


def _lists(node: Node, node_type: NodeType, shape: Shape) -> Iterator[Problem]:
    for name in shape.nested:
        yield Problem(node.id, name, "nested_list", "this would be a list of lists; link the items one by one, or gather them first")
    if len(set(shape.lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in shape.lengths.items())
        yield Problem(node.id, next(iter(shape.lengths)), "unequal_lists", f"lists that go in step need one length: {told}")
    if node.run.aggregate_items and not node_type.aggregates():
        yield Problem(node.id, "execution", "cannot_aggregate", f"{node_type.title} has no port that takes a whole list")
    if node.run.max_parallel < 0:
        yield Problem(node.id, "execution", "wrong_value", f"maxParallel: found {node.run.max_parallel}, expected 0 (all at once) or more")
    if node.run.retries is not None and not 0 <= node.run.retries <= 10:
        yield Problem(node.id, "execution", "wrong_value", f"retries: found {node.run.retries}, expected 0 to 10")


# -- providers --------------------------------------------------------------------------------------------------------------------


def _provider(node: Node, node_type: NodeType, configured: frozenset[str] | None, today: date | None) -> Iterator[Problem]:
    wanted = node.settings.get("provider") or "auto"
    if not isinstance(wanted, str) or (wanted != "auto" and node_type.provider(wanted) is None):
        names = ", ".join(("auto", *(provider.id for provider in node_type.providers)))
        yield Problem(node.id, "provider", "unknown_provider", f"found {wanted!r}, expected one of {names}")
        return
    usable = [p for p in node_type.providers if configured is None or p.is_local or p.id in configured]
    chosen = node_type.provider(wanted) if wanted != "auto" else next(iter(usable), None)
    if chosen is None or (configured is not None and chosen not in usable):
        missing = sorted({need for p in ([chosen] if chosen else node_type.providers) for need in p.needs})
        yield Problem(node.id, "provider", "not_configured", f"{node_type.title} needs {' or '.join(missing)} in the environment")
        return
    for name in chosen.ignores:
        if name in node.live_settings and next(references_in(node.live_settings[name]), None) is None and _is_set(node_type, node, name):
            yield Problem(node.id, name, "ignored_field", f"{chosen.title} does not heed {name}", "warning")
    wanted = node.live_settings.get("model")
    if chosen.id == "fal" and isinstance(wanted, str) and "/" not in wanted:
        named = next(iter(chosen.models), "fal-ai/flux/schnell")
        yield Problem(node.id, "model", "unknown_model", f"{wanted!r} is no model of fal; their names have an owner, such as {named}")
    elif today is not None:
        yield from _model(node, chosen, today)


def _model(node: Node, chosen: Provider, today: date) -> Iterator[Problem]:
    """Whether the model that would do the work is shut down, or will be. A warning: the table may be older than the provider's mind."""
    known = model_of(chosen.id, chosen.model(node.settings))
    if known is None or known.ends is None:
        return
    day = f"{known.ends.day} {known.ends:%B %Y}"
    code, said = ("model_ended", f"was shut down on {day}") if known.ends <= today else ("model_ends", f"is shut down on {day}")
    yield Problem(node.id, "model", code, f"{known.id} {said}; {chosen.title} recommends {known.instead}", "warning")


def _is_set(node_type: NodeType, node: Node, name: str) -> bool:
    field = node_type.field(name)
    return field is not None and node.settings[name] != field.default
