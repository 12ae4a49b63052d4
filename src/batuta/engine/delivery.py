"""
Delivery: what one execution asks of others is handed over, at once, and again after a crash.

Here: messages of decision.py to their receivers, starts of children, what the last process left behind. Not here: who a message is for (core).
Receivers de-duplicate; a letter's row goes with the receiver's commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import get_args

import msgspec

from batuta.core import lifecycle, revival
from batuta.core.model.decision import AskChild, Message, Publish, ReviveChild, ReviveParent, StartExecution, TellParent, TerminateExecution
from batuta.core.model.event import ChildEnded, ChildNotStarted
from batuta.core.model.execution import Execution
from batuta.engine.durability import AGAIN_MS, log
from batuta.engine.post import Act, Letter, Letters, Sent, decided, offered_again
from batuta.engine.providers import INTERNAL
from batuta.engine.steps import Steps
from batuta.errors import BatutaError, Invalid, NotFound, TooLarge, TooMany, Unavailable
from batuta.store.protocol import Commit

LETTERS_MAX = 100_000  # read from the outbox at start
OUTGOING_MAX = 10_000  # EVENT messages on their way to brokers at once; while one is away the others stay in the outbox
AGAIN_MS_MAX = 30_000
_PUBLISH = str(Publish.__struct_config__.tag)
CASCADE_MAX = 2_000  # executions one request may move before the rest is left to the background


class Delivery(Steps):
    """The carrier of messages, and the first thing a new process does."""

    async def open(self) -> None:
        """Take up where the last process left off: queues, alarms, interrupted work, undelivered messages."""
        now = self.clock.now()
        for waiting in await self.store.claimable(None, limit=10_000_000):
            self.queues.offer(waiting.queue, (waiting.execution_id, waiting.n), waiting.priority, waiting.due_at, now)
        await self.outputs.load(now)
        await self._line_up()
        await self._recount()
        await self.alarms.fill()
        self._arm()
        # In their order, and before anybody else has a say: a child is started before it is terminated, an end is told before a revival. What waits for
        # a broker comes after all that, however much of it there is.
        kinds = [message.__struct_config__.tag for message in get_args(Message) if message is not Publish or self.publish is None]
        left = await self.store.outbox(limit=LETTERS_MAX, kinds=kinds)
        await self._deliver_all(deque(Letter(row.id, msgspec.json.decode(row.body, type=Message), None) for row in left))
        if self.publish is not None:
            await self._read_outgoing(self.publish, LETTERS_MAX)
        self._admit_all()

    async def _recount(self) -> None:
        """Tasks that are with a worker count towards their definition's limit; what was with this process itself is offered again."""
        now = self.clock.now()
        for taken in await self.store.in_progress(None, limit=1_000_000):
            live = await self._load(taken.execution_id)
            task = live.x.tasks.get(taken.n) if live is not None else None
            if live is None or task is None:
                continue
            if task.type == "HTTP" and not (task.output.get("response") and live.x.node_of(task).async_complete):
                self.spawn(self.act(taken.execution_id, offered_again(taken.n)))
            else:
                self.limits.taken(task.def_name, live.x.node_of(task).policy, (taken.execution_id, taken.n), now)

    async def _carry(self, letters: Letters) -> None:
        """Hand over every letter, also when whoever waits for it goes away meanwhile."""
        await asyncio.shield(self._spawned(self._deliver_all(letters)))

    async def _deliver_all(self, letters: Letters) -> None:
        """
        Hand over every letter, and what follows from it; all of it is durable when this returns, but for what is beyond CASCADE_MAX.

        Senders and receivers go to the disk together, in order; of a letter whose sender failed nothing is kept. One that the store does not take
        is tried again after a while.
        """
        sent: list[tuple[Letter, Sent]] = []
        for _ in range(CASCADE_MAX):
            if not letters:
                break
            letter = letters.popleft()
            if letter.before is not None and not letter.before.done():
                await asyncio.wait([letter.before])
            try:
                one = None if letter.was_never_sent else await self._deliver(letter, letters)
                if one is not None:
                    sent.append((letter, one))
            except BatutaError as error:
                self._deliver_later(letter, error)
            finally:
                if letter.handed is not None and not letter.handed.done():
                    letter.handed.set_result(None)
        if letters:
            self.spawn(self._deliver_all(letters))
        for letter, one in sent:
            try:
                if one.act is None:
                    await asyncio.shield(one.durable)
                else:
                    await self._settled(one.durable, one.receiver, one.act, [letter.id])
            except BatutaError as error:
                self._deliver_later(letter, error)
            if letter.was_never_sent and isinstance(letter.message, TellParent | ReviveParent):
                # The parent believes what never happened to its child: it shall hear how the child really stands.
                self.spawn(self._tell_again(letter.message.child_id))

    async def _tell_again(self, child_id: str) -> None:
        while True:  # until the store is there again, or the server stops
            try:
                live = await self._load(child_id)
                if live is not None and live.last is not None and not live.last.done():
                    await asyncio.wait([live.last])
                    continue
                child = None if live is None else live.x.head
                if child is not None and child.status.is_terminal and child.parent_id:
                    event = ChildEnded(child.parent_task_id, child.id, str(child.status), child.output, child.reason)
                    await self.act(child.parent_id, decided(event))
                return
            except NotFound:
                return
            except Unavailable:
                await self._pause(AGAIN_MS)

    def _deliver_later(self, letter: Letter, error: BatutaError) -> None:
        if letter.was_never_sent or self._closing:
            return
        if isinstance(error, NotFound):
            self.forget_letter(letter.id)  # its receiver was removed, or never came to be
            return
        if not error.retryable:
            log.error("message %s cannot be delivered: %s", letter.id, error)
            self.forget_letter(letter.id)
            return
        log.warning("message %s waits: %s", letter.id, error)
        self.spawn(self._deliver_after_a_while(letter))

    async def _deliver_after_a_while(self, letter: Letter) -> None:
        await self._pause(AGAIN_MS)
        await self._deliver_all(deque([letter]))

    async def _deliver(self, letter: Letter, letters: Letters) -> Sent | None:
        """Hand the message to its receiver. What comes back ends when the receiver's commit is durable."""
        letter_id, message = letter.id, letter.message
        match message:
            case StartExecution():
                return await self._start_other(letter_id, message, letters)
            case Publish():
                if self.publish is None:
                    return Sent(self.forget_letter(letter_id))
                self._begin_to_hand_out(self.publish, letter_id, message)
                return None
            case TellParent(id, task_id, child, status, output, reason):
                target, event = id, ChildEnded(task_id, child, status, output, reason)
                act: Act = decided(event)
            case TerminateExecution(id, reason):
                target, act = id, lambda x, now, tools: lifecycle.NOTHING if x.head.status.is_terminal else lifecycle.terminate(x, now, tools, reason)
            case ReviveParent(id, task_id, child, verb):
                waits = await self._waits_to_live(id)
                target, act = id, self._placed(lambda x, now, tools: revival.revived(x, now, tools, task_id, child, verb, waits=waits))
            case ReviveChild(id):
                waits = await self._waits_to_live(id)
                target, act = id, self._placed(lambda x, now, tools: revival.revived_by_parent(x, now, tools, waits=waits))
            case AskChild(id):
                target, act = id, revival.told_again
        try:
            durable = await self._step(target, act, letters, delivered=[letter_id])
        except NotFound:
            if isinstance(message, ReviveChild) and message.parent_id:
                gone = ChildNotStarted(message.parent_task_id, message.id, f"No such workflow found by id: {message.id}")
                return await self._tell_of_no_child(letter_id, message.parent_id, gone, letters)
            return Sent(self.forget_letter(letter_id))  # removed by an operator: nobody to tell
        if isinstance(message, ReviveParent | ReviveChild):
            self.spawn(self._settle_place(target))  # it may have stayed as it was
        return None if durable is None else Sent(durable, target, act)

    def _begin_to_hand_out(self, publish: Callable[[Publish], Awaitable[None]], letter_id: str, message: Publish) -> None:
        """Unless it is on its way, or too many wait for a broker; handlers of our own queue are never held up by those."""
        if letter_id in self._outgoing:
            return
        is_abroad = not message.queue.startswith(f"{INTERNAL}:")
        if is_abroad and self._abroad >= OUTGOING_MAX:
            self._some_stayed = True
            return
        self._outgoing.add(letter_id)
        self._abroad += is_abroad
        self.spawn(self._hand_out(publish, letter_id, message, is_abroad))

    async def _hand_out(self, publish: Callable[[Publish], Awaitable[None]], letter_id: str, message: Publish, is_abroad: bool) -> None:
        """
        Give an EVENT task's message to whoever takes it; its row stays until it has been taken.

        In the background: what handlers do may take long, and may publish again without end. Not before it is on disk that it was published.
        """
        pause_ms = AGAIN_MS
        try:
            while True:  # until the store, or the broker, is there again, or the server stops
                try:
                    await asyncio.shield(self.store.submit([]))
                    await publish(message)
                    await self.forget_letter(letter_id)
                    break
                except Unavailable as error:
                    if pause_ms == AGAIN_MS and (reason := str(error)) != self._waits_because:
                        self._waits_because = reason
                        log.warning("message %s for %s waits, and perhaps others: %s", message.id, message.queue, reason)
                await self._pause_before_publishing(pause_ms)
                pause_ms = min(2 * pause_ms, AGAIN_MS_MAX)
        finally:
            self._outgoing.discard(letter_id)
            self._abroad -= is_abroad
        if self._some_stayed and self._abroad < OUTGOING_MAX // 2:
            await self._hand_out_more(publish)

    async def _hand_out_more(self, publish: Callable[[Publish], Awaitable[None]]) -> None:
        """Carry what had to stay in the outbox, as far as there is room for it."""
        self._some_stayed = False
        while True:  # until the store is there again, or the server stops
            try:
                return await self._read_outgoing(publish, 2 * OUTGOING_MAX)
            except Unavailable:
                await self._pause(AGAIN_MS)

    async def _read_outgoing(self, publish: Callable[[Publish], Awaitable[None]], limit: int) -> None:
        """Begin to carry the oldest messages of the outbox. One that has just been delivered may be so again. Raises Unavailable."""
        rows = await self.store.outbox(limit=limit, kinds=[_PUBLISH])
        self._some_stayed = self._some_stayed or len(rows) == limit
        for row in rows:
            self._begin_to_hand_out(publish, row.id, msgspec.json.decode(row.body, type=Publish))

    async def _pause_before_publishing(self, ms: int) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pauses.add(over)
        timer = self.clock.call_at(self.clock.now() + ms, lambda: None if over.done() else over.set_result(None))
        try:
            await over
        finally:
            timer.cancel()
            self._pauses.discard(over)

    def hand_out_again(self) -> None:
        """A broker is there again: what waits to be published is tried now."""
        self._waits_because = ""
        for pause in self._pauses:
            if not pause.done():
                pause.set_result(None)

    def forget_letter(self, letter_id: str) -> asyncio.Future[None]:
        """Its row goes from the outbox: it was delivered, or never can be. Ends when that is durable."""
        return self.store.submit([Commit(execution_id=letter_id.split("/", 1)[0], expected=-1, delivered=[letter_id])])

    async def _start_other(self, letter_id: str, wish: StartExecution, letters: Letters) -> Sent | None:
        live = await self._load(wish.id)
        if live is not None:
            # Asked for again: its parent may have lost the memory of having started it, and not heard of its end.
            durable = await self._step(wish.id, revival.told_again, letters, delivered=[letter_id])
            return None if durable is None else Sent(durable, wish.id, revival.told_again)
        try:
            definition = self.definitions.made(wish.definition) if wish.definition is not None else self.definitions.named(wish.name, wish.version or None)
            head = self._head(wish.id, definition, wish.input)
            await self._require_fit(definition, head.input)
        except BatutaError as error:
            return await self._not_started(letter_id, wish, error, letters)
        head.correlation_id, head.priority, head.task_to_domain = wish.correlation_id, wish.priority, wish.task_to_domain
        head.parent_id, head.parent_task_id, head.created_by, head.secrets = wish.parent_id, wish.parent_task_id, wish.created_by, list(wish.secrets)
        try:
            return Sent(await self._first_step(Execution(head, definition), letters, delivered=[letter_id]))
        except TooMany as full:
            return await self._not_started(letter_id, wish, full, letters)

    async def _not_started(self, letter_id: str, wish: StartExecution, error: BatutaError, letters: Letters) -> Sent | None:
        """Its parent's task fails with the reason; of one that nobody waits for there is a line in the log."""
        if wish.parent_id:
            event = ChildNotStarted(wish.parent_task_id, wish.id, str(error), for_good=isinstance(error, Invalid | TooLarge))
            return await self._tell_of_no_child(letter_id, wish.parent_id, event, letters)
        log.warning("execution %s of %r was not started: %s", wish.id, wish.name, error)
        return Sent(self.forget_letter(letter_id))

    async def _tell_of_no_child(self, letter_id: str, parent_id: str, event: ChildNotStarted, letters: Letters) -> Sent | None:
        durable = await self._step(parent_id, decided(event), letters, delivered=[letter_id])
        return None if durable is None else Sent(durable, parent_id, decided(event))
