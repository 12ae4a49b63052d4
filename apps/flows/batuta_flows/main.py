"""
The Flow Builder's process: backend and workers over an orchestrator, from its first answer to an orderly end.

Here: sockets, signals, who is told what. Not here: the parts (backend.py), the engine of its own that `batuta flows` starts when CONDUCTOR_URL is not set.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec
import uvicorn

from batuta.client import Client, SyncClient, WorkerHost
from batuta_flows.api.app import application
from batuta_flows.backend import Backend
from batuta_flows.errors import FlowError
from batuta_flows.providers.protocol import Adapter
from batuta_flows.settings import BadSetting, Settings
from batuta_flows.workers.host import tell_of, workers

log = logging.getLogger("batuta.flows")
DRAIN_S: Final = 30.0
_M_ARENA_MAX: Final = -8  # glibc's malloc.h
_HEAPS: Final = 2


class PortTaken(FlowError):
    """The port cannot be listened on."""

    code = "port_taken"


class NoData(FlowError):
    """The data directory cannot be used."""

    code = "no_data"


@contextlib.asynccontextmanager
async def serving(settings: Settings, adapters: Mapping[str, Adapter] | None = None, *, with_workers: bool = True) -> AsyncIterator[tuple[str, Backend]]:
    """
    Backend and workers run while the block does; its value is the backend's address, and the backend.

    Raises:
        BadSetting: CONDUCTOR_URL is not set.
        PortTaken: the port cannot be listened on; says which.
        NoData: the data directory cannot be used.
    """
    if not settings.conductor_url:
        raise BadSetting("CONDUCTOR_URL is not set; `batuta flows` starts an engine of its own, here the address of one is needed")
    listening = _bound(settings)
    port = listening.getsockname()[1]
    try:
        backend = Backend(msgspec.structs.replace(settings, port=port), SyncClient(settings.conductor_url), adapters)
    except (OSError, sqlite3.Error) as error:
        listening.close()
        raise NoData(f"FLOWS_DATA: {settings.data!r} cannot be used: {error}") from None
    server = uvicorn.Server(uvicorn.Config(application(backend), log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=5))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # signals are the caller's
    answering = asyncio.create_task(server.serve(sockets=[listening]))
    found = workers(backend.runner, poll_interval_ms=settings.poll_interval_ms)
    host = WorkerHost(Client(settings.conductor_url), found, worker_id=settings.name, drain_s=DRAIN_S, spool_dir=settings.directory / "spool")
    working, telling = (asyncio.create_task(host.run()), asyncio.create_task(tell_of(host))) if with_workers else (None, None)
    try:
        while not server.started and not answering.done():
            await asyncio.sleep(0.01)
        yield f"http://{settings.host}:{port}", backend
    finally:
        server.should_exit = True
        if telling is not None and working is not None:
            telling.cancel()
            host.request_stop()
            await working
        await answering
        backend.close()


async def serve(settings: Settings, announce: Callable[[str], None], *, until_stdin_closes: bool = False) -> None:
    """
    Serve until SIGINT or SIGTERM; *announce* is given the address once it answers.

    *until_stdin_closes*: also end with the process that holds the other end of standard input, however that one ends.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin, lambda: None if os.read(sys.stdin.fileno(), 1 << 16) else stop.set())
    async with serving(settings) as (address, _):
        announce(address)
        await stop.wait()


def share_heaps() -> None:
    """Let all threads to come share two heaps: glibc gives each one of its own and keeps what was freed there, which is pictures and films here."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # macOS and musl have none, and no such habit
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _HEAPS)


def _bound(settings: Settings) -> socket.socket:
    try:
        found = socket.create_server((settings.host, settings.port), backlog=512, reuse_port=settings.port_shared)
    except OSError as error:
        raise PortTaken(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another PORT") from None
    found.setblocking(False)
    return found
