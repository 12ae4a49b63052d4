"""
What a node is given: its settings with everything filled in, in the shape its handler expects.

Here: slots, defaults, prompts laid behind one another, single values for ports that take many. Not here: items of lists (items.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.document.values import filled, unsealed, written

Json = Any
PROMPTS: Final = ("prompt", "prompt2", "prompt3", "prompt4")


def settings_of(task_input: Mapping[str, Json]) -> dict[str, Json]:
    """The settings a task was given, with its slots filled. An item without slots has had them filled before (items.py)."""
    settings = unsealed(task_input.get("settings") or {})
    if "slots" in task_input:
        settings = filled(settings, task_input["slots"] or {})
    return settings if isinstance(settings, dict) else {}


def complete(type_name: str, settings: Mapping[str, Json]) -> dict[str, Json]:
    """Settings of one run of a handler: with the type's defaults, one prompt, and lists where a port takes many."""
    node_type = NODE_TYPES[type_name]
    done = {field.name: field.default for field in node_type.fields if field.default is not None}
    done |= {name: value for name, value in settings.items() if value is not None}
    if done.pop("concatPrompts", False):
        said = [written(done[name]) for name in PROMPTS if done.get(name) not in (None, "")]
        if said:
            done["prompt"] = "\n\n".join(said)
    for name in PROMPTS[1:]:
        done.pop(name, None)
    for field in node_type.fields:
        if field.arity == "many" and field.name in done and not isinstance(done[field.name], list):
            done[field.name] = [done[field.name]]
    return done
