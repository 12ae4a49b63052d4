"""
Live: a run's status as server-sent events, an event whenever it has changed, until it has ended.

One loop per watched run asks the orchestrator, however many people watch; nobody watching costs nothing. Polling /status stays as the way without this.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from batuta.client import ClientError
from batuta_flows.runs.service import UnknownRun

log = logging.getLogger("batuta.flows")
LOOK_S: Final = 0.5
BEAT_S: Final = 15.0
Json = Any


class Watch:
    """The newest state of one run, and who waits for the next."""

    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.body = b""
        self.id = ""
        self.is_over = False
        self.watchers = 0

    async def tell(self, body: bytes, is_over: bool) -> None:
        """This is how it stands now."""
        async with self.changed:
            self.body, self.id, self.is_over = body, hashlib.sha256(body).hexdigest()[:16], is_over
            self.changed.notify_all()


def _moved(watch: Watch, seen: str) -> Callable[[], bool]:
    """Whether there is something that a client, who has seen that much, has not."""
    return lambda: watch.is_over or watch.id != seen


class Live:
    """Watches over runs, one each, for as long as somebody looks. *look*: the status as JSON, and whether the run is over."""

    def __init__(self, look: Callable[[str], tuple[Json, bool]]) -> None:
        self._look = look
        self._watches: dict[str, tuple[Watch, asyncio.Task[None]]] = {}

    async def events(self, request: Request, run_id: str) -> StreamingResponse:
        """The stream of a run. The first event comes at once, unless the client has seen it (`Last-Event-ID`)."""
        await asyncio.to_thread(self._look, run_id)  # an unknown run is a 404, not a stream
        seen = request.headers.get("last-event-id", "")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(run_id, seen), media_type="text/event-stream", headers=headers)

    async def _stream(self, run_id: str, seen: str) -> AsyncIterator[bytes]:
        watch = self._join(run_id)
        try:
            while True:
                if watch.body and watch.id != seen:
                    seen = watch.id
                    yield b"id: %s\nevent: status\ndata: %s\n\n" % (watch.id.encode(), watch.body)
                if watch.is_over:
                    yield b"event: end\ndata: {}\n\n"
                    return
                try:
                    async with asyncio.timeout(BEAT_S), watch.changed:
                        await watch.changed.wait_for(_moved(watch, seen))
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._leave(run_id, watch)

    def _join(self, run_id: str) -> Watch:
        if run_id not in self._watches:
            watch = Watch()
            self._watches[run_id] = watch, asyncio.get_running_loop().create_task(self._follow(run_id, watch))
        watch = self._watches[run_id][0]
        watch.watchers += 1
        return watch

    def _leave(self, run_id: str, watch: Watch) -> None:
        watch.watchers -= 1
        if not watch.watchers:
            _, task = self._watches.pop(run_id)
            task.cancel()

    async def _follow(self, run_id: str, watch: Watch) -> None:
        while not watch.is_over:
            try:
                found, is_over = await asyncio.to_thread(self._look, run_id)
                await watch.tell(msgspec.json.encode(found), is_over)
            except ClientError:
                pass  # the orchestrator is away: the stream goes on when it is back, /health says why it stands
            except UnknownRun:
                await watch.tell(watch.body, True)  # removed meanwhile
            except Exception:
                log.exception("run %s cannot be shown as it goes on", run_id)
            await asyncio.sleep(LOOK_S)
