"""
The catalogue: every type of node, its settings, its ports and who can do its work. Data, and nothing that runs.

Where to look next: base.py for the words, input.py, generation.py, processing.py and output.py for the types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from batuta_flows.catalogue import generation, input, output, processing
from batuta_flows.catalogue.base import MEDIA, Arity, Field, Json, Medium, NodeType, Output, Provider, fits

NODE_TYPES: Final[Mapping[str, NodeType]] = {t.name: t for t in (*input.TYPES, *generation.TYPES, *processing.TYPES, *output.TYPES)}

__all__ = ["MEDIA", "NODE_TYPES", "Arity", "Field", "Json", "Medium", "NodeType", "Output", "Provider", "fits"]
