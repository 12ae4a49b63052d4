"""
Builders for the store's tests: rows and commits in a line, and whatever is stored, for comparing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from batuta.core.freetext import parse_text
from batuta.errors import BatutaError
from batuta.store.fields import READABLE
from batuta.store.protocol import Commit, HeadRow, LogRow, OutboxRow, PushedRow, Store, TaskRow

DEFINITION = ("hash-1", b'{"name":"demo","version":1}')
T0 = 1_700_000_000_000


def new_id() -> str:
    return str(uuid.uuid4())


def head(revision: int, **of: Any) -> HeadRow:
    row: dict[str, Any] = {
        "status": "RUNNING", "name": "demo", "definition_version": 1, "definition_hash": DEFINITION[0], "correlation_id": None, "parent_id": "",
        "created_at": T0, "updated_at": T0 + revision, "ended_at": 0, "wake_at": 0, "doc": b'{"revision":%d}' % revision,
    }  # fmt: skip
    return HeadRow(revision, **{**row, **of})


def task(execution_id: str, n: int, status: str = "SCHEDULED", **of: Any) -> TaskRow:
    row: dict[str, Any] = {
        "task_id": task_id(execution_id, n), "type": "simple", "def_name": "simple", "ref": f"step{n}", "queue": "simple", "priority": 0,
        "due_at": T0, "updated_at": T0, "doc": b'{"n":%d}' % n,
    }  # fmt: skip
    return TaskRow(n, status=status, **{**row, **of})


def task_id(execution_id: str, n: int) -> str:
    return f"{execution_id[:18]}-0000-{n:012x}"


def start(execution_id: str, *tasks: TaskRow, **of: Any) -> Commit:
    """The first commit of an execution; other words are columns of its head."""
    return Commit(execution_id, 0, head(1, **of), tasks, definition=DEFINITION)


def move(execution_id: str, expected: int, *tasks: TaskRow, **of: Any) -> Commit:
    """A later commit, decided on revision *expected*."""
    return Commit(execution_id, expected, head(expected + 1, **of), tasks)


def pushing(execution_id: str, expected: int, *messages: tuple[int, bytes], taken: int = 0) -> Commit:
    """A commit that brings these messages, and takes those up to *taken*."""
    return Commit(execution_id, expected, head(expected + 1), pushed=[PushedRow(*message) for message in messages], taken=taken)


async def inbox(store: Store, execution_id: str) -> list[tuple[int, bytes]]:
    """The messages that wait in the execution."""
    stored = await store.load(execution_id)
    assert stored is not None
    return [(row.n, row.doc) for row in stored.inbox]


def remove(execution_id: str, expected: int, **of: Any) -> Commit:
    return Commit(execution_id, expected, removed=True, **of)


def letter(id: str, due_at: int = T0, kind: str = "tell", body: bytes = b"{}") -> OutboxRow:
    return OutboxRow(id, kind, due_at, body)


def lines(of_task: str, *texts: str) -> list[LogRow]:
    return [LogRow(of_task, T0 + at, text) for at, text in enumerate(texts)]


async def outcome(future: asyncio.Future[None]) -> str:
    """The name of the error the future ends with, `ok` when there is none."""
    try:
        await future
    except BatutaError as error:
        return type(error).__name__
    return "ok"


async def outcomes(store: Store, *calls: Sequence[Commit]) -> list[str]:
    """How each of these calls ended, all submitted before any is awaited."""
    futures = [store.submit(commits) for commits in calls]
    return [await outcome(future) for future in futures]


async def everything(store: Store, execution_ids: Iterable[str]) -> dict[str, Any]:
    """All that can be asked about a store that knows these executions."""
    ids = sorted(execution_ids)
    loaded = {id: await store.load(id) for id in ids}
    task_ids = [row.task_id for stored in loaded.values() if stored is not None for row in stored.tasks]
    statistics = {name: value for name, value in (await store.statistics()).items() if name != "bytes"}
    taken = await store.in_progress(None, limit=1000)
    return {
        "loaded": loaded,
        "found": await store.find(),
        "newest": await store.find(newest_first=True, limit=3),
        "claimable": await store.claimable(None, limit=1000),
        "in_progress": sorted((row.execution_id, row.n) for row in taken),
        "queues": await store.queue_sizes(),
        "alarms": await store.alarms(limit=1000),
        "outbox": await store.outbox(limit=1000),
        "expired": await store.expired(T0 * 2, limit=1000),
        "logs": {id: await store.logs(id) for id in task_ids},
        "documents": await store.documents("kind"),
        "statistics": statistics,
        "sought": {
            (kind, text): await store.search(kind, parse_text(text, READABLE[kind]), size=1000)
            for kind, status in (("executions", "RUNNING"), ("tasks", "SCHEDULED"))
            for text in ("xxxx", "step3", "-step3", "COMPLETED OR FAILED", f"status:{status} simple", "0000-0000", f"input:{'x' * 300}", "no such thing")
        },
    }
