"""
Webhooks: what the webhook is told reaches its receiver, in order for each execution, at least once, under an id that stays the same.

What is to be told lies in the outbox, written with the decision that made it true, and stays there until the receiver has answered with 2xx. In memory are the
oldest of them, so many and no more; the rest waits in the store. A few posts are under way at once. One that fails is tried again after a while, longer each
time, and whatever comes after it from the same execution waits behind it; other executions go on. One that keeps failing for too long is set aside among the
messages of events that failed for good, where an operator sees it and may have it delivered again.

No decision waits for any of this, and none is slower for a receiver that is slow or gone.

Here: the order of things. Not here: what is told (listeners.py), how a post is made and signed (builtin/webhook.py).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from batuta.engine.engine import Engine
from batuta.engine.journal import Journal
from batuta.engine.listeners import WEBHOOK
from batuta.engine.providers import Deliver, Health, Message
from batuta.engine.tally import WEBHOOKS, WEBHOOKS_FAILED
from batuta.errors import BatutaError, Invalid, Unavailable
from batuta.store.protocol import OutboxRow
from batuta.wire.codec import encode
from batuta.wire.event import Failure

log = logging.getLogger("batuta.engine")
ROWS_MAX: Final = 500  # in memory; a body has 64 KiB of payloads at most
FIRST_PAUSE_MS: Final = 1_000
LAST_PAUSE_MS: Final = 60_000
_KINDS: Final = {row: kind for kind, row in WEBHOOK.items()}

Post = Callable[[str, str, bytes], None]
"""Id, `workflow` or `task`, body. Returns when the receiver has it; raises a BatutaError that says why it does not. It may block."""


class _Told(msgspec.Struct):
    """The part of a body that says what it is about."""

    status: str
    workflowType: str
    taskDefName: str = ""


class Webhooks:
    """
    The webhook's sender over one engine.

    It is also the event provider `webhook`, so that what was set aside can be delivered again like any other message.
    """

    name = "webhook"

    def __init__(self, engine: Engine, journal: Journal, post: Post, *, concurrency: int, give_up_ms: int) -> None:
        self._engine, self._journal, self._post = engine, journal, post
        self._concurrency, self._give_up_ms = concurrency, give_up_ms
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="webhook")
        self._lanes: dict[str, deque[OutboxRow]] = {}  # execution id -> what is to be told of it, oldest first
        self._ready: deque[str] = deque()  # lanes that wait for a place
        self._tries: dict[str, int] = {}  # lanes whose first row has failed -> how often
        self._busy = self._rows = 0
        self._has_more = self._is_filling = self._closing = False

    def start(self) -> None:
        """Take up what the last process left; from now on what is durable is sent."""
        self._engine.post = self.take
        self._has_more = True
        self._go_on()

    def stop(self) -> None:
        """Nothing more is begun; what is under way stays in the outbox unless it is done."""
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    # -- the window -----------------------------------------------------------------------------------------------------------------

    def take(self, rows: Sequence[OutboxRow]) -> None:
        """These rows of one commit are durable. They are sent at once if there is room, else when those before them are done."""
        for row in rows:
            if row.kind in _KINDS:
                if self._has_more or self._is_filling or self._rows >= ROWS_MAX:
                    self._has_more = True
                else:
                    self._place(row)
        self._go_on()

    def _place(self, row: OutboxRow) -> None:
        lane = row.id.split("/", 1)[0]
        waiting = self._lanes.get(lane)
        self._rows += 1
        if waiting is None:
            self._lanes[lane] = deque((row,))
            self._ready.append(lane)
        else:
            waiting.append(row)

    async def _fill(self) -> None:
        """Read the oldest that are not in memory yet, now that there is room."""
        self._has_more = False  # before the store is asked: whatever is written meanwhile sets it again
        known = {row.id for lane in self._lanes.values() for row in lane}
        try:
            rows = await self._engine.store.outbox(limit=ROWS_MAX, kinds=tuple(_KINDS))
        except Unavailable as error:
            log.warning("what the webhook is to be told cannot be read: %s", error)
            self._has_more = True
            self._engine.clock.call_at(self._engine.clock.now() + FIRST_PAUSE_MS, self._filled)
            return
        self._has_more |= len(rows) == ROWS_MAX
        for row in rows:
            if row.id not in known:
                self._place(row)
        self._filled()

    def _filled(self) -> None:
        self._is_filling = False
        self._go_on()

    def _go_on(self) -> None:
        """Begin whatever there is room for."""
        if self._closing:
            return
        if self._has_more and not self._is_filling and self._rows <= ROWS_MAX // 2:
            self._is_filling = True
            self._engine.spawn(self._fill())
        while self._ready and self._busy < self._concurrency:
            self._busy += 1
            self._engine.spawn(self._send(self._ready.popleft()))

    # -- one lane -------------------------------------------------------------------------------------------------------------------

    async def _send(self, lane: str) -> None:
        """Post the lane's first row; the next one is ready when that is done with, or after a pause."""
        row = self._lanes[lane][0]
        try:
            await self._posted(row.id, _KINDS[row.kind], row.body)
            pause_ms = await self._forget(row)
        except Invalid as error:
            pause_ms = await self._failed(lane, row, str(error))
        finally:
            self._busy -= 1
        if pause_ms:
            self._engine.clock.call_at(self._engine.clock.now() + pause_ms, lambda: self._again(lane))
        else:
            self._done(lane)
        self._go_on()

    async def _posted(self, id: str, kind: str, body: bytes) -> None:
        """Raises Invalid, saying why, when the receiver does not have it."""
        told = msgspec.json.decode(body, type=_Told)
        name, tally = told.taskDefName if kind == "task" else told.workflowType, self._engine.tally
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._post, id, kind, body)
        except Exception as error:
            if self._closing:
                raise Invalid("the server is stopping") from error
            tally.count(WEBHOOKS_FAILED, kind.upper(), name, type(error).__name__)
            if not isinstance(error, BatutaError):
                log.exception("webhook message %s was not posted", id)  # a fault of ours: kept and tried again like any other failure
            raise Invalid(str(error) or repr(error)) from error
        tally.count(WEBHOOKS, kind.upper(), name, told.status)

    async def _forget(self, row: OutboxRow) -> int:
        """The row leaves the outbox. 0, or how long to wait before it is posted once more: the receiver will know it by its id."""
        try:
            await self._engine.forget_letter(row.id)
        except BatutaError as error:
            log.warning("webhook message %s was delivered and waits for the store: %s", row.id, error)
            return FIRST_PAUSE_MS
        return 0

    async def _failed(self, lane: str, row: OutboxRow, reason: str) -> int:
        """How long to wait before it is tried again; 0: it has been set aside."""
        tries = self._tries[lane] = self._tries.get(lane, 0) + 1
        now = self._engine.clock.now()
        if self._closing or now - row.due_at < self._give_up_ms:
            log.log(logging.WARNING if tries == 1 and not self._closing else logging.DEBUG, "webhook message %s was not delivered: %s", row.id, reason)
            return int(min(FIRST_PAUSE_MS << min(tries - 1, 16), LAST_PAUSE_MS) * random.uniform(0.75, 1.25))
        log.warning("webhook message %s is set aside after %d attempts: %s", row.id, tries, reason)
        try:
            await self._journal.set_aside(f"{self.name}:{_KINDS[row.kind]}", row.id, msgspec.json.decode(row.body), [Failure("", "publish", reason)], [], now)
        except Unavailable:
            return FIRST_PAUSE_MS
        return await self._forget(row)

    def _done(self, lane: str) -> None:
        """The lane's first row is done with."""
        waiting = self._lanes[lane]
        waiting.popleft()
        self._rows -= 1
        self._tries.pop(lane, None)
        if waiting:
            self._ready.append(lane)
        else:
            del self._lanes[lane]

    def _again(self, lane: str) -> None:
        self._ready.append(lane)
        self._go_on()

    # -- as a provider of events ----------------------------------------------------------------------------------------------------

    def refusal(self, queue: str, *, for_listening: bool = False) -> str | None:
        """See Provider. It is for changes of status only, which are published by no EVENT task and come back to no handler."""
        return "the webhook is told of changes of status, and of nothing else"

    async def open(self, deliver: Deliver, returned: Callable[[], None]) -> None:
        """Nothing comes in by a webhook."""

    async def listen(self, queues: Collection[str]) -> None:
        """See open."""

    async def publish(self, message: Message) -> None:
        """Post once more what was set aside. Raises Invalid, saying why, when it fails again."""
        await self._posted(message.id, message.event.partition(":")[2], encode(message.payload))

    def health(self) -> Health:
        """Whether nothing waits because a post of it has failed."""
        return Health(not self._tries, {"waiting": self._rows})

    async def close(self) -> None:
        """See open."""
