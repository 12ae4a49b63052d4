"""
Views: what is listed and counted, over the store and what is in memory.

Source: conductor-rest-api.md §1.1 (correlated, running), §1.6 (admin).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from batuta.core.model.definition import Definition
from batuta.core.model.execution import Execution, Head
from batuta.core.model.task import Task
from batuta.core.query import Query, Sort
from batuta.engine.verbs import Verbs
from batuta.errors import NotFound
from batuta.store.protocol import Found
from batuta.store.rows import head_of


class Views(Verbs):
    """The listing side of the engine."""

    async def find(
        self, *, name: str | None = None, definition_version: int | None = None, correlation_id: str | None = None, statuses: Sequence[str] = (),
        created_from: int = 0, created_to: int = 0, newest_first: bool = False, limit: int = 1000, payloads: bool = True,
    ) -> list[Found]:  # fmt: skip
        """See store.protocol.Store.find."""
        await self.flushed()
        return await self.store.find(
            name=name, definition_version=definition_version, correlation_id=correlation_id, statuses=statuses, created_from=created_from,
            created_to=created_to, newest_first=newest_first, limit=limit, payloads=payloads,
        )  # fmt: skip

    async def search(
        self, kind: Literal["executions", "tasks"], query: Query | None, *, sort: Sequence[Sort], start: int, size: int
    ) -> tuple[int, list[tuple[str, int]]]:  # fmt: skip
        """See store.protocol.Store.search."""
        await self.flushed()
        return await self.store.search(kind, query, sort=sort, start=start, size=size)

    async def heads(self, execution_ids: Sequence[str]) -> list[tuple[Head, Definition]]:
        """The heads of those that exist, with their definitions, in the order asked for."""
        out = []
        for found in await self.store.heads(execution_ids):
            definition = self.definitions.known(found.head.definition_hash)
            if definition is None:
                stored = await self.store.load(found.execution_id)
                if stored is None:
                    continue
                definition = self.definitions.remembered(found.head.definition_hash, stored.definition)
            out.append((head_of(found.head), definition))
        return out

    async def pending_tasks(self, task_type: str, start: int, count: int) -> list[tuple[Execution, Task]]:
        """Open worker tasks of the type, from the *start*-th on, up to *count*."""
        out = []
        for execution_id, n in (await self.pending_keys(task_type))[start : start + count]:
            try:
                x = await self.read(execution_id)
            except NotFound:
                continue
            if (task := x.tasks.get(n)) is not None:
                out.append((x, task))
        return out

    async def statistics(self) -> dict[str, int]:
        """Rows and bytes as the store counts them, and what is in memory."""
        stored = await self.store.statistics()
        return {**stored, "live": len(self.lives), "queued": sum(self.queues.sizes().values())}
