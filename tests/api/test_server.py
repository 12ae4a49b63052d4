"""Sockets: starting and stopping, ports that cannot be had, connections kept, bodies cut off, clients that hang up."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from edgework import Edge

from batuta.api import server
from batuta.errors import Unavailable

Scenario = Callable[[int, server.Edge], Coroutine[Any, Any, None]]


def served(edge: Edge, scenario: Scenario, **how: Any) -> None:
    """Run the scenario against a server on a free port of this machine."""

    async def run() -> None:
        door = server.Edge(edge.services, **how)
        port = await door.start("127.0.0.1", 0)
        try:
            await asyncio.wait_for(scenario(port, door), 60)
        finally:
            await door.stop()

    edge.run(run())


def ask(port: int, *requests: tuple[str, str, bytes]) -> Awaitable[list[tuple[int, dict[str, str], bytes]]]:
    """Requests over one connection, one after the other, from another thread."""

    def talk() -> list[tuple[int, dict[str, str], bytes]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        answers = []
        for method, target, body in requests:
            connection.request(method, target, body=body or None, headers={"content-type": "application/json"} if body else {})
            answer = connection.getresponse()
            answers.append((answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()))
        connection.close()
        return answers

    return asyncio.to_thread(talk)


def test_requests_share_a_connection_and_the_server_does_not_name_itself(edge: Edge) -> None:
    async def scenario(port: int, door: server.Edge) -> None:
        definition = json.dumps([{"name": "w", "tasks": [{"name": "t", "taskReferenceName": "t"}]}]).encode()
        health, put, head, missing = await ask(
            port, ("GET", "/health", b""), ("PUT", "/api/metadata/workflow", definition), ("HEAD", "/api/metadata/workflow", b""), ("GET", "/none", b"")
        )
        assert (health[0], json.loads(health[2])["healthy"]) == (200, True)
        assert "date" in health[1] and "server" not in health[1]
        assert (put[0], json.loads(put[2])["bulkSuccessfulResults"]) == (200, ["w"])
        assert head[0] == 200 and int(head[1]["content-length"]) > 0 and head[2] == b""
        assert missing[0] == 404

    served(edge, scenario)


def test_a_body_beyond_the_limit_is_cut_off(edge: Edge) -> None:
    async def scenario(port: int, door: server.Edge) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /api/tasks HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        rest = await reader.read()  # the server closes: what is still on its way is not read
        assert b'"status":413' in rest and b"connection: close" in rest
        writer.close()

    served(edge, scenario, body_bytes_max=1000)


def test_what_is_no_http_is_refused(edge: Edge) -> None:
    async def scenario(port: int, door: server.Edge) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01 this is TLS\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()

    served(edge, scenario)


async def waits(edge: Edge) -> None:
    """Until a poll waits for `job`."""
    while not edge.engine.queues.get("job").waiters:
        await asyncio.sleep(0)


def test_a_client_that_hangs_up_while_it_waits_takes_no_task(edge: Edge) -> None:
    edge.register()

    async def scenario(port: int, door: server.Edge) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/tasks/poll/batch/job?timeout=5000&workerid=gone HTTP/1.1\r\nhost: x\r\n\r\n")
        await waits(edge)
        writer.close()
        while door._application.watched:
            await asyncio.sleep(0)
        [(status, _, body)] = await ask(port, ("POST", "/api/workflow", b'{"name":"flow"}'))
        assert status == 200 and body
        [(_, _, taken)] = await ask(port, ("GET", "/api/tasks/poll/batch/job?workerid=there&timeout=0", b""))
        [task] = json.loads(taken)
        assert (task["workerId"], task["pollCount"]) == ("there", 1)

    served(edge, scenario)


def test_stopping_answers_who_waits_and_frees_the_port(edge: Edge) -> None:
    async def scenario(port: int, door: server.Edge) -> None:
        polled = asyncio.ensure_future(ask(port, ("GET", "/api/tasks/poll/batch/job?timeout=5000", b"")))
        await waits(edge)
        await asyncio.wait_for(door.stop(), 4)
        [(status, _, body)] = await polled
        assert (status, body) == (200, b"[]")
        with pytest.raises(ConnectionRefusedError):
            await ask(port, ("GET", "/health", b""))
        again = server.Edge(edge.services)
        assert await again.start("127.0.0.1", port) == port
        await again.stop()
        await again.stop()  # harmless

    served(edge, scenario)


def test_a_port_in_use_is_told_with_advice(edge: Edge) -> None:
    async def scenario(port: int, door: server.Edge) -> None:
        with pytest.raises(Unavailable) as refused:
            await server.Edge(edge.services).start("127.0.0.1", port)
        message = str(refused.value)
        assert message.startswith(f"cannot listen on 127.0.0.1:{port}: another program does")
        assert f"sport = :{port}" in message and "choose another port" in message

    served(edge, scenario)


#    host                what is said
ADDRESSES = [
    ("192.0.2.1",        "192.0.2.1 is no address of this machine"),
    ("no such host",     "give an address of this machine"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "message"), ADDRESSES)
def test_an_address_that_is_not_ours_is_told_with_advice(edge: Edge, host: str, message: str) -> None:
    with pytest.raises(Unavailable, match=message):
        edge.run(server.Edge(edge.services).start(host, 0))


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_is_served(edge: Edge) -> None:
    async def run() -> None:
        door = server.Edge(edge.services)
        try:
            port = await door.start("::1", 0)
        except Unavailable:
            pytest.skip("IPv6 is switched off here")
        reader, writer = await asyncio.open_connection("::1", port)
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b"200 OK" in await reader.read()
        writer.close()
        await door.stop()

    edge.run(run())
