"""
A host of workers on stage, for the client's tests: started, played with, drained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from conductor_fake import ConductorFake

from batuta.client import Client, Farewell, WorkerHost
from batuta.client.decorator import AnyWorker

WAIT_S = 15.0

Play = Callable[..., tuple[Any, Farewell]]


def play(fake: ConductorFake, workers: Sequence[AnyWorker], scene: Callable[[WorkerHost], Awaitable[Any]], **options: Any) -> tuple[Any, Farewell]:
    """Run *workers*, with short polls, against *fake* while *scene* plays; what it returned, and how the host ended."""
    workers = [one.replace(poll_timeout_s=0.05) if one.poll_timeout_s == 2.0 else one for one in workers]

    async def run() -> tuple[Any, Farewell]:
        client = Client(fake.url, timeout_s=10)
        host = WorkerHost(client, workers, **{"drain_s": 10.0, "backoff_s": (0.01, 0.1), **options})
        await host.start()
        try:
            outcome = await scene(host)
        finally:
            farewell = await host.stop()
            await client.close()
        return outcome, farewell

    return asyncio.run(run())


async def until(fake: ConductorFake, is_so: Callable[[], Any], what: str = "the expected state") -> None:
    """Return once *is_so*, looked at after each request to *fake*."""
    await asyncio.to_thread(fake.wait_until, is_so, what)


async def ended(fake: ConductorFake, *task_ids: str) -> None:
    """Return once these tasks have ended on *fake*."""
    await asyncio.to_thread(fake.wait_ended, *task_ids)
