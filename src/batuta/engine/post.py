"""
Post: messages between executions on their way, and acts on an execution. Only the shapes; who carries them is delivery.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from batuta.core import lifecycle
from batuta.core.decide import Outcome, decide
from batuta.core.model.decision import Message
from batuta.core.model.event import Event
from batuta.core.model.execution import Execution
from batuta.core.turn import Tools

Act = Callable[[Execution, int, Tools], Outcome]


class Letter(NamedTuple):
    """
    A message on its way, and when the commit that it leaves with is durable (None: it is).

    `before` ends when the letter written to the same receiver before this one has been handed over, `handed` when this one has.
    """

    id: str
    message: Message
    written: asyncio.Future[None] | None
    before: asyncio.Future[None] | None = None
    handed: asyncio.Future[None] | None = None

    @property
    def was_never_sent(self) -> bool:
        """Whether the sender's commit has failed: what it decided never happened."""
        return self.written is not None and self.written.done() and not is_stored(self.written)


class Sent(NamedTuple):
    """A letter handed over: when the receiver's commit is durable, and what to do again should another writer have been first."""

    durable: asyncio.Future[None]
    receiver: str = ""
    act: Act | None = None


Letters = deque[Letter]


def is_stored(durable: asyncio.Future[None]) -> bool:
    """Whether the commit is on disk; False also for one that has failed."""
    return durable.done() and not durable.cancelled() and durable.exception() is None


async def settled(durable: asyncio.Future[None]) -> None:
    """
    Return when the commit is on disk; raises what it failed with. Whoever waits may be cancelled, the commit goes on all the same.

    It is asyncio.shield at half the price: each commit of a worker's report has somebody who waits for it.
    """
    if not durable.done():
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        durable.add_done_callback(lambda _: None if waiter.done() else waiter.set_result(None))
        await waiter
    durable.result()


def offered_again(n: int, *, after_ms: int = 0) -> Act:
    """The act of offering an open worker task again after a while, though it may be with a worker."""

    def act(x: Execution, now: int, tools: Tools) -> Outcome:
        task = x.tasks.get(n)
        return lifecycle.NOTHING if task is None or task.status.is_terminal else lifecycle.requeue(x, now, tools, task, after_ms=after_ms)

    return act


def decided(event: Event) -> Act:
    """The act of letting the core decide an event."""
    return lambda x, now, tools: decide(x, event, now, tools)
