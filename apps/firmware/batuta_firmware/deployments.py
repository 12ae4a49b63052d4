"""
The deployment book: which artifact was sent to which device, by which workflow, and whether the device was then found healthy.

Here: writing and reading deployments. Not here: flashing (deploy.py), judging health (health.py).
Only a health check makes a deployment verified, and only verified deployments are places to roll back to.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from batuta_firmware.records import transaction

Kind = Literal["deploy", "rollback"]
# started: perhaps under way, perhaps its worker died.  refused: the device keeps what it had.  unknown: it may run either.
# flashed: the device said OK.  unhealthy: it said OK and was then found wrong.  verified: found healthy.
Result = Literal["started", "refused", "unknown", "flashed", "unhealthy", "verified"]
CHANGED_THE_DEVICE = ("started", "unknown", "flashed", "unhealthy", "verified")


@dataclass(frozen=True, slots=True)
class Deployment:
    id: int
    device: str
    artifact_id: str
    kind: Kind
    workflow_id: str
    started_at: float
    flashed_at: float | None
    verified_at: float | None
    result: Result
    detail: str | None


class DeploymentBook:
    """The deployments recorded under *storage*; a device is named by `DeviceAddress.key`."""

    def __init__(self, storage: Path, *, now: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._now = now

    def start(self, device: str, artifact_id: str, *, kind: Kind, workflow_id: str) -> int:
        """Note that *artifact_id* is about to be sent, before the first packet is; returns the deployment's id."""
        with transaction(self._storage) as records:
            cursor = records.execute(
                "insert into deployments (device, artifact_id, kind, workflow_id, started_at, result) values (?, ?, ?, ?, ?, 'started')",
                (device, artifact_id, kind, workflow_id, self._now()),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def settle(self, deployment_id: int, result: Result, detail: str | None = None) -> None:
        """Note how a deployment came out; the first instants at which it was flashed and verified are kept."""
        flashed = self._now() if result in ("flashed", "verified") else None
        verified = self._now() if result == "verified" else None
        with transaction(self._storage) as records:
            records.execute(
                "update deployments set result = ?, detail = coalesce(?, detail), flashed_at = coalesce(flashed_at, ?),"
                " verified_at = coalesce(verified_at, ?) where id = ?",
                (result, detail, flashed, verified, deployment_id),
            )

    def latest(self, device: str) -> Deployment | None:
        """The last deployment after which the device may run something else than before it."""
        return self._one(f"select * from deployments where device = ? and result in {CHANGED_THE_DEVICE} order by id desc limit 1", (device,))

    def of_workflow(self, workflow_id: str, device: str | None = None) -> tuple[Deployment, ...]:
        """What a workflow sent, oldest first."""
        with transaction(self._storage) as records:
            rows = records.execute("select * from deployments where workflow_id = ? and (? is null or device = ?) order by id", (workflow_id, device, device))
            return tuple(_deployment(row) for row in rows)

    def last_good(self, device: str, *, except_artifact: str | None = None) -> Deployment | None:
        """The latest deployment verified on *device* whose artifact is not *except_artifact* and is still in the store."""
        return self._one(
            "select deployments.* from deployments join artifacts using (artifact_id) where device = ? and verified_at is not null"
            " and artifact_id is not ? order by verified_at desc, id desc limit 1",
            (device, except_artifact),
        )

    def _one(self, query: str, parameters: tuple[str | None, ...]) -> Deployment | None:
        with transaction(self._storage) as records:
            row = records.execute(query, parameters).fetchone()
            return _deployment(row) if row else None


def _deployment(row: sqlite3.Row) -> Deployment:
    return Deployment(**{name: row[name] for name in row.keys()})  # noqa: SIM118 - a Row iterates over its values
