"""
Store: what durability means here, and the rows that cross its door.

One write verb: `submit(commits)`. A commit is everything one decision wrote to one execution, and it becomes durable as a whole or not
at all, guarded by the execution's revision. Commits are made durable in the order of submission; many share one transaction.
Reads never wait for writers and see only what is durable.

Here: the protocol and its row types. Not here: how a Task becomes a row (rows.py), any backend (memory.py, sqlite/).
Instants are epoch milliseconds; payload bytes are JSON text in UTF-8.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from batuta.core.query import Query, Sort


class TaskRow(msgspec.Struct):
    """One task as stored. `input`/`output` None means: unchanged since last written."""

    n: int
    task_id: str
    status: str
    type: str
    def_name: str
    ref: str
    queue: str  # claimable under this name while status is SCHEDULED; empty: never
    priority: int
    due_at: int
    updated_at: int
    doc: bytes
    input: bytes | None = None
    output: bytes | None = None


class HeadRow(msgspec.Struct):
    """An execution's own row. Payloads None: unchanged since last written."""

    revision: int
    status: str
    name: str
    definition_version: int
    definition_hash: str
    correlation_id: str | None
    parent_id: str
    created_at: int
    updated_at: int
    ended_at: int
    wake_at: int
    doc: bytes
    input: bytes | None = None
    output: bytes | None = None
    variables: bytes | None = None


class OutboxRow(msgspec.Struct):
    """Something to be delivered outside this commit, at least once. `id` is unique for ever: receivers de-duplicate by it."""

    id: str
    kind: str
    due_at: int
    body: bytes


class LogRow(msgspec.Struct):
    """One line a worker wrote about a task."""

    task_id: str
    created_at: int
    line: str


class PushedRow(msgspec.Struct):
    """A message in an execution's inbox; `n` counts up in the order they came."""

    n: int
    doc: bytes


class Commit(msgspec.Struct):
    """
    All that one decision wrote. `expected` is the revision the decision was based on; 0 means the execution must not exist yet.

    `removed` deletes the execution with all its rows, and its definition snapshot if no other uses that; then nothing else of the commit but the outbox
    counts.
    With `head` None nothing of the execution itself is written and `expected` is not looked at: only logs, outbox and delivered letters.
    """

    execution_id: str
    expected: int
    head: HeadRow | None = None
    tasks: Sequence[TaskRow] = ()
    gone: Sequence[int] = ()  # row numbers of tasks that no longer exist
    outbox: Sequence[OutboxRow] = ()
    delivered: Sequence[str] = ()  # outbox ids that this commit has applied
    logs: Sequence[LogRow] = ()
    definition: tuple[str, bytes] | None = None  # (hash, json) of the snapshot, which may be stored already
    removed: bool = False
    pushed: Sequence[PushedRow] = ()  # messages that came; of those up to `taken` nothing is kept
    taken: int = 0  # messages up to this one do not wait any more; 0: none was taken


class Stored(msgspec.Struct):
    """An execution as loaded, tasks and messages by number. Payloads are never None here."""

    execution_id: str
    head: HeadRow
    tasks: list[TaskRow]
    definition: bytes
    inbox: Sequence[PushedRow] = ()


class Claimable(msgspec.Struct, frozen=True):
    """A task waiting in a queue."""

    queue: str
    priority: int
    due_at: int
    execution_id: str
    n: int


class Alarm(msgspec.Struct, frozen=True):
    """An execution that time will move at `wake_at`."""

    wake_at: int
    execution_id: str


class Document(msgspec.Struct, frozen=True):
    """A named JSON text that is not an execution: a definition, a handler, a schedule."""

    kind: str
    key: str
    version: int
    body: bytes


class Found(msgspec.Struct, frozen=True):
    """One execution as a listing shows it, without its tasks. Payloads as stored."""

    execution_id: str
    head: HeadRow


class Tally(msgspec.Struct, frozen=True):
    """How many executions of a name have a status, and how many of those were created since the instant asked about."""

    name: str
    status: str
    total: int
    recent: int


