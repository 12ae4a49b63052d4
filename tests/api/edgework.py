"""The application in-process: the real engine over a store in memory, spoken to through ASGI, without sockets."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from batuta.api.addresses import Addresses
from batuta.api.application import Application
from batuta.api.services import Services
from batuta.core.expr.script import Script, ScriptFailed
from batuta.engine.catalog import Catalog
from batuta.engine.clock import ManualClock
from batuta.engine.contents import Contents
from batuta.engine.engine import Engine
from batuta.engine.events import Events
from batuta.engine.files import Files
from batuta.engine.payloads import Payloads
from batuta.engine.schedules import Schedules
from batuta.engine.signing import Signer
from batuta.store.memory import MemoryStore

T = TypeVar("T")
Message = MutableMapping[str, Any]
JSON = ((b"content-type", b"application/json"),)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def said(self) -> list[tuple[str, str]]:
        """Paths and sentences of a refused definition or request."""
        return [(v["path"], v["message"]) for v in self.json["validationErrors"]]


@dataclass
class Caller:
    """One request as a client makes it; `chunks` are the body in pieces, `leave()` hangs up."""

    method: str
    target: str
    chunks: list[bytes] = field(default_factory=list)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = asyncio.Event()
        self._rest = list(self.chunks) or [b""]
        self.asked = 0  # how often the application asked for more
        self.watched = asyncio.Event()  # the application waits for the client to leave

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> Message:
        self.asked += 1
        if self._rest:
            return {"type": "http.request", "body": self._rest.pop(0), "more_body": bool(self._rest)}
        self.watched.set()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def answer(self, application: Application) -> Answer | None:
        path, _, query = self.target.partition("?")
        scope: Message = {
            "type": "http",
            "method": self.method,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": list(self.headers),
        }
        await application(scope, self.receive, self.send)
        if not self.sent:
            return None
        start, *bodies = self.sent
        return Answer(start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, b"".join(body["body"] for body in bodies))


class NoScripts:
    """A script engine to which a bracket left open is a syntax error, and which has nobody free to run anything."""

    def evaluate(self, script: Script) -> ScriptFailed:
        return ScriptFailed("nobody is free", "unavailable")

    def syntax_error(self, language: str, source: str) -> str | None:
        return "SyntaxError: unexpected end" if source.endswith("(") else None


class Edge:
    """The application and a loop to run it on. `call` is one request from beginning to end."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self._temporary = tempfile.TemporaryDirectory(prefix="batuta-edge-")
        self.directory = Path(self._temporary.name)
        self.clock = ManualClock()
        self.run(self._open())

    async def _open(self) -> None:
        store = MemoryStore()
        await store.open()
        scripts = NoScripts()
        catalog = Catalog(store, self.clock, scripts=scripts)
        await catalog.load()
        self.engine = Engine(store, catalog, scripts, self.clock)
        self.engine.payloads = Payloads(self.directory / "payloads")
        events = Events(self.engine, scripts)
        self.engine.publish = events.publish
        await events.load()
        await self.engine.open()
        schedules = Schedules(self.engine)
        await schedules.open()
        self.services = Services(
            self.engine, catalog, scripts, events=events, schedules=schedules, version="1.2.3", config={"port": "8080"},
            addresses=Addresses(Signer(self.directory / "address-keys.json")),
            files=Files(self.engine, Contents(self.directory / "files", 100_000)),
        )  # fmt: skip
        self.application = Application(self.services, body_bytes_max=100_000)

    def close(self) -> None:
        self.run(self.engine.close())
        self.runner.close()
        self._temporary.cleanup()

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def raw(self, method: str, target: str, *chunks: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
        """A request with these bytes as body."""

        async def ask() -> Answer:
            answer = await Caller(method, target, list(chunks), headers).answer(self.application)
            assert answer is not None
            return answer

        return self.run(ask())

    def call(self, method: str, target: str, body: Any = None) -> Answer:
        """A request with this value as JSON body, or with none."""
        if body is None:
            return self.raw(method, target)
        return self.raw(method, target, json.dumps(body).encode(), headers=JSON)

    # -- a small world ------------------------------------------------------------------------------------------------------------

    def register(self, name: str = "flow", *tasks: dict[str, Any], **fields: Any) -> None:
        """A workflow of these tasks, or of one named `job`."""
        definition = {"name": name, "version": 1, "tasks": list(tasks) or [self.task("job")], **fields}
        assert self.call("PUT", "/api/metadata/workflow", [definition]).status == 200

    @staticmethod
    def task(name: str, **fields: Any) -> dict[str, Any]:
        return {"name": name, "taskReferenceName": name, "type": "SIMPLE", **fields}

    def start(self, name: str = "flow", **fields: Any) -> str:
        """An execution's id."""
        answer = self.call("POST", "/api/workflow", {"name": name, **fields})
        assert answer.status == 200, answer.text
        return answer.text

    def take(self, kind: str = "job", **query: Any) -> dict[str, Any]:
        """A task, polled."""
        asked = "&".join(f"{k}={v}" for k, v in {"workerid": "w1", "timeout": 0, **query}.items())
        [task] = self.call("GET", f"/api/tasks/poll/batch/{kind}?{asked}").json
        found: dict[str, Any] = task
        return found

    def report(self, task: dict[str, Any], status: str = "COMPLETED", **fields: Any) -> Answer:
        ids = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "workerId": "w1"}
        return self.call("POST", "/api/tasks", {**ids, "status": status, **fields})

    def status(self, execution_id: str) -> str:
        found: str = self.call("GET", f"/api/workflow/{execution_id}/status").json["status"]
        return found
