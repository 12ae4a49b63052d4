"""
Flows that are kept: documents by name, every version of them, and who may overwrite what.

Saving says which version it builds on; when somebody else has saved meanwhile, it is refused and nothing is lost.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import msgspec

from batuta_flows.errors import FlowError
from batuta_flows.records.database import Database

Json = Any


class UnknownFlow(FlowError):
    """There is no flow with this id, or no such version of it."""

    code = "unknown_flow"


class Outdated(FlowError):
    """Somebody else has saved the flow meanwhile, or deleted it."""

    code = "conflict"

    def __init__(self, flow_id: str, expected: int, version: int, *, is_gone: bool = False) -> None:
        found = "is not there any more" if is_gone else f"is at version {version}"
        super().__init__(f"flow {flow_id} {found}, and this was made from version {expected}; {'' if is_gone else 'load it again, or '}save it as another flow")


class Saved(msgspec.Struct, frozen=True, rename="camel"):
    """A flow as it is kept, without its document."""

    id: str
    name: str
    version: int
    updated_at: int


class Flows:
    """The flows kept in this file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Saved]:
        """Every flow, the one saved last first."""
        return [_saved(row) for row in self._database.rows("SELECT * FROM flows WHERE is_deleted = 0 ORDER BY updated_at DESC, flow_id")]

    def save(self, flow_id: str, name: str, document: Json, *, based_on: int, now_ms: int) -> Saved:
        """
        Keep a new version. *based_on*: the version it was made from, 0 for a new flow.

        Raises:
            Outdated: the flow has moved on since.
        """
        with self._database.transaction() as connection:
            row = connection.execute("SELECT * FROM flows WHERE flow_id = ?", (flow_id,)).fetchone()
            newest = row["version"] if row is not None else 0
            if based_on != (newest if row is not None and not row["is_deleted"] else 0):
                raise Outdated(flow_id, based_on, newest, is_gone=row is None or bool(row["is_deleted"]))
            version = newest + 1
            connection.execute("INSERT OR REPLACE INTO flows VALUES (?, ?, ?, ?, 0)", (flow_id, name, version, now_ms))
            connection.execute("INSERT INTO flow_versions VALUES (?, ?, ?, ?)", (flow_id, version, json.dumps(document), now_ms))
        return Saved(flow_id, name, version, now_ms)

    def load(self, flow_id: str, version: int | None = None) -> tuple[Saved, Json]:
        """The flow and its document, the newest version unless told otherwise. Raises UnknownFlow."""
        row = self._database.row("SELECT * FROM flows WHERE flow_id = ? AND is_deleted = 0", flow_id)
        if row is None:
            raise UnknownFlow(f"there is no flow {flow_id!r}")
        wanted = version or row["version"]
        found = self._database.row("SELECT document, saved_at FROM flow_versions WHERE flow_id = ? AND version = ?", flow_id, wanted)
        if found is None:
            raise UnknownFlow(f"flow {flow_id!r} has no version {wanted}; its newest is {row['version']}")
        return Saved(flow_id, row["name"], wanted, found["saved_at"]), json.loads(found["document"])

    def versions(self, flow_id: str) -> list[dict[str, int]]:
        """The versions of a flow, newest first. Raises UnknownFlow."""
        self.load(flow_id)
        rows = self._database.rows("SELECT version, saved_at FROM flow_versions WHERE flow_id = ? ORDER BY version DESC", flow_id)
        return [{"version": row["version"], "savedAt": row["saved_at"]} for row in rows]

    def delete(self, flow_id: str) -> None:
        """The flow is listed no more; its versions and runs stay. Raises UnknownFlow."""
        self.load(flow_id)
        self._database.write("UPDATE flows SET is_deleted = 1 WHERE flow_id = ?", flow_id)


def _saved(row: sqlite3.Row) -> Saved:
    return Saved(row["flow_id"], row["name"], row["version"], row["updated_at"])
