"""
Steps: where the core meets the store. Load, decide, commit; again on conflict. Owner of time.

Here: the one path every change takes (`_step`), messages between executions, starting, reports, reading. Claims are claims.py, the operator's verbs
verbs.py, listings views.py: all of them use `_step` and are put together in engine.py. Not here: any rule of Conductor's (core), any JSON shape (wire),
any SQL (store).

Order: a decision is submitted to the store in the same turn of the event loop in which it is made, so commits of one execution are
made durable in the order of its decisions, and an execution's memory may run ahead of the disk. Nothing is answered before it is durable.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec

from batuta.core import deadlines, lifecycle
from batuta.core.decide import Outcome, decide
from batuta.core.expr.script import ScriptEngine
from batuta.core.model.decision import Message, Publish, ReviveChild, ReviveParent, StartExecution, TellParent, TerminateExecution
from batuta.core.model.definition import Definition, digest
from batuta.core.model.event import ChildEnded, ChildNotStarted, Event, Started, Ticked
from batuta.core.model.execution import Execution, Head
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Json, Task
from batuta.core.turn import Tools
from batuta.engine.alarms import Alarms
from batuta.engine.catalog import Catalog
from batuta.engine.clock import Clock, Handle
from batuta.engine.definitions import Definitions
from batuta.engine.identity import Ids
from batuta.engine.limits import Limits
from batuta.engine.live import BYTES_MAX, Live, Lives
from batuta.engine.queues import Queues
from batuta.engine.workbench import Workbench
from batuta.errors import BatutaError, NotFound, Unavailable, VersionConflict
from batuta.store.protocol import Commit, OutboxRow, Store
from batuta.store.rows import commit_of, execution_of

log = logging.getLogger("batuta.engine")
Act = Callable[[Execution, int, Tools], Outcome]
CONFLICTS_MAX = 50  # a writer that loses this often in a row is not racing, something is wrong
HOLD_S = 0.5  # how long a claim may wait for its report on its way to the disk; lost in a crash, the task is offered again
AGAIN_MS = 1_000
CASCADE_MAX = 2_000  # executions one request may move before the rest is left to the courier


class Letter(NamedTuple):
    """A message on its way, and when the commit that it leaves with is durable (None: it is)."""

    id: str
    message: Message
    written: asyncio.Future[None] | None

    @property
    def was_never_sent(self) -> bool:
        """Whether the sender's commit has failed: what it decided never happened."""
        return self.written is not None and self.written.done() and not _is_done(self.written)


class Sent(NamedTuple):
    """A letter handed over: when the receiver's commit is durable, and what to do again should another writer have been first."""

    durable: asyncio.Future[None]
    receiver: str = ""
    act: Act | None = None


Letters = deque[Letter]


