"""
One schedule over the whole engine: workers, operators and the clock act on it at once, the disk is slow or fails, the process dies and comes back.

Everything runs on one simulated loop, so the seed alone decides who comes first. Rules are checked whenever everything has come to rest; what was
answered must be on the disk after every crash.
Not here: what may happen (acts.py), what must hold (rules.py, rest.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Sequence
from random import Random
from typing import Any

from batuta.engine.catalog import Catalog
from batuta.engine.engine import Engine
from batuta.errors import BatutaError, Unavailable, VersionConflict
from batuta.store.rows import execution_of
from batuta.wire.metadata import read_task, read_workflow
from batuta.wire.requests import StartRequest
from simulated import acts, rest
from simulated.core_run import Failure, Result, where
from simulated.disk import Disk
from simulated.loop import Inline, SimulatedClock, SimulatedLoop
from simulated.plans import Plan, Scripts, limited, plan_of, tidy
from simulated.rules import Broken

ACTS_MAX = 60
TURNS_MAX = 20_000  # turns of the loop in which everything must come to rest
log = logging.getLogger("batuta.engine")


class SeededIds:
    """The ids of one schedule."""

    def __init__(self, seed: int) -> None:
        self._seed, self._made = seed, 0

    def next(self) -> str:
        self._made += 1
        return f"{self._seed & 0xFFFFFFFF:08x}-{self._made:04x}-4000-8000-{self._made:012x}"


class _Complaints(logging.Handler):
    """What the engine reports as gone wrong in the background."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Unavailable):
            self.heard.append(record.getMessage() + (f"\n{where(error)}" if isinstance(error, Exception) else ""))


