"""
Results that are used again: the same type, version, provider, model, seed and inputs give what was made before.

Addresses of assets are hashes of their content, so a key says what went in, not where it lay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from batuta_flows.assets.store import SCHEME, AssetStore
from batuta_flows.records.database import Database

Json = Any


class Remembered(msgspec.Struct, frozen=True):
    """A result of an earlier run."""

    output: dict[str, Json]
    run_id: str
    node_id: str
    made_at: int


def result_key(type_name: str, version: int, provider: str, model: str, seed: int, settings: Mapping[str, Json]) -> str:
    """The key under which a result is remembered."""
    text = json.dumps([type_name, version, provider, model, seed, settings], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Results:
    """The results remembered in this file, as long as their assets are there."""

    def __init__(self, database: Database, assets: AssetStore) -> None:
        self._database, self._assets = database, assets

    def find(self, key: str) -> Remembered | None:
        """The result, if there is one and every asset in it still exists."""
        row = self._database.row("SELECT output, run_id, node_id, made_at FROM results WHERE key = ?", key)
        if row is None:
            return None
        output = json.loads(row["output"])
        if any(self._assets.path(address) is None for address in addresses_in(output)):
            return None
        return Remembered(output, row["run_id"], row["node_id"], row["made_at"])

    def keep(self, key: str, output: Mapping[str, Json], run_id: str, node_id: str, now_ms: int) -> None:
        """Remember this result; what was remembered under the key is forgotten. Lost in a power cut it is made again; what is paid for is kept before."""
        self._database.write_soon("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", key, json.dumps(dict(output)), run_id, node_id, now_ms)


def addresses_in(value: Json) -> list[str]:
    """The addresses of assets anywhere in a value."""
    if isinstance(value, str):
        return [value] if value.startswith(SCHEME) else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for item in inner for found in addresses_in(item)]
