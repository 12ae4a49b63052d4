"""
A disk for simulations: the memory store, with a process in front of it that may be slow, fail or die.

What was applied stays; what was only submitted is gone when the process dies. A dead process's store takes nothing more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from random import Random

import msgspec

from batuta.errors import Unavailable
from batuta.store.memory import MemoryStore, _Record
from batuta.store.protocol import Commit, HeadRow, Stored


class Disk(MemoryStore):
    """One process's view of the disk. `slow_reads` makes loads take a few turns of the loop, so that others come in between."""

    def __init__(self, chance: Random, *, slow_reads: bool) -> None:
        super().__init__()
        self._chance = chance
        self._slow_reads = slow_reads
        self.overfull = ""  # the first rate limit of which too many were open at some instant

    def _write(self, commit: Commit, head: HeadRow, record: _Record | None) -> None:
        super()._write(commit, head, record)
        if b'"rate_limit_key"' in head.doc:
            self._count(head)

    def _count(self, written: HeadRow) -> None:
        """After every single commit, whoever wrote it and whenever the process dies."""
        found = msgspec.json.decode(written.doc)
        is_open = [r.head for r in self._records.values() if r.head.name == written.name and r.head.status in ("RUNNING", "PAUSED")]
        docs = [msgspec.json.decode(head.doc) for head in is_open]
        count = sum(doc.get("rate_limit_key") == found["rate_limit_key"] and "held" not in doc for doc in docs)
        most = msgspec.json.decode(self._definitions[written.definition_hash])["rateLimitConfig"]["concurrentExecLimit"]
        if count > most:
            self.overfull = self.overfull or f"{count} of {most} under {written.name}/{found['rate_limit_key']}"

    async def load(self, execution_id: str) -> Stored | None:
        if self._slow_reads:
            for _ in range(self._chance.choice((0, 0, 1, 3))):
                await asyncio.sleep(0)
        found = await super().load(execution_id)
        if self._slow_reads and self._chance.random() < 0.3:
            await asyncio.sleep(0)
        return found

    @property
    def waiting(self) -> int:
        """How many submissions are on their way."""
        return len(self._queue)

    def let_through(self, count: int) -> None:
        """The oldest submissions become durable, the others go on waiting."""
        rest: deque[object] = deque()
        while len(self._queue) > count:
            rest.appendleft(self._queue.pop())
        self._apply_all()
        self._queue.extend(rest)  # type: ignore[arg-type]

    def die(self, count: int) -> None:
        """The process dies when so many of the submissions on their way have reached the disk. Nobody is told of anything."""
        failed: list[str] = []
        for _ in range(min(count, len(self._queue))):
            submission = self._queue.popleft()
            if submission.future is None:
                self._doubtful.difference_update(submission.reported)
            else:
                self._apply(submission, failed)
        self._queue.clear()
        self._failures.clear()
        self._is_open = False

    def reopened(self) -> Disk:
        """What the next process finds."""
        again = Disk(self._chance, slow_reads=self._slow_reads)
        again._records, again._definitions, again._outbox = self._records, self._definitions, self._outbox
        again._logs, again._documents, again._places = self._logs, self._documents, self._places
        again.overfull = self.overfull
        return again

    def expect_open(self) -> None:
        """Raises Unavailable for a process that is dead."""
        if not self._is_open:
            raise Unavailable("the process is dead")
