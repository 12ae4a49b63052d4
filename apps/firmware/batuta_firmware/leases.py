"""
Device leases: while one workflow flashes and checks a device, no other may touch it.

Here: who has a device, and until when. Not here: what is done with it (deploy.py).
A lease outlives the process that took it, since flashing and checking are two tasks, perhaps of two workers; it ends by itself when its
holder is lost. The rollback of a failed workflow takes its lease over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from batuta_firmware.records import transaction


@dataclass(frozen=True, slots=True)
class Lease:
    device: str
    holder: str
    until: float


class LeaseBook:
    """The leases recorded under *storage*."""

    def __init__(self, storage: Path, *, now: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._now = now

    def take(self, device: str, holder: str, *, for_s: float, over_from: str | None = None) -> Lease:
        """
        The lease on *device* after *holder* has asked for it: its own for *for_s* seconds, unless another holder's has not ended.

        A lease held by *over_from* counts as free. Atomic: of two askers one gets it.
        """
        now = self._now()
        with transaction(self._storage) as records:
            row = records.execute("select holder, until from leases where device = ?", (device,)).fetchone()
            if row and row["holder"] not in (holder, over_from) and row["until"] > now:
                return Lease(device, row["holder"], row["until"])
            records.execute(
                "insert into leases (device, holder, until) values (?, ?, ?)"
                " on conflict (device) do update set holder = excluded.holder, until = excluded.until",
                (device, holder, now + for_s),
            )
            return Lease(device, holder, now + for_s)

    def release(self, device: str, holder: str) -> None:
        """Give *device* back; of no effect when *holder* does not have it."""
        with transaction(self._storage) as records:
            records.execute("delete from leases where device = ? and holder = ?", (device, holder))

    def shorten(self, device: str, holder: str, *, to_s: float) -> None:
        """Let the lease end within *to_s* seconds: time for a rollback to take it over."""
        with transaction(self._storage) as records:
            records.execute("update leases set until = min(until, ?) where device = ? and holder = ?", (self._now() + to_s, device, holder))

    def holder(self, device: str) -> str | None:
        """Who has *device* now."""
        with transaction(self._storage) as records:
            row = records.execute("select holder from leases where device = ? and until > ?", (device, self._now())).fetchone()
            return str(row["holder"]) if row else None
