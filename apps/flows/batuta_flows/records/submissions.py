"""
Submissions: jobs at providers, so that nothing paid for is sent twice.

A job is announced before it is sent, and open from the moment its answer is stored. A worker that dies in between leaves it announced: whether the provider
has it, nobody knows. The same attempt, handed out again, must then not send it; a person's retry is another attempt, and means: send it.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from batuta_flows.errors import NodeFailed
from batuta_flows.records.database import Database

Json = Any


class Submission(msgspec.Struct, frozen=True):
    """A job that a provider has, or may have."""

    key: str
    run_id: str
    node_id: str
    provider: str
    phase: str
    state: dict[str, Json]


class Submissions:
    """The submissions in this file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_state(self, key: str) -> dict[str, Json] | None:
        """What to ask the provider about; None when it has no such job."""
        found = self._database.row("SELECT state FROM submissions WHERE key = ? AND phase = 'open'", key)
        return None if found is None else json.loads(found["state"])

    def announce(self, key: str, run_id: str, node_id: str, provider: str, task_id: str, now_ms: int) -> None:
        """
        The job is about to be sent; durable when this returns.

        Raises:
            NodeFailed: this attempt has announced it before, and died or was cut off before it knew the answer.
        """
        with self._database.transaction() as connection:
            found = connection.execute("SELECT task_id, phase FROM submissions WHERE key = ?", (key,)).fetchone()
            if found is not None and found["phase"] == "announced" and found["task_id"] == task_id:
                raise NodeFailed(
                    "unknown_submission",
                    f"the request to {provider} was being sent when the worker was lost; it may have been received, and paid for",
                    fix="Look at the provider's list of requests; retry the node to send it again",
                )
            connection.execute(
                "INSERT OR REPLACE INTO submissions VALUES (?, ?, ?, ?, ?, 'announced', '{}', ?)", (key, run_id, node_id, provider, task_id, now_ms)
            )

    def opened(self, key: str, run_id: str, node_id: str, provider: str, task_id: str, state: dict[str, Json], now_ms: int) -> None:
        """The provider has the job; *state* is what to ask it with."""
        self._database.write(
            "INSERT OR REPLACE INTO submissions VALUES (?, ?, ?, ?, ?, 'open', ?, ?)",
            key, run_id, node_id, provider, task_id, json.dumps(state), now_ms,
        )  # fmt: skip

    def ended(self, key: str, now_ms: int) -> None:
        """The job has come to its end, whichever."""
        self._database.write("UPDATE submissions SET phase = 'ended', updated_at = ? WHERE key = ?", now_ms, key)

    def open_of(self, run_id: str) -> list[Submission]:
        """Jobs of a run that providers still have."""
        return [_submission(row) for row in self._database.rows("SELECT * FROM submissions WHERE run_id = ? AND phase = 'open'", run_id)]

    def runs_with_open(self) -> list[str]:
        """Ids of runs of which providers still have jobs."""
        return [row["run_id"] for row in self._database.rows("SELECT DISTINCT run_id FROM submissions WHERE phase = 'open'")]


def _submission(row: Any) -> Submission:
    return Submission(row["key"], row["run_id"], row["node_id"], row["provider"], row["phase"], json.loads(row["state"]))
