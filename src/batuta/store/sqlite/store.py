"""
The store in one SQLite file: the protocol, put together from its parts.

Writes go to one thread (writer.py), reads to a few others (reader.py); the event loop only hands over and hears back. One server has the
file to itself (file.py); its schema is brought up to date when it is opened (migrate.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from batuta.core.query import Query, Sort
from batuta.errors import Unavailable
from batuta.store.protocol import Alarm, Claimable, Commit, Document, Found, LogRow, OutboxRow, Stored, Tally
from batuta.store.sqlite import file, migrate
from batuta.store.sqlite.batch import Put
from batuta.store.sqlite.reader import Reader, Readers
from batuta.store.sqlite.upkeep import Upkeep
from batuta.store.sqlite.writer import Writer

READERS = 2
SEARCHERS = 2  # what may read a million rows has threads of its own, so that loading an execution never waits for it
SEARCH_S_MAX = 30.0
_DAMAGED = "; put a backup in its place (`batuta restore`), or move it away to begin anew"
_REMEDIES = {sqlite3.SQLITE_CORRUPT: _DAMAGED, sqlite3.SQLITE_NOTADB: _DAMAGED, sqlite3.SQLITE_FULL: "; make room on its disk"}
T = TypeVar("T")


@dataclass(slots=True)
class _Open:
    """What exists only between open and close."""

    lock: file.Lock
    upkeep: Upkeep
    writer: Writer
    readers: Readers
    searchers: Readers


class SqliteStore:
    """See protocol.Store for what each method promises."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(os.path.expanduser(path)))  # one file has one lock, by whatever name it is opened
        self._open: _Open | None = None

    async def open(self) -> None:
        """See protocol.Store."""
        if self._open is not None:
            raise Unavailable(f"store {str(self.path)!r} is open already")
        loop = asyncio.get_running_loop()
        try:
            self._open = await loop.run_in_executor(None, self._start, loop)
        except (sqlite3.Error, OSError) as error:
            remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
            raise Unavailable(f"store {str(self.path)!r} cannot be opened: {error}{remedy}") from error

    async def close(self) -> None:
        """See protocol.Store."""
        parts, self._open = self._open, None
        if parts is not None:
            parts.writer.close()
            await asyncio.get_running_loop().run_in_executor(None, self._stop, parts)

    # -- writing ----------------------------------------------------------------------------------------------------------------

    def submit(self, commits: Sequence[Commit]) -> asyncio.Future[None]:
        """See protocol.Store."""
        return self._open.writer.submit(commits) if self._open is not None else self._refused()

    def put(self, documents: Sequence[Document], *, delete: Sequence[tuple[str, str, int]] = ()) -> asyncio.Future[None]:
        """See protocol.Store."""
        return self._open.writer.submit([Put(documents, delete)]) if self._open is not None else self._refused()

    def _refused(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(self._closed())
        return future

    # -- reading ----------------------------------------------------------------------------------------------------------------

    async def load(self, execution_id: str) -> Stored | None:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.load(execution_id))

    async def heads(self, execution_ids: Sequence[str]) -> list[Found]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.heads(execution_ids))

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
        return await self._search(
            lambda reader: reader.find(name, definition_version, correlation_id, statuses, created_from, created_to, newest_first, limit, payloads)
        )

    async def tally(self, since: int) -> list[Tally]:
        """See protocol.Store."""
        return await self._search(lambda reader: reader.tally(since))

    async def search(
        self, kind: Literal["executions", "tasks"], query: Query | None, *, sort: Sequence[Sort] = (), start: int = 0, size: int = 100
    ) -> tuple[int, list[tuple[str, int]]]:
        """See protocol.Store."""
        return await self._search(lambda reader: reader.search(kind, query, sort, start, size))

    async def holder_of(self, task_id: str) -> str | None:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.holder_of(task_id))

    async def claimable(self, queue: str | None, *, limit: int) -> list[Claimable]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.claimable(queue, limit))

    async def in_progress(self, task_type: str | None, *, limit: int) -> list[Claimable]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.in_progress(task_type, limit))

    async def queue_sizes(self) -> dict[str, int]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.queue_sizes())

    async def alarms(self, *, limit: int) -> list[Alarm]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.alarms(limit))

    async def outbox(self, *, limit: int, kinds: Sequence[str] | None = None) -> list[OutboxRow]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.outbox(limit, kinds))

    async def logs(self, task_id: str) -> list[LogRow]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.logs(task_id))

    async def expired(self, before: int, *, limit: int) -> list[str]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.expired(before, limit))

    async def documents(self, kind: str, prefix: str = "", *, after: str = "", limit: int | None = None) -> list[Document]:
        """See protocol.Store."""
        return await self._ask(lambda reader: reader.documents(kind, prefix, after, limit))

    async def statistics(self) -> dict[str, int]:
        """See protocol.Store. `bytes` is what the files take on the disk, the log included."""
        counts = await self._ask(lambda reader: reader.statistics())
        counts["bytes"] = sum(_bytes_of(self.path.with_name(self.path.name + suffix)) for suffix in ("", "-wal"))
        return counts

    async def backup(self, target: str | os.PathLike[str]) -> None:
        """
        Copy all that is durable at this moment into a new file, while the store goes on.

        Raises:
            Unavailable: there is something at the target already, or it cannot be written.
        """
        if self._open is None:
            raise self._closed()
        await self._open.searchers.ask(lambda reader: reader.copy_into(Path(target)))

    async def _ask(self, question: Callable[[Reader], T]) -> T:
        """A question that an index answers."""
        if self._open is None:
            raise self._closed()
        return await self._open.readers.ask(question)

    async def _search(self, question: Callable[[Reader], T]) -> T:
        """A question that may take its time, up to a limit."""
        if self._open is None:
            raise self._closed()
        return await self._open.searchers.ask(question, seconds_max=SEARCH_S_MAX)

    def _closed(self) -> Unavailable:
        return Unavailable(f"store {str(self.path)!r} is closed")

    # -- opening and closing, off the event loop ----------------------------------------------------------------------------------

    def _start(self, loop: asyncio.AbstractEventLoop) -> _Open:
        file.prepare(self.path)
        with contextlib.ExitStack() as undo:
            lock = file.Lock(self.path)
            undo.callback(lock.release)
            connection = undo.enter_context(contextlib.closing(file.connect_writer(self.path)))
            migrate.migrate(connection, self.path, migrate.known())
            connection.execute("DELETE FROM definition_snapshots WHERE NOT EXISTS (SELECT 1 FROM executions WHERE definition = definition_snapshots.key)")
            readers = [undo.enter_context(contextlib.closing(Reader(file.connect_reader(self.path)))) for _ in range(READERS + SEARCHERS)]
            upkeep = undo.enter_context(contextlib.closing(Upkeep(file.connect_checkpointer(self.path))))
            writer = Writer(connection, upkeep, loop)
            undo.pop_all()  # all went well: _stop will do that
        return _Open(lock, upkeep, writer, Readers("store-reader", readers[:READERS]), Readers("store-searcher", readers[READERS:]))

    def _stop(self, parts: _Open) -> None:
        parts.readers.close()
        parts.searchers.close()
        parts.writer.join()
        parts.upkeep.close()
        parts.lock.release()


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
