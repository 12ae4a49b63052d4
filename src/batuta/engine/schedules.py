"""
Schedules: workflows started by the clock.

A tick of a schedule starts its workflow under an id that follows from schedule, expression and instant, so that two servers, or one that died
in between, start it once. How far a schedule has come is stored after each start, with what came of it. Ticks that were missed while no server ran
are made up for when one starts: the first of them, once; with runCatchupScheduleInstances all of them, in their order.
One timer serves all schedules, however many there are.

Here: which schedules there are, what is due, firing. Not here: when an expression ticks (core/cron.py), the history (firings.py).
Instants are epoch milliseconds. Source: conductor-semantics.md §7.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from typing import Final

import msgspec

from batuta.core.cron import Cron
from batuta.core.expr.secrets import secret_names
from batuta.core.model.ids import named
from batuta.engine.catalog import Shelf
from batuta.engine.clock import Handle
from batuta.engine.engine import Engine
from batuta.engine.firings import Firings
from batuta.engine.tally import SCHEDULE_ERRORS
from batuta.engine.zones import zone
from batuta.errors import BatutaError, Invalid, NotFound, Unavailable
from batuta.wire.requests import StartRequest
from batuta.wire.schedule import Entry, Firing, check, entries_of, read_schedule
from batuta.wire.shape import Json

log = logging.getLogger("batuta.engine")
AGAIN_MS: Final = 1_000  # after the store did not answer
WAITING_MAX: Final = 1_000  # ticks of one expression that have come while earlier ones were being started; later ones are left out
REASON_MAX: Final = 999
PREVIEW_MAX: Final = 5


class Plan:
    """One expression of one schedule: its next tick, and those that have come and are not done."""

    __slots__ = ("cron", "entry", "firing", "next_at", "schedule", "waiting", "zone")

    def __init__(self, schedule: Json, entry: Entry) -> None:
        self.schedule, self.entry = schedule, entry
        self.cron, self.zone = Cron(entry.cron), zone(entry.zone)
        self.next_at: int | None = None
        self.waiting: deque[tuple[int, int]] = deque()  # the tick, and up to when it stands for all ticks
        self.firing = False

    @property
    def catches_up(self) -> bool:
        catches_up: bool = self.schedule["runCatchupScheduleInstances"]
        return catches_up

    def after(self, instant: int) -> int | None:
        """The first tick later than the instant and within the schedule's bounds; None: never again."""
        start, end = self.schedule.get("scheduleStartTime") or 0, self.schedule.get("scheduleEndTime") or 0
        at = self.cron.next_after(max(instant, start - 1), self.zone)
        return None if at is None or (end and at > end) else at


