"""kill -9 of our server while messages go out to JetStream and come in from it: none is lost in either direction, none acts twice."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from natswork import Broker, needs_nats
from serving import Served, free_port, launch

pytestmark = needs_nats
ROUNDS = 2
END_S = 60.0


def call(server: Served, method: str, path: str, body: Any = None) -> Any:
    given = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, given, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text and answer.headers.get_content_type() == "application/json" else text.decode()


def prepare(server: Served) -> None:
    common = {"version": 1, "schemaVersion": 2, "ownerEmail": "crash@example.com", "timeoutSeconds": 0}
    given = {"n": "${workflow.input.n}"}
    tell = {"name": "tell", "taskReferenceName": "tell", "type": "EVENT", "sink": "jsm:out", "inputParameters": given}
    nothing = {"name": "nothing", "taskReferenceName": "nothing", "type": "NOOP"}
    call(server, "PUT", "/metadata/workflow", [{**common, "name": "telling", "tasks": [tell]}, {**common, "name": "told", "tasks": [nothing]}])
    action = {"action": "start_workflow", "start_workflow": {"name": "told", "input": {"n": "${n}"}}}
    call(server, "POST", "/event", {"name": "h", "event": "jsm:in", "active": True, "actions": [action]})


def told(server: Served) -> list[int]:
    found = call(server, "GET", "/workflow/search-v2?start=0&size=5000&query=workflowType%3Dtold")
    return [one["input"]["n"] for one in found["results"]]


def test_nothing_is_lost_and_nothing_acts_twice(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    (tmp_path / "server").mkdir()
    try:
        asyncio.run(scenario(tmp_path / "server", broker))
    finally:
        broker.kill()


async def scenario(data: Path, broker: Broker) -> None:
    import nats

    port, environment = free_port(), {"BATUTA_NATS_URL": broker.url}
    server = launch(data, port, environment=environment)
    prepare(server)
    other = await nats.connect(broker.url)
    stream = other.jetstream()
    sent, answered = 0, []
    for _ in range(ROUNDS):
        asyncio.get_running_loop().call_later(0.7, server.process.kill)
        while server.process.poll() is None:
            sent += 1
            await stream.publish("in", json.dumps({"n": sent}).encode())
            try:
                await asyncio.to_thread(call, server, "POST", "/workflow/telling", {"n": sent})
                answered.append(sent)
            except OSError:
                break
        server.kill()
        server = launch(data, port, environment=environment)
    try:
        async with asyncio.timeout(END_S):
            while len(found := told(server)) < sent or call(server, "GET", "/event/outgoing")["totalHits"]:
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"{sent - len(found)} of {sent} messages never acted; outgoing: {call(server, 'GET', '/event/outgoing')['totalHits']}")
    assert sorted(found) == list(range(1, sent + 1)), "each acted once"
    went = Counter(json.loads(msg.data)["n"] for msg in await everything(stream))
    missing = set(answered) - went.keys()
    assert not missing, f"{len(missing)} of {len(answered)} answered starts told nobody"
    print(f"{sent} in, {len(answered)} out, {sum(went.values()) - len(went)} sent twice")
    await other.close()
    server.process.terminate()
    assert server.process.wait(15) == 0


async def everything(stream: Any) -> list[Any]:
    """All messages that the stream of `out` holds."""
    name = await stream.find_stream_name_by_subject("out")
    info = await stream.stream_info(name)
    return [await stream.get_msg(name, seq) for seq in range(info.state.first_seq, info.state.last_seq + 1)]
