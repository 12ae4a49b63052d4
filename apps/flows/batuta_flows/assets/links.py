"""
Addresses of assets as URLs: for whoever is not one of ours, a browser or a service. Inside flows, tasks and records they stay `asset://…`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batuta_flows.assets.store import SCHEME

Json = Any
Linked = Callable[[Json], Json]


def linked(base: str) -> Linked:
    """A function that turns every `asset://…` of a value into a URL below *base*."""

    def link(value: Json) -> Json:
        if isinstance(value, str):
            return f"{base}/assets/{value.removeprefix(SCHEME)}" if value.startswith(SCHEME) else value
        if isinstance(value, dict):
            return {key: link(item) for key, item in value.items()}
        return [link(item) for item in value] if isinstance(value, list) else value

    return link
