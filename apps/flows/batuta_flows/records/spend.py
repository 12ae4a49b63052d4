"""
Money: what runs have spent at paid providers, and how much more they may.

An estimate is booked before a job is sent and replaced by what it cost; so many jobs at once cannot pass a cap together.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from batuta_flows.errors import NodeFailed
from batuta_flows.records.database import Database

DAY_MS = 24 * 3600 * 1000


class Books(msgspec.Struct, frozen=True, rename="camel"):
    """How things stand: the caps, what the last 24 hours have cost, and by whom. Estimates of jobs under way are included."""

    run_usd_max: float
    day_usd_max: float
    day_usd: float
    by_provider: dict[str, float]


class Spend:
    """The books in this file. *run_usd_max*, *day_usd_max*: the caps; a day is the last 24 hours."""

    def __init__(self, database: Database, *, run_usd_max: float, day_usd_max: float) -> None:
        self._database, self._run_usd_max, self._day_usd_max = database, run_usd_max, day_usd_max

    def reserve(self, key: str, run_id: str, provider: str, usd: float, now_ms: int) -> None:
        """
        Book the estimate of a job that is about to be sent. What earlier attempts at the same job cost, or may have cost, stays in the books.

        Raises:
            NodeFailed: a cap would be passed; nothing is booked.
        """
        with self._database.transaction() as connection:
            connection.execute("UPDATE spend SET key = key || '@' || rowid, is_final = 1 WHERE key = ?", (key,))
            (of_run,) = connection.execute("SELECT coalesce(sum(usd), 0) FROM spend WHERE run_id = ?", (run_id,)).fetchone()
            (of_day,) = connection.execute("SELECT coalesce(sum(usd), 0) FROM spend WHERE at > ?", (now_ms - DAY_MS,)).fetchone()
            for spent, most, what, name in ((of_run, self._run_usd_max, "run", "RUN"), (of_day, self._day_usd_max, "day", "DAY")):
                if spent + usd > most:
                    raise NodeFailed(
                        "budget",
                        f"this would be about ${usd:.3f} more, with ${spent:.3f} of the {what}'s ${most:.2f} spent",
                        fix=f"Raise FLOWS_{name}_USD_MAX, or choose the provider on this machine",
                    )
            connection.execute("INSERT INTO spend VALUES (?, ?, ?, ?, 0, ?)", (key, run_id, provider, usd, now_ms))

    def settle(self, key: str, usd: float | None) -> None:
        """The job has ended: this is what it cost (None: the estimate stands)."""
        self._database.write("UPDATE spend SET usd = coalesce(?, usd), is_final = 1 WHERE key = ?", usd, key)

    def released(self, key: str) -> None:
        """The job was refused: nothing is paid for it."""
        self._database.write("DELETE FROM spend WHERE key = ? AND is_final = 0", key)

    def of_runs(self, run_ids: Collection[str]) -> dict[str, float]:
        """What runs have spent, estimates of jobs under way included; runs that spent nothing are not among them."""
        marks = ", ".join("?" * len(run_ids))
        rows = self._database.rows(f"SELECT run_id, sum(usd) AS usd FROM spend WHERE run_id IN ({marks}) GROUP BY run_id", *run_ids)
        return {row["run_id"]: round(float(row["usd"]), 6) for row in rows}

    def books(self, now_ms: int) -> Books:
        """How things stand."""
        rows = self._database.rows("SELECT provider, sum(usd) AS usd FROM spend WHERE at > ? GROUP BY provider ORDER BY provider", now_ms - DAY_MS)
        by_provider = {row["provider"]: round(float(row["usd"]), 6) for row in rows}
        return Books(self._run_usd_max, self._day_usd_max, round(sum(by_provider.values()), 6), by_provider)
