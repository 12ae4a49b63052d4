"""
Submissions: jobs at providers, so that nothing paid for is sent twice.

    announced   about to be sent, by the process `holder`; the provider may have it
    open        the provider has it; `state` is what to ask it with
    done        it gave this result (`state`), which is the node's, whoever asks again
    ended       it failed, was refused or cancelled: another attempt may send it
    unwanted    announced when its run was cancelled: to be cancelled as soon as the provider's answer is here

An announcement whose process lives is somebody else's work: wait for it. One whose process is dead is in doubt, and no attempt that the orchestrator makes
by itself may send it again, whatever it is called: only a person's retry clears it.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from batuta_flows.errors import NodeFailed
from batuta_flows.records.alive import Alive
from batuta_flows.records.database import Database

Json = Any
FORSAKEN_MS: Final = 15 * 60_000  # a job is asked for every five minutes at least while anybody wants it


class Submission(msgspec.Struct, frozen=True):
    """A job that a provider has, may have, or had."""

    key: str
    run_id: str
    node_id: str
    provider: str
    phase: str
    state: dict[str, Json]


class InHand(Exception):
    """Another worker, who lives, is sending this job at this moment."""


class NoRoom(Exception):
    """The provider has as many of our jobs as it may."""


class Submissions:
    """The submissions in this file. *alive*: which processes live, this one among them. *jobs_max*: how many jobs one provider may have at a time."""

    def __init__(self, database: Database, alive: Alive, *, jobs_max: int) -> None:
        self._database, self._alive, self._jobs_max = database, alive, jobs_max

    def find(self, key: str) -> Submission | None:
        """The job, when a provider has it or it is done; None when it may be sent, or `announce` has to tell."""
        row = self._database.row("SELECT * FROM submissions WHERE key = ? AND phase IN ('open', 'done')", key)
        return None if row is None else _submission(row)

    def announce(self, key: str, run_id: str, node_id: str, provider: str, now_ms: int) -> None:
        """
        The job is about to be sent; durable when this returns.

        Raises:
            InHand: somebody is sending it.
            NoRoom: others have to end first.
            NodeFailed: somebody was, and died before the answer was known.
        """
        with self._database.transaction() as connection:
            found = connection.execute("SELECT phase, holder FROM submissions WHERE key = ?", (key,)).fetchone()
            if found is not None and found["phase"] in ("announced", "unwanted"):
                if self._alive.knows(found["holder"]):
                    raise InHand
                raise NodeFailed(
                    "unknown_submission",
                    f"the request to {provider} was being sent when the worker was lost; it may have been received, and paid for",
                    fix="Look at the provider's list of requests; retry the run in the Flow Builder to send it again",
                )
            if self._under_way(connection, provider, now_ms) >= self._jobs_max:
                raise NoRoom
            _put(connection, key, run_id, node_id, provider, "announced", {}, now_ms, self._alive.name)

    def _under_way(self, connection: Any, provider: str, now_ms: int) -> int:
        """How many jobs a provider has; one whose process died while it sent it, or that nobody has asked for in a while, holds nobody up."""
        sought = "SELECT phase, holder FROM submissions WHERE phase IN ('announced', 'unwanted', 'open') AND provider = ? AND updated_at > ?"
        rows = connection.execute(sought, (provider, now_ms - FORSAKEN_MS))
        return sum(row["phase"] == "open" or self._alive.knows(row["holder"]) for row in rows)

    def opened(self, key: str, run_id: str, node_id: str, provider: str, state: dict[str, Json], now_ms: int) -> bool:
        """The provider has the job; *state* is what to ask it with. False: nobody wants it any more, it is to be cancelled."""
        with self._database.transaction() as connection:
            found = connection.execute("SELECT phase FROM submissions WHERE key = ?", (key,)).fetchone()
            wanted = found is None or found["phase"] in ("announced", "open")
            _put(connection, key, run_id, node_id, provider, "open" if wanted else "ended", state, now_ms, self._alive.name)
        return wanted

    def done(self, key: str, output: dict[str, Json], now_ms: int) -> None:
        """The job has given this result."""
        self._database.write("UPDATE submissions SET phase = 'done', state = ?, updated_at = ? WHERE key = ?", json.dumps(output), now_ms, key)

    def ended(self, key: str, now_ms: int) -> None:
        """The job has come to an end without a result; it may be sent again."""
        self._database.write("UPDATE submissions SET phase = 'ended', updated_at = ? WHERE key = ? AND phase <> 'done'", now_ms, key)

    def doubted(self, key: str) -> None:
        """Whoever was sending it does not know what became of it."""
        self._database.write("UPDATE submissions SET holder = '' WHERE key = ? AND phase = 'announced'", key)

    def cleared(self, run_id: str, now_ms: int) -> None:
        """A person wants the jobs of this run that are in doubt to be sent again."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT key, holder FROM submissions WHERE run_id = ? AND phase IN ('announced', 'unwanted')", (run_id,)).fetchall()
            for row in rows:
                if not self._alive.knows(row["holder"]):
                    connection.execute("UPDATE submissions SET phase = 'ended', updated_at = ? WHERE key = ?", (now_ms, row["key"]))

    def unwanted(self, run_id: str, now_ms: int) -> list[Submission]:
        """Nobody wants the jobs of this run any more; those that a provider has, each handed to one caller alone."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT * FROM submissions WHERE run_id = ? AND phase = 'open'", (run_id,)).fetchall()
            connection.execute("UPDATE submissions SET phase = 'ended', updated_at = ? WHERE run_id = ? AND phase = 'open'", (now_ms, run_id))
            connection.execute("UPDATE submissions SET phase = 'unwanted', updated_at = ? WHERE run_id = ? AND phase = 'announced'", (now_ms, run_id))
        return [_submission(row) for row in rows]

    def runs_with_open(self) -> list[str]:
        """Ids of runs of which providers have jobs."""
        return [row["run_id"] for row in self._database.rows("SELECT DISTINCT run_id FROM submissions WHERE phase = 'open'")]


def _put(
    connection: Any, key: str, run_id: str, node_id: str, provider: str, phase: str, state: dict[str, Json], now_ms: int, holder: str
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO submissions (key, run_id, node_id, provider, phase, state, updated_at, holder) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key, run_id, node_id, provider, phase, json.dumps(state), now_ms, holder),
    )


def _submission(row: Any) -> Submission:
    return Submission(row["key"], row["run_id"], row["node_id"], row["provider"], row["phase"], json.loads(row["state"]))
