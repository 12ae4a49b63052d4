"""
Reports: a worker's word on its task, its log lines, and reading an execution as it is on disk.

Source: conductor-rest-api.md §1.2, conductor-semantics.md §2.3.
"""

from __future__ import annotations

import asyncio

from batuta.core.model.event import Event, LeaseExtended, Reported
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Json, Task
from batuta.engine.steps import Steps
from batuta.engine.tally import UPDATE_CONFLICTS
from batuta.errors import BatutaError, NotFound, SecretUnreadable
from batuta.store.protocol import Commit, LogRow
from batuta.wire.requests import TaskResult

LOGS_PER_REPORT = 10


class Reports(Steps):
    """The worker's side of the engine, and reading."""

    async def report(self, result: TaskResult) -> tuple[Execution, Task] | None:
        """
        A worker's word on its task. None: the task or its execution has ended, the word is ignored.

        Raises:
            NotFound: no such execution, or no such task in it.

        Source: POST /api/tasks.
        """
        live = self.lives.get(result.execution_id) or await self._load(result.execution_id)
        if live is None:
            raise NotFound(f"No such workflow found by id: {result.execution_id}")
        task = live.x.by_id.get(result.task_id)
        if task is None:
            raise NotFound(f"No such task found by id: {result.task_id}")
        event: Event
        if result.extend_lease:
            event = LeaseExtended(task.n)
        else:
            event = Reported(
                n=task.n, status=result.status or TaskStatus.IN_PROGRESS, output=result.output, reason=result.reason, worker=result.worker,
                callback_after_s=result.callback_after_s, sub_execution_id=result.sub_execution_id or "", external_output=result.external_output or "",
            )  # fmt: skip
        if task.status.is_terminal or live.x.head.status.is_terminal:
            self.tally.count(UPDATE_CONFLICTS, live.x.head.name, task.type, task.status)
            if live.pending or (live.turn is not None and live.turn.locked()):
                await self.handle(result.execution_id, event)  # what ended it may still be on its way to the disk: no promise before
            return None
        if result.logs:
            now = self.clock.now()
            await self._write_logs(live.x, [LogRow(task.id, line.created_at or now, line.line) for line in result.logs[:LOGS_PER_REPORT]])
        await self.handle(result.execution_id, event)
        return live.x, task

    async def fail_unreadable(self, x: Execution, task: Task, error: SecretUnreadable) -> None:
        """A task was claimed whose secrets cannot be read: nobody gets it, and it fails saying why."""
        await self.handle(x.head.id, Reported(n=task.n, status=TaskStatus.FAILED, output={}, reason=str(error)))

    async def report_by_ref(self, execution_id: str, ref: str, status: TaskStatus, output: Json, worker: str | None) -> tuple[Execution, Task] | None:
        """The same for the first open task of a reference, output laid over the output there is. None: no such task is open."""
        live = self.lives.get(execution_id) or await self._load(execution_id)
        if live is None:
            return None
        task = _open_by_ref(live.x, ref)
        if task is None or live.x.head.status.is_terminal:
            return None
        await self.handle(execution_id, Reported(n=task.n, status=status, output=output, reason=task.reason, worker=worker, merge=True))
        return live.x, task

    # -- reading ----------------------------------------------------------------------------------------------------------------

    async def read(self, execution_id: str) -> Execution:
        """
        The execution as it is on disk. Use it before the next await: it is the engine's own.

        Raises:
            NotFound: there is none of this id.
        """
        live = self.lives.get(execution_id) or await self._load(execution_id)
        if live is not None and live.turn is not None:
            async with live.turn:
                pass
        while live is not None and live.last is not None and not live.last.done():
            try:
                await asyncio.shield(live.last)
            except BatutaError:
                live = await self._load(execution_id)
        if live is None:
            raise NotFound(f"No such workflow found by id: {execution_id}")
        return live.x

    async def read_task(self, task_id: str) -> tuple[Execution, Task]:
        """A task and its execution by the task's id alone. Raises NotFound."""
        holder = await self.holder_of(task_id)
        if holder is not None:
            x = await self.read(holder)
            if (task := x.by_id.get(task_id)) is not None:
                return x, task
        raise NotFound(f"Task not found for taskId: {task_id}")

    async def holder_of(self, task_id: str) -> str | None:
        """The id of the execution that has this task."""
        return await self.store.holder_of(task_id)

    # -- logs -------------------------------------------------------------------------------------------------------------------

    async def add_log(self, task_id: str, line: str) -> None:
        """Keep a line about a task; of a task nobody knows it is dropped, as Conductor does."""
        holder = await self.holder_of(task_id)
        if holder is not None:
            x = await self.read(holder)
            await self._write_logs(x, [LogRow(task_id, self.clock.now(), line)])

    async def _write_logs(self, x: Execution, rows: list[LogRow]) -> None:
        if x.secrets:
            mask = self.secrets.mask(x.secrets)
            rows = [LogRow(row.task_id, row.created_at, mask.text(row.line)) for row in rows]
        await self.store.submit([Commit(execution_id=x.head.id, expected=-1, logs=rows)])

    async def logs(self, task_id: str) -> list[LogRow]:
        """A task's log lines in their order."""
        return await self.store.logs(task_id)


def _open_by_ref(x: Execution, ref: str) -> Task | None:
    exact = [t for t in x.ordered() if not t.status.is_terminal and t.ref == ref]
    if exact:
        return exact[0]
    return next((t for t in x.ordered() if not t.status.is_terminal and t.base_ref == ref), None)
