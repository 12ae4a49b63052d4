"""The page on the UI port."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from clistage import single

from batuta.app import Server
from batuta.cli import landing as module
from batuta.cli.landing import Landing
from batuta.client import SyncClient
from batuta.settings import Settings
from batuta.testing.loop import LoopThread


@dataclass
class Site:
    """A server with its page."""

    client: SyncClient
    port: int

    def ask(self, method: str, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with LoopThread("server") as thread:
        server = Server(Settings(port=0, store="memory://", data=str(tmp_path)))
        thread.call(server.start())
        landing = Landing(server)
        thread.call(landing.start("127.0.0.1", 0))
        with SyncClient(f"http://127.0.0.1:{server.port}/api") as client:
            yield Site(client, landing.port)
        thread.call(landing.stop())
        thread.call(server.stop())


def test_the_front_page_lists_what_was_started(site: Site) -> None:
    status, headers, body = site.ask("GET", "/")
    assert status == 200 and headers["content-type"].startswith("text/html") and b"a simple page to look at executions" in body
    assert json.loads(site.ask("GET", "/data/executions")[2])["executions"] == []
    site.client.register_workflow(single())
    ids = [site.client.start_workflow("single", correlation_id=f"c{n}") for n in range(2)]
    data = json.loads(site.ask("GET", "/data/executions")[2])
    assert [one["id"] for one in data["executions"]] == ids[::-1] and site.client.url.endswith(f":{data['port']}/api")
    assert data["executions"][0] == {**data["executions"][0], "name": "single", "version": 1, "status": "RUNNING", "correlation": "c1", "ended": 0}


def test_an_execution_has_a_page_with_what_the_api_says(site: Site) -> None:
    site.client.register_workflow(single())
    execution_id = site.client.start_workflow("single")
    for path in (f"/execution/{execution_id}", f"/execution/{execution_id}/some-task", f"/execution/{execution_id}?tab=x"):
        status, _, body = site.ask("GET", path)
        assert status == 200 and b"a simple page to look at one execution" in body
    told = json.loads(site.ask("GET", f"/data/execution/{execution_id}")[2])
    assert told["tasks"][0]["referenceTaskName"] == "step" and told == {**site.client.get_workflow(execution_id).json, "tasks": told["tasks"]}
    status, _, body = site.ask("GET", "/data/execution/none")
    assert status == 404 and "none" in json.loads(body)["message"]


def test_a_page_may_run_its_own_script_and_nothing_else(site: Site) -> None:
    for path in ("/", "/execution/x"):
        _, headers, body = site.ask("GET", path)
        script = re.search(rb"<script>(.*?)</script>", body, re.DOTALL)
        assert script is not None and body.count(b"<script") == 1
        digest = base64.b64encode(hashlib.sha256(script[1]).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in headers["content-security-policy"] and "default-src 'none'" in headers["content-security-policy"]
        assert not re.search(rb"(?:src|href)=.?https?:|innerHTML|/\*\w+\.(css|js)\*/", body)


def test_it_is_only_to_look_at(site: Site) -> None:
    assert [site.ask(method, "/")[0] for method in ("HEAD", "POST", "DELETE")] == [200, 405, 405]
    assert [site.ask("GET", path)[0] for path in ("/nowhere", "/api/workflow/x", "/data")] == [404, 404, 404]


def test_what_is_no_request_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_S_MAX", 0.2)
    for said in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000, b"GET /"):
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
            connection.sendall(said)
            try:
                assert connection.recv(100) == b""
            except ConnectionResetError:
                pass  # hung up before all was read
    assert site.ask("GET", "/")[0] == 200


def test_a_crowd_does_not_lock_it_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 2)
    address = ("127.0.0.1", site.port)
    with socket.create_connection(address), socket.create_connection(address), socket.create_connection(address, timeout=10) as third:
        assert third.recv(10) == b""


def test_stopping_does_not_wait_for_an_idle_connection(tmp_path: Path) -> None:
    async def scene() -> None:
        landing = Landing(Server(Settings(port=0, store="memory://", data=str(tmp_path))))
        await landing.start("127.0.0.1", 0)
        _, writer = await asyncio.open_connection("127.0.0.1", landing.port)
        await asyncio.wait_for(landing.stop(), 5)
        writer.close()

    asyncio.run(scene())
