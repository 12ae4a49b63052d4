"""
Steps: where the core meets the store. Load, decide, commit; again on conflict. Owner of time.

Here: the one path every change takes (`_step`). Memory and disk are durability.py, messages delivery.py, claims claims.py, reports reports.py, starts
starts.py, the operator's verbs verbs.py: put together in engine.py. Not here: any rule of Conductor's (core), any JSON shape (wire), any SQL (store).

Order: a decision is submitted to the store in the same turn of the event loop in which it is made, so commits of one execution are
made durable in the order of its decisions, and an execution's memory may run ahead of the disk. Nothing is answered before it is durable.
"""

from __future__ import annotations

import abc
import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec

from batuta.core import oversize, revival
from batuta.core.decide import Outcome
from batuta.core.model.decision import Message
from batuta.core.model.definition import Definition
from batuta.core.model.event import Event, InputTooLarge, Started, Ticked
from batuta.core.model.execution import Execution, Head
from batuta.core.model.status import WorkflowStatus
from batuta.core.model.task import PAYLOAD_BYTES_MAX, Json
from batuta.core.places import key_of
from batuta.engine.admission import Admission
from batuta.engine.durability import AGAIN_MS, log
from batuta.engine.live import Live
from batuta.engine.post import Act, Letter, Letters, decided, is_stored, settled
from batuta.errors import BatutaError, Invalid, NotFound, TooLarge, Unavailable, VersionConflict
from batuta.store.protocol import OutboxRow
from batuta.store.rows import commit_of

CONFLICTS_MAX = 50  # a writer that loses this often in a row is not racing, something is wrong


