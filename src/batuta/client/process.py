"""
A whole process of workers: from names to an exit code, with the signals in between.

Here: `run_workers`, what a command line or a service unit calls. Not here: the host itself (runtime.py).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterable
from typing import Any

from batuta.client.client import Client
from batuta.client.decorator import AnyWorker, Worker
from batuta.client.discovery import find_workers
from batuta.client.runtime import Farewell, WorkerHost

log = logging.getLogger("batuta.client.worker")

EXIT_CLEAN = 0
EXIT_UNFINISHED = 1


def run_workers(workers: Iterable[AnyWorker | str] | AnyWorker | str, client: Client | None = None, **options: Any) -> int:
    """
    Run workers, given as such or as ``module`` or ``module:attribute``, until SIGTERM or SIGINT; the exit code.

    The first signal drains: no more polls, running tasks may end. The second leaves at once, with 128 + its number; results
    on their way are written to the spool before. 0 means that every task ended and every result arrived, 1 that a task was
    cut off or a result is kept for the next start. *options* are those of `WorkerHost`.

    Call it from the main thread, outside any event loop. Logging is set up if nobody has.
    """
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    given = [workers] if isinstance(workers, (str, Worker)) else list(workers)
    found = [one for entry in given for one in (find_workers(entry) if isinstance(entry, str) else [entry])]
    farewell = asyncio.run(_run(client or Client(), found, options))
    if not farewell.is_clean:
        log.warning("left with %d tasks cut off and %d results not taken by the server", farewell.cut_off, farewell.unsent)
    return EXIT_CLEAN if farewell.is_clean else EXIT_UNFINISHED


async def _run(client: Client, workers: list[AnyWorker], options: dict[str, Any]) -> Farewell:
    host = WorkerHost(client, workers, **options)
    loop = asyncio.get_running_loop()
    seen: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, host, number, seen)
    try:
        return await host.run()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        await client.close()


def _on_signal(host: WorkerHost, number: signal.Signals, seen: list[int]) -> None:
    seen.append(number)
    if len(seen) == 1:
        log.info("%s: draining; a second signal leaves at once", number.name)
        host.request_stop()
        return
    log.warning("%s again: leaving at once, tasks under way are left to their timeouts", number.name)
    host.abandon()
    logging.shutdown()
    os._exit(128 + number)  # threads of plain functions would hold up any other way out
