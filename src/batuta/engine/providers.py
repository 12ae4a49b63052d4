"""
Providers: where messages go to and come from. The protocol of a queue provider, and the one that is always there: the queue inside the server.

Here: what a provider promises. Not here: what is done with a message (events.py), brokers (brokers/).
Source: conductor-rest-api.md §6.4.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol

import msgspec

from batuta.wire.shape import Json

INTERNAL: Final = "conductor"
# What providers need that this server could have, and has only when it is told where their broker is.
WANTED: Final = {
    "nats": "install batuta[nats] and set BATUTA_NATS_URL",
    "jsm": "install batuta[nats] and set BATUTA_NATS_URL",
}


class Message(msgspec.Struct, frozen=True):
    """One message of an event. `id` is unique in its event: it is what a repeated delivery is known by."""

    event: str
    id: str
    payload: Any


class Health(msgspec.Struct, frozen=True):
    """Whether a broker answers, and what an operator wants to know of it; no secrets."""

    is_up: bool
    details: Json


Deliver = Callable[[Message], Awaitable[None]]
"""Returns when the message was taken, which is when it may be acknowledged; raises Unavailable when it must come again."""


class Provider(Protocol):
    """
    A kind of queue. `name` is what stands before the colon of an event: `nats` for `nats:orders`.

    Providers are given to `Events` by the composition root. None of them lets the server wait for its broker: one that is away is tried again
    and again, by the provider itself.
    """

    name: str

    def refusal(self, queue: str, *, for_listening: bool = False) -> str | None:
        """Why no message can ever go to this queue (*for_listening*: come from it); None when one can."""
        ...

    async def open(self, deliver: Deliver, returned: Callable[[], None]) -> None:
        """Begin. Messages of queues listened to are delivered from now on; *returned* is called whenever the broker is there again."""
        ...

    async def listen(self, queues: Collection[str]) -> None:
        """Be subscribed to exactly these queues: when this returns if the broker answers, else as soon as it does."""
        ...

    async def publish(self, message: Message) -> None:
        """
        The broker has the message when this returns.

        Raises:
            Unavailable: it does not answer; the message must be published again, and may arrive twice.
            Invalid: it never will take it.
        """
        ...

    def health(self) -> Health:
        """How the broker is, as far as it is known; asks nobody."""
        ...

    async def close(self) -> None:
        """No message is delivered any more."""
        ...


class Internal:
    """The queue `conductor:` inside the server. A message is with its handlers at once; until they have done with it, it is in the outbox."""

    name = INTERNAL

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver  # before `open`: what the last process left in the outbox is delivered before anything else happens

    def refusal(self, queue: str, *, for_listening: bool = False) -> str | None:
        """See Provider. Any name will do."""
        return None

    async def open(self, deliver: Deliver, returned: Callable[[], None]) -> None:
        """See Provider."""

    async def listen(self, queues: Collection[str]) -> None:
        """See Provider. Handlers are looked up when a message comes."""

    async def publish(self, message: Message) -> None:
        """See Provider."""
        await self._deliver(message)

    def health(self) -> Health:
        """See Provider."""
        return Health(True, {})

    async def close(self) -> None:
        """See Provider."""


def absent(name: str, there: Collection[str]) -> str:
    """Why nothing goes to a provider that this server does not have, and what to do."""
    wanted = WANTED.get(name, f"the providers it has are {', '.join(there)}")
    return f"this server has no event queue provider {name!r}: {wanted}"
