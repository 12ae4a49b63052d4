"""Events: handlers act on a message once, whatever is delivered twice; what fails for good is set aside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any

import pytest
from eventwork import World, play, start_workflow, task, turn

from batuta.core.model.decision import Publish
from batuta.engine import delivery, journal
from batuta.engine.actions import expanded
from batuta.engine.providers import Deliver, Health, Message
from batuta.errors import Conflict, Invalid, InvalidFields, NotFound, Unavailable
from batuta.store.protocol import Document
from batuta.wire.event import read_handler

NOOP = task("nothing", "NOOP")
EVENT = "conductor:shop:orders"


async def outcomes(world: World) -> list[tuple[str, str, str]]:
    """What is remembered: handler, execution id, status; oldest id first."""
    return sorted((e.name, e.id, e.status) for e in await world.events.journal.executions())


async def restarted(world: World) -> World:
    await world.close()
    again = World(world.store, world.clock, scripts=world.scripts.known)
    await again.open()
    return again


def test_a_message_starts_a_workflow_with_what_is_in_it() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        given = {"who": "${customer.name}", "all": "${$.items}", "text": "for ${customer.name}"}
        await world.handler("h", EVENT, start_workflow("target", given, correlationId="${id}", taskToDomain={"*": "north"}))
        await world.events.receive(Message(EVENT, "m1", {"customer": {"name": "Ada"}, "items": [1, 2], "id": 7}))
        [x] = await world.started("target")
        origin = {"conductor.event.messageId": "m1", "conductor.event.name": EVENT}
        assert x.head.input == {"who": "Ada", "all": [1, 2], "text": "for Ada", **origin}
        assert (x.head.event, x.head.correlation_id, x.head.task_to_domain) == (EVENT, "7", {"*": "north"})
        [kept] = await world.events.journal.executions()
        assert (kept.id, kept.status, kept.action, kept.output) == ("m1_0", "COMPLETED", "start_workflow", {"workflowId": x.head.id})

    play(scenario)


def test_a_message_delivered_again_does_nothing_again_on_any_server() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("h", EVENT, start_workflow("target"), start_workflow("target"))
        message = Message(EVENT, "m1", {})
        await asyncio.gather(*(world.events.receive(message) for _ in range(5)))
        await world.events.receive(message)
        again = await restarted(world)
        await again.events.receive(message)
        assert len(await again.started("target")) == 2
        await again.events.receive(Message(EVENT, "m2", {}))
        assert len(await again.started("target")) == 4
        await again.close()

    play(scenario)


def test_what_was_done_but_not_remembered_is_not_done_again() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("h", EVENT, start_workflow("target"))
        await world.events.receive(Message(EVENT, "m1", {}))
        await world.store.put((), delete=[(d.kind, d.key, 0) for d in await world.store.documents("event-execution")])
        again = await restarted(world)
        await again.events.receive(Message(EVENT, "m1", {}))
        assert len(await again.started("target")) == 1 and await outcomes(again) == [("h", "m1_0", "COMPLETED")]
        await again.close()

    play(scenario)


def test_only_active_handlers_of_exactly_this_event_act() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        for name, event, active in (("yes", EVENT, True), ("idle", EVENT, False), ("longer", EVENT + ":x", True), ("other", "conductor:shop", True)):
            await world.handler(name, event, start_workflow("target"), active=active)
        await world.events.receive(Message(EVENT, "m1", {}))
        assert await outcomes(world) == [("yes", "m1_0", "COMPLETED")]

    play(scenario)


#    evaluatorType  condition   payload          the handler
CONDITIONS = [
    (None,          None,       {},              "COMPLETED"),
    (None,          "  ",       {},              "COMPLETED"),
    (None,          "$.n > 4",  {"n": 5},        "COMPLETED"),
    (None,          "$.n > 4",  {"n": 4},        "SKIPPED"),
    ("javascript",  "$.n > 4",  {"n": 5},        "COMPLETED"),
    ("graaljs",     "$.n > 4",  {"n": 5},        "COMPLETED"),
    (None,          "$.in.n",   {"in": '{"n":1}'}, "COMPLETED"),
    (None,          "text",     {},              "SKIPPED"),
    ("value-param", "go",       {"go": True},    "COMPLETED"),
    ("value-param", "go",       {"go": "true"},  "SKIPPED"),
    ("value-param", "go",       [1],             "SKIPPED"),
]  # fmt: skip
KNOWN = {"$.n > 4": lambda d: d["n"] > 4, "$.in.n": lambda d: d["in"]["n"], "text": lambda d: "true"}


@pytest.mark.parametrize(("kind", "condition", "payload", "status"), CONDITIONS)
def test_a_condition_says_whether_to_act(kind: str | None, condition: str | None, payload: Any, status: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("h", EVENT, start_workflow("target"), condition=condition, evaluatorType=kind)
        for _ in range(2):
            await world.events.receive(Message(EVENT, "m", payload))
        assert await outcomes(world) == [("h", "m_0", status)]
        assert len(await world.started("target")) == (status == "COMPLETED") and world.scripts.asked <= 1

    play(scenario, scripts=KNOWN)


@pytest.mark.parametrize(("kind", "condition", "named"), [(None, "nonsense(", "ReferenceError: nonsense("), ("python", "x", "evaluatorType 'python'")])
def test_a_condition_that_cannot_be_told_sets_the_message_aside(kind: str | None, condition: str, named: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("bad", EVENT, start_workflow("target"), start_workflow("target"), condition=condition, evaluatorType=kind)
        await world.handler("good", EVENT, start_workflow("target"))
        for _ in range(2):
            await world.events.receive(Message(EVENT, "m", {"k": 1}))
        assert await outcomes(world) == [("bad", "m_0", "FAILED"), ("bad", "m_1", "FAILED"), ("good", "m_0", "COMPLETED")]
        [dead] = await world.events.journal.dead()
        assert (dead.messageId, dead.event, dead.payload, dead.attempts) == ("m", EVENT, {"k": 1}, 1)
        assert [f.handler for f in dead.failures] == ["bad", "bad"] and named in dead.failures[0].reason

    play(scenario)


def test_a_message_set_aside_is_delivered_again_and_only_what_failed_is_tried() -> None:
    async def scenario(world: World) -> None:
        await world.register("first", NOOP)
        await world.handler("h", EVENT, start_workflow("first"), start_workflow("second"))
        await world.events.receive(Message(EVENT, "m", {}))
        [dead] = await world.events.journal.dead()
        assert [f.reason for f in dead.failures] == ["No such workflow defined. name=second, version=null"]
        still = await world.events.redeliver(dead.id)
        assert still is not None and still.attempts == 2
        again = await restarted(world)
        await again.register("second", NOOP)
        assert await again.events.redeliver(dead.id) is None
        assert (len(await again.started("first")), len(await again.started("second"))) == (1, 1)
        assert await outcomes(again) == [("h", "m_0", "COMPLETED"), ("h", "m_1", "COMPLETED")] and await again.events.journal.dead() == []
        with pytest.raises(NotFound):
            await again.events.redeliver(dead.id)
        with pytest.raises(NotFound):
            await again.events.journal.drop(dead.id)
        await again.close()

    play(scenario)


def test_an_event_completes_the_newest_task_of_a_reference_and_a_repeated_one_says_so() -> None:
    async def scenario(world: World) -> None:
        await world.register("waits", task("hold", "WAIT"))
        details = {"workflowId": "${target}", "taskRefName": "hold", "output": {"n": "${n}"}}
        await world.handler("h", EVENT, {"action": "complete_task", "complete_task": details})
        x = await world.start("waits")
        await world.events.receive(Message(EVENT, "m1", {"target": x, "n": 5}))
        await world.events.receive(Message(EVENT, "m2", {"target": x, "n": 6}))
        done = await world.engine.read(x)
        assert done.head.status == "COMPLETED"
        assert done.by_ref["hold"].output == {
            "workflowId": x, "taskId": None, "taskRefName": "hold", "reasonForIncompletion": None, "n": 5,
            "conductor.event.messageId": "m1", "conductor.event.name": EVENT,
        }  # fmt: skip
        second, first = sorted(await world.events.journal.executions(), key=lambda e: e.id, reverse=True)
        assert "error" not in first.output and "has ended" in second.output["error"]

    play(scenario)


#    the action's details                                 what the event execution says
NOBODY = [
    ({"workflowId": "nobody", "taskRefName": "hold"},     "No task found with reference name: hold, workflowId: nobody"),
    ({"workflowId": "${x}", "taskRefName": "other"},      "No task found with reference name: other"),
    ({"taskId": "00000000-0000-0000-0000-000000000000"},  "taskId: 00000000-0000-0000-0000-000000000000"),
]  # fmt: skip


@pytest.mark.parametrize(("details", "error"), NOBODY)
def test_a_task_that_is_not_there_is_no_failure(details: dict[str, Any], error: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("waits", task("hold", "WAIT"))
        await world.handler("h", EVENT, {"action": "fail_task", "fail_task": details})
        await world.events.receive(Message(EVENT, "m", {"x": await world.start("waits")}))
        [kept] = await world.events.journal.executions()
        assert kept.status == "COMPLETED" and error in kept.output["error"]

    play(scenario)


def test_an_event_fails_a_task_by_its_id_with_a_reason() -> None:
    async def scenario(world: World) -> None:
        await world.register("waits", task("hold", "WAIT"))
        await world.handler("h", EVENT, {"action": "fail_task", "fail_task": {"taskId": "${task}", "reasonForIncompletion": "because of ${why}"}})
        x = await world.start("waits")
        await world.events.receive(Message(EVENT, "m", {"task": (await world.engine.read(x)).by_ref["hold"].id, "why": "rain"}))
        failed = await world.engine.read(x)
        assert (failed.head.status, failed.by_ref["hold"].reason) == ("FAILED", "because of rain")

    play(scenario)


def test_an_event_terminates_an_execution() -> None:
    async def scenario(world: World) -> None:
        await world.register("waits", task("hold", "WAIT"))
        await world.handler("h", EVENT, {"action": "terminate_workflow", "terminate_workflow": {"workflowId": "${x}", "terminationReason": "${why}"}})
        x = await world.start("waits")
        for id, target in (("m1", x), ("m2", x), ("m3", "nobody")):
            await world.events.receive(Message(EVENT, id, {"x": target, "why": "enough"}))
        head = (await world.engine.read(x)).head
        assert (head.status, head.reason) == ("TERMINATED", "enough")
        assert [e.status for e in await world.events.journal.executions()] == ["COMPLETED"] * 3

    play(scenario)


#    variables there            sent                     appendArray  then
VARIABLES = [
    ({},                        {"a": 1},                False,       {"a": 1}),
    ({"a": 1, "b": 2},          {"a": [3]},              False,       {"a": [3], "b": 2}),
    ({"l": [1]},                {"l": [2, 3]},           False,       {"l": [2, 3]}),
    ({"l": [1]},                {"l": [2, 3]},           True,        {"l": [1, 2, 3]}),
    ({"l": [1]},                {"l": {"x": 2}},         True,        {"l": [1, {"x": 2}]}),
    ({"l": 1},                  {"l": [2], "n": [3]},    True,        {"l": [2], "n": [3]}),
]  # fmt: skip


@pytest.mark.parametrize(("there", "sent", "append", "then"), VARIABLES)
def test_an_event_sets_variables(there: dict[str, Any], sent: dict[str, Any], append: bool, then: dict[str, Any]) -> None:
    async def scenario(world: World) -> None:
        await world.register("waits", task("hold", "WAIT"), variables=there)
        wish = {"workflowId": "${x}", "variables": {key: f"${{v.{key}}}" for key in sent}, "appendArray": append}
        await world.handler("h", EVENT, {"action": "update_workflow_variables", "update_workflow_variables": wish})
        x = await world.start("waits")
        for _ in range(2):
            await world.events.receive(Message(EVENT, "m", {"x": x, "v": sent}))
        again = await restarted(world)
        assert (await again.engine.read(x)).head.variables == then
        await again.close()

    play(scenario)


LARGE = {"v": "y" * 300_000}
#    action                                                                                        the reason names
IMPOSSIBLE = [
    ({"action": "start_agent", "start_agent": {"name": "a"}},                                      "Action not supported start_agent"),
    ({"action": "terminate_workflow", "terminate_workflow": {"workflowId": "${nothing}"}},         "its workflowId is None"),
    ({"action": "complete_task", "complete_task": {"workflowId": "${x}"}},                         "taskRefName None"),
    ({"action": "update_workflow_variables", "update_workflow_variables": {"workflowId": "${x}", "variables": LARGE}}, "greater than the permissible"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "named"), IMPOSSIBLE)
def test_an_action_that_cannot_be_done_fails_and_is_set_aside(action: dict[str, Any], named: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("waits", task("hold", "WAIT"))
        await world.handler("h", EVENT, action)
        await world.events.receive(Message(EVENT, "m", {"x": await world.start("waits")}))
        [dead] = await world.events.journal.dead()
        assert [(f.handler, f.action) for f in dead.failures] == [("h", action["action"])] and named in dead.failures[0].reason

    play(scenario)


def test_inline_json_is_expanded_where_it_is_asked_for() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        plain, asked = start_workflow("target", {"n": "${body.n}"}), start_workflow("target", {"n": "${body.n}"})
        await world.handler("h", EVENT, plain, {**asked, "expandInlineJSON": True})
        await world.events.receive(Message(EVENT, "m", {"body": '{"n": 5}'}))
        assert [x.head.input["n"] for x in await world.started("target")] == [None, 5]

    play(scenario)


def test_expanding_goes_into_maps_and_leaves_texts_in_lists() -> None:
    inner = json.dumps({"deep": json.dumps([{"x": "{}"}])})
    assert expanded({"a": inner, "l": ["{}", {"m": " [1]"}], "t": "{no json", "n": 1}) == {
        "a": {"deep": [{"x": {}}]}, "l": ["{}", {"m": [1]}], "t": "{no json", "n": 1,
    }  # fmt: skip
    assert expanded("[1]") == "[1]"


def test_an_event_task_reaches_its_handlers_after_a_crash_too() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.register("flow", task("tell", "EVENT", sink="conductor:news"))
        await world.handler("h", "conductor:flow:news", start_workflow("target"))

        async def dies(message: Publish) -> None:
            raise asyncio.CancelledError

        world.engine.publish = dies
        await world.start("flow")
        assert await world.started("target") == []
        again = await restarted(world)
        await again.settle()
        assert len(await again.started("target")) == 1 and await again.store.outbox(limit=10) == []
        await again.close()

    play(scenario)


def test_nothing_is_published_before_it_is_on_disk() -> None:
    broker = Broker()

    async def scenario(world: World) -> None:
        await world.register("flow", task("tell", "EVENT", sink="nats:orders"))
        world.store.hold()
        starting = asyncio.ensure_future(world.start("flow"))
        for _ in range(5):
            await turn()
        assert broker.published == [] and not starting.done()
        world.store.release()
        await starting
        await world.settle()
        assert len(broker.published) == 1

    play(scenario, providers=(broker,))


def test_a_message_waits_for_a_store_that_does_not_answer() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("h", EVENT, start_workflow("target"))
        refused = 0

        def full(documents: Any, *, delete: Any = ()) -> asyncio.Future[None]:
            nonlocal refused
            refused += 1
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failed.set_exception(Unavailable("the disk is full"))
            return failed

        works, world.store.put = world.store.put, full  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            await world.events.receive(Message(EVENT, "m", {}))
        world.store.put = works  # type: ignore[method-assign]
        assert refused == 1 and await outcomes(world) == []
        await world.events.receive(Message(EVENT, "m", {}))
        assert len(await world.started("target")) == 1 and await outcomes(world) == [("h", "m_0", "COMPLETED")]

    play(scenario)


def test_handlers_that_publish_again_without_end_do_not_hold_up_who_began_it() -> None:
    async def scenario(world: World) -> None:
        await world.register("flow", task("tell", "EVENT", sink="conductor:again"))
        await world.handler("h", "conductor:flow:again", start_workflow("flow"))
        async with asyncio.timeout(10):
            await world.start("flow")
            while len(await world.started("flow")) < 20:
                pass
        await world.events.handlers.delete("h")
        await world.settle()

    play(scenario)


class Broker:
    """A broker in memory that delivers what is published until it is taken."""

    name = "nats"

    def __init__(self) -> None:
        self.queues: list[str] = []
        self.published: list[Message] = []
        self.is_down = False

    def refusal(self, queue: str, *, for_listening: bool = False) -> str | None:
        return "it is refused" if queue == "refused" else None

    async def open(self, deliver: Deliver, returned: Callable[[], None]) -> None:
        self.deliver, self.returned = deliver, returned

    async def listen(self, queues: Collection[str]) -> None:
        self.queues = list(queues)

    async def publish(self, message: Message) -> None:
        if self.is_down:
            raise Unavailable("the broker is down")
        if message.payload.get("large"):
            raise Invalid("it is too large")
        self.published.append(message)
        if message.event.partition(":")[2] in self.queues:
            await self.deliver(message)

    def health(self) -> Health:
        return Health(not self.is_down, {})

    async def close(self) -> None:
        self.queues = []


def test_a_provider_carries_messages_out_and_in() -> None:
    broker = Broker()

    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.register("flow", task("tell", "EVENT", sink="nats:orders.new", inputParameters={"n": 1}))
        await world.handler("h", "nats:orders.new", start_workflow("target", {"n": "${n}"}))
        assert broker.queues == ["orders.new"]
        await world.start("flow")
        await world.settle()
        [x] = await world.started("target")
        assert x.head.input["n"] == 1 and x.head.event == "nats:orders.new"

    play(scenario, providers=(broker,))


def test_a_message_waits_for_a_broker_that_does_not_answer() -> None:
    broker = Broker()
    broker.is_down = True

    async def scenario(world: World) -> None:
        await world.register("flow", task("tell", "EVENT", sink="nats:orders"))
        await world.start("flow")
        await turn()
        assert broker.published == [] and len(await world.store.outbox(limit=10)) == 1
        for attempts, pause_ms in enumerate((1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000), 1):
            [one] = await world.events.outgoing()
            assert (one.event, one.attempts, one.reason) == ("nats:orders", attempts, "the broker is down")
            world.clock.advance(pause_ms)
            while world.events.held[one.messageId].attempts == attempts:
                await turn()
        broker.is_down = False
        broker.returned()
        await world.settle()
        assert len(broker.published) == 1 and await world.store.outbox(limit=10) == await world.events.journal.dead() == []
        assert await world.events.outgoing() == [] and world.events.held == {}

    play(scenario, providers=(broker,))


async def thirty_wait(world: World) -> None:
    """For a broker that is down."""
    await world.register("flow", task("tell", "EVENT", sink="nats:orders"))
    for _ in range(30):
        await world.start("flow")
    await turn()


async def all_went(world: World, broker: Broker) -> None:
    broker.is_down = False
    broker.returned()
    await world.settle()
    assert len({message.id for message in broker.published}) == 30 and await world.store.outbox(limit=10) == []


def test_more_messages_than_memory_is_for_wait_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "OUTGOING_MAX", 4)
    broker = Broker()
    broker.is_down = True

    async def scenario(world: World) -> None:
        await thirty_wait(world)
        assert len(world.engine._outgoing) == 4 and len(await world.events.outgoing()) == 30
        await world.register("inside", task("tell", "EVENT", sink="conductor:news"))
        await world.register("target", NOOP)
        await world.handler("h", "conductor:inside:news", start_workflow("target"))
        await world.start("inside")
        while not await world.started("target"):  # our own queue does not wait with them
            await turn()
        await all_went(world, broker)

    play(scenario, providers=(broker,))


def test_what_stayed_on_disk_is_carried_by_the_next_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "OUTGOING_MAX", 4)
    broker = Broker()
    broker.is_down = True

    async def scenario(world: World) -> None:
        await thirty_wait(world)
        await world.close()
        again = World(world.store, world.clock, providers=(broker,))
        await again.open()
        await all_went(again, broker)
        await again.close()

    play(scenario, providers=(broker,))


def test_what_a_broker_never_will_take_is_set_aside() -> None:
    broker = Broker()

    async def scenario(world: World) -> None:
        await world.register("flow", task("tell", "EVENT", sink="nats:orders", inputParameters={"large": True}))
        await world.start("flow")
        await world.settle()
        [dead] = await world.events.journal.dead()
        assert (dead.event, dead.failures[0].action, dead.failures[0].reason) == ("nats:orders", "publish", "it is too large")
        still = await world.events.redeliver(dead.id)
        assert still is not None and still.attempts == 2 and await world.store.outbox(limit=10) == []

    play(scenario, providers=(broker,))


#    sink             the reason says
REFUSED = [
    ("nats:refused", "it is refused"),
    ("kafka:orders", "this server has no event queue provider 'kafka': the providers it has are conductor, nats"),
    ("jsm:orders",   "this server has no event queue provider 'jsm': install batuta[nats] and set BATUTA_NATS_URL"),
]  # fmt: skip


@pytest.mark.parametrize(("sink", "said"), REFUSED)
def test_an_event_task_that_could_never_publish_fails_for_good(sink: str, said: str) -> None:
    async def scenario(world: World) -> None:
        await world.register("flow", task("tell", "EVENT", sink=sink, taskDefinition={"name": "tell", "retryCount": 3}))
        x = await world.engine.read(await world.start("flow"))
        assert [str(t.status) for t in x.ordered()] == ["FAILED_WITH_TERMINAL_ERROR"] and x.head.status == "FAILED"
        assert x.by_ref["tell"].reason == f"Invalid sink {sink!r}: {said}"
        assert await world.store.outbox(limit=10) == []

    play(scenario, providers=(Broker(),))


def test_messages_for_a_provider_that_was_taken_away_are_kept_and_shown() -> None:
    broker = Broker()
    broker.is_down = True

    async def scenario(world: World) -> None:
        await world.register("flow", task("tell", "EVENT", sink="nats:orders"))
        await world.start("flow")
        await turn()
        without = await restarted(world)
        await turn()
        [one] = await without.events.outgoing()
        assert (one.event, one.payload["sink"]) == ("nats:orders", "nats:orders")
        assert "no event queue provider 'nats': install batuta[nats] and set BATUTA_NATS_URL" in one.reason
        assert await without.events.journal.dead() == []
        await without.close()

    play(scenario, providers=(broker,))


def test_what_came_from_a_broker_and_failed_is_tried_again_here_and_not_sent_to_everybody() -> None:
    broker = Broker()

    async def scenario(world: World) -> None:
        await world.handler("h", "nats:orders", start_workflow("missing"))
        await broker.deliver(Message("nats:orders", "m1", {"n": 1}))
        [dead] = await world.events.journal.dead()
        await world.register("missing", NOOP)
        assert await world.events.redeliver(dead.id) is None
        assert len(await world.started("missing")) == 1 and broker.published == []

    play(scenario, providers=(broker,))


def test_history_is_bounded_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "EXECUTIONS_KEPT", 3)
    monkeypatch.setattr(journal, "DEAD_KEPT", 2)

    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("bad", EVENT, start_workflow("missing"))
        await world.handler("good", EVENT, start_workflow("target"))
        for n in range(5):
            world.clock.advance(1)
            await world.events.receive(Message(EVENT, f"m{n}", {"large": "x" * 20_000}))
        again = await restarted(world)
        assert await outcomes(again) == [(name, f"m{n}_0", status) for name, status in (("bad", "FAILED"), ("good", "COMPLETED")) for n in (2, 3, 4)]
        assert [d.messageId for d in await again.events.journal.dead()] == ["m4", "m3"]
        assert max(len(d.body) for d in await again.store.documents("event-execution")) < 1_000
        await again.close()

    play(scenario)


def test_what_is_remembered_is_listed_by_what_is_asked_for() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", NOOP)
        await world.handler("a", EVENT, start_workflow("target"))
        await world.handler("b", EVENT, start_workflow("missing"))
        for n in range(2):
            world.clock.advance(1)
            await world.events.receive(Message(EVENT, f"m{n}", {}))
        listed = world.events.journal.executions
        assert [(e.name, e.id) for e in await listed()] == [("a", "m1_0"), ("b", "m1_0"), ("a", "m0_0"), ("b", "m0_0")]
        assert [(e.name, e.id) for e in await listed(handler="b", message_id="m0")] == [("b", "m0_0")]
        assert {e.name for e in await listed(status="FAILED")} == {"b"} and await listed(event="conductor:other") == []

    play(scenario)


# -- handlers ---------------------------------------------------------------------------------------------------------------------------


def test_handlers_are_created_replaced_and_deleted_by_name() -> None:
    async def scenario(world: World) -> None:
        handlers = world.events.handlers
        await world.handler("h", EVENT, start_workflow("x"))
        with pytest.raises(Conflict, match="already exists"):
            await world.handler("h", EVENT, start_workflow("x"))
        await handlers.replace(read_handler({"name": "h", "event": "conductor:other", "actions": [start_workflow("y")]}))
        assert (handlers.events(), list(handlers.of(EVENT)), [e.key for e in handlers.of("conductor:other")]) == ([], [], ["h"])
        await handlers.delete("h")
        for missing in (handlers.delete("h"), handlers.replace(read_handler({"name": "h", "event": "e", "actions": [start_workflow("y")]}))):
            with pytest.raises(NotFound):
                await missing
        assert await world.store.documents("event-handler") == []

    play(scenario)


#    a handler                                                             violations
BROKEN = [
    ({},                                                                   ["name", "event", "actions"]),
    ({"name": "h", "event": "e", "actions": []},                           ["actions"]),
    ({"name": "h", "event": "e", "actions": [{}]},                         ["actions[0].action"]),
    ({"name": "h", "event": "e", "actions": [{"action": "fail_task"}]},    ["actions[0].fail_task"]),
    ({"name": "h", "event": "e", "actions": [start_workflow("x"), {"action": "start_workflow", "start_workflow": {}}]}, ["actions[1].start_workflow.name"]),
]  # fmt: skip


@pytest.mark.parametrize(("handler", "paths"), BROKEN)
def test_a_handler_that_could_never_act_is_refused(handler: dict[str, Any], paths: list[str]) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(InvalidFields) as error:
            await world.events.handlers.create(read_handler(handler))
        assert [v.path for v in error.value.violations] == [f"addEventHandler.arg0.{path}" for path in paths]

    play(scenario)


def test_a_handler_stored_by_an_older_server_gains_what_is_new() -> None:
    async def scenario(world: World) -> None:
        older = b'{"name":"old","event":"e","actions":[{"action":"start_agent","start_agent":{}}],"active":true}'
        await world.store.put([Document("event-handler", "old", 0, older)])
        again = await restarted(world)
        [handler] = again.events.handlers.listening("e")
        assert handler["actions"][0]["expandInlineJSON"] is False
        await again.close()

    play(scenario)
