"""
Writer: one thread that makes commits durable, many at a time.

While one group is on its way to the disk the next one gathers, and goes as soon as the disk is free; nobody waits for company. The event
loop hears of a whole group at once.

Here: groups, whom a failure concerns, what error it becomes. Not here: rows and SQL (batch.py), checkpoints and vacuum (upkeep.py).
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batuta.errors import BatutaError, Invalid, Unavailable, VersionConflict
from batuta.store.protocol import Commit
from batuta.store.sqlite import batch
from batuta.store.sqlite.batch import Batch, Unit
from batuta.store.sqlite.collapse import collapsed
from batuta.store.sqlite.upkeep import Upkeep

log = logging.getLogger("batuta.store")
YIELD_FIRST_S, YIELD_AGAIN_S, YIELD_S = 0.002, 0.001, 0.00005  # see Writer._yield
GROUP_WEIGHT_MAX = 8192  # a group ends with the submission that reaches this, in rows and KiB; a larger submission is a group by itself
# A commit that cannot be stored as it is; the others of its group can.
_REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, UnicodeEncodeError)


@dataclass(slots=True)
class Submission:
    """What one call handed in, in order, and who waits for it. Written to by the writer's thread until it is settled."""

    units: Sequence[Unit]
    future: asyncio.Future[None]
    error: BatutaError | None = None


@dataclass(slots=True)
class Reported:
    """The failures of these executions' commits are now known to those who submitted them."""

    execution_ids: Sequence[str]


@dataclass(slots=True)
class _Group:
    submissions: list[Submission] = field(default_factory=list)
    entries: list[tuple[Submission, Unit]] = field(default_factory=list)  # what is to be written, in order
    failed: list[str] = field(default_factory=list)  # executions of which a commit failed
    weight: int = 0  # how much was written

    def fail(self, submission: Submission, unit: Unit, error: BatutaError) -> None:
        submission.error = submission.error or error
        if isinstance(unit, Commit):
            self.failed.append(unit.execution_id)


