"""
The store in memory: every promise of the protocol, kept in the most obvious way. For tests, and the measure other backends are held to.

Like any store it takes its time: what is submitted becomes durable in a later turn of the event loop. A test can stretch that (`hold`,
`release`) and make it go wrong (`fail_next`). Nothing survives the process.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from batuta.core.query import Query, Sort, holds
from batuta.errors import BatutaError, Invalid, Unavailable, VersionConflict
from batuta.store.fields import EXECUTION, NUMBERS, TASK, TEXTS, Record, checked
from batuta.store.protocol import Alarm, Claimable, Commit, Document, Found, HeadRow, LogRow, OutboxRow, PushedRow, Stored, Tally, TaskRow

Row = TypeVar("Row", HeadRow, TaskRow)


@dataclass
class _Record:
    """One stored execution. `place` counts executions in the order they came to be."""

    place: int
    head: HeadRow
    tasks: dict[int, TaskRow] = field(default_factory=dict)
    inbox: dict[int, PushedRow] = field(default_factory=dict)


@dataclass
class _Submission:
    """What one call handed in, or (with `reported`) the note that the failures of these executions are now known to the caller."""

    commits: Sequence[Commit] = ()
    documents: Sequence[Document] = ()
    forgotten: Sequence[tuple[str, str, int]] = ()
    future: asyncio.Future[None] | None = None
    reported: Sequence[str] = ()


class MemoryStore:
    """See protocol.Store for what each method promises."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        self._definitions: dict[str, bytes] = {}
        self._outbox: dict[str, OutboxRow] = {}
        self._logs: list[tuple[str, LogRow]] = []  # with the execution's id
        self._documents: dict[tuple[str, str, int], Document] = {}
        self._places = 0
        self._queue: deque[_Submission] = deque()
        self._doubtful: set[str] = set()  # executions with a failure that its submitter has not heard of yet
        self._failures: deque[BatutaError] = deque()
        self._is_open = self._is_held = self._is_due = False

    # -- life -------------------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Ready, with whatever it held when it was closed."""
        self._is_open = True

    async def close(self) -> None:
        """Everything submitted has been applied, held or not."""
        self._is_held = False
        self._apply_all()
        self._is_open = False

    # -- faults, for tests ------------------------------------------------------------------------------------------------------

    def fail_next(self, error: BatutaError | None = None) -> None:
        """The next commit or put that would be applied fails with this error (None: Unavailable) and writes nothing."""
        self._failures.append(error or Unavailable("the memory store was told to fail"))

    def hold(self) -> None:
        """From now on what is submitted waits: a disk that takes its time."""
        self._is_held = True

    def release(self) -> None:
        """What waits is made durable, in order."""
        self._is_held = False
        self._plan()

    # -- writing ----------------------------------------------------------------------------------------------------------------

    def submit(self, commits: Sequence[Commit]) -> asyncio.Future[None]:
        """See protocol.Store."""
        return self._enter(_Submission(commits=commits))

    def put(self, documents: Sequence[Document], *, delete: Sequence[tuple[str, str, int]] = ()) -> asyncio.Future[None]:
        """See protocol.Store."""
        return self._enter(_Submission(documents=documents, forgotten=delete))

    def _enter(self, submission: _Submission) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._is_open:
            future.set_exception(Unavailable("the store is closed"))
            return future
        submission.future = future
        self._queue.append(submission)
        self._plan()
        return future

    def _plan(self) -> None:
        if not self._is_held and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_due = False
        if not self._is_held:
            self._apply_all()

    def _apply_all(self) -> None:
        ended: list[tuple[asyncio.Future[None], BatutaError | None]] = []
        failed: list[str] = []
        while self._queue:
            submission = self._queue.popleft()
            if submission.future is None:
                self._doubtful.difference_update(submission.reported)
            else:
                ended.append((submission.future, self._apply(submission, failed)))
        if failed:  # behind whoever is about to run unaware, ahead of those whom the futures are about to tell
            asyncio.get_running_loop().call_soon(self._report, failed)
        for future, error in ended:
            if future.done():
                continue  # cancelled; what was written stays written
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _apply(self, submission: _Submission, failed: list[str]) -> BatutaError | None:
        """What the caller is to be told; executions of which a commit failed are added to *failed*."""
        error: BatutaError | None = None
        for commit in submission.commits:
            try:
                self._commit(commit)
            except BatutaError as found:
                error = error or found
                failed.append(commit.execution_id)
                self._doubtful.add(commit.execution_id)
        try:
            self._put(submission)
        except BatutaError as found:
            error = error or found
        return error

    def _report(self, failed: list[str]) -> None:
        self._queue.append(_Submission(reported=failed))
        self._plan()

    def _commit(self, commit: Commit) -> None:
        """The whole commit, or an error and nothing of it."""
        if commit.execution_id in self._doubtful:
            raise VersionConflict(f"execution {commit.execution_id!r}: an earlier commit, on which this one may build, failed")
        self._fail_if_told()
        record = self._records.get(commit.execution_id)
        if commit.head is not None or commit.removed:
            found = record.head.revision if record is not None else 0
            if commit.expected != found or (commit.removed and record is None):
                raise VersionConflict(f"execution {commit.execution_id!r} is at revision {found}; this commit was decided on {commit.expected}")
        if commit.removed:
            self._remove(commit.execution_id)
        elif commit.head is not None:
            self._write(commit, commit.head, record)
        if not commit.removed and commit.execution_id in self._records:
            self._logs.extend((commit.execution_id, line) for line in commit.logs)
        for letter in commit.outbox:
            self._outbox[letter.id] = letter
        for letter_id in commit.delivered:
            self._outbox.pop(letter_id, None)

    def _write(self, commit: Commit, head: HeadRow, record: _Record | None) -> None:
        if head.definition_hash not in self._definitions and (commit.definition is None or commit.definition[0] != head.definition_hash):
            raise Invalid(f"execution {commit.execution_id!r}: definition snapshot {head.definition_hash!r} is neither stored nor given")
        if commit.definition is not None:
            self._definitions.setdefault(*commit.definition)
        if record is None:
            self._places += 1
            record = self._records[commit.execution_id] = _Record(self._places, head)
        record.head = _whole(head, record.head, ("input", "output", "variables"))
        for n in commit.gone:
            record.tasks.pop(n, None)
        for row in commit.tasks:
            record.tasks[row.n] = _whole(row, record.tasks.get(row.n, row), ("input", "output"))
        record.inbox.update((row.n, row) for row in commit.pushed)
        if commit.taken:
            record.inbox = {n: row for n, row in record.inbox.items() if n > commit.taken}

    def _remove(self, execution_id: str) -> None:
        hash = self._records.pop(execution_id).head.definition_hash
        if not any(record.head.definition_hash == hash for record in self._records.values()):
            del self._definitions[hash]
        self._logs = [(holder, line) for holder, line in self._logs if holder != execution_id]

    def _put(self, submission: _Submission) -> None:
        if submission.documents or submission.forgotten:
            self._fail_if_told()
        for document in submission.documents:
            self._documents[document.kind, document.key, document.version] = document
        for place in submission.forgotten:
            self._documents.pop(place, None)

    def _fail_if_told(self) -> None:
        if self._failures:
            raise self._failures.popleft()

    # -- reading ----------------------------------------------------------------------------------------------------------------

    async def load(self, execution_id: str) -> Stored | None:
        """See protocol.Store."""
        self._answer()
        record = self._records.get(execution_id)
        if record is None:
            return None
        tasks = [copy.copy(record.tasks[n]) for n in sorted(record.tasks)]
        return Stored(execution_id, copy.copy(record.head), tasks, self._definitions[record.head.definition_hash], list(record.inbox.values()))

    async def heads(self, execution_ids: Sequence[str]) -> list[Found]:
        """See protocol.Store."""
        self._answer()
        return [Found(id, copy.copy(self._records[id].head)) for id in execution_ids if id in self._records]

    async def find(
        self,
        *,
        name: str | None = None,
        definition_version: int | None = None,
        correlation_id: str | None = None,
        statuses: Sequence[str] = (),
        created_from: int = 0,
        created_to: int = 0,
        newest_first: bool = False,
        limit: int = 1000,
        payloads: bool = True,
    ) -> list[Found]:
        """See protocol.Store."""
        self._answer()

        def is_meant(head: HeadRow) -> bool:
            return (
                (name is None or head.name == name)
                and (definition_version is None or head.definition_version == definition_version)
                and (correlation_id is None or head.correlation_id == correlation_id)
                and (not statuses or head.status in statuses)
                and (not created_from or head.created_at >= created_from)
                and (not created_to or head.created_at <= created_to)
            )

        meant = [(r.head.created_at, r.place, id) for id, r in self._records.items() if is_meant(r.head)]
        found = await self.heads([id for _, _, id in sorted(meant, reverse=newest_first)[:limit]])
        if not payloads:
            for one in found:
                one.head.input = one.head.output = one.head.variables = None
        return found

    async def tally(self, since: int) -> list[Tally]:
        """See protocol.Store."""
        self._answer()
        counts: dict[tuple[str, str], list[int]] = {}
        for record in self._records.values():
            count = counts.setdefault((record.head.name, record.head.status), [0, 0])
            count[0] += 1
            count[1] += record.head.created_at >= since
        return [Tally(name, status, total, recent) for (name, status), (total, recent) in sorted(counts.items())]

    async def search(
        self, kind: Literal["executions", "tasks"], query: Query | None, *, sort: Sequence[Sort] = (), start: int = 0, size: int = 100
    ) -> tuple[int, list[tuple[str, int]]]:
        """See protocol.Store."""
        self._answer()
        query, order = checked(kind, query, sort)
        fields = EXECUTION if kind == "executions" else TASK
        found = []
        for id, record in self._records.items():
            for task in [None] if kind == "executions" else record.tasks.values():
                seen = Record(id, record.head, task, self._definitions[record.head.definition_hash])
                if holds(query, lambda name, seen=seen: fields[name].read(seen), NUMBERS, TEXTS):  # type: ignore[misc]
                    found.append(seen)

        def newest(seen: Record) -> tuple[int, int, int]:
            place = self._records[seen.execution_id].place
            return (seen.head.created_at, place, 0) if seen.task is None else (place, seen.task.n, 0)

        found.sort(key=newest, reverse=True)
        for by in reversed(order):
            found.sort(key=lambda r, by=by: fields[by.field].read(r), reverse=by.descending)  # type: ignore[misc]
        return len(found), [(r.execution_id, r.task.n if r.task is not None else 0) for r in found[start : start + size]]

    async def holder_of(self, task_id: str) -> str | None:
        """See protocol.Store."""
        self._answer()
        return next((id for id, _, task in self._tasks(lambda task: task.task_id == task_id)), None)

    async def claimable(self, queue: str | None, *, limit: int) -> list[Claimable]:
        """See protocol.Store."""
        self._answer()
        waiting = self._tasks(lambda t: t.status == "SCHEDULED" and t.queue != "" and queue in (None, t.queue))
        best = sorted(waiting, key=lambda found: (-found[2].priority, found[2].due_at, found[1], found[2].n))
        return [Claimable(t.queue, t.priority, t.due_at, id, t.n) for id, _, t in best[:limit]]

    async def in_progress(self, task_type: str | None, *, limit: int) -> list[Claimable]:
        """See protocol.Store."""
        self._answer()
        taken = self._tasks(lambda t: t.status == "IN_PROGRESS" and t.queue != "" and task_type in (None, t.type))
        return [Claimable(t.queue, t.priority, t.due_at, id, t.n) for id, _, t in list(taken)[:limit]]

    async def queue_sizes(self) -> dict[str, int]:
        """See protocol.Store."""
        sizes: dict[str, int] = {}
        for waiting in await self.claimable(None, limit=len(self._records) + sum(len(r.tasks) for r in self._records.values())):
            sizes[waiting.queue] = sizes.get(waiting.queue, 0) + 1
        return sizes

    async def alarms(self, *, limit: int) -> list[Alarm]:
        """See protocol.Store."""
        self._answer()
        armed = sorted((r.head.wake_at, r.place, id) for id, r in self._records.items() if r.head.wake_at > 0)
        return [Alarm(wake_at, id) for wake_at, _, id in armed[:limit]]

    async def outbox(self, *, limit: int, kinds: Sequence[str] | None = None) -> list[OutboxRow]:
        """See protocol.Store."""
        self._answer()
        return list(itertools.islice((row for row in self._outbox.values() if kinds is None or row.kind in kinds), limit))

    async def logs(self, task_id: str) -> list[LogRow]:
        """See protocol.Store."""
        self._answer()
        return [line for _, line in self._logs if line.task_id == task_id]

    async def expired(self, before: int, *, limit: int) -> list[str]:
        """See protocol.Store."""
        self._answer()
        ended = sorted((r.head.ended_at, r.place, id) for id, r in self._records.items() if 0 < r.head.ended_at < before)
        return [id for _, _, id in ended[:limit]]

    async def documents(self, kind: str, prefix: str = "", *, after: str = "", limit: int | None = None) -> list[Document]:
        """See protocol.Store."""
        self._answer()
        places = [place for place in sorted(self._documents) if place[0] == kind and place[1].startswith(prefix) and (not after or place[1] > after)]
        return [self._documents[place] for place in places[:limit]]

    async def statistics(self) -> dict[str, int]:
        """See protocol.Store. Bytes are those of the JSON texts."""
        self._answer()
        counts = {
            "executions": len(self._records),
            "tasks": sum(len(r.tasks) for r in self._records.values()),
            "outbox": len(self._outbox),
            "documents": len(self._documents),
            "logs": len(self._logs),
            "bytes": sum(len(document.body) for document in self._documents.values()),
        }
        for letter in self._outbox.values():
            key = f"outbox.{letter.kind}"
            counts[key] = counts.get(key, 0) + 1
        for record in self._records.values():
            key = f"executions.{record.head.status}"
            counts[key] = counts.get(key, 0) + 1
            rows: list[HeadRow | TaskRow] = [record.head, *record.tasks.values()]
            counts["bytes"] += sum(len(row.doc) + len(row.input or b"") + len(row.output or b"") for row in rows)
        return counts

    def _answer(self) -> None:
        if not self._is_open:
            raise Unavailable("the store is closed")

    def _tasks(self, is_meant: Callable[[TaskRow], bool]) -> Iterator[tuple[str, int, TaskRow]]:
        """The tasks meant, each with its execution's id and place."""
        for id, record in self._records.items():
            for task in record.tasks.values():
                if is_meant(task):
                    yield id, record.place, task


def _whole(row: Row, stored: Row, payloads: Sequence[str]) -> Row:
    """A copy of the row in which payloads that were not given are as stored; `{}` when there is nothing stored."""
    whole = copy.copy(row)
    for name in payloads:
        if getattr(row, name) is None:
            setattr(whole, name, getattr(stored, name) or b"{}")
    return whole
