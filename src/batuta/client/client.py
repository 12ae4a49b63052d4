"""
The two clients: `Client` for coroutines, `SyncClient` for everything else. Same server, same methods, same answers.

Here: turning the calls of calls/ into methods, and waiting for an execution's end. Not here: what each call sends (calls/)
and how it travels (http.py). A call of `Client` runs on one of its own threads, so the event loop is never held up.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import random
import time
from collections.abc import Callable, Collection, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from batuta.client.auth import Credentials
from batuta.client.calls import metadata, tasks, workflows
from batuta.client.errors import Unavailable
from batuta.client.http import Call, Transport
from batuta.client.models import TERMINAL_STATUSES, Execution
from batuta.client.threads import DaemonPool

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])

WAIT_FIRST_PAUSE_S = 0.005
WAIT_LONGEST_PAUSE_S = 2.0


class _Connected:
    """What both clients share: the transport they speak through."""

    def __init__(
        self,
        url: str | None = None,
        *,
        key_id: str | None = None,
        key_secret: str | None = None,
        timeout_s: float = 30.0,
        connections: int = 16,
        ca_file: str | None = None,
        proxy_url: str | None = None,
    ) -> None:
        """
        A client of the server at *url*, the API root (``http://host:8080/api``); nothing is sent yet.

        What is not given comes from CONDUCTOR_SERVER_URL, CONDUCTOR_AUTH_KEY and CONDUCTOR_AUTH_SECRET. *timeout_s* bounds each
        call; *connections* is how many may be under way at once.
        """
        if (key_id is None) != (key_secret is None):
            raise ValueError("give both key_id and key_secret, or neither")
        credentials = Credentials(key_id, key_secret) if key_id is not None and key_secret is not None else None
        self.transport = Transport(
            url, credentials=credentials, timeout_s=timeout_s, connections=connections, ca_file=ca_file, proxy_url=proxy_url
        )

    @property
    def url(self) -> str:
        """The API root this client speaks to."""
        return self.transport.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


def _awaited(build: Callable[P, Call[T]]) -> Callable[Concatenate[Client, P], Coroutine[Any, Any, T]]:
    """The method that sends what *build* makes, from a coroutine."""

    async def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.send(build(*args, **kwargs))

    return _as_method(method, build)


def _blocking(build: Callable[P, Call[T]]) -> Callable[Concatenate[SyncClient, P], T]:
    """The method that sends what *build* makes and waits for the answer."""

    def method(self: SyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.send(build(*args, **kwargs))

    return _as_method(method, build)


def _as_method(method: M, build: Callable[..., Any]) -> M:
    """*method* under the name, docstring and signature of *build*, after self, as `help()` shall show it."""
    functools.update_wrapper(method, build)
    signature = inspect.signature(build)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    answer = str(signature.return_annotation).removeprefix("Call[").removesuffix("]")
    shown = signature.replace(parameters=[this, *signature.parameters.values()], return_annotation=answer)
    method.__signature__ = shown  # type: ignore[attr-defined]
    return method


class Client(_Connected):
    """
    The API for coroutines; safe to share between the tasks of one event loop, and usable from several loops.

    ``async with Client() as client: execution_id = await client.start_workflow("order", {"id": 7})``
    """

    _threads: DaemonPool | None = None

    async def send(self, call: Call[T]) -> T:
        """What the server answered to *call*. When the caller is cancelled, the exchange itself still ends by itself, unread."""
        if self._threads is None:
            self._threads = DaemonPool(self.transport.connections, "batuta-http")
        return await asyncio.wrap_future(self._threads.submit(functools.partial(self.transport.send, call)))

    def sibling(self, connections: int) -> Client:
        """A client of the same server and session with its own threads and connections, so that its calls wait for no others."""
        twin = object.__new__(type(self))
        twin.transport = self.transport.sibling(connections)
        return twin

    @property
    def sync(self) -> SyncClient:
        """The blocking twin on the same connections and session."""
        twin = object.__new__(SyncClient)
        twin.transport = self.transport
        return twin

    async def close(self) -> None:
        """Threads end and connections close once the calls under way are over; does not wait for them."""
        if self._threads is not None:
            self._threads.close()
            self._threads = None
        self.transport.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def wait_for_workflow(
        self, execution_id: str, timeout_s: float = 60.0, *, until: Collection[str] = TERMINAL_STATUSES, include_tasks: bool = True
    ) -> Execution:
        """
        The execution, once its status is one of *until*; asked for at growing intervals, through outages of the server.

        Raises:
            TimeoutError: it was not so within *timeout_s*; the message says what its status was.
            NotFound: no such execution.
        """
        patience = _Patience(execution_id, timeout_s, until)
        while True:
            try:
                status = await self.send(patience.bounded(workflows.get_workflow_status(execution_id)))
                if status in until:
                    found = await self.send(patience.bounded(workflows.get_workflow(execution_id, include_tasks)))
                    if found.output_path and not found.output:
                        found.output.update(await self.payload_at(await self.payload_uri(found.output_path, "WORKFLOW_OUTPUT")))
                    return found
            except Unavailable as error:
                status = f"not known ({error})"
            await asyncio.sleep(patience.next_pause_s(status))

    start_workflow = _awaited(workflows.start_workflow)
    execute_workflow = _awaited(workflows.execute_workflow)
    get_workflow = _awaited(workflows.get_workflow)
    get_workflow_status = _awaited(workflows.get_workflow_status)
    terminate = _awaited(workflows.terminate)
    pause = _awaited(workflows.pause)
    resume = _awaited(workflows.resume)
    restart = _awaited(workflows.restart)
    retry = _awaited(workflows.retry)
    rerun = _awaited(workflows.rerun)
    skip_task = _awaited(workflows.skip_task)
    remove = _awaited(workflows.remove)
    decide = _awaited(workflows.decide)
    signal = _awaited(workflows.signal)
    push_message = _awaited(workflows.push_message)
    search = _awaited(workflows.search)
    correlated = _awaited(workflows.correlated)
    health = _awaited(workflows.health)
    version = _awaited(workflows.version)
    request = _awaited(workflows.request)
    poll_task = _awaited(tasks.poll_task)
    poll_tasks = _awaited(tasks.poll_tasks)
    update_task = _awaited(tasks.update_task)
    update_task_by_ref = _awaited(tasks.update_task_by_ref)
    get_task = _awaited(tasks.get_task)
    add_task_log = _awaited(tasks.add_task_log)
    payload_uri = _awaited(tasks.payload_uri)
    payload_at = _awaited(tasks.payload_at)
    get_task_logs = _awaited(tasks.get_task_logs)
    queue_sizes = _awaited(tasks.queue_sizes)
    poll_data = _awaited(tasks.poll_data)
    register_workflow = _awaited(metadata.register_workflow)
    register_workflows = _awaited(metadata.register_workflows)
    get_workflow_def = _awaited(metadata.get_workflow_def)
    list_workflow_defs = _awaited(metadata.list_workflow_defs)
    delete_workflow_def = _awaited(metadata.delete_workflow_def)
    register_task_defs = _awaited(metadata.register_task_defs)
    get_task_def = _awaited(metadata.get_task_def)
    list_task_defs = _awaited(metadata.list_task_defs)
    delete_task_def = _awaited(metadata.delete_task_def)


class SyncClient(_Connected):
    """The API for plain code: every call returns when its answer is there. Safe to share between threads."""

    def send(self, call: Call[T]) -> T:
        """What the server answered to *call*."""
        return self.transport.send(call)

    def close(self) -> None:
        """Connections close."""
        self.transport.close()

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def wait_for_workflow(
        self, execution_id: str, timeout_s: float = 60.0, *, until: Collection[str] = TERMINAL_STATUSES, include_tasks: bool = True
    ) -> Execution:
        """The same as `Client.wait_for_workflow`, blocking."""
        patience = _Patience(execution_id, timeout_s, until)
        while True:
            try:
                status = self.send(patience.bounded(workflows.get_workflow_status(execution_id)))
                if status in until:
                    found = self.send(patience.bounded(workflows.get_workflow(execution_id, include_tasks)))
                    if found.output_path and not found.output:
                        found.output.update(self.payload_at(self.payload_uri(found.output_path, "WORKFLOW_OUTPUT")))
                    return found
            except Unavailable as error:
                status = f"not known ({error})"
            time.sleep(patience.next_pause_s(status))

    start_workflow = _blocking(workflows.start_workflow)
    execute_workflow = _blocking(workflows.execute_workflow)
    get_workflow = _blocking(workflows.get_workflow)
    get_workflow_status = _blocking(workflows.get_workflow_status)
    terminate = _blocking(workflows.terminate)
    pause = _blocking(workflows.pause)
    resume = _blocking(workflows.resume)
    restart = _blocking(workflows.restart)
    retry = _blocking(workflows.retry)
    rerun = _blocking(workflows.rerun)
    skip_task = _blocking(workflows.skip_task)
    remove = _blocking(workflows.remove)
    decide = _blocking(workflows.decide)
    signal = _blocking(workflows.signal)
    push_message = _blocking(workflows.push_message)
    search = _blocking(workflows.search)
    correlated = _blocking(workflows.correlated)
    health = _blocking(workflows.health)
    version = _blocking(workflows.version)
    request = _blocking(workflows.request)
    poll_task = _blocking(tasks.poll_task)
    poll_tasks = _blocking(tasks.poll_tasks)
    update_task = _blocking(tasks.update_task)
    update_task_by_ref = _blocking(tasks.update_task_by_ref)
    get_task = _blocking(tasks.get_task)
    add_task_log = _blocking(tasks.add_task_log)
    payload_uri = _blocking(tasks.payload_uri)
    payload_at = _blocking(tasks.payload_at)
    get_task_logs = _blocking(tasks.get_task_logs)
    queue_sizes = _blocking(tasks.queue_sizes)
    poll_data = _blocking(tasks.poll_data)
    register_workflow = _blocking(metadata.register_workflow)
    register_workflows = _blocking(metadata.register_workflows)
    get_workflow_def = _blocking(metadata.get_workflow_def)
    list_workflow_defs = _blocking(metadata.list_workflow_defs)
    delete_workflow_def = _blocking(metadata.delete_workflow_def)
    register_task_defs = _blocking(metadata.register_task_defs)
    get_task_def = _blocking(metadata.get_task_def)
    list_task_defs = _blocking(metadata.list_task_defs)
    delete_task_def = _blocking(metadata.delete_task_def)


class _Patience:
    """How long one may still wait for an execution, and how long until asking again."""

    def __init__(self, execution_id: str, timeout_s: float, until: Collection[str]) -> None:
        self._execution_id, self._timeout_s, self._until = execution_id, timeout_s, until
        self._deadline = time.monotonic() + timeout_s
        self._pause_s = WAIT_FIRST_PAUSE_S

    def bounded(self, call: Call[T]) -> Call[T]:
        """*call* with no more time than is left, but a second to be answered at all."""
        return dataclasses.replace(call, timeout_s=max(1.0, self._deadline - time.monotonic()))

    def next_pause_s(self, status: str) -> float:
        """A growing, slightly uneven pause that ends with the time allowed; then TimeoutError with the *status* seen last."""
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            wanted = " or ".join(sorted(self._until))
            raise TimeoutError(f"execution {self._execution_id!r} is {status} after {self._timeout_s:g} s; expected {wanted}")
        pause_s = min(self._pause_s * random.uniform(0.8, 1.2), left_s)
        self._pause_s = min(WAIT_LONGEST_PAUSE_S, self._pause_s * 1.5)
        return pause_s