class World:
    """The engine of the moment, its disk, who waits for answers, and what has been answered."""

    def __init__(self, seed: int, plan: Plan, loop: SimulatedLoop) -> None:
        chance = Random(f"world {seed}")
        self.plan, self.loop, self.seed = plan, loop, seed
        self.ids = SeededIds(seed)
        self.disk = Disk(Random(f"disk {seed}"), slow_reads=chance.random() < 0.7)
        self.live_bytes_max = chance.choice((32 * 1024 * 1024, 32 * 1024 * 1024, 4_000, 0))
        self.faults = chance.random() < 0.4  # whether commits may fail
        self.jumped = 0
        self.trace: list[str] = []
        self.under_way: dict[asyncio.Task[Any], str] = {}
        self.promises = rest.Promises()
        self.hands: list[acts.Hand] = []  # what workers believe they have
        self.complaints = _Complaints()

    # -- the process ------------------------------------------------------------------------------------------------------------------

    async def boot(self) -> None:
        """A new process over what is on the disk."""
        await self.disk.open()
        self.clock = SimulatedClock(self.loop, 1_700_000_000_000 + self.jumped)
        catalog = Catalog(self.disk, self.clock)
        await catalog.load()
        if not catalog.names():
            await catalog.create_tasks([read_task(d) for d in self.plan.tasks])
            for definition in self.plan.workflows:
                await catalog._workflows.put([(definition["name"], definition["version"], read_workflow(definition))])  # validation is not the matter here
        self.engine = Engine(self.disk, catalog, Scripts(), self.clock, live_bytes_max=self.live_bytes_max)
        self.engine._threads.shutdown(wait=False)
        self.engine._threads = Inline()  # type: ignore[assignment]
        self.engine._ids = self.ids  # type: ignore[assignment]
        self.engine.tools.jitter_ms = lambda most: most // 2  # type: ignore[method-assign]
        await self.engine.open()

    async def crash(self, count: int) -> None:
        """The process dies with so many of the commits on their way on the disk; another one takes over."""
        dead, engine = self.disk, self.engine
        dead.die(count)
        if engine._timer is not None:
            engine._timer[1].cancel()
        if engine._release is not None:
            engine._release.cancel()
        engine._closing = True
        victims = [*self.under_way, *sorted(engine._background, key=lambda task: int(task.get_name().rpartition("-")[2]))]
        self.under_way.clear()
        for task in victims:
            task.cancel()
        await asyncio.gather(*victims, return_exceptions=True)
        engine._background.clear()
        self.disk = dead.reopened()
        self.promises.check(self.disk, "after a crash")
        self.promises.forget_claims()
        await self.boot()

    def ask(self, said: str, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A request to the engine; it is answered some time later."""
        task = self.loop.create_task(call)
        self.under_way[task] = said
        task.add_done_callback(self._answered)
        return task

    def _answered(self, task: asyncio.Task[Any]) -> None:
        said = self.under_way.pop(task, None)
        if said is None or task.cancelled():
            return
        error = task.exception()
        if isinstance(error, VersionConflict) and said != "start":  # only a fault can be first at a fresh id
            self.complaints.heard.append(f"{said}: a VersionConflict left the engine: {error}")
        elif isinstance(error, Unavailable) and not self.faults:
            self.complaints.heard.append(f"{said}: unavailable without a fault: {error}")
        elif error is not None and not isinstance(error, BatutaError):
            self.complaints.heard.append(f"{said}: {where(error) if isinstance(error, Exception) else error!r}")

    async def come_to_rest(self) -> None:
        """Until nothing is under way but polls that wait; then everything must agree."""
        self.disk.release()
        idle = 0
        for turn in range(TURNS_MAX):
            await asyncio.sleep(0)
            self.raise_complaints()
            idle = idle + 1 if not self.disk.waiting and not self._busy() else 0
            if idle >= 5:  # what has just been answered may still have to be heard
                if not self.engine._held:
                    break
                self.engine.release_held()
                idle = 0
            elif turn % 200 == 199:
                await asyncio.sleep(1.5)  # something waits to be tried again
        else:
            raise Broken("everything comes to rest", f"under way: {list(self.under_way.values())}, in the background: {len(self.engine._background)}")
        self.raise_complaints()
        rest.check(self)

    def _busy(self) -> bool:
        asked = any(not said.startswith("wait") for said in self.under_way.values())
        deciding = any(live.turn is not None and live.turn.locked() for live in self.engine.lives)
        return asked or deciding or bool(self.engine._background or self.engine._loading)

    def raise_complaints(self) -> None:
        if self.complaints.heard:
            raise Broken("nothing goes wrong in the background", self.complaints.heard[0])

    def executions(self) -> dict[str, Any]:
        """Every execution as it is on the disk."""
        return {id: rest.stored_execution(self.disk, id) for id in self.disk._records}


def plan_for(seed: int) -> tuple[Plan, list[int]]:
    """The plan and the acts that the seed stands for."""
    chance = Random(f"engine {seed}")
    return limited(tidy(plan_of(chance)), Random(f"limits {seed}")), list(range(chance.randint(5, ACTS_MAX)))


def play(seed: int, plan: Plan | None = None, chosen: Sequence[int] | None = None) -> Result:
    """Play the schedule of this seed; with *plan* and *chosen* a smaller one, as a shrinker wants it."""
    if plan is None or chosen is None:
        plan, chosen = plan_for(seed)
    loop = SimulatedLoop()
    world = World(seed, plan, loop)
    done: list[int] = []
    log.addHandler(world.complaints)
    was = log.propagate
    log.propagate = False
    failure: Failure | None = None
    try:
        loop.run_until_complete(_play(world, chosen, done))
    except Broken as broken:
        failure = Failure(broken.rule, str(broken), plan, done, world.trace)
    except Exception as error:
        failure = Failure(f"no error: {type(error).__name__}", where(error), plan, done, world.trace)
    finally:
        log.propagate = was
        log.removeHandler(world.complaints)
        _put_away(loop)
    return Result(seed, len(done), Counter(), failure)


def _put_away(loop: SimulatedLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()


async def _play(world: World, chosen: Sequence[int], done: list[int]) -> None:
    await world.boot()
    world.ask("start", acts.start(world, StartRequest(name=world.plan.main, input=world.plan.given)))
    await world.come_to_rest()
    for step in chosen:
        done.append(step)
        chance = Random(f"{world.seed} {step}")
        said = await acts.one(world, chance)
        if said:
            world.trace.append(f"{step}: {said}")
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            await asyncio.sleep(0)
        world.raise_complaints()
        if chance.random() < 0.25:
            await world.come_to_rest()
    world.trace.append("quiet")
    await acts.quiet(world)
    await world.engine.close()


__all__ = ["execution_of", "plan_for", "play"]
