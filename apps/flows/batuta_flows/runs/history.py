"""
History: what is kept of runs, whether or not anybody watched them.

A run is written down before it starts, when it has its id, and again when it has ended, by whichever backend notices first (service.py sweeps); reading
changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

import msgspec

from batuta_flows.records.database import Database
from batuta_flows.runs.view import Run

Json = Any
PAGE_MAX: Final = 200  # runs that are asked for at a time


class Kept(msgspec.Struct, frozen=True):
    """A run as it is kept. Instants are epoch milliseconds; `ended_at` 0: it was under way when it was last looked at."""

    run_id: str
    flow_id: str
    name: str
    status: str
    started_at: int
    ended_at: int
    nodes: int
    document: Json
    results: list[dict[str, Json]]
    error: str


class Start(msgspec.Struct, frozen=True):
    """A run that is about to be. `token` is the correlation id it will have, by which it is found when nobody lived to hear its id."""

    token: str
    definition: str
    flow_id: str
    name: str
    nodes: int
    document: Json
    at: int


class History:
    """The runs kept in this file. *orchestrator*: the address of the one that is asked here; others may have runs in it too."""

    def __init__(self, database: Database, orchestrator: str) -> None:
        self._database, self._orchestrator = database, orchestrator

    def starting(self, start: Start) -> None:
        """The orchestrator is about to be asked for a run."""
        self._database.write(
            "INSERT INTO starts (token, definition, flow_id, name, nodes, document, at, orchestrator) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            start.token, start.definition, start.flow_id, start.name, start.nodes, json.dumps(start.document), start.at, self._orchestrator,
        )  # fmt: skip

    def begun(self, run_id: str, token: str) -> None:
        """The run of this start has this id; said twice it is the same."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO runs (run_id, flow_id, name, status, started_at, ended_at, nodes, document, results, error, orchestrator)"
                " SELECT ?, flow_id, name, 'running', at, 0, nodes, document, '[]', '', ? FROM starts WHERE token = ?",
                (run_id, self._orchestrator, token),
            )
            connection.execute("DELETE FROM starts WHERE token = ?", (token,))

    def not_begun(self, token: str) -> None:
        """There is no run of this start."""
        self._database.write("DELETE FROM starts WHERE token = ?", token)

    def open_starts(self, before: int) -> list[tuple[str, str, int]]:
        """Starts at this orchestrator from before this instant of which nobody knows what came: token, definition, when."""
        rows = self._database.rows("SELECT * FROM starts WHERE at < ? AND orchestrator IN ('', ?) ORDER BY at", before, self._orchestrator)
        return [(row["token"], row["definition"], row["at"]) for row in rows]

    def seen(self, run: Run, looked_at: int) -> bool:
        """How a run stood when the orchestrator was asked; False: somebody has looked later, and what they saw stands."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE runs SET status = ?, ended_at = ?, results = ?, error = ?, looked_at = ? WHERE run_id = ? AND looked_at <= ?",
                (run.status, run.ended_at, json.dumps(run.results), run.error or "", looked_at, run.id, looked_at),
            )
        return changed.rowcount > 0

    def reopened(self, run_id: str, now_ms: int) -> None:
        """The run is about to go on: what was seen of its end before this instant no longer stands."""
        self._database.write("UPDATE runs SET status = 'running', ended_at = 0, looked_at = ? WHERE run_id = ?", now_ms, run_id)

    def lost(self, run_id: str, now_ms: int) -> bool:
        """The orchestrator does not know this run any more; False: it was started at another one, which may."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE runs SET status = 'failed', ended_at = ?, error = 'removed from the orchestrator' WHERE run_id = ? AND orchestrator IN ('', ?)",
                (now_ms, run_id, self._orchestrator),
            )
        return changed.rowcount > 0

    def open_runs(self) -> list[str]:
        """Ids of runs that were under way when last looked at."""
        return [row["run_id"] for row in self._database.rows("SELECT run_id FROM runs WHERE ended_at = 0 ORDER BY started_at")]

    def find(self, run_id: str) -> Kept | None:
        row = self._database.row("SELECT * FROM runs WHERE run_id = ?", run_id)
        return None if row is None else _kept(row)

    def run_with(self, asset_name: str) -> str:
        """The id of the newest run that has this asset among its results; empty when none has."""
        sought = f"%{asset_name}%"
        row = self._database.row("SELECT run_id FROM runs WHERE results LIKE ? ORDER BY started_at DESC LIMIT 1", sought)
        return str(row["run_id"]) if row is not None else ""

    def latest_of(self, flow_id: str, limit: int = 20) -> list[Kept]:
        """The newest runs of a flow."""
        return [_kept(row) for row in self._database.rows("SELECT * FROM runs WHERE flow_id = ? ORDER BY started_at DESC LIMIT ?", flow_id, limit)]

    def page(self, *, before: tuple[int, str] | None = None, status: str = "", words: str = "", flow_id: str = "", limit: int = 50) -> list[Kept]:
        """Runs that started before this one (its start and id), newest first; *flow_id*: of this flow alone."""
        at, id = before or (2**62, "")
        sought = f"%{words.replace('%', '').replace('_', ' ')}%"
        rows = self._database.rows(
            "SELECT * FROM runs WHERE (started_at, run_id) < (?, ?) AND (? = '' OR status = ?) AND (? = '' OR flow_id = ?)"
            " AND (name LIKE ? OR run_id LIKE ?) ORDER BY started_at DESC, run_id DESC LIMIT ?",
            at, id, status, status, flow_id, flow_id, sought, sought, limit,
        )  # fmt: skip
        return [_kept(row) for row in rows]


def _kept(row: sqlite3.Row) -> Kept:
    return Kept(
        row["run_id"], row["flow_id"], row["name"], row["status"], row["started_at"], row["ended_at"], row["nodes"],
        json.loads(row["document"]), json.loads(row["results"]), row["error"],
    )  # fmt: skip
