"""NATS against the real broker: out, in, twice, never, and with either side dying in the middle."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from natswork import Broker, World, needs_nats, noop, serving, tell

from batuta.app import Server
from batuta.brokers import nats as nats_provider
from batuta.brokers.nats import processed
from batuta.cli import checks, checks_server
from batuta.client import SyncClient
from batuta.engine.tally import MESSAGES, MESSAGES_FAILED, MESSAGES_HANDLED
from batuta.errors import Invalid
from batuta.settings import Settings
from batuta.wire.event import read_handler

pytestmark = needs_nats
BOTH = pytest.mark.parametrize("kind", ["nats", "jsm"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


def play(broker: Broker, scenario: Callable[[World], Coroutine[Any, Any, None]], **settings: Any) -> None:
    async def run() -> None:
        async with serving(broker, **settings) as world:
            await world.until(lambda: all(health.is_up for health in world.server.events.health().values()))
            await scenario(world)

    asyncio.run(run())


@BOTH
def test_a_message_goes_out_and_comes_back_to_its_handler(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.register("flow", tell(f"{kind}:orders.new"))
        await world.handler("h", f"{kind}:orders.new", "target")
        x = await world.start("flow", {"n": 7})
        assert str(x.head.status) == "COMPLETED" and x.head.output["event_produced"] == f"{kind}:orders.new"
        await world.came("target", 7)
        await world.until(lambda: not world.server.events.held and not world.server.engine._outgoing)
        assert await world.server.events.outgoing() == []

    play(broker, scenario)


@BOTH
def test_others_hear_what_an_event_task_says_and_are_heard_at_once(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.register("flow", tell(f"{kind}:out"))
        await world.handler("h", f"{kind}:in", "target")
        async with world.client() as other:
            heard = await other.subscribe("out")
            await processed(other)
            x = await world.start("flow", {"n": 1})
            msg = await heard.next_msg(timeout=10)
            assert msg.headers["Nats-Msg-Id"] == x.by_ref["tell"].id and b'"workflowType":"flow"' in msg.data
            await other.publish("in", b'{"n": 2}')
            await other.publish("in", b"only text")
            await other.publish("in", b'\xff{"n": 3}')
            await world.came("target", 2, None, None)

    play(broker, scenario)


@BOTH
def test_a_message_that_is_delivered_twice_is_acted_on_once(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.handler("h", f"{kind}:twice", "target")
        async with world.client() as other:
            for id in ("a", "a", "b", "a"):
                await other.publish("twice", b'{"n": "%s"}' % id.encode(), headers={"Nats-Msg-Id": id})
            await other.publish("twice", b'{"n": "last"}')
            await world.came("target", "a", "b", "last")

    play(broker, scenario)


@BOTH
def test_two_handlers_of_a_queue_both_act_and_one_that_is_switched_off_does_not(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        for name in ("first", "second"):
            await world.register(name, noop())
            await world.handler(name, f"{kind}:shared", name)
        async with world.client() as other:
            await other.publish("shared", b'{"n": 1}')
            await world.came("first", 1)
            await world.came("second", 1)
            handlers = world.server.events.handlers
            [kept] = [entry.value for entry in handlers.all() if entry.value["name"] == "second"]
            await handlers.replace({**kept, "active": False})
            await world.server.events.listen()
            await other.publish("shared", b'{"n": 2}')
            await world.came("first", 1, 2)
            await handlers.delete("first")
            await world.server.events.listen()
            details = world.server.events.health()[kind].details
            assert details["subscriptions"] == []
            await handlers.replace(kept)
            await world.server.events.listen()
            await other.publish("shared", b'{"n": 3}')
            await world.until(lambda: world._as_many("second", 2))
            assert await world.started("second") == [1, 3]

    play(broker, scenario)


@BOTH
def test_a_handler_may_listen_to_subjects_by_wildcard(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        for name, subject in (("one", "shop.*"), ("all", "shop.>"), ("exact", "shop.a")):
            await world.register(name, noop())
            await world.handler(name, f"{kind}:{subject}", name)
        async with world.client() as other:
            await other.publish("shop.a", b'{"n": 1}')
            await other.publish("shop.a.b", b'{"n": 2}')
            await world.came("one", 1)
            await world.came("all", 1, 2)
            await world.came("exact", 1)

    if kind == "nats":
        play(broker, scenario)
        return

    async def with_stream(world: World) -> None:
        async with world.client() as other:  # streams must not overlap: whoever wants wildcards makes the stream that has them all
            await other.jetstream().add_stream(name="shop", subjects=["shop.>"])
        await scenario(world)

    play(broker, with_stream)


@BOTH
def test_poison_is_set_aside_once_and_what_comes_after_it_is_handled(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.handler("h", f"{kind}:mixed", "target", condition="$.n.boom() == 1 || true")
        await world.handler("g", f"{kind}:mixed", "target", condition="$.n > 1")
        async with world.client() as other:
            await other.publish("mixed", b'{"n": 1}', headers={"Nats-Msg-Id": "bad"})
            await other.publish("mixed", b'{"n": 2}')
            await world.came("target", 2)
        dead = await world.until(lambda: set_aside(world, 2))
        assert {(d.event, d.failures[0].handler) for d in dead} == {(f"{kind}:mixed", "h")} and "bad" in {d.messageId for d in dead}
        if kind == "jsm":
            info = await consumer(world, "mixed")
            await world.until(lambda: _all_acknowledged(world, "mixed"))
            assert info.config.ack_policy == "explicit"

    play(broker, scenario)


def counted(world: World) -> list[float]:
    """Messages of `jsm:counted` that came, that all handlers are done with, that were set aside."""
    return [world.server.engine.tally.counted(family).get(("jsm", "counted"), 0) for family in (MESSAGES, MESSAGES_HANDLED, MESSAGES_FAILED)]


async def stored(client: Any, n: int) -> bool:
    """Whether the stream has the message; published under an id that follows from *n*, so that it may be tried again."""
    from nats.errors import Error

    try:
        await client.jetstream(timeout=1).publish("orders", b'{"n": %d}' % n, headers={"Nats-Msg-Id": str(n)})
        return True
    except Error:
        return False


async def set_aside(world: World, many: int) -> Any:
    """The messages set aside, once there are so many."""
    dead = await world.server.events.journal.dead()
    return dead if len(dead) >= many else []


async def consumer(world: World, subject: str) -> Any:
    from batuta.brokers.jetstream import named

    async with world.client() as other:
        stream = await other.jetstream().find_stream_name_by_subject(subject)
        return await other.jetstream().consumer_info(stream, named(f"batuta_{subject}"))


async def _all_acknowledged(world: World, subject: str) -> bool:
    info = await consumer(world, subject)
    return bool(info.num_ack_pending == 0 and info.num_pending == 0)


@BOTH
def test_the_broker_dies_and_comes_back_and_nothing_that_was_to_be_published_is_lost(broker: Broker, kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.register("flow", tell(f"{kind}:orders"))
        await world.handler("h", f"{kind}:orders", "target")
        for n in range(20):
            await world.start("flow", {"n": n})
        await world.came("target", *range(20))
        broker.kill()
        for n in range(20, 60):
            x = await world.start("flow", {"n": n})
            assert str(x.head.status) == "COMPLETED"  # published as far as the workflow goes; the rest is the outbox's
        waiting = await world.until(world.server.events.outgoing)
        await world.until(lambda: len(world.server.events.held) == 40)
        assert len(waiting) == 40
        health = world.server.events.health()[kind]
        assert not health.is_up and health.details["error"] and str(broker.port) in health.details["url"]
        broker.start()
        await world.came("target", *range(60))
        await world.until(lambda: not world.server.engine._outgoing)
        assert await world.server.events.outgoing() == [] and world.server.events.health()[kind].is_up

    play(broker, scenario)


def test_what_was_not_acknowledged_when_the_broker_died_comes_again(broker: Broker) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.handler("h", "jsm:orders", "target")
        async with world.client() as other:
            for n in range(200):
                if n == 100:
                    broker.kill()
                    broker.start()
                await world.until(lambda n=n: stored(other, n))
        await world.came("target", *range(200))

    play(broker, scenario)


def test_a_server_that_starts_before_its_broker_serves_and_catches_up(tmp_path: Path) -> None:
    broker = Broker(tmp_path)

    async def run() -> None:
        async with serving(broker) as world:
            for kind in ("nats", "jsm"):
                await world.register(f"target_{kind}", noop())
                await world.register(f"flow_{kind}", tell(f"{kind}:early_{kind}"))
                await world.handler(kind, f"{kind}:early_{kind}", f"target_{kind}")
                await world.start(f"flow_{kind}", {"n": 1})
            assert not any(health.is_up for health in world.server.events.health().values())
            broker.start()
            await world.came("target_nats", 1)
            await world.came("target_jsm", 1)

    try:
        asyncio.run(run())
    finally:
        broker.kill()


def test_a_queue_group_shares_messages_between_servers_and_no_group_does_not(broker: Broker) -> None:
    async def run() -> None:
        async with serving(broker) as one, serving(broker) as two:
            for world in (one, two):
                await world.until(lambda world=world: all(health.is_up for health in world.server.events.health().values()))
                for name, event in (("shared", "nats:work:group"), ("everybody", "nats:work"), ("durable", "jsm:job")):
                    await world.register(name, noop())
                    await world.handler(name, event, name)
            async with one.client() as other:
                for n in range(30):
                    await other.publish("work", b'{"n": %d}' % n)
                    await other.publish("job", b'{"n": %d}' % n)
                await processed(other)
            for world in (one, two):
                await world.came("everybody", *range(30))
            for name in ("shared", "durable"):

                async def all_there(name: str = name) -> bool:
                    return len(await one.started(name)) + len(await two.started(name)) >= 30

                await one.until(all_there)
                assert sorted(await one.started(name) + await two.started(name)) == list(range(30))

    asyncio.run(run())


def test_a_message_that_is_too_large_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "small.conf").write_text("max_payload: 1000\n")
    broker = Broker(tmp_path, "-c", str(tmp_path / "small.conf"))
    broker.start()

    async def scenario(world: World) -> None:
        for kind in ("nats", "jsm"):
            await world.register(kind, tell(f"{kind}:large"))
            await world.start(kind, {"n": "x" * 2000})
        dead = await world.until(lambda: set_aside(world, 2))
        assert all("the broker takes 1000 at most" in d.failures[0].reason for d in dead)

    try:
        play(broker, scenario)
    finally:
        broker.kill()


def test_a_wrong_password_is_told_and_heals(tmp_path: Path) -> None:
    (tmp_path / "secret.conf").write_text('authorization: {user: "u", password: "p"}\n')
    broker = Broker(tmp_path, "-c", str(tmp_path / "secret.conf"))
    broker.start()

    async def run() -> None:
        async with serving(broker) as world:
            health = lambda: world.server.events.health()["nats"]  # noqa: E731
            await world.until(lambda: "uthoriz" in str(health().details.get("error")))
            broker.kill()
            (tmp_path / "secret.conf").write_text("max_payload: 1000\n")
            broker.start()
            await world.until(lambda: health().is_up)

    try:
        asyncio.run(run())
    finally:
        broker.kill()


def test_the_wait_queues_of_the_guide_end_waiting_tasks(broker: Broker) -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "events.md").read_text().partition("## End waiting tasks from a queue")[2]
    completing = page.partition("```json\n")[2].partition("```")[0]
    failing = completing.replace("complete_task", "fail_task").replace("COMPLETED", "FAILED").replace("wait_completed", "wait_failed")

    async def scenario(world: World) -> None:
        await world.register("flow", {"name": "approved", "taskReferenceName": "approved", "type": "WAIT"})
        for handler in (completing, failing):
            await world.server.events.handlers.create(read_handler(json.loads(handler)))
        await world.server.events.listen()
        async with world.client() as other:
            for status in ("COMPLETED", "FAILED"):
                x = await world.start("flow")
                external = json.dumps({"workflowId": x.head.id, "taskRefName": "approved"})
                await other.publish(f"waits.{status}", json.dumps({"externalId": external, "by": "Ana"}).encode())

                async def ended(x: Any = x, status: str = status) -> bool:
                    return str((await world.server.engine.read(x.head.id)).head.status) == status

                await world.until(ended)
                assert (await world.server.engine.read(x.head.id)).by_ref["approved"].output["said"]["by"] == "Ana"

    play(broker, scenario)


def test_names_and_passwords_of_the_address_are_not_shown() -> None:
    connection = nats_provider.Connection("nats://u:p@10.0.0.1:4222, tls://token@b:4222")
    assert connection.shown == "nats://10.0.0.1:4222,tls://b:4222"


#    queue            to listen   to publish
SUBJECTS = [
    ("orders",        True,       True),
    ("orders.new",    True,       True),
    ("orders:group",  True,       True),
    ("orders.*",      True,       False),
    ("orders.>",      True,       False),
    ("orders.>.x",    False,      False),
    ("",              False,      False),
    ("orders..new",   False,      False),
    (".orders",       False,      False),
    ("two words",     False,      False),
    ("line\r\nPUB x", False,      False),
    ("a:b:c",         False,      False),
]  # fmt: skip


@pytest.mark.parametrize(("queue", "to_listen", "to_publish"), SUBJECTS)
def test_a_subject_is_looked_at_before_the_broker_sees_it(queue: str, to_listen: bool, to_publish: bool) -> None:
    assert (nats_provider.refusal(queue, True) is None, nats_provider.refusal(queue, False) is None) == (to_listen, to_publish)


def test_the_doctor_says_how_the_broker_is(broker: Broker) -> None:
    settings = Settings(nats_url=broker.url)
    [well] = checks.broker(settings)
    assert (well.level, "with JetStream" in well.found, broker.url in well.found) == ("ok", True, True)
    broker.kill()
    [ill] = checks.broker(settings)
    assert ill.level == "fail" and broker.url in ill.found
    assert list(checks.broker(Settings())) == []


def test_the_doctor_and_the_health_page_tell_of_messages_that_wait(tmp_path: Path) -> None:
    broker = Broker(tmp_path)  # never started

    async def run() -> None:
        async with serving(broker) as world:
            await world.register("flow", tell("nats:nobody"))
            await world.start("flow", {"n": 1})
            await world.until(lambda: world.server.events.held)

            def told() -> tuple[list[checks.Finding], str, str]:
                root = f"http://127.0.0.1:{world.server.port}"
                pages = [urllib.request.urlopen(f"{root}/actuator/{page}").read().decode() for page in ("health", "prometheus")]
                with SyncClient(f"{root}/api") as client:
                    return list(checks_server.server(client, 0)), pages[0], pages[1]

            findings, health, metrics = await asyncio.to_thread(told)
            [messages] = [one for one in findings if one.check == "Messages"]
            assert messages.level == "warn" and "1 message not published yet; of nats:nobody: NATS at" in messages.found
            shown = json.loads(health)
            assert shown["status"] == "UP" and shown["components"]["nats"]["status"] == shown["components"]["jsm"]["status"] == "DOWN"
            assert shown["components"]["nats"]["details"]["url"] == broker.url and shown["components"]["nats"]["details"]["error"]
            assert 'batuta_event_queue_up{queueType="nats"} 0' in metrics

    asyncio.run(run())


def test_what_comes_and_what_fails_is_counted(broker: Broker) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", noop())
        await world.handler("h", "jsm:counted", "target", condition="$.n.x.y || true")
        async with world.client() as other:
            await other.publish("counted", b'{"n": {"x": {"y": 1}}}')
            await other.publish("counted", b"{}")
            await world.until(lambda: set_aside(world, 1))
            await world.until(lambda: counted(world) == [2, 1, 1])

    play(broker, scenario)


def test_a_server_without_the_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Invalid, match=r"pip install 'batuta\[nats\]'"):
        Server(Settings(store="memory://", nats_url="nats://127.0.0.1:4222"))


def test_nothing_of_nats_is_imported_by_a_server_without_it() -> None:
    code = "import sys, batuta.cli.main, batuta.app; sys.exit('nats' in sys.modules or 'batuta.brokers.nats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
