"""Names that survive: references of tasks follow from ids of nodes, names of definitions from what is in them."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any, Final

import msgspec

PLAN: Final = "flow_plan"  # the task that makes items out of lists
COLLECT: Final = "flow_collect"  # the task that makes lists out of items' results


@lru_cache(maxsize=4096)
def ref_of(node_id: str) -> str:
    """The task reference of a node: readable, unique, and the same wherever the node stands in its flow."""
    return f"n_{_slug(node_id, 24)}_{hashlib.sha256(node_id.encode()).hexdigest()[:8]}"


def definition_name(flow_name: str, structure: Any) -> str:
    """The name under which this structure is registered: the same structure, the same name."""
    digest = hashlib.sha256(msgspec.json.encode(structure, order="sorted")).hexdigest()[:12]
    return f"flow_{_slug(flow_name, 32)}_{digest}"


def _slug(text: str, most: int) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:most].strip("_") or "x"