class Writer:
    """Owns the writing connection. `submit` and `close` belong to the event loop, the rest to the thread."""

    def __init__(self, connection: sqlite3.Connection, upkeep: Upkeep, loop: asyncio.AbstractEventLoop) -> None:
        self._connection, self._upkeep, self._loop = connection, upkeep, loop
        # Not bounded: every entry is somebody's unanswered request, and the edge bounds those.
        self._inbox: queue.SimpleQueue[Sequence[Submission | Reported | None]] = queue.SimpleQueue()
        self._taken: deque[Submission | Reported | None] = deque()  # out of the inbox, and not yet in a group
        self._doubtful: set[str] = set()  # executions with a failure that its submitter has not heard of yet
        self._snapshots: set[str] = set()  # hashes of definition snapshots known to be stored
        self._is_closed = self._is_ending = False
        self._gathered: list[Submission | Reported | None] = []  # on its way to the inbox with whatever else this turn of the loop brings
        self._unanswered = 0
        self._yielding: asyncio.TimerHandle | None = None
        batch.prepare(connection)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, units: Sequence[Unit]) -> asyncio.Future[None]:
        """The future ends when all units are durable or have failed."""
        future: asyncio.Future[None] = self._loop.create_future()
        if self._is_closed:
            future.set_exception(Unavailable("the store is closed"))
            return future
        self._unanswered += 1
        if self._yielding is None:
            self._yielding = self._loop.call_later(YIELD_FIRST_S, self._yield)
        self._hand_over(Submission(units, future))
        return future

    def _hand_over(self, item: Submission | Reported | None) -> None:
        """
        To the thread, together with all else that comes in this turn of the event loop.

        Each hand-over wakes the thread, which then fights for the interpreter, and takes to the disk what little it finds.
        """
        if not self._gathered:
            self._loop.call_soon(self._hand_over_all)
        self._gathered.append(item)

    def _hand_over_all(self) -> None:
        items, self._gathered = self._gathered, []
        if items:
            self._inbox.put(items)

    def _yield(self) -> None:
        """
        Nothing was answered for a while: let the writer's thread have the interpreter.

        An event loop that never rests gives the interpreter up often but for microseconds, too short for a waking thread to take it, and
        each time the thread's claim to a forced switch starts anew: commits of a busy server were seen to wait for seconds. A nap of 50 µs
        lets the thread in. Where answers keep coming there are no naps: always napping cost a fifth of the commits a second.
        """
        self._hand_over_all()  # else the thread has nothing to do while the loop naps
        time.sleep(YIELD_S)
        self._yielding = self._loop.call_later(YIELD_AGAIN_S, self._yield)

    def close(self) -> None:
        """Nothing more is accepted; the thread ends after what it has been given. Then `join`."""
        self._is_closed = True
        self._inbox.put([*self._gathered, None])  # the loop may not turn again
        self._gathered = []

    def join(self) -> None:
        """All that was submitted is durable or has failed, and the connection is closed. Blocks."""
        self._thread.join()

    # -- the thread ---------------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_ending:
            group = _Group()
            try:
                self._gather(group)
                self._write(group)
            except Exception as error:  # whatever it is, nobody may wait for ever
                log.exception("a group of %d commits failed", len(group.entries))
                self._roll_back()
                self._fail_all(group, Unavailable(f"the store failed: {error!r}"))
            self._settle(group)
            self._tend(lambda weight=group.weight: self._upkeep.wrote(weight, self._connection))
        self._connection.close()

    def _tend(self, upkeep: Callable[..., None]) -> bool:
        """Do this upkeep, and say whether it was done: the thread that everybody waits for does not end over it."""
        try:
            upkeep()
        except Exception:
            log.exception("upkeep of the store failed; commits go on, and it is tried again after them")
            return False
        return True

    def _gather(self, group: _Group) -> None:
        """Take in all that waits, at least one submission unless the end has come. Blocks, and uses quiet times for upkeep."""
        weight = 0
        while weight < GROUP_WEIGHT_MAX:
            if not self._taken:
                try:
                    self._taken.extend(self._inbox.get_nowait() if group.submissions else self._wait())
                except queue.Empty:
                    break
            item = self._taken.popleft()
            if item is None:
                self._is_ending = True
                break
            if isinstance(item, Reported):
                self._doubtful.difference_update(item.execution_ids)
                continue
            group.submissions.append(item)
            for unit in item.units:
                weight += _weight(unit)
                if self._doubtful and isinstance(unit, Commit) and unit.execution_id in self._doubtful:
                    group.fail(item, unit, _in_doubt(unit))
                else:
                    group.entries.append((item, unit))

    def _wait(self) -> Sequence[Submission | Reported | None]:
        """What is submitted next. A quiet store does what upkeep is due, piece by piece, and then nothing."""
        while (pause := self._upkeep.pause_s) is not None:
            try:
                return self._inbox.get(timeout=pause)
            except queue.Empty:
                if not self._tend(lambda: self._upkeep.work(self._connection)):
                    break
        return self._inbox.get()

    def _write(self, group: _Group) -> None:
        if not group.entries:
            return
        rows = Batch(collapsed(unit for _, unit in group.entries), self._snapshots)
        try:
            rows.write(self._connection)
        except _REFUSALS as error:
            self._roll_back()
            if len(group.entries) == 1:
                submission, unit = group.entries[0]
                group.fail(submission, unit, _refusal(unit, error))
            else:
                self._write_one_by_one(group)
        except sqlite3.Error as error:
            self._roll_back()
            self._fail_all(group, _unavailable(error))
        else:
            self._stored(group, rows)
        self._doubtful.update(group.failed)

    def _write_one_by_one(self, group: _Group) -> None:
        """The group in one transaction, each unit for itself: only those that cannot be written fail, and what was built on them."""
        connection, failed = self._connection, set(group.failed)
        written = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for submission, unit in group.entries:
                if isinstance(unit, Commit) and unit.execution_id in failed:
                    group.fail(submission, unit, _in_doubt(unit))
                    continue
                rows = Batch([unit], self._snapshots)
                connection.execute("SAVEPOINT unit")
                try:
                    rows.write(connection)
                except _REFUSALS as error:
                    connection.execute("ROLLBACK TO unit")
                    group.fail(submission, unit, _refusal(unit, error))
                    failed.update(group.failed)
                else:
                    written.append(rows)
                connection.execute("RELEASE unit")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            self._fail_all(group, _unavailable(error))
        else:
            for rows in written:
                self._stored(group, rows)

    def _stored(self, group: _Group, rows: Batch) -> None:
        group.weight += rows.weight
        if rows.removes:
            self._snapshots.clear()
        if rows.snapshots:
            if len(self._snapshots) >= batch.SNAPSHOTS_MAX:
                self._snapshots.clear()
            self._snapshots |= rows.snapshots

    def _fail_all(self, group: _Group, error: BatutaError) -> None:
        for submission in group.submissions:
            for unit in submission.units:
                group.fail(submission, unit, error)
        self._doubtful.update(group.failed)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                log.exception("a transaction could not be rolled back")

    # -- back on the event loop -----------------------------------------------------------------------------------------------------

    def _settle(self, group: _Group) -> None:
        if group.submissions:
            try:
                self._loop.call_soon_threadsafe(self._answer, group.submissions, group.failed)
            except RuntimeError:
                pass  # the loop is closed: nobody is left who waits

    def _answer(self, submissions: Sequence[Submission], failed: Sequence[str]) -> None:
        self._unanswered -= len(submissions)
        if self._yielding is not None:
            self._yielding.cancel()
            self._yielding = self._loop.call_later(YIELD_FIRST_S, self._yield) if self._unanswered else None
        if failed:  # behind whoever is about to run unaware, ahead of those whom the futures are about to tell
            self._loop.call_soon(self._hand_over, Reported(failed))
        for submission in submissions:
            if submission.future.done():
                continue  # cancelled; what was written stays written
            if submission.error is None:
                submission.future.set_result(None)
            else:
                submission.future.set_exception(submission.error)


