"""Queues: the index of what may be claimed, as claims and ends of executions get in each other's way."""

from __future__ import annotations

import asyncio

from batuta.engine.queues import Queues


def test_a_claim_under_way_finds_what_comes_after_its_queue_was_forgotten() -> None:
    queues = Queues()
    queues.offer("work", ("a", 1), 0, 5, 10)
    found = queues.best("work")
    assert next(found) == (("a", 1), 0, 5)
    queues.withdraw("work", ("a", 1))  # its execution ended while the claim waited for its turn: nothing is left of the queue
    queues.offer("work", ("b", 1), 0, 5, 10)
    assert next(found) == (("b", 1), 0, 5) and next(found, None) is None


def test_the_best_is_taken_first_and_only_once() -> None:
    queues = Queues()
    for key, priority, due in ((("a", 1), 0, 7), (("b", 1), 5, 9), (("c", 1), 0, 3), (("d", 1), 0, 50)):
        queues.offer("work", key, priority, due, 10)
    queues.offer("work", ("a", 1), 9, 8, 10)  # again, with another priority: the first offer is void
    assert [key for key, _, _ in queues.best("work")] == [("a", 1), ("b", 1), ("c", 1)]
    assert queues.size("work") == 1 and queues.next_due() == 50


async def waiting(queues: Queues) -> asyncio.Future[None]:
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    queues.get("work").waiters.append(waiter)
    return waiter


def test_who_was_woken_and_leaves_wakes_the_next() -> None:
    async def scenario() -> None:
        queues = Queues()
        first, second = await waiting(queues), await waiting(queues)
        queues.offer("work", ("a", 1), 0, 5, 10)
        assert first.done() and not second.done()
        queues.forget_waiter("work", first, takes=False)
        assert second.done()

    asyncio.run(scenario())
