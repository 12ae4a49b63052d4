"""
NATS: one connection for both of its providers, and core NATS itself, `nats:subject` or `nats:subject:group`.

Core NATS keeps nothing: what is sent while nobody listens, or to a server that dies before it has acted, is gone; so messages come at most once. What we
publish is repeated until the broker has confirmed that it read it. `jsm:` is the one to be relied on: jetstream.py.

Here: being connected, again and again; publishing and subscribing. Not here: what is done with a message (engine/events.py).
Source: conductor-rest-api.md §6.4; a group is Conductor's `subject:queue`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from batuta.engine.providers import Deliver, Health, Message
from batuta.errors import BatutaError, Invalid, Unavailable
from batuta.wire.codec import encode

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

T = TypeVar("T")
log = logging.getLogger("batuta.brokers")
MESSAGE_ID: Final = "Nats-Msg-Id"  # NATS' own name; JetStream drops a second one of the same within its window
ANSWER_S: Final = 5.0  # how long the broker may take to answer
AGAIN_S: Final = 1.0
CANCEL_AGAIN_S: Final = 0.2
AT_ONCE_MAX: Final = 64  # messages of a provider on their way to handlers, the others wait in the client or with JetStream; and messages being published
PENDING_MAX: Final = 50_000  # and as many may wait in the client, of each subject of core NATS; what comes beyond is lost, and said
PENDING_BYTES_MAX: Final = 32 * 1024 * 1024


class Connection:
    """A connection to the broker that is made again whenever it is lost, for as long as it is open."""

    def __init__(self, url: str, *, credentials: str = "") -> None:
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._credentials = credentials
        self._client: Client | None = None
        self._users = 0
        self._running: asyncio.Task[None] | None = None
        self._subscribing: list[Callable[[], Awaitable[None]]] = []
        self._returned: list[Callable[[], None]] = []
        self.places = asyncio.Semaphore(AT_ONCE_MAX)  # for publishing: when a broker is back, all that has waited for it comes at once
        self._is_settled = False  # everybody has subscribed since the connection was made
        self._lost = asyncio.Event()
        self.problem = "not connected yet"  # of the connection; empty while there is one

    @property
    def shown(self) -> str:
        """The addresses, without names and passwords."""
        return ",".join(shown(server) for server in self._servers)

    @property
    def is_up(self) -> bool:
        return self._client is not None and self._client.is_connected

    def client(self) -> Client:
        """The client, connected. Raises Unavailable."""
        if self._client is None or not self._client.is_connected:
            raise Unavailable(f"NATS at {self.shown} does not answer: {self.problem or 'the connection was lost'}")
        return self._client

    def publishing(self) -> Client:
        """The client, once all subscriptions are made: whoever publishes wants to be heard by our own handlers too. Raises Unavailable."""
        client = self.client()
        if not self._is_settled:
            raise Unavailable(f"NATS at {self.shown} has just come back: subscriptions are being made")
        return client

    def open(self, subscribe: Callable[[], Awaitable[None]], returned: Callable[[], None]) -> None:
        """Begin to connect, for one more user of the connection. Whenever there is one it subscribes, and when all have done so it is told."""
        self._users += 1
        self._subscribing.append(subscribe)
        self._returned.append(returned)
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """One user less; the connection ends with the last one."""
        self._users -= 1
        if self._users or self._running is None:
            return
        running, self._running = self._running, None
        while not running.done():  # the library keeps a cancellation to itself that comes at some moments of connecting
            running.cancel()
            await asyncio.wait([running], timeout=CANCEL_AGAIN_S)
        if self._client is not None:
            with contextlib.suppress(Exception):  # whatever becomes of a connection that is not wanted any more
                await asyncio.wait_for(self._client.close(), ANSWER_S)
            self._client = None

    async def answered(self, asked: Awaitable[T]) -> T:
        """What the broker answers. Raises Unavailable when it does not, or says that it cannot."""
        from nats.errors import Error

        try:
            return await asyncio.wait_for(asked, ANSWER_S)
        except (Error, OSError, TimeoutError) as error:
            raise Unavailable(f"NATS at {self.shown}: {said(error)}") from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise Unavailable(f"NATS at {self.shown}: the connection was closed") from None  # the library gave up what was asked, nobody gave up asking

    async def _run(self) -> None:
        """The library connects again by itself; a client that has given up, as after a refused password, is replaced by a new one."""
        from nats.aio.client import Client

        while True:
            client = Client()
            self._is_settled = False
            self._lost.clear()
            self._client = client
            try:
                await client.connect(
                    self._servers, name="batuta", allow_reconnect=True, max_reconnect_attempts=-1, reconnect_time_wait=1, connect_timeout=2, ping_interval=20,
                    max_outstanding_pings=2, pending_size=0, user_credentials=self._credentials or None, error_cb=self._error,
                    disconnected_cb=self._disconnected, reconnected_cb=self._connected, closed_cb=self._closed,
                )  # fmt: skip
            except Exception as error:  # whatever it is, a file that cannot be read or a word the library cannot: it is shown, and tried again
                self._say(said(error))
                with contextlib.suppress(Exception):
                    await client.close()
            else:
                await self._connected()
                await self._lost.wait()
            await asyncio.sleep(AGAIN_S)

    async def _connected(self) -> None:
        if self.problem:
            log.info("NATS at %s is there", self.shown)
        self.problem = ""
        for subscribe in self._subscribing:
            try:
                await subscribe()
            except Exception:  # a fault of ours must not end the connection for good
                log.exception("after connecting to NATS")
        self._is_settled = True
        for returned in self._returned:
            returned()

    async def _disconnected(self) -> None:
        self._is_settled = False
        self._say("the connection was lost")

    async def _closed(self) -> None:
        self._say(self.problem or "the connection was closed")
        self._lost.set()

    async def _error(self, error: Exception) -> None:
        from nats.errors import SlowConsumerError

        if isinstance(error, SlowConsumerError):
            log.error("NATS: messages of %r come faster than handlers act, and %d wait already; this one is lost", error.subject, PENDING_MAX)
        elif self.is_up:
            log.warning("NATS at %s: %s", self.shown, said(error))
        else:
            self._say(said(error))

    def _say(self, problem: str) -> None:
        """It is logged when it is another problem than before."""
        if problem != self.problem and self._users:
            log.warning("NATS at %s is away: %s", self.shown, problem)
        self.problem = problem


async def reach(connection: Connection) -> str:
    """What answers there. Raises Unavailable saying why nobody does."""
    there = asyncio.Event()

    async def nothing() -> None:
        """No subscription is wanted."""

    connection.open(nothing, there.set)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(there.wait(), ANSWER_S)
        client = connection.client()
        try:
            await client.jetstream(timeout=ANSWER_S).account_info()
        except Exception as error:  # of many kinds; what it means is the same
            return f"version {client.connected_server_version}, without JetStream ({said(error)}): nats: works, jsm: does not"
        return f"version {client.connected_server_version}, with JetStream"
    finally:
        await connection.close()


class CoreNats:
    """The provider `nats`."""

    name = "nats"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._wanted: set[str] = set()
        self._subscribed: dict[str, tuple[Client, Subscription]] = {}
        self._turn = asyncio.Lock()
        self._handling = Handling()
        self._deliver: Deliver | None = None

    def refusal(self, queue: str, *, for_listening: bool = False) -> str | None:
        """See Provider."""
        return refusal(queue, for_listening)

    async def open(self, deliver: Deliver, returned: Callable[[], None]) -> None:
        """See Provider."""
        self._deliver = deliver
        self._connection.open(self._subscribe, returned)

    async def listen(self, queues: Collection[str]) -> None:
        """See Provider."""
        self._wanted = set(queues)
        await self._subscribe()

    async def publish(self, message: Message) -> None:
        """See Provider. The broker has confirmed that it read the message."""
        subject = parted(message.event.partition(":")[2])[0]
        client = self._connection.publishing()
        body = within(client, message)
        async with self._connection.places:
            await self._connection.answered(client.publish(subject, body, headers={MESSAGE_ID: message.id}))
            await self._connection.answered(processed(client))

    def health(self) -> Health:
        """See Provider."""
        details = {"url": self._connection.shown, "subscriptions": sorted(self._subscribed)}
        return Health(self._connection.is_up, details | ({} if self._connection.is_up else {"error": self._connection.problem}))

    async def close(self) -> None:
        """See Provider."""
        self._wanted = set()
        await self._subscribe()
        await self._handling.end()
        await self._connection.close()

    async def _subscribe(self) -> None:
        """Be subscribed to what is wanted, if the broker answers; else when it is there again."""
        async with self._turn:
            try:
                client = self._connection.client()
                for queue in list(self._subscribed):
                    owner, subscription = self._subscribed[queue]
                    if queue not in self._wanted or owner is not client:  # the library subscribes again for a client that it connects again
                        del self._subscribed[queue]
                        await self._end(owner, subscription)
                for queue in self._wanted - self._subscribed.keys():
                    subject, group = parted(queue)
                    subscribing = client.subscribe(
                        subject, group, cb=self._taker(f"{self.name}:{queue}"), pending_msgs_limit=PENDING_MAX, pending_bytes_limit=PENDING_BYTES_MAX
                    )
                    self._subscribed[queue] = client, await self._connection.answered(subscribing)
                await self._connection.answered(processed(client))  # whoever has registered a handler may publish at once
            except Unavailable as error:
                log.debug("subscriptions wait: %s", error)

    async def _end(self, owner: Client, subscription: Subscription) -> None:
        if not owner.is_closed:
            await self._connection.answered(subscription.unsubscribe())

    def _taker(self, event: str) -> Callable[[Msg], Awaitable[None]]:
        async def take(msg: Msg) -> None:
            message = Message(event, (msg.headers or {}).get(MESSAGE_ID) or str(uuid.uuid4()), payload_of(msg.data))
            await self._handling.begin(self._until_taken(message))

        return take

    async def _until_taken(self, message: Message) -> None:
        """The broker does not keep the message: it is kept here while the store is away."""
        assert self._deliver is not None
        while True:
            try:
                return await self._deliver(message)
            except Unavailable:
                await asyncio.sleep(AGAIN_S)


class Handling:
    """Messages on their way to handlers: some at once, the others wait to begin."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this in the background, as soon as there is a place."""
        await self._places.acquire()
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._places.release()
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a message was not handled: %s", error, exc_info=error)

    async def end(self) -> None:
        """What has begun is given up."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


# -- subjects, payloads, words ------------------------------------------------------------------------------------------------------


def parted(queue: str) -> tuple[str, str]:
    """Subject and group of `subject:group`; no group is empty."""
    subject, _, group = queue.partition(":")
    return subject, group


def refusal(queue: str, for_listening: bool) -> str | None:
    """What is wrong with the subject or the group; None: nothing."""
    subject, group = parted(queue)
    tokens = subject.split(".")
    if not all(tokens) or any(c.isspace() or not c.isprintable() for c in queue):
        return f"{subject!r} is no subject of NATS; expected words with dots between them"
    if ":" in group:
        return f"{queue!r} has more than subject:group"
    wild = [token for token in tokens if token in ("*", ">")]
    if wild and not for_listening:
        return f"{subject!r} has a wildcard; nothing can be published to it"
    if ">" in tokens[:-1]:
        return f"{subject!r} has '>' before its end"
    return None


async def processed(client: Client) -> None:
    """
    The broker has read whatever was sent before this call.

    A question that nobody answers, which it says at once. The library's own `flush` does not tell: its ping overtakes what is still in the client's buffer.
    """
    from nats.errors import NoRespondersError

    with contextlib.suppress(NoRespondersError):
        await client.request(f"_INBOX.batuta.{uuid.uuid4().hex}", b"", timeout=ANSWER_S)


def within(client: Client, message: Message) -> bytes:
    """The message's body. Raises Invalid when it is larger than the broker takes."""
    body = encode(message.payload)
    if len(body) > client.max_payload:
        raise Invalid(f"the message is {len(body)} bytes; the broker takes {client.max_payload} at most")
    return body


def payload_of(body: bytes) -> Any:
    """What a message says: its JSON, or its text."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return body.decode(errors="replace")


def shown(server: str) -> str:
    """An address without name and password."""
    parts = urlsplit(server if "://" in server else f"nats://{server}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def said(error: BaseException) -> str:
    """The error in words; some of the library's have none."""
    if isinstance(error, BatutaError):
        return str(error)
    return str(error) or type(error).__name__