class Steps:
    """The path of every change, over one store and on one event loop."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        scripts: ScriptEngine,
        clock: Clock,
        *,
        live_bytes_max: int = BYTES_MAX,
        active_poll_ms: int = 10_000,
        script_threads: int = 4,
        variables_bytes_max: int = 256 * 1024,
        payload_bytes_warn: int = 1024 * 1024,
        secret: Callable[[str], str | None] = lambda name: None,
    ) -> None:
        self.store, self.catalog, self.clock = store, catalog, clock
        self.queues = Queues()
        self.limits = Limits()
        self.polls: dict[str, tuple[str, str, int]] = {}  # queue -> task type, worker, instant of the last poll
        self.tools = Workbench(catalog, scripts, self._polled_lately, variables_bytes_max=variables_bytes_max, secret=secret)
        self.lives = Lives(live_bytes_max)
        self.alarms = Alarms(lambda limit: store.alarms(limit=limit))
        self.watchers: dict[str, set[asyncio.Future[None]]] = {}  # who waits for a change of an execution
        self.publish: Callable[[Publish], Awaitable[None]] | None = None  # who takes EVENT messages out of the process
        self.observe: Callable[[Live, Commit], None] = lambda live, commit: None  # who is told of every commit that is durable
        self._active_poll_ms, self._payload_bytes_warn = active_poll_ms, payload_bytes_warn
        self._loading: dict[str, asyncio.Future[Live | None]] = {}
        self.definitions = Definitions(catalog)
        self._stored_definitions: set[str] = set()
        self._threads = ThreadPoolExecutor(script_threads, thread_name_prefix="decide")
        self._timer: tuple[int, Handle] | None = None
        self._ids = Ids()
        self._keys: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()  # starts under one key, one after the other
        self._held: dict[str, Live] = {}  # executions with changes that nobody waits for
        self._release: asyncio.TimerHandle | None = None
        self._unborn: dict[str, str] = {}  # executions whose start is under way; with a letter's id: it came to end what is not there yet
        self._background: set[asyncio.Task[Any]] = set()
        self._closing = False

    # -- life -------------------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take up where the last process left off: queues, alarms, interrupted work, undelivered messages."""
        now = self.clock.now()
        for waiting in await self.store.claimable(None, limit=10_000_000):
            self.queues.offer(waiting.queue, (waiting.execution_id, waiting.n), waiting.priority, waiting.due_at, now)
        await self._recount()
        await self.alarms.fill()
        self._arm()
        # In their order, and before anybody else has a say: a child is started before it is terminated, an end is told before a revival.
        await self._deliver_all(deque(Letter(row.id, msgspec.json.decode(row.body, type=Message), None) for row in await self.store.outbox(limit=100_000)))

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

    async def close(self) -> None:
        """No new work is taken; what was decided is durable when this returns."""
        self._closing = True
        self.release_held()
        await asyncio.gather(*(live.last for live in self.lives if live.pending and live.last is not None), return_exceptions=True)
        if self._timer is not None:
            self._timer[1].cancel()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._threads.shutdown(wait=True)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this in the background; a failure is logged, since nobody waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed: %s", error, exc_info=error)

    # -- time -------------------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer for everything: the next alarm, or the next delayed task of a queue."""
        at = min((t for t in (self.alarms.next(), self.queues.next_due()) if t), default=0)
        if self._timer is not None:
            if at and self._timer[0] <= at:
                return
            self._timer[1].cancel()
            self._timer = None
        if at and not self._closing:
            self._timer = (at, self.clock.call_at(at, self._ring))

    def _ring(self) -> None:
        self._timer = None
        now = self.clock.now()
        self.queues.ripen(now)
        for execution_id in self.alarms.due(now):
            self.spawn(self._tick(execution_id))
        if self.alarms.is_dry:
            self.spawn(self._refill())
        self._arm()

    async def _tick(self, execution_id: str) -> None:
        try:
            await self.handle(execution_id, Ticked())
        except NotFound:
            pass  # removed meanwhile
        except Unavailable:
            self.alarms.set(execution_id, self.clock.now() + 1_000)
            self._arm()

    async def _refill(self) -> None:
        await self.alarms.fill()
        self._arm()

    # -- the one path -----------------------------------------------------------------------------------------------------------

    async def handle(self, execution_id: str, event: Event) -> None:
        """
        Decide this event, make it durable, and carry its messages to whom they concern.

        Raises:
            NotFound: no such execution.
            Unavailable: the store did not take it; nothing happened.
        """
        await self.act(execution_id, decided(event))

    async def act(self, execution_id: str, act: Act) -> None:
        """The same for any act on an execution: the operator's verbs."""
        await self._cascade(execution_id, act)

    async def _cascade(self, execution_id: str, act: Act) -> None:
        """The act, and all that follows from it in other executions, each made durable; the first act's error is the caller's."""
        letters: Letters = deque()
        durable = await self._step(execution_id, act, letters)
        if letters:
            await self._deliver_all(letters)
        if durable is not None:
            await self._settled(durable, execution_id, act)

    async def _settled(self, durable: asyncio.Future[None], execution_id: str, act: Act, delivered: Sequence[str] = ()) -> None:
        """Wait for the disk; when another writer was first, decide again on what is there now."""
        for _ in range(CONFLICTS_MAX):
            try:
                await asyncio.shield(durable)
                return
            except VersionConflict:
                letters: Letters = deque()
                again = await self._step(execution_id, act, letters, delivered=delivered)
                if letters:
                    await self._deliver_all(letters)
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
        while True:
            live = self.lives.get(execution_id) or await self._load(execution_id)
            if live is None:
                raise NotFound(f"No such workflow found by id: {execution_id}")
            if live.dropped:
                if not live.evicted or self.lives.get(execution_id) is not None:
                    continue
                self.lives.put(live)  # it fell out of memory as soon as it was read
            try:
                if live.turn is None:
                    return self._submit(live, act(live.x, self.clock.now(), self.tools), letters, delivered, hold)
                async with live.turn:
                    if live.dropped:
                        continue  # it fell out of memory while we waited for our turn
                    outcome = await asyncio.get_running_loop().run_in_executor(self._threads, act, live.x, self.clock.now(), self.tools)
                    return self._submit(live, outcome, letters, delivered, hold)
            except BatutaError:
                raise  # a verb refused, before it changed anything
            except BaseException:
                # Nobody knows how far it came: what is on disk is the truth again.
                self._held.pop(execution_id, None)
                self.lives.drop(execution_id)
                raise

    def _submit(
        self, live: Live, outcome: Outcome, letters: Letters, delivered: Sequence[str], hold: bool = False
    ) -> asyncio.Future[None] | None:
        x = live.x
        if not outcome.changed and not delivered:
            # What was asked for has happened already, but perhaps not on disk: an answer now would promise it.
            return live.last if live.last is not None and not _is_done(live.last) else None
        if hold:
            self._note_moves(x)
            self._hold(live)
            return None
        outbox = []
        for index, message in enumerate(outcome.messages):
            letter_id = f"{x.head.id}/{x.head.revision + 1}/{index}"
            outbox.append(OutboxRow(letter_id, message.__struct_config__.tag, self.clock.now(), msgspec.json.encode(message)))  # type: ignore[arg-type]
        offers = self._note_moves(x)
        commit = commit_of(x, outbox=outbox, delivered=delivered)
        if x.definition.hash not in self._stored_definitions:
            commit.definition = (x.definition.hash, digest(x.definition.raw)[1])
        durable = self._send(live, commit, offers)
        for row, message in zip(outbox, outcome.messages, strict=True):
            letters.append(Letter(row.id, message, durable))
            if isinstance(message, StartExecution):
                self._unborn[message.id] = ""
        return durable

    def _note_moves(self, x: Execution) -> list[Task]:
        """Tell queues and limits which tasks moved; the tasks to be offered once the commit is durable."""
        offers = []
        ended = x.head.status.is_terminal
        for n in x.changes.tasks:
            task = x.tasks.get(n)
            if task is None or not task.queue:
                continue
            key = (x.head.id, n)
            if task.status is TaskStatus.SCHEDULED and not ended:
                offers.append(task)
            else:
                self.queues.withdraw(task.queue, key)
            if task.status is not TaskStatus.IN_PROGRESS and self.limits.left(task.def_name, key):
                self.queues.get(task.queue).wake(1)
        return offers

    def _hold(self, live: Live) -> None:
        """What changed stays in memory for now."""
        other = self._held.get(live.x.head.id)
        if other is not live:
            if other is not None:
                self._send(other, commit_of(other.x), [])  # an execution read twice: one of the two is late, and is taken up again
            self._held[live.x.head.id] = live
            live.pending += 1
        self._plan_release()

    def _plan_release(self) -> None:
        if self._release is None and self._held and not self._closing:
            self._release = asyncio.get_running_loop().call_later(HOLD_S, self.release_held)

    def release_held(self) -> None:
        """What was held goes to the store now; but an execution that a thread is deciding right now goes with that decision."""
        if self._release is not None:
            self._release.cancel()
            self._release = None
        for live in list(self._held.values()):
            if live.turn is None or not live.turn.locked():
                self._send(live, commit_of(live.x), [])
        self._plan_release()

    def _send(self, live: Live, commit: Commit, offers: list[Task]) -> asyncio.Future[None]:
        if self._held.get(live.x.head.id) is live:
            del self._held[live.x.head.id]
        else:
            live.pending += 1
        durable = self.store.submit([commit])
        live.last = durable
        self.lives.grow(live, self._weigh(commit))
        durable.add_done_callback(lambda done: self._durable(live, commit, offers, done.cancelled() or done.exception() is not None))
        return durable

    def _weigh(self, commit: Commit) -> int:
        """Bytes written about tasks; a payload that is unusually large is noted in the log."""
        total = 0
        for row in commit.tasks:
            given, result = len(row.input or b""), len(row.output or b"")
            total += len(row.doc) + given + result
            if max(given, result) > self._payload_bytes_warn:
                log.warning("execution %s, task %s: a payload of %d bytes; files travel better by reference", commit.execution_id, row.ref, max(given, result))
        return total

    def _durable(self, live: Live, commit: Commit, offers: list[Task], failed: bool) -> None:
        """The commit is on disk, or has failed: only now are its tasks offered and its alarm set."""
        live.pending -= 1
        x = live.x
        if failed:
            self._held.pop(x.head.id, None)
            self.lives.drop(x.head.id)
            self.spawn(self._take_up(x.head.id))
            return
        for watcher in self.watchers.get(x.head.id, ()):
            if not watcher.done():
                watcher.set_result(None)
        if commit.definition is not None:
            self._stored_definitions.add(commit.definition[0])
        now = self.clock.now()
        for task in offers:
            if task.status is TaskStatus.SCHEDULED and x.tasks.get(task.n) is task:
                self.queues.offer(task.queue, (x.head.id, task.n), task.priority, task.due_at, now)
        if commit.head is not None and not live.pending:
            self.alarms.set(x.head.id, x.head.wake_at)
        if offers or x.head.wake_at:
            self._arm()
        if x.head.status.is_terminal and not live.pending and (live.turn is None or not live.turn.locked()):
            self.lives.drop(x.head.id)
        self.observe(live, commit)

    async def _take_up(self, execution_id: str) -> None:
        """After a commit that failed: queues, limits and alarm as the disk has them, since what they were told of never happened."""
        while not self._closing:
            try:
                live = await self._load(execution_id)
            except Unavailable:
                await self._pause(AGAIN_MS)
                continue
            if live is None:
                return
            if live.last is not None and not live.last.done():
                await asyncio.wait([live.last])
            elif live.turn is not None and live.turn.locked():
                async with live.turn:
                    pass
            elif live.x.head.id not in self._held:
                self._reconcile(live.x)
                return
            else:
                self.release_held()

    def _reconcile(self, x: Execution) -> None:
        now, ended = self.clock.now(), x.head.status.is_terminal
        for task in x.tasks.values():
            if not task.queue:
                continue
            key = (x.head.id, task.n)
            if task.status is TaskStatus.SCHEDULED and not ended:
                self.queues.offer(task.queue, key, task.priority, task.due_at, now)
            else:
                self.queues.withdraw(task.queue, key)
            if task.status is TaskStatus.IN_PROGRESS:
                self.limits.runs(task.def_name, x.node_of(task).policy, key)
            else:
                self.limits.left(task.def_name, key)
        self.alarms.set(x.head.id, x.head.wake_at)
        self._arm()

    async def flushed(self) -> None:
        """What was decided before this call is durable."""
        self.release_held()
        await asyncio.shield(self.store.submit([]))

    async def _load(self, execution_id: str) -> Live | None:
        """The execution in memory, read from the store when it is not; one reading at a time."""
        live = self.lives.get(execution_id)
        if live is not None:
            return live
        reading = self._loading.get(execution_id)
        if reading is None or reading.done():
            reading = asyncio.ensure_future(self._read(execution_id))
            self._loading[execution_id] = reading
            reading.add_done_callback(lambda _: self._loading.pop(execution_id, None))
        return await asyncio.shield(reading)

    async def _read(self, execution_id: str) -> Live | None:
        stored = await self.store.load(execution_id)
        if stored is None:
            return None
        definition = self.definitions.remembered(stored.head.definition_hash, stored.definition)
        head, tasks = execution_of(stored)
        x = Execution(head, definition, tasks)
        deadlines.rearm(x)
        size = sum(len(t.doc) + len(t.input or b"") + len(t.output or b"") for t in stored.tasks)
        live = Live(x, size)
        if not head.status.is_terminal:
            self._stored_definitions.add(definition.hash)
            self.lives.put(live)
        return live

    # -- messages ---------------------------------------------------------------------------------------------------------------

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
            if letter.was_never_sent:
                self._unborn.pop(letter.message.id, None)
                continue
            try:
                one = await self._deliver(letter, letters)
            except BatutaError as error:
                self._deliver_later(letter, error)
            else:
                if one is not None:
                    sent.append((letter, one))
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

    def _deliver_later(self, letter: Letter, error: BatutaError) -> None:
        if letter.was_never_sent or self._closing:
            return
        if not error.retryable:
            log.error("message %s cannot be delivered: %s", letter.id, error)
            self._forget_letter(letter.id)
            return
        log.warning("message %s waits: %s", letter.id, error)
        self.spawn(self._deliver_after_a_while(letter))

    async def _deliver_after_a_while(self, letter: Letter) -> None:
        await self._pause(AGAIN_MS)
        await self._deliver_all(deque([letter]))

    async def _pause(self, ms: int) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clock.call_at(self.clock.now() + ms, lambda: None if over.done() else over.set_result(None))
        await over

    async def _deliver(self, letter: Letter, letters: Letters) -> Sent | None:
        """Hand the message to its receiver. What comes back ends when the receiver's commit is durable."""
        letter_id, message = letter.id, letter.message
        match message:
            case StartExecution():
                return await self._start_other(letter_id, message, letters)
            case Publish():
                if self.publish is None:
                    return Sent(self._forget_letter(letter_id))
                self.spawn(self._hand_out(self.publish, letter_id, message))
                return None
            case TellParent(id, task_id, child, status, output, reason):
                target, event = id, ChildEnded(task_id, child, status, output, reason)
                act: Act = decided(event)
            case TerminateExecution(id, reason):
                target, act = id, lambda x, now, tools: lifecycle.NOTHING if x.head.status.is_terminal else lifecycle.terminate(x, now, tools, reason)
            case ReviveParent(id, task_id, child, verb):
                target, act = id, lambda x, now, tools: lifecycle.revived(x, now, tools, task_id, child, verb)
            case ReviveChild(id):
                target, act = id, lifecycle.revived_by_parent
        try:
            durable = await self._step(target, act, letters, delivered=[letter_id])
        except NotFound:
            if target in self._unborn and isinstance(message, TerminateExecution):
                self._unborn[target] = letter_id  # it will not be started; until then both letters stay
                return None
            return Sent(self._forget_letter(letter_id))  # removed by an operator: nobody to tell
        return None if durable is None else Sent(durable, target, act)

    async def _hand_out(self, publish: Callable[[Publish], Awaitable[None]], letter_id: str, message: Publish) -> None:
        """
        Give an EVENT task's message to whoever takes it; its row stays until it has been taken.

        In the background: what handlers do may take long, and may publish again without end. Not before it is on disk that it was published.
        """
        while True:  # until the store is there again, or the server stops
            try:
                await asyncio.shield(self.store.submit([]))
                await publish(message)
                await self._forget_letter(letter_id)
                return
            except Unavailable as error:
                log.warning("message %s for %s waits: %s", message.id, message.queue, error)
                await self._pause(AGAIN_MS)

    def _forget_letter(self, *letter_ids: str) -> asyncio.Future[None]:
        return self.store.submit([Commit(execution_id=letter_ids[0].split("/", 1)[0], expected=-1, delivered=letter_ids)])

    async def _start_other(self, letter_id: str, wish: StartExecution, letters: Letters) -> Sent | None:
        live = await self._load(wish.id)
        stillborn = self._unborn.pop(wish.id, "")
        if stillborn:
            return Sent(self._forget_letter(letter_id, stillborn))
        if live is not None:
            # Asked for again: its parent may have lost the memory of having started it, and not heard of its end.
            durable = await self._step(wish.id, lifecycle.told_again, letters, delivered=[letter_id])
            return None if durable is None else Sent(durable, wish.id, lifecycle.told_again)
        try:
            definition = self.definitions.made(wish.definition) if wish.definition is not None else self.definitions.named(wish.name, wish.version or None)
        except BatutaError as error:
            if wish.parent_id:
                event = ChildNotStarted(wish.parent_task_id, wish.id, str(error))
                durable = await self._step(wish.parent_id, decided(event), letters, delivered=[letter_id])
                return None if durable is None else Sent(durable, wish.parent_id, decided(event))
            log.warning("execution %s of %r was not started: %s", wish.id, wish.name, error)
            return Sent(self._forget_letter(letter_id))
        head = self._head(wish.id, definition, wish.input)
        head.correlation_id, head.priority, head.task_to_domain = wish.correlation_id, wish.priority, wish.task_to_domain
        head.parent_id, head.parent_task_id, head.created_by = wish.parent_id, wish.parent_task_id, wish.created_by
        return Sent(await self._first_step(Execution(head, definition), letters, delivered=[letter_id]))

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

    async def _first_step(self, x: Execution, letters: Letters, *, delivered: Sequence[str] = ()) -> asyncio.Future[None]:
        x.touch_head(15)
        live = Live(x, 0)
        self.lives.put(live)
        now = self.clock.now()
        if live.turn is None:
            outcome = decide(x, Started(), now, self.tools)
        else:
            async with live.turn:
                outcome = await asyncio.get_running_loop().run_in_executor(self._threads, decide, x, Started(), now, self.tools)
                return self._submitted(live, outcome, letters, delivered)
        return self._submitted(live, outcome, letters, delivered)

    def _submitted(self, live: Live, outcome: Outcome, letters: Letters, delivered: Sequence[str]) -> asyncio.Future[None]:
        outcome.changed = True
        durable = self._submit(live, outcome, letters, delivered)
        assert durable is not None
        return durable

    # -- small ------------------------------------------------------------------------------------------------------------------

    def _polled_lately(self, queue: str) -> bool:
        seen = self.polls.get(queue)
        return seen is not None and self.clock.now() - seen[2] <= self._active_poll_ms


def _is_done(durable: asyncio.Future[None]) -> bool:
    return durable.done() and not durable.cancelled() and durable.exception() is None


def offered_again(n: int, *, after_ms: int = 0) -> Act:
    """The act of offering an open worker task again after a while, though it may be with a worker."""

    def act(x: Execution, now: int, tools: Tools) -> Outcome:
        task = x.tasks.get(n)
        return lifecycle.NOTHING if task is None or task.status.is_terminal else lifecycle.requeue(x, now, tools, task, after_ms=after_ms)

    return act


def decided(event: Event) -> Act:
    """The act of letting the core decide an event."""
    return lambda x, now, tools: decide(x, event, now, tools)