class Steps(Admission):
    """The path of every change, over one store and on one event loop."""

    async def _tick(self, execution_id: str) -> None:
        try:
            await self.handle(execution_id, Ticked())
        except NotFound:
            pass  # removed meanwhile
        except Unavailable:
            self.alarms.set(execution_id, self.clock.now() + AGAIN_MS)
            self._arm()

    async def _refuse_input(self, execution_id: str, n: int, size: int) -> None:
        try:
            await self.handle(execution_id, InputTooLarge(n, size))
        except BatutaError as error:
            log.warning("execution %s: a task with an input of %d bytes goes on: %s", execution_id, size, error)

    @abc.abstractmethod
    async def _carry(self, letters: Letters) -> None:
        """Hand over every letter, and what follows from it, also when whoever waits for it goes away meanwhile."""

    # -- the one path -----------------------------------------------------------------------------------------------------------

    async def handle(self, execution_id: str, event: Event) -> None:
        """
        Decide this event, make it durable, and carry its messages to whom they concern.

        Raises:
            NotFound: no such execution.
            Unavailable: the store did not take it; nothing happened.
        """
        await self._cascade(execution_id, decided(event))

    async def act(self, execution_id: str, act: Act) -> None:
        """The same for any act on an execution: the operator's verbs."""
        await self._cascade(execution_id, act)

    async def _cascade(self, execution_id: str, act: Act) -> None:
        """The act, and all that follows from it in other executions, each made durable; the first act's error is the caller's."""
        letters: Letters = deque()
        durable = await self._step(execution_id, act, letters)
        if letters:
            await self._carry(letters)
        if durable is not None:
            await self._settled(durable, execution_id, act)

    async def _settled(self, durable: asyncio.Future[None], execution_id: str, act: Act, delivered: Sequence[str] = ()) -> None:
        """Wait for the disk; when another writer was first, decide again on what is there now."""
        for _ in range(CONFLICTS_MAX):
            try:
                await settled(durable)
                return
            except VersionConflict:
                letters: Letters = deque()
                again = await self._step(execution_id, act, letters, delivered=delivered)
                if letters:
                    await self._carry(letters)
                if again is None:
                    return
                durable = again
        raise Unavailable(f"execution {execution_id!r} was changed by others {CONFLICTS_MAX} times in a row; try again later")

    async def _step(
        self, execution_id: str, act: Act, letters: Letters, *, delivered: Sequence[str] = (), hold: bool = False
    ) -> asyncio.Future[None] | None:
        """
        Load, decide, submit. What comes back ends when the commit is durable; None when nothing changed and what there was to know is on disk.

        *hold*: nobody waits for this to be durable (a claim); it rides with the execution's next commit, or goes by itself after a while.
        """
        live = self.lives.get(execution_id)
        if live is not None and live.turn is None:
            return self._decide(live, act, letters, delivered, hold)
        while True:
            live = self.lives.get(execution_id) or await self._load(execution_id) or self.lives.get(execution_id)  # or begun while we looked
            if live is None:
                raise NotFound(f"No such workflow found by id: {execution_id}")
            there = self.lives.get(execution_id)
            if there is not None and there is not live:
                continue
            if there is None:
                if live.dropped and not live.evicted:
                    continue
                self.lives.put(live)  # an ended one too, while something is done to it: all who act on an execution act on one and the same
            if live.turn is None:
                return self._decide(live, act, letters, delivered, hold)
            try:
                async with live.turn:
                    if live.dropped:
                        continue  # it fell out of memory while we waited for our turn
                    if hold:  # a claim runs no script: no thread for it
                        outcome = act(live.x, self.clock.now(), self.tools)
                    else:
                        outcome = await asyncio.get_running_loop().run_in_executor(self._threads, act, live.x, self.clock.now(), self.tools)
                    return self._submit(live, outcome, letters, delivered, hold)
            except BaseException as error:
                self._broke_off(live, error)
                raise

    def _decide(self, live: Live, act: Act, letters: Letters, delivered: Sequence[str] = (), hold: bool = False) -> asyncio.Future[None] | None:
        """The step of an execution in memory that needs no turn of its own: nothing of it can take long."""
        try:
            return self._submit(live, act(live.x, self.clock.now(), self.tools), letters, delivered, hold)
        except BaseException as error:
            self._broke_off(live, error)
            raise

    def _broke_off(self, live: Live, error: BaseException) -> None:
        if isinstance(error, BatutaError):
            self._let_go(live)  # a verb refused, before it changed anything
        else:  # nobody knows how far it came: what is on disk is the truth again
            self._held.pop(live.x.head.id, None)
            self.lives.drop(live)

    def _submit(
        self, live: Live, outcome: Outcome, letters: Letters, delivered: Sequence[str], hold: bool = False
    ) -> asyncio.Future[None] | None:
        x = live.x
        if not outcome.changed and not delivered:
            # What was asked for has happened already, but perhaps not on disk: an answer now would promise it.
            self._let_go(live)
            return live.last if live.last is not None and not is_stored(live.last) else None
        if outcome.changed and (live.heard is not None or x.definition.status_sink):
            self.listeners.hear(live, outcome, self.clock.now())
        if hold and not outcome.messages:
            self._note_moves(x)
            self._hold(live)
            return None
        outbox = []
        for index, message in enumerate(outcome.messages):
            letter_id = f"{x.head.id}/{x.head.revision + 1}/{index}"
            outbox.append(OutboxRow(letter_id, message.__struct_config__.tag, self.clock.now(), msgspec.json.encode(message)))  # type: ignore[arg-type]
        moved = self._note_moves(x)
        commit = commit_of(x, outbox=outbox, delivered=delivered)
        commit.definition = x.definition.snapshot
        durable = self._send(live, commit, moved)
        for row, message in zip(outbox, outcome.messages, strict=True):
            letters.append(self._addressed(row.id, message, durable))
        return durable

    def _addressed(self, letter_id: str, message: Message, written: asyncio.Future[None]) -> Letter:
        """A letter that is handed over after those written to the same receiver before it: nobody is ended before it is started."""
        receiver, handed = message.id, asyncio.get_running_loop().create_future()
        before, self._mail[receiver] = self._mail.get(receiver), handed
        handed.add_done_callback(lambda _: self._mail.pop(receiver) if self._mail.get(receiver) is handed else None)
        return Letter(letter_id, message, written, before, handed)

    # -- starting ---------------------------------------------------------------------------------------------------------------

    def _head(self, execution_id: str, definition: Definition, given: Json) -> Head:
        now = self.clock.now()
        template = definition.raw.get("inputTemplate")
        if given and template:
            given = {**{k: v for k, v in template.items() if given.get(k) is None}, **{k: v for k, v in given.items() if v is not None or k not in template}}
        return Head(
            id=execution_id, name=definition.name, definition_version=definition.version, definition_hash=definition.hash, status=WorkflowStatus.RUNNING,
            created_at=now, input=given, variables=definition.raw.get("variables") or {},
        )  # fmt: skip

    async def _require_fit(self, definition: Definition, given: Json) -> None:
        """
        The execution may begin with this input.

        Raises:
            TooLarge: it is larger than any payload may be.
            Invalid: it breaks the definition's contract; found out on another thread, since a schema is the user's.
        """
        if (size := oversize.size_of(given)) > PAYLOAD_BYTES_MAX:
            raise TooLarge(f"the input of workflow {definition.name!r} has {size} bytes; at most {PAYLOAD_BYTES_MAX} are taken")
        if (contract := definition.input_contract) is None:
            return
        misfit = await asyncio.get_running_loop().run_in_executor(self._threads, contract.misfit, given, definition.masked)
        if misfit is not None:
            raise Invalid(misfit)

    async def _first_step(self, x: Execution, letters: Letters, *, delivered: Sequence[str] = ()) -> asyncio.Future[None]:
        """Make it, and let it begin or wait for a place. Raises TooMany where its workflow does not let it wait."""
        begin: Act = decided(Started())
        if x.definition.limit is not None:
            if await self._waits(x, x.definition):
                begin = revival.held_start
            x.head.rate_limit_key = key_of(x, x.definition, self.tools)
        x.touch_head(15)
        live = Live(x, 0)
        self.listeners.meet(live)
        self.lives.put(live)
        now = self.clock.now()
        try:
            if live.turn is None:
                return self._submitted(live, begin(x, now, self.tools), letters, delivered)
            async with live.turn:
                outcome = await asyncio.get_running_loop().run_in_executor(self._threads, begin, x, now, self.tools)
                return self._submitted(live, outcome, letters, delivered)
        except BaseException:
            self.lives.drop(live)
            self._gave_up_place(x.head.id)
            raise

    def _submitted(self, live: Live, outcome: Outcome, letters: Letters, delivered: Sequence[str]) -> asyncio.Future[None]:
        outcome.changed = True
        durable = self._submit(live, outcome, letters, delivered)
        assert durable is not None
        return durable
