"""
A server in a thread of this process, for tests.

Here: `embedded`, the server as a test holds it, its clock's handle. Not here: the clock itself (clock.py), pytest (plugin.py).
Everything may be called from any thread, and blocks until it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from batuta.app import Server
from batuta.client import Client, Execution, SyncClient, Task, TaskResult, WorkerHost, find_workers
from batuta.settings import read_settings
from batuta.testing.clock import MovableClock
from batuta.testing.loop import LoopThread

if TYPE_CHECKING:
    from batuta.client.calls.metadata import HasDefinition
    from batuta.client.decorator import AnyWorker
    from batuta.client.models import ReportStatus

POLL_S: Final = 0.1  # how long a worker's poll is held: its last one is waited for when the block ends
LOOK_S: Final = 0.005  # between two looks of `until`
TURNS_MAX: Final = 100_000  # instants one `advance` may stop at: an hourly timer over eleven years


def embedded(*, stands_still: bool = False, now: datetime | None = None, **settings: Any) -> EmbeddedServer:
    """
    A server of its own, to be used in a `with`: nothing of it is there before or after.

    *stands_still*: its clock moves only by `server.clock.advance`; else it goes on by itself and can be moved ahead all the same. *now*: the
    time it begins with. *settings*: fields of `batuta.settings.Settings`; the store is in memory unless given, the environment is not looked at.
    """
    at = None if now is None else round(now.timestamp() * 1000)
    return EmbeddedServer(MovableClock(stands_still=stands_still, now=at), settings)


class EmbeddedServer:
    """
    A running server: ``url`` is the root of its API, ``client`` speaks to it, ``clock`` is its time.

    Raises:
        BatutaError: it cannot start (from `__enter__`).
    """

    url: str
    port: int
    client: SyncClient
    clock: ServerClock

    def __init__(self, clock: MovableClock, settings: Mapping[str, Any]) -> None:
        self._own_clock = clock
        self._given = dict(settings)
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> EmbeddedServer:
        with contextlib.ExitStack() as stack:
            self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batuta-", ignore_cleanup_errors=True)))
            given = {"store": "memory://", "data": str(self._directory / "data"), "port": 0, "ui_port": 0, **self._given}
            self._server = Server(read_settings(given, {}), clock=self._own_clock)
            self._thread = stack.enter_context(LoopThread("batuta-server"))
            self._thread.call(self._server.start())
            stack.callback(lambda: self._thread.call(self._server.stop()))
            self.port = self._server.port
            self.url = f"http://{self._server.settings.host}:{self.port}/api"
            self.client = stack.enter_context(SyncClient(self.url))
            self.clock = ServerClock(self._own_clock, self._server, self._thread)
            self._closing = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.close()

    def __repr__(self) -> str:
        return f"<embedded server at {getattr(self, 'url', 'no address yet')}>"

    @contextlib.contextmanager
    def run_workers(self, workers: Iterable[AnyWorker | str] | AnyWorker | str, **options: Any) -> Iterator[WorkerHost]:
        """
        Workers that poll while the block runs, given as such or as `module` or `module:attribute`; *options* are those of `WorkerHost`.

        They live in a thread of this process, so what a test patches, they see. At the end they get a moment to finish.
        """
        given = [workers] if not isinstance(workers, Iterable) or isinstance(workers, str) else list(workers)
        found = [one for entry in given for one in (find_workers(entry) if isinstance(entry, str) else [entry])]
        found = [one.replace(poll_timeout_s=min(POLL_S, one.poll_timeout_s)) for one in found]
        options = {"drain_s": 5.0, "spool_dir": self._directory / "spool", **options}
        client = Client(self.url)
        with LoopThread("batuta-workers") as thread:
            host = thread.call(_started(client, found, options))
            try:
                yield host
            finally:
                thread.call(_stopped(client, host))

    def run(self, workflow: str | Mapping[str, Any] | HasDefinition, input: Mapping[str, Any] | None = None, *, timeout_s: float = 10.0) -> Execution:
        """
        The ended execution of a workflow: registered by its name, or a definition, which is registered first.

        Raises:
            TimeoutError: it had not ended; the message tells what it waits for.
        """
        if isinstance(workflow, str):
            return self.wait(self.client.start_workflow(workflow, input), timeout_s)
        definition = dict(workflow) if isinstance(workflow, Mapping) else workflow.to_dict()
        self.client.register_workflow(definition, overwrite=True)
        return self.wait(self.client.start_workflow(definition["name"], input, version=definition.get("version")), timeout_s)

    def wait(self, execution_id: str, timeout_s: float = 10.0) -> Execution:
        """The execution once it has ended; real seconds, whatever the clock does. Raises TimeoutError as `run` does."""
        try:
            return self.client.wait_for_workflow(execution_id, timeout_s)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self._open_tasks(self.client.get_workflow(execution_id))}") from None

    def until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Return when *condition* holds; for what workers do, which takes real time. Raises TimeoutError when it does not in time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the condition did not hold within {timeout_s:g} s")
            time.sleep(LOOK_S)

    def do(
        self,
        task_type: str,
        output: Mapping[str, Any] | None = None,
        *,
        status: ReportStatus = "COMPLETED",
        reason: str | None = None,
        domain: str | None = None,
        callback_after_s: float = 0.0,
    ) -> Task:
        """
        Be the worker once: take the next due task of this type and report it; the task as it was handed out.

        Raises:
            AssertionError: none is due; the message tells which are.
        """
        task = self.client.poll_task(task_type, worker_id="test", domain=domain)
        if task is None:
            sizes = {name: size for name, size in self.client.queue_sizes().items() if size}
            raise AssertionError(f"no task of type {task_type!r} is due; waiting now or later: {sizes or 'none at all'}")
        self.client.update_task(
            TaskResult(
                status=status, output=output or {}, reason=reason, callback_after_s=callback_after_s,
                task_id=task.id, execution_id=task.execution_id, worker_id="test",
            )
        )  # fmt: skip
        return task

    def _open_tasks(self, execution: Execution) -> str:
        polled = {entry["queueName"] for entry in self.client.poll_data()}
        open_tasks = [
            f"  {task.ref}: {task.type} is {task.status}" + ("" if task.type in polled or task.status != "SCHEDULED" else "; no worker has polled for it")
            for task in execution.tasks
            if not task.is_terminal
        ]
        clock = "\n  (the clock stands still: server.clock.advance moves it)" if self._own_clock.stands_still else ""
        return "\n".join(open_tasks or ["  no task is open"]) + clock


class ServerClock:
    """The server's time, as a test may read and move it."""

    def __init__(self, clock: MovableClock, server: Server, thread: LoopThread) -> None:
        self._clock, self._server, self._thread = clock, server, thread

    def now(self) -> datetime:
        """What time it is for the server, in UTC."""
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """
        Move the time ahead by so much, and return when all that it brings about has happened.

        It stops at every instant something is due, as if the time had passed. What a worker or an HTTP call does meanwhile is not waited for.
        """
        ms = round(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds() * 1000)
        if ms < 0:
            raise ValueError(f"time moves ahead only; found {ms / 1000:g} seconds")
        self._thread.call(self._advance(ms))

    def settle(self) -> None:
        """Return when the server has done all it can do now."""
        self._thread.call(self._settle())

    async def _advance(self, ms: int) -> None:
        await self._settle()
        end = self._clock.now() + ms
        for _ in range(TURNS_MAX):
            at = self._clock.next_at()
            if at is None or at > end:
                break
            self._clock.move_to(at)
            await self._settle()
        self._clock.move_to(end)
        await self._settle()

    async def _settle(self) -> None:
        """No background work of the engine is left, and what it submitted is durable."""
        engine = self._server.engine
        while True:
            await engine.store.submit([])
            await asyncio.sleep(0)
            under_way = [task for task in engine._background if not task.done()]
            if not under_way:
                return
            await asyncio.wait(under_way)


async def _started(client: Client, workers: list[AnyWorker], options: Mapping[str, Any]) -> WorkerHost:
    host = WorkerHost(client, workers, **options)
    await host.start()
    return host


async def _stopped(client: Client, host: WorkerHost) -> None:
    await host.stop()
    await client.close()
