"""
Watches: waiting for an execution to block or to end, and signalling the task it is blocked on.

Nothing is polled: whoever waits is woken by the commits of the execution and of the children it waits for.
Source: conductor-rest-api.md §1.1.1 (waiting), conductor-semantics.md §4.22 (signals).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import msgspec

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.engine.reports import Reports
from batuta.errors import NotFound

DEPTH_MAX = 100  # sub-workflows inside sub-workflows


class Blocked(msgspec.Struct):
    """Where an execution has come to a halt: the execution itself or a descendant, and the task that holds it; no task: it has ended, or the time is over."""

    root: Execution
    holder: Execution
    task: Task | None
    timed_out: bool


class Watches(Reports):
    """The waiting side of the engine."""

    async def until_blocked(self, execution_id: str, refs: Collection[str], wait_s: float) -> Blocked:
        """
        Wait until the execution ends, a WAIT without a time holds it or a descendant, or a task of *refs* has ended; at most *wait_s*.

        Raises:
            NotFound: no such execution.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while True:
            changed: asyncio.Future[None] = loop.create_future()
            family: list[str] = []
            try:
                root, found = await self._blocking(execution_id, refs, family, changed)
                if found is not None:
                    return Blocked(root, found[0], found[1], False)
                if root.head.status.is_terminal:
                    return Blocked(root, root, None, False)
                left = end - loop.time()
                if left <= 0:
                    return Blocked(root, root, None, True)
                await asyncio.wait([changed], timeout=left)
            finally:
                for member in family:
                    self._unwatch(member, changed)

    async def until_changed(self, execution_id: str, revision: int, wait_s: float) -> Execution:
        """
        The execution as soon as it has another revision than this one, or as it is after *wait_s*.

        Raises:
            NotFound: no such execution.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while True:
            changed: asyncio.Future[None] = loop.create_future()
            self.watchers.setdefault(execution_id, set()).add(changed)
            try:
                x = await self.read(execution_id)
                if x.head.revision != revision or (left := end - loop.time()) <= 0:
                    return x
                await asyncio.wait([changed], timeout=left)
            finally:
                self._unwatch(execution_id, changed)

    async def _blocking(
        self, execution_id: str, refs: Collection[str], family: list[str], changed: asyncio.Future[None]
    ) -> tuple[Execution, tuple[Execution, Task] | None]:
        """The execution, and the first task that blocks it, depth first; every execution looked at is watched from before the look on."""
        self.watchers.setdefault(execution_id, set()).add(changed)
        family.append(execution_id)
        x = await self.read(execution_id)
        children = []
        for task in x.ordered():
            if task.status.is_terminal:
                if task.ref in refs:
                    return x, (x, task)
            elif task.type == "WAIT" and not task.wait_until:
                return x, (x, task)
            elif task.type == "SUB_WORKFLOW" and task.sub_execution_id:
                children.append(task.sub_execution_id)
        if len(family) <= DEPTH_MAX:
            for child in children:
                try:
                    _, found = await self._blocking(child, refs, family, changed)
                except NotFound:
                    continue
                if found is not None:
                    return await self.read(execution_id), found
        return await self.read(execution_id), None

    def _unwatch(self, execution_id: str, changed: asyncio.Future[None]) -> None:
        waiting = self.watchers.get(execution_id)
        if waiting is not None:
            waiting.discard(changed)
            if not waiting:
                del self.watchers[execution_id]

    async def signal(self, execution_id: str, status: TaskStatus, output: Json) -> bool:
        """
        Report the first open WAIT of the execution, else of its open children, depth first; whether there was one.

        Raises:
            NotFound: no such execution.
        """
        x = await self.read(execution_id)
        for _ in range(DEPTH_MAX):
            waiting = next((t for t in x.ordered() if t.type == "WAIT" and not t.status.is_terminal), None)
            if waiting is not None:
                return await self.report_by_ref(x.head.id, waiting.ref, status, output, None) is not None
            found = await self._first_child_that_waits(x)
            if found is None:
                return False
            x = found
        return False

    async def _first_child_that_waits(self, x: Execution, depth: int = 0) -> Execution | None:
        for child in [t.sub_execution_id for t in x.ordered() if t.type == "SUB_WORKFLOW" and t.sub_execution_id and not t.status.is_terminal]:
            try:
                found = await self.read(child)
            except NotFound:
                continue
            if any(t.type == "WAIT" and not t.status.is_terminal for t in found.ordered()):
                return found
            if depth < DEPTH_MAX and (deeper := await self._first_child_that_waits(found, depth + 1)) is not None:
                return deeper
        return None
