"""
The load of `batuta bench`: a workflow of three tasks, played by a client that does as little as a client can.

Here: connections, the two ways to play it, the figures. Not here: the server and the report (bench.py). Raw sockets instead of batuta.client, whose
comforts would be measured along with the server.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

STEPS: Final = 3
BATCH: Final = 10
POLL_MS: Final = 200
CALL_S: Final = 30.0
STALL_S: Final = 60.0  # nothing ended for so long: something is wrong, and says so


class Refused(Exception):
    """The server did not do what the load needs."""


class Line:
    """One kept connection; one request at a time."""

    def __init__(self, host: str, port: int, root: str) -> None:
        self._host, self._port, self._root = host, port, root
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of the answer. Raises Refused unless it is a 2xx."""
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        fields = f"host: {self._host}:{self._port}\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        head = f"{method} {self._root}{path} HTTP/1.1\r\n{fields}"
        async with asyncio.timeout(CALL_S):
            if self._streams is None:
                self._streams = await asyncio.open_connection(self._host, self._port)
            reader, writer = self._streams
            writer.write(head.encode() + content)
            status, answer = await _read(reader)
        if not 200 <= status < 300:
            raise Refused(f"{method} {path} was answered {status}: {answer[:300].decode(errors='replace')}")
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, *headers = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    fields = dict(header.split(b":", 1) for header in headers if b":" in header)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        chunks = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            chunks.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return int(first.split()[1]), b"".join(chunks)
    length = int(fields.get(b"content-length", b"0"))
    return int(first.split()[1]), await reader.readexactly(length) if length else b""


class Load:
    """One run against one server; what it makes there bears a name of its own, and is deleted by `clear`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "localhost", parts.port or 80, parts.path)
        self._name = f"bench_{uuid.uuid4().hex[:8]}"
        self._steps = [f"{self._name}_{n}" for n in range(1, STEPS + 1)]
        self._started: list[str] = []
        self._lines: list[Line] = []

    def _line(self) -> Line:
        line = Line(*self._address)
        self._lines.append(line)
        return line

    async def prepare(self) -> None:
        """The workflow is registered."""
        tasks = [{"name": step, "taskReferenceName": f"step{n}", "type": "SIMPLE"} for n, step in enumerate(self._steps, 1)]
        definition = {"name": self._name, "version": 1, "schemaVersion": 2, "ownerEmail": "bench@localhost", "tasks": tasks}
        await self._line().ask("POST", "/metadata/workflow", definition)

    async def one_after_another(self, count: int) -> dict[str, float]:
        """Milliseconds from the start of an execution to the answer to its last report."""
        line, took = self._line(), []
        for _ in range(count):
            began = time.perf_counter()
            execution_id = await self._start(line)
            for step in self._steps:
                await self._report(line, (await self._poll(line, step, 1))[0])
            took.append((time.perf_counter() - began) * 1000)
            status = json.loads(await line.ask("GET", f"/workflow/{execution_id}/status"))["status"]
            if status != "COMPLETED":
                raise Refused(f"execution {execution_id} is {status} after its last report; expected COMPLETED")
        took.sort()
        return {"p50_ms": round(statistics.median(took), 2), "p99_ms": round(took[min(len(took) - 1, int(len(took) * 0.99))], 2), "count": count}

    async def at_once(self, count: int, connections: int) -> dict[str, float]:
        """Executions a second, from the first start to the last report."""
        left = dict.fromkeys(self._steps, count)
        starters = max(1, connections // 4)
        shares = [count // starters + (n < count % starters) for n in range(starters)]
        began = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                for share in shares:
                    group.create_task(self._start_many(share))
                for n in range(max(STEPS, connections - starters)):
                    group.create_task(self._work(self._steps[n % STEPS], left))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        seconds = time.perf_counter() - began
        return {"per_s": round(count / seconds, 1), "seconds": round(seconds, 2), "count": count, "connections": connections}

    async def clear(self) -> None:
        """Nothing of the load is left on the server."""
        try:
            shares = [self._started[n::8] for n in range(8)]
            async with asyncio.TaskGroup() as group:
                for share in shares:
                    group.create_task(self._remove(share))
            await self._line().ask("DELETE", f"/metadata/workflow/{self._name}/1")
        except* (Refused, OSError, EOFError, TimeoutError):
            pass  # the figures stand; what could not be deleted bears the load's name
        finally:
            for line in self._lines:
                line.close()

    async def _start(self, line: Line) -> str:
        execution_id = (await line.ask("POST", "/workflow", {"name": self._name, "version": 1, "input": {}})).decode().strip('"')
        self._started.append(execution_id)
        return execution_id

    async def _start_many(self, count: int) -> None:
        line = self._line()
        for _ in range(count):
            await self._start(line)

    async def _poll(self, line: Line, step: str, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + STALL_S
        while time.monotonic() < deadline:
            tasks: list[dict[str, Any]] = json.loads(await line.ask("GET", f"/tasks/poll/batch/{step}?count={count}&timeout={POLL_MS}&workerid=bench"))
            if tasks:
                return tasks
        raise Refused(f"no task {step} came within {STALL_S:g} s")

    async def _work(self, step: str, left: dict[str, int]) -> None:
        line = self._line()
        deadline = time.monotonic() + STALL_S
        while left[step] > 0:
            tasks = json.loads(await line.ask("GET", f"/tasks/poll/batch/{step}?count={BATCH}&timeout={POLL_MS}&workerid=bench"))
            for task in tasks:
                await self._report(line, task)
                left[step] -= 1
            if tasks:
                deadline = time.monotonic() + STALL_S
            elif time.monotonic() > deadline:
                raise Refused(f"no task {step} came within {STALL_S:g} s; {left[step]} are missing")

    async def _report(self, line: Line, task: dict[str, Any]) -> None:
        who = {key: task[key] for key in ("workflowInstanceId", "taskId")}
        await line.ask("POST", "/tasks", {**who, "status": "COMPLETED", "workerId": "bench", "outputData": {"done": True}})

    async def _remove(self, ids: list[str]) -> None:
        line = self._line()
        for execution_id in ids:
            await line.ask("DELETE", f"/workflow/{execution_id}/remove?archiveWorkflow=false")
