"""
Money: what runs have spent at paid providers, and how much more they may.

An estimate is booked before a job is sent and replaced by what it cost; so many jobs at once cannot pass a cap together.
"""

from __future__ import annotations

from batuta_flows.errors import NodeFailed
from batuta_flows.records.database import Database

DAY_MS = 24 * 3600 * 1000


class Spend:
    """The books in this file. *run_usd_max*, *day_usd_max*: the caps; a day is the last 24 hours."""

    def __init__(self, database: Database, *, run_usd_max: float, day_usd_max: float) -> None:
        self._database, self._run_usd_max, self._day_usd_max = database, run_usd_max, day_usd_max

    def reserve(self, key: str, run_id: str, provider: str, usd: float, now_ms: int) -> None:
        """
        Book the estimate of a job that is about to be sent.

        Raises:
            NodeFailed: a cap would be passed; nothing is booked.
        """
        with self._database.transaction() as connection:
            (of_run,) = connection.execute("SELECT coalesce(sum(usd), 0) FROM spend WHERE run_id = ? AND key <> ?", (run_id, key)).fetchone()
            (of_day,) = connection.execute("SELECT coalesce(sum(usd), 0) FROM spend WHERE at > ? AND key <> ?", (now_ms - DAY_MS, key)).fetchone()
            for spent, most, what, name in ((of_run, self._run_usd_max, "run", "RUN"), (of_day, self._day_usd_max, "day", "DAY")):
                if spent + usd > most:
                    raise NodeFailed(
                        "budget",
                        f"this would be about ${usd:.3f} more, with ${spent:.3f} of the {what}'s ${most:.2f} spent",
                        fix=f"Raise FLOWS_{name}_USD_MAX, or choose the provider on this machine",
                    )
            connection.execute("INSERT OR REPLACE INTO spend VALUES (?, ?, ?, ?, 0, ?)", (key, run_id, provider, usd, now_ms))

    def settle(self, key: str, usd: float | None) -> None:
        """The job has ended: this is what it cost (None: the estimate stands)."""
        self._database.write("UPDATE spend SET usd = coalesce(?, usd), is_final = 1 WHERE key = ?", usd, key)

    def of_run(self, run_id: str) -> float:
        """What a run has spent, estimates of jobs under way included."""
        row = self._database.row("SELECT coalesce(sum(usd), 0) AS usd FROM spend WHERE run_id = ?", run_id)
        return float(row["usd"]) if row is not None else 0.0
