"""
Reports: a worker's word on its task, its log lines, and reading an execution as it is on disk.

Source: conductor-rest-api.md §1.2, conductor-semantics.md §2.3.
"""

from __future__ import annotations

import asyncio

import msgspec

from batuta.core import oversize
from batuta.core.model.definition import Definition
from batuta.core.model.event import Event, LeaseExtended, Reported
from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import PAYLOAD_BYTES_MAX, Json, Task
from batuta.engine.post import decided
from batuta.engine.steps import Steps
from batuta.engine.tally import UPDATE_CONFLICTS
from batuta.errors import BatutaError, Invalid, NotFound, SecretUnreadable
from batuta.store.protocol import Commit, LogRow
from batuta.wire.codec import encode
from batuta.wire.requests import TaskResult

LOGS_PER_REPORT = 10


class Reports(Steps):
    """The worker's side of the engine, and reading."""

    async def report(self, result: TaskResult, body_bytes: int = 0) -> tuple[Execution, Task] | None:
        """
        A worker's word on its task. None: the task or its execution has ended, the word is ignored.

        An output larger than any payload may be fails the task for good; *body_bytes*, the size of the request, tells when to look.

        Raises:
            NotFound: no such execution, or no such task in it.
            Invalid: the output stands under a path that leads to none.

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
                callback_after_s=result.callback_after_s, sub_execution_id=result.sub_execution_id or "",
            )  # fmt: skip
            if body_bytes > PAYLOAD_BYTES_MAX and (size := oversize.size_of(event.output)) > PAYLOAD_BYTES_MAX:
                reason = oversize.of_task(live.x.head, task, size)
                event = Reported(n=task.n, status=TaskStatus.FAILED_WITH_TERMINAL_ERROR, output={}, reason=reason, worker=result.worker)
        if task.status.is_terminal or live.x.head.status.is_terminal:
            self.tally.count(UPDATE_CONFLICTS, live.x.head.name, task.type, task.status)
            if live.pending or (live.turn is not None and live.turn.locked()):
                await self.handle(result.execution_id, event)  # what ended it may still be on its way to the disk: no promise before
            return None
        if result.external_output and isinstance(event, Reported) and not event.output:
            event = msgspec.structs.replace(event, output=await self._uploaded_output(live.x, result.external_output))
        if result.logs:
            now = self.clock.now()
            await self._write_logs(live.x, [LogRow(task.id, line.created_at or now, line.line) for line in result.logs[:LOGS_PER_REPORT]])
        await self._cascade(result.execution_id, decided(event))
        return live.x, task

    async def fail_unreadable(self, x: Execution, task: Task, error: SecretUnreadable) -> None:
        """A task was claimed whose secrets cannot be read: nobody gets it, and it fails saying why."""
        await self.handle(x.head.id, Reported(n=task.n, status=TaskStatus.FAILED, output={}, reason=str(error)))

    async def report_by_ref(self, execution_id: str, ref: str, status: TaskStatus, output: Json, worker: str | None) -> tuple[Execution, Task] | None:
        """The same for the first open task of a reference, output laid over the output there is. None: no such task is open."""
        live = self.lives.get(execution_id) or await self._load(execution_id)
        if live is None:
            return None
        task = open_by_ref(live.x, ref)
        if task is None or live.x.head.status.is_terminal:
            return None
        await self.handle(execution_id, Reported(n=task.n, status=status, output=output, reason=task.reason, worker=worker, merge=True))
        return live.x, task

    # -- payloads by their path -------------------------------------------------------------------------------------------------

    async def payload_given(self, path: str) -> Json:
        """What a request stands for that names a path instead of a payload. Raises Invalid when there is nothing."""
        try:
            return (await self.payload_at(path))[0]
        except NotFound as error:
            raise Invalid(str(error)) from None

    async def _uploaded_output(self, x: Execution, path: str) -> Json:
        """The output that a report names by its path; what lies there until its day is over is masked from now on, like the output."""
        found = await self.payload_given(path)
        if x.secrets and self.payloads is not None and self.payloads.has(path):
            masked: Json = self.secrets.mask(x.secrets).payload(found)
            if masked is not found:
                await self.payloads.keep(path, encode(masked))
            return masked
        return found

    async def payload_at(self, path: str) -> tuple[Json, Definition | None]:
        """
        The payload under a path that a client was given: uploaded by it, or of a task or an execution, then with the definition that this runs.

        Raises:
            NotFound: there is none.
        """
        if self.payloads is not None and self.payloads.has(path):
            return await self.payloads.read(path), None
        kind, _, rest = path.partition("/")
        side, _, file = rest.partition("/")
        owner = file.removesuffix(".json")
        if kind not in ("task", "workflow") or side not in ("input", "output") or owner == file or not owner or "/" in owner:
            raise NotFound(f"this server keeps no payload under {path!r}; expected a path that it gave, such as task/output/ID.json")
        if kind == "task":
            x, task = await self.read_task(owner)
            return (task.input if side == "input" else x.output_of(task)), x.definition
        x = await self.read(owner)
        return (x.head.input if side == "input" else x.head.output), x.definition

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


def open_by_ref(x: Execution, ref: str) -> Task | None:
    """The first open task of the reference, as written or with the suffix of a loop."""
    exact = [t for t in x.ordered() if not t.status.is_terminal and t.ref == ref]
    if exact:
        return exact[0]
    return next((t for t in x.ordered() if not t.status.is_terminal and t.base_ref == ref), None)
