"""Schedules: every tick once, whatever happens to servers, store and clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from eventwork import World, play, task, turn

from batuta.core.cron import Cron
from batuta.engine import firings, schedules
from batuta.engine.clock import ManualClock
from batuta.engine.zones import zone
from batuta.errors import Invalid, InvalidFields, NotFound
from batuta.store.memory import MemoryStore
from batuta.wire.schedule import entries_of, read_schedule

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1_800_014_400_000  # 2027-01-15 12:00:00 UTC, a Friday


def at_noon() -> ManualClock:
    return ManualClock(NOON)


def schedule(name: str = "s", cron: str = "0 0 * * * *", **fields: Any) -> dict[str, Any]:
    return read_schedule({"name": name, "cronExpression": cron, "startWorkflowRequest": {"name": "flow", "version": 1, "input": {"k": 1}}, **fields})


def noon(scenario: Any) -> None:
    """Run the scenario in a world at noon with a workflow that ends at once."""

    async def run() -> None:
        store = MemoryStore()
        await store.open()
        world = World(store, at_noon())
        await world.open()
        await world.register("flow", task("nothing", "NOOP"))
        try:
            await scenario(world)
        finally:
            await world.close()

    asyncio.run(run())


async def reopened(world: World) -> World:
    """Another server on the same store, at the same time, the first one gone."""
    await world.close()
    again = World(world.store, world.clock)
    await again.open()
    return again


async def moved(world: World, ms: int) -> None:
    world.clock.advance(ms)
    await world.settle()


async def ticks(world: World) -> list[int]:
    """For which instants the workflow was started, in hours since noon, in the order of starting."""
    return [(x.head.input["_scheduledTime"] - NOON) // HOUR for x in await world.started("flow")]


def test_a_tick_starts_the_workflow_with_what_the_request_says_and_where_it_comes_from() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule(startWorkflowRequest={"name": "flow", "version": 1, "input": {"k": 1}, "correlationId": "c", "priority": 3}))
        await moved(world, HOUR + 500)
        [x] = await world.started("flow")
        [firing] = await world.schedules.firings.all()
        assert (x.head.correlation_id, x.head.priority, x.head.input["k"]) == ("c", 3, 1)
        assert x.head.input["_startedByScheduler"] == "s" and x.head.input["_schedulerCron"] == "0 0 * * * * UTC"
        assert (x.head.input["_scheduledTime"], x.head.input["_executionId"]) == (NOON + HOUR, firing.executionId)
        assert (firing.state, firing.workflowId, firing.scheduledTime, firing.zoneId) == ("EXECUTED", x.head.id, NOON + HOUR, "UTC")
        assert world.schedules.get("s")["nextRunTime"] == NOON + 2 * HOUR

    noon(scenario)


def test_every_expression_of_a_list_fires_by_itself_and_the_single_one_counts_for_nothing() -> None:
    async def scenario(world: World) -> None:
        listed = [{"cronExpression": "0 30 * * * *"}, {"cronExpression": "0 0 15 * * *", "zoneId": "Europe/Prague"}]
        await world.schedules.save(schedule(cron="* * * * * *", cronSchedules=listed))
        await moved(world, 3 * HOUR)
        found = [(x.head.input["_scheduledTime"] - NOON, x.head.input["_schedulerCron"]) for x in await world.started("flow")]
        half, prague = "0 30 * * * * UTC", "0 0 15 * * * Europe/Prague"
        assert sorted(found) == [(30 * MINUTE, half), (90 * MINUTE, half), (2 * HOUR, prague), (150 * MINUTE, half)]

    noon(scenario)


#    fields of the schedule                                                 hours at which it fires within six, started at noon
BOUNDS = [
    ({},                                                                    [1, 2, 3, 4, 5, 6]),
    ({"scheduleStartTime": NOON + 2 * HOUR},                                [2, 3, 4, 5, 6]),
    ({"scheduleStartTime": NOON + 2 * HOUR + 1},                            [3, 4, 5, 6]),
    ({"scheduleEndTime": NOON + 2 * HOUR},                                  [1, 2]),
    ({"scheduleStartTime": NOON - HOUR, "scheduleEndTime": NOON + HOUR},    [1]),
    ({"scheduleEndTime": NOON - HOUR},                                      []),
    ({"scheduleEndTime": NOON + 2 * HOUR, "runCatchupScheduleInstances": True}, [1, 2]),
    ({"paused": True},                                                      []),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), BOUNDS)
def test_a_schedule_fires_within_its_bounds(fields: dict[str, Any], expected: list[int]) -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule(**fields))
        await moved(world, 6 * HOUR)
        assert await ticks(world) == expected

    noon(scenario)


@pytest.mark.parametrize(("catches_up", "expected"), [(False, [1, 2, 6]), (True, [1, 2, 3, 4, 5, 6])])
def test_ticks_missed_while_no_server_ran_are_made_up_for_once_or_all(catches_up: bool, expected: list[int]) -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule(runCatchupScheduleInstances=catches_up))
        await moved(world, HOUR)
        await world.close()
        world.clock.advance(4 * HOUR + HOUR // 2)
        again = World(world.store, world.clock)
        await again.open()
        await again.settle()
        again = await reopened(again)  # what was made up for once is not made up for again
        await again.settle()
        await moved(again, HOUR // 2)
        assert await ticks(again) == expected
        await again.close()

    noon(scenario)


def test_a_clock_that_jumps_ahead_fires_what_is_due_once() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule())
        clock = world.clock
        clock._now += 10 * HOUR + 1  # the wall clock was set; nothing was called on the way
        clock.advance(0)
        await world.settle()
        await moved(world, HOUR)
        assert await ticks(world) == [1, 11]

    noon(scenario)


def test_a_clock_that_was_ahead_for_a_while_silences_nothing_and_repeats_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule())
        await moved(world, 3 * HOUR)
        await world.close()
        again = World(world.store, ManualClock(NOON + HOUR + 1))  # the wall clock was set back while no server ran
        await again.open()
        await moved(again, 3 * HOUR)
        assert await ticks(again) == [1, 2, 3, 4]
        await again.close()

    noon(scenario)


def test_a_start_that_was_not_recorded_is_found_again_and_not_repeated() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule())

        async def crash(*_: Any) -> None:
            raise asyncio.CancelledError

        world.schedules.firings.add = crash  # type: ignore[method-assign]
        await moved(world, HOUR)
        again = await reopened(world)
        await again.settle()
        await moved(again, HOUR)
        assert await ticks(again) == [1, 2]
        assert [f.state for f in await again.schedules.firings.all()] == ["EXECUTED", "EXECUTED"]
        await again.close()

    noon(scenario)


def test_a_tick_waits_for_a_store_that_does_not_answer() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule())
        world.store.fail_next()
        world.clock.advance(HOUR)
        async with asyncio.timeout(5):
            while not any(p.at > world.clock.now() and p.at - world.clock.now() <= schedules.AGAIN_MS for p in world.clock._planned):
                await turn()
        assert await ticks(world) == []
        await moved(world, schedules.AGAIN_MS)
        assert await ticks(world) == [1]

    noon(scenario)


def test_a_start_that_fails_is_seen_in_the_history_and_the_next_tick_comes() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule(startWorkflowRequest={"name": "later"}))
        await moved(world, HOUR)
        await world.register("later", task("nothing", "NOOP"))
        await moved(world, HOUR)
        first, second = sorted(await world.schedules.firings.all(), key=lambda f: f.scheduledTime)
        assert (first.state, first.workflowId) == ("FAILED", "") and "name=later" in first.reason
        assert second.state == "EXECUTED" and len(await world.started("later")) == 1

    noon(scenario)


def test_pausing_stops_and_resuming_counts_from_now() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule(runCatchupScheduleInstances=True))
        await moved(world, HOUR)
        await world.schedules.pause("s", "holidays")
        assert world.schedules.get("s")["pausedReason"] == "holidays" and "nextRunTime" not in world.schedules.get("s")
        await moved(world, 3 * HOUR)
        await world.schedules.resume("s")
        await moved(world, HOUR)
        assert await ticks(world) == [1, 5] and "pausedReason" not in world.schedules.get("s")
        with pytest.raises(NotFound):
            await world.schedules.resume("s")
        with pytest.raises(NotFound):
            await world.schedules.pause("nobody")

    noon(scenario)


def test_a_schedule_that_is_replaced_counts_from_then_and_keeps_when_it_was_created() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule(createdBy="ada"))
        await moved(world, HOUR + 1)
        saved = await world.schedules.save(schedule(cron="0 30 * * * *"))
        assert (saved["createTime"], saved["createdBy"], saved["updatedTime"]) == (NOON, "ada", NOON + HOUR + 1)
        await moved(world, HOUR)
        assert [f.scheduledTime - NOON for f in await world.schedules.firings.all()] == [HOUR, 90 * MINUTE]

    noon(scenario)


def test_a_deleted_schedule_leaves_nothing_behind() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule())
        await moved(world, 2 * HOUR)
        await world.schedules.delete("s")
        await world.schedules.delete("s")
        await moved(world, 2 * HOUR)
        assert await ticks(world) == [1, 2] and world.schedules.all() == [] and await world.schedules.firings.all() == []
        assert [d for kind in ("schedule", "schedule-position", "schedule-firing") for d in await world.store.documents(kind)] == []

    noon(scenario)


def test_a_server_that_is_held_fires_nothing_until_it_is_released() -> None:
    async def scenario(world: World) -> None:
        await world.schedules.save(schedule())
        world.schedules.hold()
        await moved(world, 3 * HOUR)
        assert await ticks(world) == []
        world.schedules.release()
        await world.settle()
        await moved(world, HOUR)
        assert await ticks(world) == [1, 4]
        assert world.schedules.requeue() == ["s"]

    noon(scenario)


def test_the_history_keeps_the_newest_of_each_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firings, "KEPT", 3)

    async def scenario(world: World) -> None:
        await world.schedules.save(schedule("a"))
        await world.schedules.save(schedule("b"))
        for _ in range(3):
            await moved(world, 2 * HOUR)
        kept = [(f.scheduleName, (f.scheduledTime - NOON) // HOUR) for f in await world.schedules.firings.all()]
        assert sorted(kept) == [(name, hour) for name in "ab" for hour in (4, 5, 6)]

    noon(scenario)


#    what is wrong                                          where it is named
WRONG = [
    ({"name": ""},                                          "saveSchedule.arg0.name"),
    ({"cronExpression": "0 0 25 * * *"},                    "saveSchedule.arg0.cronExpression"),
    ({"cronExpression": None},                              "saveSchedule.arg0.cronExpression"),
    ({"zoneId": "Mars/Olympus"},                            "saveSchedule.arg0.cronExpression"),
    ({"cronSchedules": [{"cronExpression": "@daily"}, {}]}, "saveSchedule.arg0.cronSchedules[1]"),
    ({"startWorkflowRequest": None},                        "saveSchedule.arg0.startWorkflowRequest"),
    ({"startWorkflowRequest": {"name": "x", "priority": 100}}, "saveSchedule.arg0.startWorkflowRequest.priority"),
    ({"scheduleStartTime": 2_000, "scheduleEndTime": 1_000}, "saveSchedule.arg0.scheduleEndTime"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path"), WRONG)
def test_what_could_never_fire_is_refused_when_it_is_saved(fields: dict[str, Any], path: str) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(InvalidFields) as error:
            await world.schedules.save(schedule(**fields))
        assert [v.path for v in error.value.violations] == [path] and world.schedules.all() == []

    noon(scenario)


@pytest.mark.parametrize(("name", "offset_s"), [("UTC", 0), ("Z", 0), ("+02:00", 7200), ("GMT-3", -10_800), ("UTC+0530", 19_800), ("Asia/Tokyo", 32_400)])
def test_a_zone_is_found_by_the_names_java_knows(name: str, offset_s: int) -> None:
    offset = zone(name).utcoffset(datetime(2027, 1, 1))
    assert offset is not None and offset.total_seconds() == offset_s


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Olympus", "+25:00", "../etc/passwd", "a\0b"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="expected a name"):
        zone(name)


# -- two servers, a year --------------------------------------------------------------------------------------------------------------

YEAR_BEGINS = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)
ZONES = ("Europe/Prague", "America/New_York", "Australia/Lord_Howe", "UTC")
NIGHTLY = ("0 30 2 * * *", "0 45 1 * * *")  # times that a clock set ahead skips, or shows twice when set back


def thousand() -> list[dict[str, Any]]:
    """Schedules of all kinds: most fire a few times a year, some every night around the changes of the clock."""
    rare = (
        "0 {m} 3 1 {q} *", "0 {m} 2 L {q} ?", "{m} 15 1 ? {q} SUN#1", "0 {m} 9 1W {q} ?",
        "0 0 {h} 28 3 *", "0 {m} * 31 10 *", "0 {m} 1-3 14 3 *", "0 {m} 1 7 11 *",
    )  # fmt: skip
    made = []
    for n in range(1_000):
        cron = NIGHTLY[n % 2] if n < 8 else rare[n % len(rare)].format(m=n % 60, q=f"{n % 6 + 1},{n % 6 + 7}", h=n % 24)
        made.append(schedule(f"s{n:03}", cron, zoneId=ZONES[n // 8 % 4], startWorkflowRequest={"name": "flow"}))
    return made


def expected_ticks(given: list[dict[str, Any]], end: int) -> Counter[tuple[str, int]]:
    found: Counter[tuple[str, int]] = Counter()
    for one in given:
        [entry] = entries_of(one)
        cron, where, at = Cron(entry.cron), ZoneInfo(entry.zone), YEAR_BEGINS
        while (at := cron.next_after(at, where) or end + 1) <= end:
            found[one["name"], at] += 1
    return found


def test_two_servers_on_one_store_miss_no_tick_and_double_none_over_a_year() -> None:
    async def run() -> None:
        store = MemoryStore()
        await store.open()
        clock, given = ManualClock(YEAR_BEGINS), thousand()
        first = World(store, clock)
        await first.open()
        await first.register("flow", task("nothing", "NOOP"))
        for one in given:
            await first.schedules.save(one)
        second = World(store, clock)
        await second.open()
        for step in range(73):
            clock.advance(5 * DAY)
            await asyncio.gather(first.settle(), second.settle())
            if step in (20, 50):  # one of them dies and comes back
                second = await reopened(second)
        found = Counter((x.head.input["_startedByScheduler"], x.head.input["_scheduledTime"]) for x in await first.started("flow"))
        expected = expected_ticks(given, clock.now())
        assert max(found.values()) == 1 and found == expected and len(expected) > 5_000
        await first.close()
        await second.close()

    asyncio.run(run())


def test_play_is_used_for_worlds_without_a_time() -> None:
    async def scenario(world: World) -> None:
        assert world.schedules.preview("@hourly", "UTC", None, None, 9) == [1_700_002_800_000 + n * HOUR for n in range(5)]
        assert world.schedules.preview("@hourly", "UTC", 1_700_002_800_000, 1_700_006_400_000, 9) == [1_700_002_800_000, 1_700_006_400_000]

    play(scenario)
