"""A real NATS broker for tests, and a server of ours that talks to it; both in this process's care, and both may die in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from batuta.app import Server
from batuta.core.model.execution import Execution
from batuta.settings import Settings
from batuta.wire.event import read_handler
from batuta.wire.metadata import read_workflow
from batuta.wire.requests import StartRequest

READY_S = 10.0
SETTLED_S = 20.0
PLACES = f"/usr/sbin:/usr/local/sbin:{sys.prefix}/debian/usr/sbin"  # the last is where `make broker` puts it
BINARY = shutil.which("nats-server") or shutil.which("nats-server", path=PLACES)
needs_nats = pytest.mark.skipif(BINARY is None, reason="nats-server is missing, so nothing was tried with a real broker: apt-get install nats-server")


class Broker:
    """A NATS server with JetStream in a directory and on a port of its own; killed and started again it has what it had on disk."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.options, self.port = directory, options, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert BINARY is not None
        log = (self.directory / "nats.log").open("ab")
        command = [BINARY, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.directory / "jetstream"), *self.options]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as there:
                if there.recv(4) == b"INFO":
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"nats-server did not come up: {(self.directory / 'nats.log').read_text()[-2000:]}")

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class World:
    """Our server in this process, and a client of the broker that stands for everybody else."""

    def __init__(self, broker: Broker, server: Server) -> None:
        self.broker, self.server = broker, server

    async def register(self, name: str, *tasks: dict[str, Any]) -> None:
        await self.server.catalog.create_workflow(read_workflow({"name": name, "version": 1, "tasks": list(tasks)}), overwrite=True)

    async def handler(self, name: str, event: str, workflow: str, **fields: Any) -> None:
        action = {"action": "start_workflow", "start_workflow": {"name": workflow, "input": {"n": "${n}"}}}
        await self.server.events.handlers.create(read_handler({"name": name, "event": event, "active": True, "actions": [action], **fields}))
        await self.server.events.listen()

    async def start(self, name: str, given: dict[str, Any] | None = None) -> Execution:
        return await self.server.engine.read(await self.server.engine.start(StartRequest(name=name, input=given or {})))

    async def started(self, name: str) -> list[Any]:
        """The `n` in the input of every execution of the workflow, oldest first."""
        return [json.loads(found.head.input or b"{}").get("n") for found in await self.server.engine.find(name=name, limit=100_000)]

    async def until(self, holds: Callable[[], Awaitable[Any]] | Callable[[], Any]) -> Any:
        """Until it is true; what it is then."""
        async with asyncio.timeout(SETTLED_S):
            while True:
                found = holds()
                if isinstance(found, Awaitable):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.01)

    async def came(self, name: str, *expected: Any) -> None:
        """Until so many executions of the workflow have been started; then it is these, in any order."""
        await self.until(lambda: self._as_many(name, len(expected)))
        found = await self.started(name)
        assert sorted(map(str, found)) == sorted(map(str, expected))

    async def _as_many(self, name: str, many: int) -> bool:
        return len(await self.started(name)) >= many

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """Somebody else's connection to the broker."""
        import nats

        async def quiet(error: Exception) -> None:
            pass

        other = await nats.connect(self.broker.url, error_cb=quiet)
        try:
            yield other
        finally:
            await other.close()


@contextlib.asynccontextmanager
async def serving(broker: Broker, store: str = "memory://", **settings: Any) -> AsyncIterator[World]:
    """Our server for the duration of a with block."""
    server = Server(Settings(store=store, port=0, nats_url=broker.url, **settings))
    await server.start()
    try:
        yield World(broker, server)
    finally:
        await server.stop()


def noop() -> dict[str, Any]:
    return {"name": "nothing", "taskReferenceName": "nothing", "type": "NOOP"}


def tell(sink: str, **fields: Any) -> dict[str, Any]:
    given = {"n": "${workflow.input.n}"}
    return {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": sink, "inputParameters": given, **fields}


