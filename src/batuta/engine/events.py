"""
Events: a message comes in, the handlers of its event act, what became of it is kept.

A message is taken when this returns without an error, which is when its sender may forget it: the outbox of EVENT tasks, or the broker of a provider. Until
then it may come again, and what was done for it is not done twice: each action is remembered under handler, message id and action.
What fails for good is remembered as FAILED and the message set aside, with the reasons, until somebody has it delivered again or dropped.

Here: the order of things, what is kept and how much of it. Not here: where messages come from (providers.py), which handlers there are (handlers.py),
what an action does (actions.py), where it is kept (journal.py).
Source: conductor-semantics.md §6.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from batuta.core.expr.script import Script, ScriptEngine, ScriptFailed, truthy
from batuta.core.model.decision import Publish
from batuta.engine.actions import Actions, expanded
from batuta.engine.engine import Engine
from batuta.engine.handlers import Handlers
from batuta.engine.journal import Journal
from batuta.engine.providers import INTERNAL, WANTED, Health, Internal, Message, Provider, absent
from batuta.engine.tally import ACTIONS, ACTIONS_FAILED, MESSAGES, MESSAGES_FAILED, MESSAGES_HANDLED
from batuta.errors import BatutaError, Invalid, NotFound, Unavailable
from batuta.wire.codec import encode
from batuta.wire.event import DeadMessage, EventExecution, ExecutionStatus, Failure, Held, OutgoingMessage
from batuta.wire.mask import masked
from batuta.wire.shape import Json

log = logging.getLogger("batuta.engine")
AT_ONCE_MAX: Final = 16  # messages being handled; the others wait, and are in the outbox or with their broker meanwhile
OUTGOING_SHOWN: Final = 1_000
TRIES: Final = 3
OUTPUT_BYTES_MAX: Final = 8 * 1024  # of what is remembered of an action; larger payloads are in the execution or task they went to


class Events:
    """Messages to handlers, over one engine."""

    def __init__(self, engine: Engine, scripts: ScriptEngine, providers: tuple[Provider, ...] = ()) -> None:
        self.handlers = Handlers(engine.store)
        self.journal = Journal(engine.store)
        self.held: dict[str, Held] = {}  # by message id: what could not be published yet, and why
        self._engine, self._scripts = engine, scripts
        self._providers: dict[str, Provider] = {provider.name: provider for provider in (Internal(self.receive), *providers)}
        self._actions = Actions(engine)
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._in_hand: dict[tuple[str, str], asyncio.Future[None]] = {}

    def provide(self, provider: Provider) -> None:
        """One more provider; before `open`."""
        self._providers[provider.name] = provider

    async def load(self) -> None:
        """Ready for messages; before the engine is opened, which delivers those that were left behind. Raises Unavailable."""
        await self.handlers.load()
        await self.journal.load()

    async def open(self) -> None:
        """Messages of brokers come in from now on; after the engine is open."""
        for provider in self._providers.values():
            await provider.open(self.receive, self._engine.hand_out_again)
        await self.listen()

    async def close(self) -> None:
        """No message of a broker is taken any more."""
        for provider in self._providers.values():
            await provider.close()

    async def listen(self) -> None:
        """Subscribe to what the active handlers listen to; call when handlers have changed."""
        wanted = [event.partition(":") for event in self.handlers.events()]
        for name, provider in self._providers.items():
            await provider.listen([queue for kind, _, queue in wanted if kind == name])

    def refusal(self, event: str, *, for_listening: bool = False) -> str | None:
        """
        Why no message can ever be published to this queue (*for_listening*: come from it); None when one can.

        A provider that is not there refuses what is published, and may be listened to: a handler may be here before its broker.
        """
        name, _, queue = event.partition(":")
        provider = self._providers.get(name)
        if provider is None:
            return None if for_listening else absent(name, self._providers)
        return provider.refusal(queue, for_listening=for_listening)

    def health(self) -> dict[str, Health]:
        """How the brokers are, by provider."""
        return {name: provider.health() for name, provider in self._providers.items() if name != INTERNAL}

    async def publish(self, wish: Publish) -> None:
        """
        An EVENT task's message goes to its queue. Engine.publish.

        Raises:
            Unavailable: the store or the broker did not answer, or the settings name no such broker any more; the message must come again.
        """
        message = Message(wish.queue, wish.id, wish.payload)
        name = wish.queue.partition(":")[0]
        provider = self._providers.get(name)
        try:
            if provider is not None:
                await provider.publish(message)
            elif name in WANTED:
                raise Unavailable(absent(name, self._providers))
            else:  # the sink of a status listener; an EVENT task fails before
                raise Invalid(absent(name, self._providers))
        except Unavailable as error:
            before = self.held.get(wish.id)
            self.held[wish.id] = Held(attempts=1 if before is None else before.attempts + 1, reason=str(error))
            raise
        except BatutaError as error:
            await self._set_aside(message, [Failure("", "publish", str(error))], [])
        self.held.pop(wish.id, None)

    async def outgoing(self) -> list[OutgoingMessage]:
        """The messages of EVENT tasks that are on their way, or wait for their broker: the oldest OUTGOING_SHOWN. Raises Unavailable."""
        rows = await self._engine.store.outbox(limit=OUTGOING_SHOWN, kinds=[str(Publish.__struct_config__.tag)])
        return [self._outgoing(msgspec.json.decode(row.body, type=Publish), row.due_at) for row in rows]

    def _outgoing(self, wish: Publish, created: int) -> OutgoingMessage:
        held = self.held.get(wish.id) or Held(attempts=0, reason="")
        return OutgoingMessage(messageId=wish.id, event=wish.queue, payload=wish.payload, created=created, attempts=held.attempts, reason=held.reason)

    async def receive(self, message: Message) -> None:
        """
        Let every active handler of the event act on the message. A message that is being handled already is waited for, not handled again.

        Raises:
            Unavailable: the store did not answer; the message must come again.
        """
        key = (message.event, message.id)
        while (other := self._in_hand.get(key)) is not None:
            await asyncio.wait([other])
        handlers = self.handlers.listening(message.event)
        if not handlers:
            return
        place = _place(message.event)
        self._engine.tally.count(MESSAGES, *place)
        done = self._in_hand[key] = asyncio.get_running_loop().create_future()
        try:
            async with self._places:
                failed = [execution for handler in handlers for execution in await self._handle(handler, message)]
                if failed:
                    failures = [Failure(e.name, e.action, e.output["exception"]) for e in failed]
                    await self._set_aside(message, failures, failed)
                else:
                    self._engine.tally.count(MESSAGES_HANDLED, *place)
        finally:
            del self._in_hand[key]
            done.set_result(None)

    def masks_of(self, payload: Any) -> frozenset[str]:
        """The names that the workflow which sent this message wants masked; none for a message from elsewhere."""
        name, version = (payload.get("workflowType"), payload.get("workflowVersion")) if isinstance(payload, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(version, int | None):
            return frozenset()
        return frozenset((self._engine.catalog.workflow(name, version) or {}).get("maskedFields") or ())

    def waiting(self) -> dict[str, int]:
        """How many messages of each event are being handled, or wait for it."""
        found: dict[str, int] = {}
        for event, _ in self._in_hand:
            found[event] = found.get(event, 0) + 1
        return found

    # -- messages set aside ---------------------------------------------------------------------------------------------------------

    async def _set_aside(self, message: Message, failures: list[Failure], failed: list[EventExecution]) -> None:
        log.warning("message %s of %s is set aside: %s", message.id, message.event, "; ".join(f"{f.handler} {f.action}: {f.reason}" for f in failures))
        self._engine.tally.count(MESSAGES_FAILED, *_place(message.event))
        await self.journal.set_aside(message.event, message.id, message.payload, failures, failed, self._engine.clock.now())

    async def redeliver(self, id: str) -> DeadMessage | None:
        """
        Try again what failed with a message set aside. None: nothing fails any more, it is gone from the list; else what it is now.

        Raises:
            NotFound: none is set aside under this id.
        """
        dead = await self.journal.dead_message(id)
        await self.journal.forget_failures(dead.event, dead.messageId)
        if any(not failure.handler for failure in dead.failures):
            await self.publish(Publish(dead.messageId, dead.event, dead.payload))
        else:  # it has come from its broker; others there need not see it twice
            await self.receive(Message(dead.event, dead.messageId, dead.payload))
        try:
            now = await self.journal.dead_message(id)
        except NotFound:
            return None
        if now.attempts > dead.attempts:
            return now
        await self.journal.drop(id)
        return None

    # -- one handler ----------------------------------------------------------------------------------------------------------------

    async def _handle(self, handler: Json, message: Message) -> list[EventExecution]:
        """The handler's actions in their order; what failed for good. What was done, or failed, before is left alone."""
        numbers = range(len(handler["actions"]))
        known = [self.journal.status(handler["name"], message.event, message.id, n) for n in numbers]
        if "SKIPPED" in known or None not in known:
            return []
        if not any(known):
            verdict = await self._condition(handler, message)
            if isinstance(verdict, str):
                return [self._failure(handler, message, n, "condition", verdict) for n in numbers]
            if not verdict:
                await self.journal.remember(self._execution(handler, message, 0, "SKIPPED", {"msg": message.payload, "condition": handler["condition"]}))
                return []
        done = [await self._perform(handler, n, message) for n in numbers if known[n] is None]
        return [execution for execution in done if execution.status == "FAILED"]

    async def _perform(self, handler: Json, n: int, message: Message) -> EventExecution:
        """Do the n-th action, and remember it when it is done."""
        try:
            output = await self._tried(lambda: self._actions.perform(handler["name"], n, handler["actions"][n], message))
        except Unavailable:
            raise  # nothing can be remembered either: the message stays with its sender
        except BatutaError as error:
            return self._failure(handler, message, n, type(error).__name__, str(error))
        except Exception as fault:
            # The one place where a fault of ours is not let through: the message would come again for ever. It is logged, and set aside where it is seen.
            log.exception("handler %s failed on message %s of %s", handler["name"], message.id, message.event)
            return self._failure(handler, message, n, type(fault).__name__, f"internal error: {fault!r}")
        execution = self._execution(handler, message, n, "COMPLETED", output)
        await self.journal.remember(execution)
        self._engine.tally.count(ACTIONS, message.event, handler["name"], execution.action)
        return execution

    async def _tried(self, act: Callable[[], Awaitable[Json]]) -> Json:
        for _ in range(TRIES - 1):
            try:
                return await act()
            except BatutaError as error:
                if not error.retryable:
                    raise
        return await act()

    def _failure(self, handler: Json, message: Message, n: int, exception: str, reason: str) -> EventExecution:
        execution = self._execution(handler, message, n, "FAILED", {"exception": reason})
        self._engine.tally.count(ACTIONS_FAILED, message.event, handler["name"], execution.action, exception)
        return execution

    def _execution(self, handler: Json, message: Message, n: int, status: ExecutionStatus, output: Json) -> EventExecution:
        if len(encode(output)) > OUTPUT_BYTES_MAX:
            output = {key: output[key] for key in ("workflowId", "taskId", "taskRefName", "condition", "exception", "error") if key in output}
        output = masked(output, self.masks_of(message.payload))
        return EventExecution(
            id=f"{message.id}_{n}", messageId=message.id, name=handler["name"], event=message.event, created=self._engine.clock.now(), status=status,
            action=handler["actions"][n]["action"], output=output,
        )  # fmt: skip

    # -- conditions -----------------------------------------------------------------------------------------------------------------

    async def _condition(self, handler: Json, message: Message) -> bool | str:
        """Whether to act; a text says why that cannot be told."""
        condition, kind = handler.get("condition") or "", handler.get("evaluatorType") or "javascript"
        if not condition.strip():
            return True
        payload = expanded(message.payload)
        if kind == "value-param":
            return truthy(payload.get(condition)) if isinstance(payload, dict) else False
        if kind not in ("javascript", "graaljs"):
            return f"evaluatorType {kind!r} is not known; expected javascript, graaljs or value-param"
        reason = ""
        for _ in range(TRIES):
            end = await asyncio.to_thread(self._scripts.evaluate, Script("javascript", condition, payload))
            if not isinstance(end, ScriptFailed):
                return truthy(end.value)
            reason = end.reason
            if end.kind != "unavailable":
                break
        return reason


def _place(event: str) -> tuple[str, str]:
    """Provider and queue."""
    name, _, queue = event.partition(":")
    return name, queue
