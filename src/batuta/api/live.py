"""
/api/console/events: what moves, as server-sent events.

    event: hello    data: {"at": …}                      first of all: watching from here on
    event: changes  data: [{id, name, status, revision, updatedAt}, …]   each execution at most once every PACE_S
    event: reset    data: {"at": …}                      something was missed (a restart, a long absence, too much at once): read again what is shown
    event: beat     data: {"at": …}                      nothing moved for BEAT_S; without beats the connection is dead

The id of an event is a mark to come back with: in the header Last-Event-ID, as browsers do by themselves, or as `since`.
Not here: where the notes come from and why a slow watcher costs nothing (engine/changes.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any, Final

from batuta.api.http import Request, Response, Streamed
from batuta.api.services import Services
from batuta.engine.changes import Changes
from batuta.errors import Unavailable
from batuta.wire.codec import encode

PACE_S: Final = 0.25
BEAT_S: Final = 10.0
AT_ONCE_MAX: Final = 1000  # changes in one event; beyond that it is cheaper to read again what is shown
WATCHERS_MAX: Final = 500
RETRY_MS: Final = 2000
_HEADERS: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))


def events(services: Services, request: Request, *, ids: list[str] = [], since: str = "") -> Response:  # noqa: B006
    """Changes of executions as they happen, of some only if asked; goes on after `since` or the header Last-Event-ID when it can."""
    changes = services.engine.changes
    if changes.watching >= WATCHERS_MAX:
        raise Unavailable(f"{WATCHERS_MAX} clients watch already; close some, or read /api/workflow/search from time to time")
    mark = request.header(b"last-event-id").decode("latin-1") or since
    return Streamed(200, _told(services, changes, request.client_gone(), frozenset(ids), mark), None, *_HEADERS)


async def _told(services: Services, changes: Changes, gone: asyncio.Future[None], wanted: Collection[str], mark: str) -> AsyncIterator[bytes]:
    with changes.watch():
        position = changes.place(mark)
        if position is None:
            position = changes.position
            yield f"retry: {RETRY_MS}\n".encode() + _event("reset" if mark else "hello", {"at": services.now()}, changes.mark(position))
        else:
            yield f"retry: {RETRY_MS}\n".encode() + _event("hello", {"at": services.now()}, changes.mark(position))
        while not gone.done():
            if changes.position == position:
                await asyncio.wait((changes.next(), gone), timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
                if changes.position == position:
                    if not gone.done():
                        yield _event("beat", {"at": services.now()}, changes.mark(position))
                    continue
            found, position = changes.since(position, AT_ONCE_MAX), changes.position
            if found is None:
                yield _event("reset", {"at": services.now()}, changes.mark(position))
            else:
                shown = [change for change in found if not wanted or change.id in wanted]
                if shown:
                    yield _event("changes", shown, changes.mark(position))
            await asyncio.wait((gone,), timeout=PACE_S)


def _event(name: str, data: Any, mark: str) -> bytes:
    """JSON text has no line ends of its own."""
    return f"event: {name}\nid: {mark}\ndata: ".encode() + encode(data) + b"\n\n"
