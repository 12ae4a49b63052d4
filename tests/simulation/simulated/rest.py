"""
Rest: what must hold of an engine when nothing is under way, and what was promised to whoever got an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batuta.core import deadlines
from batuta.core.model.definition import Definition
from batuta.core.model.execution import INPUT, OUTPUT, VARIABLES, Execution
from batuta.core.model.status import TaskStatus
from batuta.core.model.task import Task
from batuta.engine.places import Key
from batuta.store.rows import execution_of, row_of_head, row_of_task
from simulated import rules
from simulated.disk import Disk
from simulated.rules import Broken

if TYPE_CHECKING:
    from simulated.engine_run import World

_definitions: dict[str, Definition] = {}


def stored_execution(disk: Disk, id: str) -> Execution:
    """The execution as the disk has it."""
    record = disk._records[id]
    hash_ = record.head.definition_hash
    if len(_definitions) > 500:
        _definitions.clear()
    definition = _definitions.get(hash_)
    if definition is None:
        definition = _definitions[hash_] = Definition(msgspec.json.decode(disk._definitions[hash_]), hash_)
    head, tasks = execution_of(_Stored(record.head, list(record.tasks.values())))  # type: ignore[arg-type]
    x = Execution(head, definition, tasks)
    deadlines.rearm(x)
    return x


class _Stored(msgspec.Struct):
    head: object
    tasks: list[object]


class Promises:
    """What was answered, and so must be found on the disk for ever."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.removed: set[str] = set()
        self.ends: dict[tuple[str, int], bytes] = {}  # ended tasks as they were when their end was confirmed: the output
        self.handed: set[tuple[str, int, int]] = set()
        self.verbs = 0  # how many verbs were begun
        self.verbs_under_way = 0
        self.claims_may_fail = False  # a claim whose commit fails is offered again, like one lost in a crash

    def started(self, disk: Disk, id: str) -> None:
        if id not in disk._records and id not in self.removed:
            raise Broken("a start that was answered is on the disk", id)
        self.ids.add(id)

    def reported(self, disk: Disk, id: str, n: int) -> None:
        record = disk._records.get(id)
        row = record.tasks.get(n) if record is not None else None
        if row is None:
            return  # removed, or an operator's verb has deleted it since
        if not TaskStatus(row.status).is_terminal:
            raise Broken("a report that was answered is on the disk", f"{id}#{n} is {row.status}")
        assert row.output is not None and record is not None
        if b'"held"' not in record.head.doc:  # an operator's verb waits for its place, and will begin the task anew
            self.ends[id, n] = row.output

    def handed_out(self, x: Execution, task: Task) -> None:
        key = (x.head.id, task.n, task.poll_count)
        if key in self.handed and not self.claims_may_fail:
            raise Broken("nobody is handed what another has", f"{task.ref}#{task.n} for the {task.poll_count}. time, twice")
        self.handed.add(key)

    def forget_claims(self) -> None:
        """A crash may lose claims, which are not waited for."""
        self.handed.clear()

    def verb_begins(self) -> None:
        """An operator may begin tasks of some execution or of its relatives anew."""
        self.verbs += 1
        self.verbs_under_way += 1
        self.ends.clear()
        self.handed.clear()

    def verb_ends(self) -> None:
        self.verbs_under_way -= 1
        self.ends.clear()
        self.handed.clear()

    def check(self, disk: Disk, when: str) -> None:
        for id in self.ids - self.removed:
            if id not in disk._records:
                raise Broken("a start that was answered is on the disk", f"{id} {when}")
        for (id, n), output in self.ends.items():
            record = disk._records.get(id)
            row = record.tasks.get(n) if record is not None else None
            if id in self.removed or record is None:
                continue
            if row is not None and (not TaskStatus(row.status).is_terminal or row.output != output):
                raise Broken("a report that was answered is on the disk", f"{when} {id}#{n} is {row.status} with {row.output!r}, was {output!r}")


def check(world: World) -> None:
    """Nothing is under way: disk, memory, queues, limits and alarms tell the same story."""
    now = world.clock.now()
    runs = world.executions()
    for x in runs.values():
        rules.check_execution(x, now)
    _check_memory(world, runs)
    _check_queues(world, runs)
    _check_limits(world, runs)
    _check_places(world, runs)
    _check_alarms(world, runs, now)
    if world.disk._outbox:
        raise Broken("every message was delivered", f"{[row.id for row in world.disk._outbox.values()]}")
    if not world.promises.removed and not world.promises.claims_may_fail:  # of a failed commit the other half may have been written
        rules.check_family(runs, set())
    world.promises.check(world.disk, "at rest")