class Schedules:
    """The schedules, over one engine. They are handed out in their stored form; what is handed out must not be changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._clock = engine, engine.clock
        self._shelf = Shelf(engine.store, "schedule", read_schedule)
        self.firings = Firings(engine.store)
        self._plans: dict[str, list[Plan]] = {}
        self._heap: list[tuple[int, int, Plan]] = []
        self._pushed = 0  # orders plans of the same instant; they are not compared
        self._timer: tuple[int, Handle] | None = None
        self._writing = asyncio.Lock()
        self._is_held = False
        self._closed = True

    # -- life -----------------------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Schedules fire from now on; after the engine is open. Raises Unavailable."""
        await self._shelf.load()
        await self.firings.load(set(self._shelf.keys()))
        self._closed = False
        for entry in self._shelf:
            self._plan(entry.value)
        self._arm()

    async def close(self) -> None:
        """Nothing fires any more."""
        self._closed = True
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None

    def requeue(self) -> list[str]:
        """Look at the clock again; the names of those that will fire. No queue stands beside the schedules that could have lost one."""
        self._ring()
        return [name for name, plans in self._plans.items() if any(plan.next_at is not None for plan in plans)]

    def hold(self) -> None:
        """No schedule fires on this server until `release`. Source: GET /api/scheduler/admin/pause."""
        self._is_held = True

    def release(self) -> None:
        """Schedules fire again; each that was due meanwhile does so once, or as often as its catch-up asks for."""
        self._is_held = False
        self._ring()

    # -- reading --------------------------------------------------------------------------------------------------------------------

    def all(self) -> list[Json]:
        """Every schedule as it is shown, by name."""
        return [self._shown(entry.value) for entry in self._shelf]

    def get(self, name: str) -> Json:
        """One schedule as it is shown. Raises NotFound."""
        return self._shown(self._known(name))

    def _known(self, name: str) -> Json:
        entry = self._shelf.get(name)
        if entry is None:
            raise NotFound(f"Schedule '{name}' not found")
        return entry.value

    def _shown(self, schedule: Json) -> Json:
        next_at = min((plan.next_at for plan in self._plans.get(schedule["name"], ()) if plan.next_at is not None), default=None)
        return schedule if next_at is None else {**schedule, "nextRunTime": next_at}

    def preview(self, expression: str, zone_name: str, start: int | None, end: int | None, limit: int) -> list[int]:
        """The next few ticks of an expression, at most five, both bounds included. Raises Invalid."""
        cron, where, found = Cron(expression), zone(zone_name), list[int]()
        at = cron.next_after(max(self._clock.now(), (start or 0) - 1), where)
        while at is not None and (end is None or at <= end) and len(found) < min(limit, PREVIEW_MAX):
            found.append(at)
            at = cron.next_after(at, where)
        return found

    # -- writing --------------------------------------------------------------------------------------------------------------------

    async def save(self, schedule: Json) -> Json:
        """
        Create or replace a schedule; it counts from now.

        Raises:
            InvalidFields: it breaks a rule.

        Source: POST /api/scheduler/schedules.
        """
        check(schedule, lambda entry: (Cron(entry.cron), zone(entry.zone)))
        async with self._writing:
            former = self._shelf.get(schedule["name"])
            now = self._clock.now()
            kept = former.value if former is not None else {"createTime": now, "createdBy": schedule.get("createdBy", "")}
            stamps = {"createTime": kept["createTime"], "createdBy": kept["createdBy"], "updatedBy": schedule.get("updatedBy", "")}
            if "tags" not in schedule and "tags" in kept:
                stamps["tags"] = kept["tags"]
            await self._store({**schedule, **stamps})
        return self.get(schedule["name"])

    async def pause(self, name: str, reason: str | None = None) -> None:
        """It does not fire until it is resumed. Raises NotFound. Source: PUT /api/scheduler/schedules/{name}/pause."""
        async with self._writing:
            schedule = {**self._known(name), "paused": True}
            schedule.pop("pausedReason", None)
            await self._store(schedule if reason is None else {**schedule, "pausedReason": reason})

    async def resume(self, name: str) -> None:
        """It fires again, from now on; what came due while it was paused is not made up for. Raises NotFound, also when it is not paused."""
        async with self._writing:
            schedule = {**self._known(name), "paused": False}
            if not self._known(name)["paused"]:
                raise NotFound(f"Schedule '{name}' is not paused")
            schedule.pop("pausedReason", None)
            await self._store(schedule)

    def tags(self, name: str) -> list[Json]:
        """The tags of a schedule. Raises NotFound."""
        tags: list[Json] = self._known(name).get("tags", [])
        return tags

    async def set_tags(self, name: str, tags: list[Json]) -> None:
        """These are its tags from now on; when it fires does not change. Raises NotFound."""
        async with self._writing:
            await self._shelf.put([(name, 0, {**self._known(name), "tags": tags})])

    async def remove_tags(self, name: str, tags: list[Json]) -> None:
        """It has none of these tags any more, by key and value. Raises NotFound."""
        gone = {(tag.get("key"), tag.get("value")) for tag in tags}
        await self.set_tags(name, [tag for tag in self.tags(name) if (tag.get("key"), tag.get("value")) not in gone])

    async def _store(self, schedule: Json) -> None:
        await self._shelf.put([(schedule["name"], 0, {**schedule, "updatedTime": self._clock.now()})])
        self._plan(self._known(schedule["name"]))
        self._arm()

    async def delete(self, name: str) -> None:
        """Forget a schedule and its history; what it started goes on. Harmless when there is none. Source: DELETE /api/scheduler/schedules/{name}."""
        async with self._writing:
            self._plans.pop(name, None)
            await self._shelf.delete(name)
            await self.firings.forget(name)

    # -- time -----------------------------------------------------------------------------------------------------------------------

    def _plan(self, schedule: Json) -> None:
        """
        Work out when the schedule is due next, from where it stands: the last tick done, or when it was saved.

        Never from later than now: a clock that was ahead for a while must not silence it. Ticks met again are known by their ids.
        """
        name = schedule["name"]
        plans = self._plans[name] = list[Plan]()
        if not schedule["paused"]:
            try:
                plans += [Plan(schedule, entry) for entry in entries_of(schedule)]
            except Invalid as error:  # it could be read when it was saved: the tz database is another one now
                log.error("schedule %s does not fire: %s", name, error)
        for plan in plans:
            self._push(plan, min(self.firings.position(name, schedule["updatedTime"], str(plan.entry)), self._clock.now()))

    def _push(self, plan: Plan, after: int) -> None:
        plan.next_at = plan.after(after)
        if plan.next_at is not None:
            self._pushed += 1
            heapq.heappush(self._heap, (plan.next_at, self._pushed, plan))

    def _arm(self) -> None:
        if self._closed or self._is_held or not self._heap:
            return
        at = self._heap[0][0]
        if self._timer is not None:
            if self._timer[0] <= at:
                return
            self._timer[1].cancel()
        self._timer = (at, self._clock.call_at(at, self._ring))

    def _ring(self) -> None:
        """Take out what is due and begin it, and set the timer for the next."""
        self._timer = None
        if self._closed or self._is_held:
            return
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, _, plan = heapq.heappop(self._heap)
            if not self._is_current(plan) or plan.next_at != at:
                continue
            if len(plan.waiting) < WAITING_MAX:
                plan.waiting.append((at, at if plan.catches_up else max(now, at)))
            else:
                log.warning("schedule %s: the tick of %d is left out, %d are waiting", plan.schedule["name"], at, len(plan.waiting))
            plan.next_at = None
            if not plan.catches_up:
                self._push(plan, max(now, at))
            if not plan.firing:
                plan.firing = True
                self._engine.spawn(self._fire(plan))
        self._arm()

    def _is_current(self, plan: Plan) -> bool:
        return plan in self._plans.get(plan.schedule["name"], ())

    # -- firing ---------------------------------------------------------------------------------------------------------------------

    async def _fire(self, plan: Plan) -> None:
        """Start the workflow for every tick that waits, in their order."""
        try:
            while plan.waiting and self._is_current(plan):
                at, until = plan.waiting[0]
                try:
                    await self._record(plan, until, await self._start(plan, at))
                except Unavailable as error:
                    log.warning("schedule %s: the tick of %d waits: %s", plan.schedule["name"], at, error)
                    await self._pause()
                    continue
                plan.waiting.popleft()
                if plan.catches_up:
                    following = plan.after(at)
                    if following is not None and following <= self._clock.now() and not self._is_held:
                        plan.waiting.append((following, following))  # missed while the server was down, or due meanwhile
                    elif self._is_current(plan):
                        self._push(plan, at)
                        self._arm()
        finally:
            plan.firing = False

    async def _pause(self) -> None:
        later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clock.call_at(self._clock.now() + AGAIN_MS, lambda: None if later.done() else later.set_result(None))
        await later

    async def _start(self, plan: Plan, at: int) -> Firing:
        """Start the workflow for one tick, unless it was; what came of it. Raises Unavailable, and then nothing came of it yet."""
        name, now = plan.schedule["name"], self._clock.now()
        tick = f"{name}:{plan.entry}:{at}"
        execution_id, firing_id = named(f"schedule:{tick}"), named(f"firing:{tick}")
        origin = {
            "_startedByScheduler": name, "_scheduledTime": at, "_executedTime": now, "_executionId": firing_id, "_schedulerCron": str(plan.entry),
        }  # fmt: skip
        wish = plan.schedule["startWorkflowRequest"]
        wish = {**wish, "input": {**(wish["input"] or {}), **origin}}
        reason = ""
        try:
            await self._engine.start_as(execution_id, msgspec.convert(wish, StartRequest), secrets=secret_names(wish["input"]))
        except Unavailable:
            raise
        except BatutaError as error:
            reason = str(error)
        except Exception as fault:
            # A fault of ours with one schedule must not end the firing of this schedule for good: it is logged, and seen in the history.
            log.exception("schedule %s: the tick of %d failed", name, at)
            reason = f"internal error: {fault!r}"
        if reason:
            self._engine.tally.count(SCHEDULE_ERRORS)
        return Firing(
            executionId=firing_id, scheduleName=name, scheduledTime=at, executionTime=now, workflowName=wish["name"],
            workflowId="" if reason else execution_id, reason=reason[:REASON_MAX], startWorkflowRequest=wish, state="FAILED" if reason else "EXECUTED",
            zoneId=plan.entry.zone,
        )  # fmt: skip

    async def _record(self, plan: Plan, until: int, firing: Firing) -> None:
        if self._shelf.get(firing.scheduleName) is not None:
            await self.firings.add(firing, plan.schedule["updatedTime"], str(plan.entry), until)
