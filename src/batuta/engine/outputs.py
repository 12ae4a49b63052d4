"""
Outputs: what tasks with a cacheConfig put out, remembered for others of the same key until their time is over.

Durable documents, mirrored in memory, since a decision waits for nobody; both are bounded, and the oldest go first. An output is written when its task's
commit is durable: a crash in between forgets it, and the next task runs as if it were the first. What has expired is never handed out, and is deleted with
the next output that comes, a batch at a time.
Not here: the key (core/cache.py).
"""

from __future__ import annotations

import hashlib
import heapq
import logging
from collections.abc import Awaitable
from typing import Final

import msgspec

from batuta.core.cache import key_of
from batuta.core.model.execution import Execution
from batuta.core.model.task import Json
from batuta.store.protocol import Commit, Document, Store
from batuta.store.rows import payload_of

log = logging.getLogger("batuta.engine")
ENTRIES_MAX: Final = 10_000
BYTES_MAX: Final = 16 * 1024 * 1024  # of all outputs; they are in memory too
OUTPUT_BYTES_MAX: Final = 256 * 1024  # a larger one is not remembered
BATCH: Final = 200  # deleted at once
_KIND: Final = "task-output"


class Remembered(msgspec.Struct, frozen=True):
    """An output as it is stored, and the instant up to which it counts."""

    until: int
    output: msgspec.Raw


class Outputs:
    """What is remembered, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Remembered] = {}  # by digest of the key, oldest first
        self._ends: list[tuple[int, str]] = []  # heap; an entry that differs is stale
        self._bytes = 0

    async def load(self, now: int) -> None:
        """Read what is remembered, and delete what has expired; before anything is decided. Raises Unavailable."""
        found = [(document.key, msgspec.json.decode(document.body, type=Remembered)) for document in await self._store.documents(_KIND)]
        for name, one in sorted(found, key=lambda entry: entry[1].until):
            self._place(name, one)
        while gone := self._expired(now):
            await self._store.put((), delete=[(_KIND, name, 0) for name in gone])

    def get(self, key: str, now: int) -> Json | None:
        """The output remembered under the key, if its time is not over. From any thread."""
        found = self._known.get(_digest(key))
        return payload_of(bytes(found.output)) if found is not None and found.until > now else None

    def remember(self, x: Execution, commit: Commit, now: int) -> Awaitable[None] | None:
        """Remember the outputs of tasks that this commit completes, where their nodes say so; what comes back is when that is durable, None for nothing."""
        documents = {}
        for row in commit.tasks:
            if row.status == "COMPLETED" and row.output is not None and (task := x.tasks.get(row.n)) is not None and not task.cached:
                node = x.node_of(task)
                if (key := key_of(node, task)) is None or node.cache is None:
                    continue
                if len(row.output) > OUTPUT_BYTES_MAX:
                    log.warning("execution %s, task %s: an output of %d bytes is too large to be cached", commit.execution_id, row.ref, len(row.output))
                    continue
                one = Remembered(task.ended_at + node.cache.ttl_s * 1000, msgspec.Raw(row.output))
                documents[_digest(key)] = Document(_KIND, _digest(key), 0, msgspec.json.encode(one))
                self._place(_digest(key), one)
        if not documents:
            return None
        gone = [(_KIND, name, 0) for name in (*self._expired(now), *self._surplus()) if name not in documents]
        return self._store.put(list(documents.values()), delete=gone)

    def _place(self, name: str, one: Remembered) -> None:
        self._forget(name)
        self._known[name] = one
        heapq.heappush(self._ends, (one.until, name))
        self._bytes += len(bytes(one.output))

    def _forget(self, name: str) -> None:
        if (old := self._known.pop(name, None)) is not None:
            self._bytes -= len(bytes(old.output))

    def _expired(self, now: int) -> list[str]:
        """Up to a batch of what has expired, forgotten."""
        gone: list[str] = []
        while self._ends and self._ends[0][0] <= now and len(gone) < BATCH:
            until, name = heapq.heappop(self._ends)
            if (one := self._known.get(name)) is not None and one.until == until:
                self._forget(name)
                gone.append(name)
        return gone

    def _surplus(self) -> list[str]:
        """The oldest beyond the bounds, forgotten."""
        gone = []
        while len(self._known) > ENTRIES_MAX or self._bytes > BYTES_MAX:
            gone.append(next(iter(self._known)))
            self._forget(gone[-1])
        return gone


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()
