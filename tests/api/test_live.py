"""Server-sent events: who watches is told of every execution that moves, can come back, and is told when something was missed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from edgework import Caller, Edge

from batuta.api import live

WAIT_S = 10.0


class Watcher(Caller):
    """A client that reads events as they come."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.events: asyncio.Queue[tuple[str, str, Any]] = asyncio.Queue()

    async def send(self, message: Any) -> None:
        await super().send(message)
        for block in message.get("body", b"").decode().split("\n\n"):
            said = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in said:
                self.events.put_nowait((said["event"], said["id"], json.loads(said["data"])))

    async def listen(self, edge: Edge) -> None:
        """From the request to the end of the answer."""
        path, _, query = self.target.partition("?")
        await edge.application(
            {"type": "http", "method": self.method, "raw_path": path.encode(), "query_string": query.encode(), "headers": list(self.headers)},
            self.receive,
            self.send,
        )

    async def next(self) -> tuple[str, str, Any]:
        return await asyncio.wait_for(self.events.get(), WAIT_S)


class Watching:
    """A watcher at work, for the block."""

    def __init__(self, edge: Edge, target: str = "", **headers: str) -> None:
        given = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
        self.watcher = Watcher("GET", f"/api/console/events{target}", headers=given)
        self._edge = edge

    async def __aenter__(self) -> Watcher:
        self._task = asyncio.ensure_future(self.watcher.listen(self._edge))
        return self.watcher

    async def __aexit__(self, *error: object) -> None:
        self.watcher.leave()
        await asyncio.wait_for(self._task, WAIT_S)


async def ask(edge: Edge, method: str, target: str, body: Any = None) -> str:
    chunks = [json.dumps(body).encode()] if body is not None else []
    answer = await Caller(method, target, chunks, ((b"content-type", b"application/json"),)).answer(edge.application)
    assert answer is not None and answer.status < 300, answer
    return answer.text


@pytest.fixture
def world(edge: Edge) -> Edge:
    edge.register()
    return edge


def test_a_watcher_is_told_what_moves(world: Edge) -> None:
    async def scene() -> None:
        async with Watching(world) as watcher:
            assert (await watcher.next())[0] == "hello"
            started = await ask(world, "POST", "/api/workflow", {"name": "flow"})
            kind, _, changes = await watcher.next()
            assert kind == "changes" and [(c["id"], c["name"], c["status"], c["revision"]) for c in changes] == [(started, "flow", "RUNNING", 1)]
            await ask(world, "POST", f"/api/workflow/{started}/terminate")
            await ask(world, "DELETE", f"/api/workflow/{started}/remove")
            seen = (await watcher.next())[2]
            assert [(c["id"], c["status"]) for c in seen] == [(started, "REMOVED")]  # what was in between is not told

    world.run(scene())
    assert world.engine.changes.watching == 0


def test_one_who_asks_for_some_is_told_of_those(world: Edge) -> None:
    async def scene() -> None:
        other, its = [await ask(world, "POST", "/api/workflow", {"name": "flow"}) for _ in range(2)]
        async with Watching(world, f"?ids={its}") as watcher:
            await watcher.next()
            for one in (other, its):
                await ask(world, "PUT", f"/api/workflow/{one}/pause")
            assert [c["id"] for c in (await watcher.next())[2]] == [its]

    world.run(scene())


def test_one_who_comes_back_goes_on_where_it_was(world: Edge) -> None:
    async def scene() -> None:
        async with Watching(world) as watcher:
            mark = (await watcher.next())[1]
        started = await ask(world, "POST", "/api/workflow", {"name": "flow"})
        async with Watching(world, last_event_id=mark) as watcher:
            assert (await watcher.next())[0] == "hello"
            assert [c["id"] for c in (await watcher.next())[2]] == [started]
        async with Watching(world, f"?since={mark}") as watcher:
            assert (await watcher.next())[0] == "hello"
            assert [c["id"] for c in (await watcher.next())[2]] == [started]

    world.run(scene())


@pytest.mark.parametrize("mark", ["of-another-server.5", "nonsense", "."])
def test_one_who_comes_back_too_late_is_told_to_read_again(world: Edge, mark: str) -> None:
    async def scene() -> None:
        async with Watching(world, last_event_id=mark) as watcher:
            assert (await watcher.next())[0] == "reset"

    world.run(scene())


def test_too_much_at_once_is_a_reset(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AT_ONCE_MAX", 3)

    async def scene() -> None:
        async with Watching(world) as watcher:
            await watcher.next()
            await asyncio.gather(*(ask(world, "POST", "/api/workflow", {"name": "flow"}) for _ in range(8)))
            kinds = {(await watcher.next())[0] for _ in range(1)}
            while kinds == {"changes"}:
                kinds = {(await watcher.next())[0]}
            assert kinds == {"reset"}

    world.run(scene())


def test_silence_has_a_beat(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT_S", 0.01)

    async def scene() -> None:
        async with Watching(world) as watcher:
            assert [(await watcher.next())[0] for _ in range(3)] == ["hello", "beat", "beat"]

    world.run(scene())


def test_a_server_that_stops_lets_watchers_go(world: Edge) -> None:
    async def scene() -> None:
        async with Watching(world) as watcher:
            await watcher.next()
            world.application.release()

    world.run(scene())


def test_there_is_an_end_to_how_many_may_watch(world: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WATCHERS_MAX", 0)
    assert world.call("GET", "/api/console/events").status == 503
