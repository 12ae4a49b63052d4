"""
Flows to begin with: one JSON file each, documents like any other with a `summary` beside them. Every one runs without any key.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

Json = Any


@functools.cache
def all() -> list[dict[str, Json]]:
    """The templates, in the order of their names: `{id, title, summary, document}`."""
    files = sorted((file for file in resources.files(__package__).iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    return [_read(file.name.removesuffix(".json"), json.loads(file.read_text(encoding="utf-8"))) for file in files]


def _read(id: str, document: dict[str, Json]) -> dict[str, Json]:
    summary = document.pop("summary")
    return {"id": id.partition("-")[2], "title": document["workflowName"], "summary": summary, "document": document}
