"""
Workers: functions that do tasks, and what they may return and raise.

Here: the decorator and its options. Not here: how arguments are made (arguments.py), how a function is run (running.py), and
the process that polls for it (runtime.py).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

import msgspec

from batuta.client.arguments import Signature
from batuta.client.calls.tasks import POLL_TIMEOUT_S_MAX

P = ParamSpec("P")
R = TypeVar("R")


class Failed(Exception):
    """
    Raised by a worker function: this attempt failed, another may succeed.

    The server retries as the task definition says. *output* is stored with the attempt.
    """

    def __init__(self, reason: str, *, output: Mapping[str, Any] | None = None) -> None:
        self.reason = reason
        self.output = output
        super().__init__(reason)


class FailedForGood(Failed):
    """Raised by a worker function: no attempt can succeed (FAILED_WITH_TERMINAL_ERROR), so the server does not retry."""


class InProgress(msgspec.Struct, frozen=True):
    """
    Returned by a worker function: not done yet; hand the task out again after *callback_after_s*.

    *output* is stored with the task and is its ``task.output`` then. No thread and no slot is held meanwhile.
    """

    callback_after_s: float = 60.0
    output: Mapping[str, Any] = {}


@dataclasses.dataclass(frozen=True)
class Worker(Generic[P, R]):
    """
    A function with the type of task it does, and how it wants to be run; still callable like the function itself.

    Made by `worker`; the fields are its parameters.
    """

    name: str
    function: Callable[P, R]
    concurrency: int = 1
    domain: str | None = None
    poll_timeout_s: float = 2.0
    batch: int | None = None
    lease_extension: bool = True
    thread: bool | None = None
    cancel_check_s: float | None = 10.0
    signature: Signature = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            raise ValueError(f"a worker's name is {self.name!r}; it must be the task type to poll for")
        if self.concurrency < 1:
            raise ValueError(f"worker {self.name!r}: concurrency is {self.concurrency}; it must be at least 1")
        if self.batch is not None and self.batch < 1:
            raise ValueError(f"worker {self.name!r}: batch is {self.batch}; it must be at least 1")
        if not 0 < self.poll_timeout_s <= POLL_TIMEOUT_S_MAX:
            raise ValueError(f"worker {self.name!r}: poll_timeout_s is {self.poll_timeout_s}; servers hold a poll up to {POLL_TIMEOUT_S_MAX:g} s")
        if self.cancel_check_s is not None and not self.cancel_check_s > 0:
            raise ValueError(f"worker {self.name!r}: cancel_check_s is {self.cancel_check_s}; it must be more than 0, or None")
        object.__setattr__(self, "signature", Signature(self.name, self.function))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    @property
    def is_coroutine(self) -> bool:
        """Whether the function is an ``async def``."""
        return inspect.iscoroutinefunction(self.function)

    @property
    def runs_in_thread(self) -> bool:
        """Whether it runs outside the host's event loop: plain functions do, coroutines do not, unless told otherwise."""
        return not self.is_coroutine if self.thread is None else self.thread

    @property
    def queue(self) -> str:
        """What it polls: its name, with the domain before it when it has one."""
        return f"{self.domain}:{self.name}" if self.domain else self.name

    def replace(self, **changes: Any) -> Worker[P, R]:
        """The same worker with other options, such as ``replace(concurrency=8, domain="mac")``."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.init}
        return type(self)(**{**fields, **changes})


def worker(
    name: str,
    *,
    concurrency: int = 1,
    domain: str | None = None,
    poll_timeout_s: float = 2.0,
    batch: int | None = None,
    lease_extension: bool = True,
    thread: bool | None = None,
    cancel_check_s: float | None = 10.0,
) -> Callable[[Callable[P, R]], Worker[P, R]]:
    """
    Make the decorated function a worker for tasks of type *name*.

    Its parameters are filled from the task's input by name and converted to their annotated types; a parameter annotated
    `Task` or `TaskContext` receives that. What it returns becomes the task's output.

    Args:
        concurrency: how many tasks it may run at once in one process.
        domain: poll this domain's queue instead of the common one.
        poll_timeout_s: how long the server may hold a poll that finds nothing, at most 5.
        batch: how many tasks one poll may bring; as many as there are free slots unless given.
        lease_extension: renew the task's response timeout while the function runs, so that the timeout means a lost process.
        thread: run in a thread (plain functions do by default) or on the event loop (coroutines do).
        cancel_check_s: how often to ask whether the server has ended the running task; None never asks.

    Raises:
        TypeError: the signature is not one that task input can fill.
        ValueError: an option is out of its range.
    """

    def decorate(function: Callable[P, R]) -> Worker[P, R]:
        return Worker(name, function, concurrency, domain, poll_timeout_s, batch, lease_extension, thread, cancel_check_s)

    return decorate


AnyWorker = Worker[Any, Any]