class Store(Protocol):
    """
    Durable state of one or more servers. Used from the event loop that opened it.

    Raises (every method): Unavailable, the store did not answer or is closed; nothing was written and the same call may succeed later.
    What `submit` and `put` have to raise is raised by the future they return.
    """

    async def open(self) -> None:
        """Ready to use, migrated to this version's schema. Raises Unavailable naming what stands in the way."""
        ...

    async def close(self) -> None:
        """All that was submitted is durable or has failed; nothing more is accepted."""
        ...

    def submit(self, commits: Sequence[Commit]) -> asyncio.Future[None]:
        """
        Make each commit durable, in this order, after all submitted before. The future ends when the last one is durable.

        Each commit is atomic by itself; the ones of one call may or may not share a transaction. Without commits: the future ends when all that
        was submitted before is durable or has failed.
        An outbox row that is added and delivered within one transaction is never written.
        A commit may build on one that is not durable yet. If that one fails, so does every commit of the same execution that was submitted
        before the failure was reported: it was decided on a state that never came to be, whatever its revision says.

        Raises:
            VersionConflict: some commit met another revision than expected, or a commit it may have built on failed; it wrote nothing.
            Invalid: some commit names a definition snapshot that is neither stored nor given, or holds what cannot be stored.
        """
        ...

    async def load(self, execution_id: str) -> Stored | None:
        """The execution with all its tasks and definition snapshot; None when there is none."""
        ...

    async def heads(self, execution_ids: Sequence[str]) -> list[Found]:
        """The rows of those that exist, in the order asked for, without tasks."""
        ...

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
        """
        Executions that meet every condition given (0, None and () are no condition; both ends of a span belong to it), oldest first.

        Without *payloads* they are left None, however large they are in the store.
        """
        ...

    async def tally(self, since: int) -> list[Tally]:
        """Executions counted by name and status, in that order; what was created at or after *since* counts as recent."""
        ...

    async def search(
        self, kind: Literal["executions", "tasks"], query: Query | None, *, sort: Sequence[Sort] = (), start: int = 0, size: int = 100
    ) -> tuple[int, list[tuple[str, int]]]:
        """
        How many executions or tasks match, and a page of them: execution ids with row numbers (0 for an execution).

        Newest first where *sort* leaves it open; of tasks those of the newest execution, its last first. Free text stands somewhere in ids, names, status,
        reason, or the first 16 KiB of input or output, whatever the case of ASCII letters. What is found agrees with what is stored, to the commit.

        Raises:
            Invalid: a field that there is not, a value that its field cannot have (fields.checked), or a question that would take too long.
        """
        ...

    async def holder_of(self, task_id: str) -> str | None:
        """The id of the execution that holds this task; None when no stored task has this id."""
        ...

    async def claimable(self, queue: str | None, *, limit: int) -> list[Claimable]:
        """Tasks waiting in the queue (None: in any), best first: highest priority, then earliest due, then oldest; due or not yet due."""
        ...

    async def in_progress(self, task_type: str | None, *, limit: int) -> list[Claimable]:
        """Tasks that a worker has been handed: IN_PROGRESS with a queue, of the type (None: of any); in no particular order."""
        ...

    async def queue_sizes(self) -> dict[str, int]:
        """How many tasks wait in each queue that has any."""
        ...

    async def alarms(self, *, limit: int) -> list[Alarm]:
        """The earliest alarms, soonest first."""
        ...

    async def outbox(self, *, limit: int, kinds: Sequence[str] | None = None) -> list[OutboxRow]:
        """Undelivered rows of these kinds (None: of any), in the order written; one that is written again keeps its place."""
        ...

    async def logs(self, task_id: str) -> list[LogRow]:
        """A task's log lines in the order written."""
        ...

    async def expired(self, before: int, *, limit: int) -> list[str]:
        """Ids of executions that ended before the instant, oldest end first."""
        ...

    def put(self, documents: Sequence[Document], *, delete: Sequence[tuple[str, str, int]] = ()) -> asyncio.Future[None]:
        """Store these documents and delete those (kind, key, version), in one transaction, in order with the commits."""
        ...

    async def documents(self, kind: str, prefix: str = "", *, after: str = "", limit: int | None = None) -> list[Document]:
        """Documents of a kind, by key and version: those whose key begins with *prefix* and comes behind *after*, and of these up to *limit* (None: all)."""
        ...

    async def statistics(self) -> dict[str, int]:
        """Rows and bytes, for `doctor` and the admin pages: executions, tasks, outbox, documents, logs, bytes, `executions.STATUS` per status and
        `outbox.KIND` per kind that there is."""
        ...