def _check_memory(world: World, runs: dict[str, Execution]) -> None:
    for live in world.engine.lives:
        x, on_disk = live.x, runs.get(live.x.head.id)
        if on_disk is None:
            raise Broken("what is in memory is on the disk", f"{x.head.id} is not")
        rules.check_indexes(x)
        if live.pending:
            raise Broken("at rest nothing is on its way to the disk", f"{x.head.id}: {live.pending}")
        if row_of_head(x.head, INPUT | OUTPUT | VARIABLES) != row_of_head(on_disk.head, INPUT | OUTPUT | VARIABLES):
            raise Broken("memory and disk agree", f"{x.head} in memory, {on_disk.head} on disk")
        rows = {n: row_of_task(t, INPUT | OUTPUT) for n, t in x.tasks.items()}
        stored = {n: row_of_task(t, INPUT | OUTPUT) for n, t in on_disk.tasks.items()}
        if rows != stored:
            n = next(n for n in {**rows, **stored} if rows.get(n) != stored.get(n))
            raise Broken("memory and disk agree", f"{rows.get(n)} in memory, {stored.get(n)} on disk")


def _check_queues(world: World, runs: dict[str, Execution]) -> None:
    expected: dict[str, set[tuple[str, int]]] = {}
    for x in runs.values():
        if not x.head.status.is_terminal:
            for t in x.tasks.values():
                if t.status is TaskStatus.SCHEDULED and t.queue:
                    expected.setdefault(t.queue, set()).add((x.head.id, t.n))
    queues = world.engine.queues
    found = {name: set(queues.members(name)) for name in queues.sizes()}
    if found != expected:
        raise Broken("the queues hold what is scheduled", f"in the queues {found}, scheduled {expected}")
    for name in found:
        line = queues.get(name)
        waiting = {e[3] for e in line.ready if line.members.get(e[3]) == e[1]} | {e[3] for e in line.delayed if line.members.get(e[3]) == e[0]}
        if waiting != found[name]:
            raise Broken("what is in a queue can be taken from it", f"{name}: {found[name] - waiting} cannot")


def _check_limits(world: World, runs: dict[str, Execution]) -> None:
    running: dict[str, set[tuple[str, int]]] = {}
    for x in runs.values():
        for t in x.tasks.values():
            if t.status is TaskStatus.IN_PROGRESS and t.queue and (limit := x.node_of(t).policy.concurrent_exec_limit):
                running.setdefault(t.def_name, set()).add((x.head.id, t.n))
                if len(running[t.def_name]) > limit:
                    raise Broken("no more run at once than the limit says", f"{t.def_name}: {len(running[t.def_name])} of {limit}")
    found = {name: keys for name, keys in world.engine.limits._running.items() if keys}
    if found != running:
        raise Broken("the limits count what runs", f"counted {found}, running {running}")


def _check_places(world: World, runs: dict[str, Execution]) -> None:
    """No more are open than the limit says, who waits is counted as waiting, and nobody waits beside a free place."""
    if world.disk.overfull:
        raise Broken("no more are open at once than the rate limit says", world.disk.overfull)
    taken, lines = dict[Key, set[str]](), dict[Key, set[str]]()
    for x in runs.values():
        if x.head.rate_limit_key and not x.head.status.is_terminal:
            (taken if x.head.held is None else lines).setdefault((x.head.name, x.head.rate_limit_key), set()).add(x.head.id)
    for x in runs.values():
        if x.head.held is not None:
            assert x.definition.limit is not None
            if len(taken.get((x.head.name, x.head.rate_limit_key), ())) < x.definition.limit.most:
                raise Broken("nobody waits beside a free place", f"{x.head.id} does, {taken} are open")
    places = world.engine.places
    if places._taken != taken or {key: set(line) for key, line in places._lines.items()} != lines:
        raise Broken("the places count what is open", f"counted {places._taken} and {places._lines}, open {taken}, waiting {lines}")


def _check_alarms(world: World, runs: dict[str, Execution], now: int) -> None:
    alarms = world.engine.alarms
    for x in runs.values():
        at = x.head.wake_at
        put_off = at <= now and 0 < alarms._set.get(x.head.id, 0) <= now + 1_000  # the store did not take it, and is asked again
        if at and alarms._set.get(x.head.id) != at and at <= alarms._horizon and not put_off:
            raise Broken("every alarm is set", f"{x.head.name} wakes at {at}, set is {alarms._set.get(x.head.id)}")
    due = min((t for t in (alarms.next(), world.engine.queues.next_due()) if t), default=0)
    timer = world.engine._timer
    if due and (timer is None or timer[0] > max(due, now)):
        raise Broken("the timer is set for the next thing due", f"due {due}, set {timer and timer[0]}, now {now}")
