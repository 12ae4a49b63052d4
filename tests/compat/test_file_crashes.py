"""Files of a server that is killed: what was complete is there, what was under way has left nothing, and may be sent again. Real sockets, a real disk."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import Served, free_port, launch

SIZE = 24 * 1024 * 1024
WAIT_S = 15.0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[Served]]:
    """The servers of a test, one after the other on one directory; the last one is killed at the end."""
    running = [launch(tmp_path, free_port())]
    yield running
    running[-1].kill()


def ask(server: Served, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    url = path if path.startswith("http") else server.url + path
    request = urllib.request.Request(url, body, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.read()


def made(server: Served) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(server, "POST", "/files", b'{"workflowId": "w", "fileName": "big.bin"}')[1])
    return {**found, "id": found["fileHandleId"].rpartition("/")[2]}


def contents(server: Served) -> list[str]:
    return sorted(path.name.rpartition(".")[2] for path in (server.data / "files").rglob("*") if path.is_file())


def until(server: Served, is_so: Callable[[], bool], what: str) -> None:
    """Return once *is_so*, looked at after each answer of the server's."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, f"not in {WAIT_S} s: {what}"
        ask(server, "GET", "/health")


def memory_kib(server: Served) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def begin_upload(server: Served, file: dict[str, Any]) -> socket.socket:
    """A connection on which half of a content has been sent."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)
    target = file["uploadUrl"].partition(f":{server.port}")[2]
    connection.sendall(f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n\r\n".encode() + bytes(SIZE // 2))
    return connection


def test_what_was_complete_survives_and_what_was_under_way_leaves_nothing(served: list[Served]) -> None:
    server = served[0]
    content = os.urandom(SIZE)
    whole, half, again = made(server), made(server), made(server)
    assert ask(server, "PUT", whole["uploadUrl"], content)[0] == 204
    assert json.loads(ask(server, "POST", f"/files/w/{whole['id']}/upload-complete")[1])["contentHash"] == hashlib.sha256(content).hexdigest()
    assert ask(server, "PUT", again["uploadUrl"], b"first")[0] == 204  # answered, so it is on the disk
    with begin_upload(server, half), begin_upload(server, again):
        until(server, lambda: contents(server).count("part") == 2, "two uploads under way")
        server.kill()
    served.append(server := launch(server.data, free_port()))
    until(server, lambda: contents(server) == ["content", "content"], "the rest is swept away")
    assert hashlib.sha256(ask(server, "GET", f"/files/content/w/{whole['id']}")[1]).digest() == hashlib.sha256(content).digest()
    assert json.loads(ask(server, "POST", f"/files/w/{again['id']}/upload-complete")[1])["contentHash"] == hashlib.sha256(b"first").hexdigest()
    place = json.loads(ask(server, "GET", f"/files/w/{half['id']}/upload-url")[1])["uploadUrl"]
    assert ask(server, "PUT", place, content)[0] == 204
    assert json.loads(ask(server, "POST", f"/files/w/{half['id']}/upload-complete")[1])["uploadStatus"] == "UPLOADED"


def test_an_address_given_before_the_crash_is_good_after_it(served: list[Served]) -> None:
    file = made(served[0])
    served[0].kill()
    served.append(server := launch(served[0].data, free_port()))
    place = file["uploadUrl"].replace(f":{served[0].port}", f":{server.port}")
    assert ask(server, "PUT", place, b"content")[0] == 204


def test_memory_does_not_grow_with_a_file(served: list[Served]) -> None:
    server = served[0]
    file = made(server)
    ask(server, "PUT", file["uploadUrl"], bytes(1024 * 1024))
    before = memory_kib(server)
    content = bytes(3 * SIZE)
    assert ask(server, "PUT", file["uploadUrl"], content)[0] == 204
    ask(server, "POST", f"/files/w/{file['id']}/upload-complete")
    assert len(ask(server, "GET", f"/files/content/w/{file['id']}")[1]) == len(content)
    assert memory_kib(server) - before < 24 * 1024
