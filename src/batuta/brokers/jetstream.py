"""
JetStream: `jsm:subject` or `jsm:subject:group`, over the connection of nats.py. The broker keeps messages until they are acknowledged: at least once.

A queue is a stream of the broker and a durable consumer of it. Both are made when they are not there; a stream that covers the subject is used as it is.
A message is acknowledged when it was taken; until then the broker sends it again, to this server or to another one of the same group. The consumer stays
with the broker when nobody listens any more, so that nothing is missed while a handler is inactive.

Source: conductor-rest-api.md §6.4; Conductor too makes stream and consumer, and begins with new messages.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Final

from batuta.brokers.nats import AGAIN_S, AT_ONCE_MAX, MESSAGE_ID, Connection, Handling, log, parted, payload_of, refusal, said, within
from batuta.engine.providers import Deliver, Health, Message
from batuta.errors import Unavailable

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.js import JetStreamContext

ACK_WAIT_S: Final = 10.0  # after which the broker sends a message again, unless it heard that it is still being handled
ATTACH_AGAIN_S: Final = 5.0
ANSWER_OF_STREAM_S: Final = 4.0  # less than nats.ANSWER_S, so that it is the library that says what it waited for


class JetStream:
    """The provider `jsm`. *durable*: the servers that share messages with this one have the same."""

    name = "jsm"

    def __init__(self, connection: Connection, *, durable: str = "batuta") -> None:
        self._connection, self._durable = connection, durable
        self._wanted: set[str] = set()
        self._attached: dict[str, tuple[Client, Subscription]] = {}
        self._problems: dict[str, str] = {}  # queue -> why there is no subscription to it
        self._turn = asyncio.Lock()
        self._handling = Handling()
        self._deliver: Deliver | None = None
        self._again: asyncio.TimerHandle | None = None
        self._retrying: asyncio.Task[None] | None = None

    def refusal(self, queue: str, *, for_listening: bool = False) -> str | None:
        """See Provider."""
        return refusal(queue, for_listening)

    async def open(self, deliver: Deliver, returned: Callable[[], None]) -> None:
        """See Provider."""
        self._deliver = deliver
        self._connection.open(lambda: self._attach(afresh=True), returned)

    async def listen(self, queues: Collection[str]) -> None:
        """See Provider."""
        self._wanted = set(queues)
        await self._attach()

    async def publish(self, message: Message) -> None:
        """See Provider. The stream has the message; one of the same id within the stream's window (two minutes) is dropped by the broker."""
        subject = parted(message.event.partition(":")[2])[0]
        client = self._connection.publishing()
        body, headers = within(client, message), {MESSAGE_ID: message.id}
        stream = client.jetstream(timeout=ANSWER_OF_STREAM_S)
        async with self._connection.places:
            try:
                await self._connection.answered(stream.publish(subject, body, headers=headers))
            except Unavailable as error:
                if not _is_no_stream(error):
                    raise
                await self._stream_for(stream, subject)
                await self._connection.answered(stream.publish(subject, body, headers=headers))

    def health(self) -> Health:
        """See Provider."""
        up = self._connection.is_up
        problems = self._problems if up else {"": self._connection.problem}
        details = {"url": self._connection.shown, "subscriptions": sorted(self._attached)}
        said_ = "; ".join(f"{queue}: {problem}" if queue else problem for queue, problem in problems.items())
        return Health(not problems, details | ({"error": said_} if said_ else {}))

    async def close(self) -> None:
        """See Provider."""
        self._wanted = set()
        if self._again is not None:
            self._again.cancel()
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)
        async with self._turn:
            await self._detach(everything=True)
        await self._handling.end()
        await self._connection.close()

    # -- subscribing ----------------------------------------------------------------------------------------------------------------

    async def _attach(self, *, afresh: bool = False) -> None:
        """
        Be subscribed to what is wanted, if the broker answers; what cannot be now is tried again after a while.

        *afresh*: the connection is new, and the broker may have lost what it had, as one that keeps streams in memory.
        """
        async with self._turn:
            try:
                client = self._connection.client()
            except Unavailable:
                return  # we are called again when it is there
            await self._detach(everything=False)
            before, self._problems = self._problems, {}
            for queue in sorted(self._wanted):
                if queue in self._attached and queue not in before and not afresh:
                    continue
                try:
                    await self._attach_one(client, queue)
                except Unavailable as error:
                    self._problems[queue] = str(error)
                    if before.get(queue) != str(error):
                        log.warning("no messages of jsm:%s for now: %s", queue, error)
            if self._problems and self._again is None and self._wanted:
                self._again = asyncio.get_running_loop().call_later(ATTACH_AGAIN_S, self._retry)

    def _retry(self) -> None:
        self._again = None
        self._retrying = asyncio.get_running_loop().create_task(self._attach())

    async def _attach_one(self, client: Client, queue: str) -> None:
        """Stream, consumer and subscription are there. Raises Unavailable."""
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        subject, group = parted(queue)
        context = client.jetstream(timeout=ANSWER_OF_STREAM_S)
        stream = await self._stream_for(context, subject)
        name = named(f"{self._durable}_{queue}")
        deliver = f"_batuta.{name}"
        wanted = ConsumerConfig(
            durable_name=name, deliver_subject=deliver, deliver_group=group or "batuta", deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S, max_ack_pending=AT_ONCE_MAX, filter_subject=subject,
        )  # fmt: skip
        if queue not in self._attached:  # before the consumer, which would not send to nobody but may have begun already
            subscribing = client.subscribe(deliver, group or "batuta", cb=self._taker(f"{self.name}:{queue}"))
            self._attached[queue] = client, await self._connection.answered(subscribing)
        await self._connection.answered(context.add_consumer(stream, wanted))

    async def _stream_for(self, context: JetStreamContext, subject: str) -> str:
        """The name of the stream that covers the subject; made when there is none. Raises Unavailable."""
        from nats.js.api import RetentionPolicy, StorageType, StreamConfig
        from nats.js.errors import NotFoundError

        async def find() -> str:
            try:
                return await context.find_stream_name_by_subject(subject)
            except NotFoundError:
                made = StreamConfig(name=named(subject), subjects=[subject], retention=RetentionPolicy.LIMITS, storage=StorageType.FILE)
                await context.add_stream(made)
                log.info("made the stream %s for %s", made.name, subject)
                return named(subject)

        return await self._connection.answered(find())

    async def _detach(self, *, everything: bool) -> None:
        for queue, (owner, subscription) in list(self._attached.items()):
            if everything or queue not in self._wanted or owner.is_closed:
                del self._attached[queue]
                if owner.is_connected:
                    try:
                        await self._connection.answered(subscription.unsubscribe())
                    except Unavailable as error:
                        log.debug("jsm:%s: %s", queue, error)

    # -- messages -------------------------------------------------------------------------------------------------------------------

    def _taker(self, event: str) -> Callable[[Msg], Awaitable[None]]:
        async def take(msg: Msg) -> None:
            await self._handling.begin(self._handle(event, msg))

        return take

    async def _handle(self, event: str, msg: Msg) -> None:
        """Acknowledged when it was taken; given back when the store is away."""
        from nats.errors import Error

        assert self._deliver is not None
        place = msg.metadata
        id = (msg.headers or {}).get(MESSAGE_ID) or f"{place.stream}:{place.sequence.stream}"
        delivering = asyncio.ensure_future(self._deliver(Message(event, id, payload_of(msg.data))))
        try:
            while not (await asyncio.wait([delivering], timeout=ACK_WAIT_S / 2))[0]:
                await msg.in_progress()
            try:
                delivering.result()
            except Unavailable:
                await msg.nak(AGAIN_S)
            else:
                await msg.ack()
        except Error as error:
            log.debug("message %s of %s will come again: %s", id, event, said(error))  # the broker did not hear of it
        finally:
            delivering.cancel()


def named(text: str) -> str:
    """A name for a stream or a consumer: the text as far as such names may have it, and a digest, since several texts may look alike then."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', text)[:48]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _is_no_stream(error: Unavailable) -> bool:
    from nats.js.errors import NoStreamResponseError

    return isinstance(error.__cause__, NoStreamResponseError)