def _weight(unit: Unit) -> int:
    """Rows, and KiB of payloads that are long."""
    if not isinstance(unit, Commit):
        return len(unit.documents)
    weight = 2 + len(unit.logs)
    for row in unit.tasks:
        weight += 1 + (len(row.input or b"") + len(row.output or b"") >> 10)
    if (head := unit.head) is not None:
        weight += len(head.input or b"") + len(head.output or b"") + len(head.variables or b"") >> 10
    return weight


def _in_doubt(commit: Commit) -> VersionConflict:
    return VersionConflict(f"execution {commit.execution_id!r}: an earlier commit, on which this one may build, failed")


def _refusal(unit: Unit, error: Exception) -> BatutaError:
    """Why this unit cannot be stored, in its submitter's words."""
    if not isinstance(unit, Commit):
        return Invalid(f"documents {[(d.kind, d.key, d.version) for d in unit.documents]!r} cannot be stored: {error}")
    if batch.CONFLICT in str(error):
        return VersionConflict(f"execution {unit.execution_id!r} is not at revision {unit.expected}, on which this commit was decided")
    if "executions.definition" in str(error) and unit.head is not None:
        return Invalid(f"execution {unit.execution_id!r}: definition snapshot {unit.head.definition_hash!r} is neither stored nor given")
    return Invalid(f"execution {unit.execution_id!r}: a commit cannot be stored: {error}")


def _unavailable(error: sqlite3.Error) -> Unavailable:
    log.error("the store did not take a group of commits: %s", error)
    return Unavailable(f"the store did not take it: {error}")
