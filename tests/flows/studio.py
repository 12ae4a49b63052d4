"""
A provider for tests that really makes small media, counts what it is asked for, and can be told to fail, to take its time or to lose its answer.

And a whole Flow Builder around it: engine, backend, workers, each the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image

from batuta.testing import embedded
from batuta.testing.loop import LoopThread
from batuta.testing.server import EmbeddedServer
from batuta_flows.api import app
from batuta_flows.backend import Backend
from batuta_flows.catalogue import NODE_TYPES, Medium
from batuta_flows.errors import NodeFailed
from batuta_flows.main import serving
from batuta_flows.providers.protocol import Desk, Done, Job, Waiting
from batuta_flows.settings import Settings

Json = Any
SWEEP_S = 0.1  # how soon the end of a run is written down; two seconds elsewhere


class Studio:
    """
    An adapter. `faults`: job key ending → the faults of its next steps, in order. `waits`: how often a job is asked for before it is done.

    `hold`: until when all jobs wait in their first step; `holds`: those with this ending of their key.
    """

    def __init__(self, id: str = "local", waits: int = 0) -> None:
        self.id, self.waits = id, waits
        self.submitted: list[Job] = []
        self.cancelled: list[Mapping[str, Json]] = []
        self.faults: dict[str, list[Exception]] = {}
        self.hold: threading.Event | None = None
        self.holds: dict[str, threading.Event] = {}

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        if state is None:
            if self.id != "local":
                desk.submitting()
            self.submitted.append(job)
            self._fail(job)
            if self.hold is not None:
                self.hold.wait(20)
            for ending, hold in self.holds.items():
                if job.key.endswith(ending):
                    hold.wait(20)
            if self.waits:
                return Waiting({"left": self.waits, "request": f"r{len(self.submitted)}"}, 0.05, 0.1, "in the queue")
        elif state["left"] > 1:
            self._fail(job)
            return Waiting({**state, "left": state["left"] - 1}, 0.05, 0.5, "at work")
        return Done({output.name: self._made(job, output.medium, output.many, desk) for output in NODE_TYPES[job.type].outputs_of(job.settings)}, cost_usd=0.01)

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        self.cancelled.append(state)

    def _fail(self, job: Job) -> None:
        for ending, faults in self.faults.items():
            if job.key.endswith(ending) and faults:
                raise faults.pop(0)

    def _made(self, job: Job, medium: Medium, many: bool, desk: Desk) -> Json:
        one = {
            Medium.IMAGE: lambda: desk.assets.add_bytes(picture(job.seed), medium="image").address,
            Medium.VIDEO: lambda: desk.assets.add_bytes(b"\x00\x00\x00\x18ftypmp42" + job.key.encode(), medium="video").address,
            Medium.AUDIO: lambda: desk.assets.add_bytes(sound(job.seed), medium="audio").address,
            Medium.NUMBER: lambda: 3,
            Medium.TEXT: lambda: f"text of {job.type}",
            Medium.JSON: lambda: {"text": "part"},
            Medium.FILE: lambda: "",
        }[medium]
        return [one() for _ in range(3)] if many else one()


def picture(seed: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 36), (seed % 256, seed // 256 % 256, 99)).save(made, "PNG")
    return made.getvalue()


def sound(seed: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(seed.to_bytes(8, "little") * 100)
    return made.getvalue()


def film(seed: int) -> bytes:
    """What begins as a film does; nobody has to play it."""
    return b"\x00\x00\x00\x18ftypmp42" + seed.to_bytes(8, "little") * 20


def broken(message: str = "it broke", *, may_retry: bool = False) -> NodeFailed:
    return NodeFailed("provider_down" if may_retry else "bad_input", message, may_retry=may_retry)


_KEYS = (("fal", "fal_key", "k"), ("openai", "openai_api_key", "k"), ("service", "content_service_url", "http://127.0.0.1:9"))


class Builder:
    """A running Flow Builder, as an HTTP client sees it."""

    def __init__(self, server: EmbeddedServer, url: str, studios: Mapping[str, Studio], backend: Backend) -> None:
        self.server, self.url, self.studios, self.backend = server, url, studios, backend

    @property
    def studio(self) -> Studio:
        return self.studios["local"]

    def ask(self, method: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None) -> tuple[int, Json]:
        """The status and the body: JSON when it is, bytes otherwise."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, _body(answer.read(), answer.headers.get("content-type", ""))
        except urllib.error.HTTPError as error:
            return error.code, _body(error.read(), error.headers.get("content-type", ""))

    def run(self, nodes: list[Json], **more: Json) -> str:
        code, answer = self.ask("POST", "/workflow/run", {"workflowName": "Test", "nodes": nodes, **more})
        assert code == 200 and answer["success"], answer
        return str(answer["workflowId"])

    def status(self, run_id: str) -> Json:
        code, answer = self.ask("GET", f"/workflow/{run_id}/status")
        assert code == 200, answer
        return answer

    def ended(self, run_id: str) -> Json:
        """The status once the run is over."""
        self.until(lambda: self.status(run_id)["status"] not in ("running", "pending"))
        return self.status(run_id)

    def hurried(self, run_id: str) -> Json:
        """The status once the run is over; the clock is moved ahead whenever a job is put back for a while, and at no other time."""
        seen: set[tuple[str, int]] = set()

        def is_over() -> bool:
            for task in self.server.client.get_workflow(run_id).json["tasks"]:
                turn = task["taskId"], task["pollCount"]
                if task["status"] == "SCHEDULED" and task["callbackAfterSeconds"] and turn not in seen:
                    seen.add(turn)
                    self.server.clock.advance(seconds=task["callbackAfterSeconds"])
            return bool(self.status(run_id)["status"] not in ("running", "pending"))

        self.until(is_over)
        return self.status(run_id)

    def until(self, holds: Callable[[], bool]) -> None:
        self.server.until(holds)


def _body(content: bytes, kind: str) -> Json:
    return json.loads(content) if "json" in kind and content else content


@contextlib.contextmanager
def builder(
    directory: Path, *studios: Studio, server: EmbeddedServer | None = None, workers: bool = True, real: bool = False, **settings: Any
) -> Iterator[Builder]:
    """
    A Flow Builder over an engine of its own (or *server*), with these providers; without any, one on this machine that makes everything at once.

    *real*: with the adapters that its settings ask for instead.
    """
    made = {studio.id: studio for studio in studios or (Studio(),)}
    keys = {name: value for id, name, value in _KEYS if id in made}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(app, "SWEEP_S", SWEEP_S))
        engine = server or stack.enter_context(embedded())
        given = Settings(port=0, conductor_url=engine.url, data=str(directory), poll_interval_ms=100, **{**keys, **settings})
        thread = stack.enter_context(LoopThread("flow-builder"))
        context = serving(given, None if real else made, with_workers=workers)
        url, backend = thread.call(context.__aenter__())
        stack.callback(lambda: thread.call(_left(context)))
        yield Builder(engine, url, made, backend)


async def _left(context: Any) -> None:
    await asyncio.wait_for(context.__aexit__(None, None, None), 40)
