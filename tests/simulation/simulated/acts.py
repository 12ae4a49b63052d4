"""
Acts: what workers, operators, the clock and the machine do to an engine, one at a time and without waiting for each other's answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core.model.execution import Execution
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.model.task import Task
from batuta.errors import BatutaError, NotFound, VersionConflict
from batuta.wire.requests import RerunRequest, StartRequest, TaskResult
from simulated.family import shown
from simulated.plans import TASK_NAMES, UNREGISTERED
from simulated.rules import Broken

if TYPE_CHECKING:
    from simulated.engine_run import World

QUEUES = (*TASK_NAMES, UNREGISTERED, "EXOTIC", "HTTP")
QUIET_ROUNDS = 400
EXECUTIONS_MAX = 40


class Hand(msgspec.Struct, frozen=True):
    """A task that a worker was handed."""

    execution_id: str
    task_id: str
    n: int


# -- requests, each until its answer --------------------------------------------------------------------------------------------------


async def start(world: World, request: StartRequest) -> None:
    execution_id = await world.engine.start(request)
    world.promises.started(world.disk, execution_id)


async def claim(world: World, queue: str, count: int, wait_s: float, gone: asyncio.Future[None] | None) -> None:
    engine = world.engine
    taken = await engine.claim(queue, worker="w", count=count, wait_s=wait_s, gone=gone)
    for x, task in taken:
        world.promises.handed_out(x, task)
        world.hands.append(Hand(x.head.id, task.id, task.n))


async def report(world: World, result: TaskResult) -> None:
    n, verbs = int(result.task_id[-12:], 16), world.promises.verbs
    try:
        await world.engine.report(result)
    except NotFound:
        return  # removed, restarted, or rerun from before it
    if (
        not result.extend_lease
        and result.status is not None
        and result.status.is_terminal
        and world.promises.verbs == verbs
        and not world.promises.verbs_under_way
    ):
        world.promises.reported(world.disk, result.execution_id, n)


async def verb(world: World, execution_id: str, call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    world.promises.verb_begins()  # whatever it answers, tasks may begin anew
    try:
        await call()
    finally:
        world.promises.verb_ends()


# -- acts -----------------------------------------------------------------------------------------------------------------------------


async def begin(world: World, chance: Random) -> str:
    if len(world.disk._records) > EXECUTIONS_MAX:
        return ""
    name = chance.choice(world.plan.workflows)["name"]
    world.ask("start", start(world, StartRequest(name=name, input=world.plan.given, priority=chance.choice((0, 0, 7)))))
    return f"start {name}"


async def poll(world: World, chance: Random) -> str:
    waiting = [name for name, size in world.engine.queue_sizes().items() if size]
    queue = chance.choice(waiting) if waiting and chance.random() < 0.8 else chance.choice(QUEUES)
    count, wait_s = chance.choice((1, 1, 2, 5)), chance.choice((0.0, 0.0, 0.0, 3.0))
    gone: asyncio.Future[None] | None = None
    if wait_s and chance.random() < 0.3:
        gone = world.loop.create_future()
        world.loop.call_later(chance.choice((0.0, 1.0)), lambda: gone.done() or gone.set_result(None))
    world.ask(f"wait for {queue}" if wait_s else f"poll {queue}", claim(world, queue, count, wait_s, gone))
    return f"poll {queue} for {count}, waiting {wait_s} s"


async def tell(world: World, chance: Random) -> str:
    """A worker reports one of its tasks; now and then the same again, or much later."""
    if not world.hands:
        return ""
    hand = chance.choice(world.hands[-6:] if chance.random() < 0.8 else world.hands)
    result = _result(hand, chance)
    world.ask("report", report(world, result))
    if chance.random() < 0.15:
        world.ask("report again", report(world, result))
    if chance.random() < 0.6:
        world.hands.remove(hand)
    return f"report {'lease' if result.extend_lease else result.status} of {hand.execution_id[:13]}#{hand.n}"


_WORDS = (TaskStatus.COMPLETED,) * 12 + (TaskStatus.FAILED,) * 4 + (TaskStatus.FAILED_WITH_TERMINAL_ERROR, TaskStatus.CANCELED, TaskStatus.IN_PROGRESS)


def _result(hand: Hand, chance: Random) -> TaskResult:
    return TaskResult(
        execution_id=hand.execution_id, task_id=hand.task_id, status=chance.choice(_WORDS), output={"v": chance.randint(0, 10**9)}, worker="w",
        callback_after_s=chance.choice((0, 0, 4)), extend_lease=chance.random() < 0.05,
    )  # fmt: skip


async def answer(world: World, chance: Random) -> str:
    """Somebody completes what no worker has: HUMAN, WAIT, EVENT; by reference."""
    open_ = [
        (x, t)
        for x in world.executions().values()
        for t in x.tasks.values()
        if not t.status.is_terminal and not t.queue and t.type in ("HUMAN", "WAIT", "EVENT")
    ]
    if not open_:
        return ""
    x, task = chance.choice(open_)
    status = chance.choice((TaskStatus.COMPLETED, TaskStatus.COMPLETED, TaskStatus.FAILED))
    world.ask("answer", world.engine.report_by_ref(x.head.id, task.ref, status, {"by": "hand"}, None))
    return f"answer {x.head.id[:13]}/{task.ref} {status}"


async def time(world: World, chance: Random) -> str:
    seconds = chance.choice((0.05, 0.6, 2.0, 10.0, 40.0))
    await asyncio.sleep(seconds)
    return f"{seconds} s pass"


async def jump(world: World, chance: Random) -> str:
    ms = chance.choice((5_000, 120_000, 86_400_000))
    world.jumped += ms
    world.clock.jump(ms)
    return f"the clock jumps {ms} ms"


async def operate(world: World, chance: Random) -> str:
    runs = world.executions()
    if not runs:
        return ""
    x = chance.choice(list(runs.values()))
    id, e = x.head.id, world.engine
    ended = x.head.status.is_terminal
    name = chance.choice(
        ("retry", "resume_retry", "rerun", "rerun", "restart", "terminate")
        if ended
        else ("pause", "resume", "terminate", "decide", "callbacks", "skip", "requeue")
    )
    if x.head.status is WorkflowStatus.PAUSED and chance.random() < 0.7:
        name = "resume"
    ref, queue, latest = _leaf(x, chance), chance.choice(QUEUES), chance.random() < 0.5
    wish = RerunRequest(task_id=chance.choice([None, *(t.id for t in _family_tasks(runs, x))]))
    match name:
        case "pause":
            call: Any = lambda: e.pause(id)
        case "resume":
            call = lambda: e.resume(id)
        case "terminate":
            call = lambda: e.terminate(id, "enough")
        case "decide":
            call = lambda: e.decide(id)
        case "callbacks":
            call = lambda: e.reset_callbacks(id)
        case "skip" if chance.random() < 0.5:
            name, there = "jump", chance.choice([n.ref for n in x.definition.nodes])
            call = lambda: e.jump(id, there, {})
        case "skip":
            call = lambda: e.skip_task(id, ref, None, None)
        case "requeue":
            call = lambda: e.requeue(queue)
        case "retry":
            call = lambda: e.retry(id)
        case "resume_retry":
            call = lambda: e.retry(id, True)
        case "restart":
            call = lambda: e.restart(id, latest)
        case _:
            call = lambda: e.rerun(id, wish)
    world.ask(name, verb(world, id, call))
    return f"{name} {id[:13]}"


def _leaf(x: Execution, chance: Random) -> str:
    wanted = {r for n in x.definition.by_ref.values() if n.type == "EXCLUSIVE_JOIN" for r in n.join_on}
    return chance.choice([r for r, n in x.definition.by_ref.items() if not n.is_operator and r not in wanted] or ["nothing"])


def _family_tasks(runs: dict[str, Execution], x: Execution) -> list[Task]:
    children = [runs[t.sub_execution_id] for t in x.tasks.values() if t.sub_execution_id in runs]
    return [t for run in (x, *children) for t in run.tasks.values()]


async def remove(world: World, chance: Random) -> str:
    ids = list(world.disk._records)
    if not ids or chance.random() < 0.7:
        return ""
    id, archive = chance.choice(ids), chance.random() < 0.5
    world.ask("remove", verb(world, id, lambda: world.engine.remove(id, archive=archive)))
    world.promises.removed.add(id)
    return f"remove {id[:13]}"


async def look(world: World, chance: Random) -> str:
    ids = list(world.disk._records)
    if not ids:
        return ""
    world.ask("read", _read(world, chance.choice(ids)))
    return "read"


async def _read(world: World, id: str) -> None:
    try:
        await world.engine.read(id)
    except NotFound:
        pass


async def disk(world: World, chance: Random) -> str:
    """The disk takes its time, lets some through, or is as fast as ever; with faults on, a commit fails."""
    wish = chance.choice(("hold", "hold", "some", "release", "fail"))
    if wish == "hold":
        world.disk.hold()
    elif wish == "some":
        world.disk.let_through(chance.randint(0, 3))
    elif wish == "release":
        world.disk.release()
    elif world.faults:
        world.promises.claims_may_fail = True
        world.disk.fail_next(chance.choice((None, None, VersionConflict("told to"))))
    else:
        return ""
    return f"disk: {wish}"


async def crash(world: World, chance: Random) -> str:
    count = chance.randint(0, world.disk.waiting)
    waiting = world.disk.waiting
    await world.crash(count)
    return f"crash with {count} of {waiting} commits on the disk"


async def settle(world: World, chance: Random) -> str:
    await world.come_to_rest()
    return "rest"


ACTS: tuple[tuple[Callable[[World, Random], Coroutine[Any, Any, str]], int], ...] = (
    (poll, 30), (tell, 34), (answer, 6), (begin, 4), (time, 8), (jump, 2), (operate, 10), (remove, 1), (look, 2), (disk, 8), (crash, 4), (settle, 4),
)  # fmt: skip
_KINDS = [act for act, _ in ACTS]
_WEIGHTS = [weight for _, weight in ACTS]


async def one(world: World, chance: Random) -> str:
    return await chance.choices(_KINDS, _WEIGHTS)[0](world, chance)


# -- the quiet phase ------------------------------------------------------------------------------------------------------------------


async def quiet(world: World) -> None:
    """No more faults: a willing worker polls every queue and completes what it gets, people answer, time passes. Every execution ends."""
    world.disk._failures.clear()
    await world.come_to_rest()
    for _ in range(QUIET_ROUNDS):
        runs = world.executions()
        left = [x for x in runs.values() if not x.head.status.is_terminal]
        if not left:
            return
        worked = await _work(world, left)
        await world.come_to_rest()
        if not worked and not await _sleep_on(world):
            break
        await world.come_to_rest()
    left = [x for x in world.executions().values() if not x.head.status.is_terminal]
    if left:
        raise Broken("with a willing worker every execution ends", str([shown(x) for x in left])[:3000])


async def _work(world: World, left: list[Execution]) -> bool:
    worked = False
    for x in left:
        if x.head.status is WorkflowStatus.PAUSED:
            worked = True
            await _do(world.engine.resume(x.head.id))
    for queue in QUEUES:
        for y, task in await world.engine.claim(queue, worker="willing", count=50):
            worked = True
            done = TaskResult(execution_id=y.head.id, task_id=task.id, status=TaskStatus.COMPLETED, output={"done": 1}, worker="willing")
            await _do(world.engine.report(done))
    for x in left:
        for task in x.tasks.values():
            if task.status is TaskStatus.IN_PROGRESS and not task.wait_until and (task.queue or task.type in ("HUMAN", "WAIT", "EVENT")):
                worked = True
                await _do(world.engine.report(TaskResult(execution_id=x.head.id, task_id=task.id, status=TaskStatus.COMPLETED, output={"done": 2})))
    return worked


async def _do(call: Coroutine[Any, Any, Any]) -> None:
    try:
        await call
    except BatutaError as refused:
        if isinstance(refused, VersionConflict):
            raise


async def _sleep_on(world: World) -> bool:
    """Let the time pass to the engine's own next alarm; False when it has none."""
    timer = world.engine._timer
    if timer is None:
        return False
    await asyncio.sleep(max(timer[0] - world.clock.now(), 0) / 1000 + 0.002)
    return True
