"""The movable clock: by itself, and moved."""

from __future__ import annotations

import asyncio

import pytest

from batuta.testing.clock import MovableClock

START = 1_700_000_000_000


def test_a_clock_that_stands_still_moves_only_when_told() -> None:
    async def scene() -> list[int]:
        clock, called = MovableClock(stands_still=True, now=START), list[int]()
        clock.call_at(START + 20, lambda: called.append(clock.now()))
        clock.call_at(START + 10, lambda: called.append(clock.now()))
        await asyncio.sleep(0.05)
        assert called == [] and clock.now() == START and clock.next_at() == START + 10
        clock.move_to(START + 10)
        clock.move_to(START + 5)  # never backwards
        assert clock.now() == START + 10 and called == [START + 10]
        clock.move_to(START + 100)
        return called

    assert asyncio.run(scene()) == [START + 10, START + 100]


def test_a_clock_that_goes_calls_by_itself_and_when_moved() -> None:
    async def scene() -> None:
        clock, done = MovableClock(now=START), asyncio.Event()
        assert START <= clock.now() < START + 10_000
        clock.call_at(clock.now() + 20, done.set)
        await asyncio.wait_for(done.wait(), 5)
        late, later = asyncio.Event(), asyncio.Event()
        clock.call_at(START + 3_600_000, late.set)
        clock.call_at(START + 7_200_000, later.set)
        clock.move_to(START + 3_600_000)
        assert late.is_set() and not later.is_set() and clock.now() >= START + 3_600_000
        clock.move_to(START + 7_199_950)  # the rest passes by itself
        await asyncio.wait_for(later.wait(), 5)

    asyncio.run(scene())


@pytest.mark.parametrize("stands_still", [True, False])
def test_what_is_past_is_called_soon_but_not_from_within(stands_still: bool) -> None:
    async def scene() -> None:
        clock, done = MovableClock(stands_still=stands_still, now=START), asyncio.Event()
        clock.call_at(START - 5, done.set)
        assert not done.is_set()
        await asyncio.wait_for(done.wait(), 5)

    asyncio.run(scene())


@pytest.mark.parametrize("stands_still", [True, False])
def test_what_is_cancelled_is_not_called(stands_still: bool) -> None:
    async def scene() -> None:
        clock, called = MovableClock(stands_still=stands_still, now=START), list[str]()
        kept = [clock.call_at(START + n, lambda n=n: called.append(str(n))) for n in (-1, 10_000, 20_000)]  # type: ignore[misc]
        kept[0].cancel()
        kept[1].cancel()
        kept[1].cancel()
        clock.move_to(START + 30_000)
        await asyncio.sleep(0)
        assert called == ["20000"] and clock.next_at() is None

    asyncio.run(scene())


def test_a_call_may_plan_the_next_one() -> None:
    async def scene() -> None:
        clock, called = MovableClock(stands_still=True, now=START), list[int]()

        def again() -> None:
            called.append(clock.now() - START)
            clock.call_at(clock.now() + 10, again)

        clock.call_at(START + 10, again)
        while (at := clock.next_at()) is not None and at <= START + 35:
            clock.move_to(at)
        assert called == [10, 20, 30]

    asyncio.run(scene())
